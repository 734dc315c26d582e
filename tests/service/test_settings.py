"""Settings: layers, origins, foreign tools, and secrets that stay secret."""

from __future__ import annotations

from pathlib import Path

import pytest
from packageurl.validate import DEFINITIONS_BY_TYPE

from service.configuration import Configuration, load
from service.settings import SettingsError
from transport.message import Credential
from transport.secret import Secret


def read(directory: Path, file: str = "", **environ: str) -> Configuration:
    if file:
        (directory / "lockwright.toml").write_text(file)
    empty = {"HOME": str(directory / "home"), "XDG_CONFIG_DIRS": str(directory / "xdg"), "PIP_CONFIG_FILE": "/dev/null"}
    return load(environ={**empty, **environ}, directory=directory)


def urls(configuration: Configuration) -> list[tuple[str, str, bool]]:
    indexes = [index.to_index() for index in configuration.settings.index]
    return [(index.name, index.url, index.default) for index in indexes]


def test_each_layer_beats_the_one_below_and_is_remembered(tmp_path: Path) -> None:
    user = tmp_path / "home" / ".config" / "lockwright"
    user.mkdir(parents=True)
    (user / "lockwright.toml").write_text(
        '[service]\nlog_level = "error"\nmax_body = "1 MiB"\n[network]\nretries = 7\n'
    )
    file = '[service]\nmax_body = "2 MiB"\nmax_concurrent_solves = 5\n'
    found = read(tmp_path, file, LOCKWRIGHT_MAX_CONCURRENT_SOLVES="6", LOCKWRIGHT_CACHE__DIR="~/c")
    assert found.settings.network.retries == 7
    assert found.settings.service.log_level == "error"
    assert found.settings.service.max_body == 2 * 1024 * 1024
    assert found.settings.service.max_concurrent_solves == 6
    assert found.origins["network.retries"] == str(user / "lockwright.toml")
    assert found.origins["service.max_body"] == str(tmp_path / "lockwright.toml")
    assert found.origins["service.max_concurrent_solves"] == "LOCKWRIGHT_MAX_CONCURRENT_SOLVES"
    assert found.origins["cache.dir"] == "LOCKWRIGHT_CACHE__DIR"
    assert "service.log_format" not in found.origins


def test_flags_beat_everything(tmp_path: Path) -> None:
    found = load(
        environ={"HOME": str(tmp_path), "LOCKWRIGHT_LOG_LEVEL": "ERROR"},
        directory=tmp_path,
        flags={"service": {"log_level": "debug"}},
    )
    assert found.settings.service.log_level == "debug"
    assert found.origins["service.log_level"] == "the command line"


def test_the_table_of_a_pyproject_counts_and_a_file_that_is_named_replaces_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.lockwright.network]\nretries = 1\n")
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert load(environ={"HOME": str(tmp_path)}, directory=below).settings.network.retries == 1
    (tmp_path / "other.toml").write_text('[service]\nlog_level = "debug"\n')
    named = read(tmp_path, LOCKWRIGHT_CONFIG=str(tmp_path / "other.toml")).settings
    assert (named.network.retries, named.service.log_level) == (3, "debug")


@pytest.mark.parametrize(
    ("file", "environ", "message"),
    [
        ("[service]\nlog_levl = 'info'", {}, r"service.log_levl.*lockwright.toml"),
        ("[service", {}, "not TOML"),
        ("", {"LOCKWRIGHT_NETWORK__RETRY": "1"}, "network.retry: no such setting.*LOCKWRIGHT_NETWORK__RETRY"),
        ("", {"LOCKWRIGHT_FOO__BAR": "1"}, "foo: no such setting.*LOCKWRIGHT_FOO__BAR"),
        ("", {"LOCKWRIGHT_DEFAULT_REQUIRES_PYTHON": "3.9"}, "service.default_requires_python: not a version specifier"),
        ("service = 5", {}, "service: Input should be an object.*lockwright.toml"),
        ("", {"LOCKWRIGHT_MAX_BODY": "huge"}, "service.max_body.*LOCKWRIGHT_MAX_BODY"),
        ("", {"LOCKWRIGHT_CONFIG": "/nonexistent.toml"}, "/nonexistent.toml cannot be read"),
        ("[[index]]\nname = 'a'\nurl = 'ftp://x.example'", {}, r"index.\[a\].url"),
        ("[[index]]\nname = 'a'\nurl = 'https://u:hunter2@x.example/ y'", {}, r"index.\[a\].url: .*control character"),
        ("[[index]]\nname='a'\nurl='https://x.example'\n[[index]]\nname='a'\nurl='https://y.example'", {}, "called a"),
    ],
)
def test_a_wrong_setting_is_named_with_its_origin_and_without_its_value(
    tmp_path: Path, file: str, environ: dict[str, str], message: str
) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        read(tmp_path, file, **environ)
    assert "hunter2" not in str(caught.value)


def test_an_unknown_variable_is_warned_about(tmp_path: Path) -> None:
    assert read(tmp_path, LOCKWRIGHT_LOGLEVEL="debug", LOCKWRIGHT_SERVER="http://x").warnings == (
        "LOCKWRIGHT_LOGLEVEL is not a setting; it is not used",
    )


def test_a_cache_that_is_not_shared_yet_is_warned_about(tmp_path: Path) -> None:
    (warning,) = read(tmp_path, '[cache]\nshared = "redis://:hunter2@cache.example/0"\n').warnings
    assert "cache.shared" in warning
    assert "lockwright.toml" in warning
    assert "hunter2" not in warning


def test_without_any_setting_the_default_is_that_of_the_purl_specification(tmp_path: Path) -> None:
    found = read(tmp_path)
    [(name, url, is_default)] = urls(found)
    assert (name, is_default) == ("default", True)
    assert url.startswith(str(DEFINITIONS_BY_TYPE["pypi"].default_repository_url))
    assert url.endswith("/simple/")
    assert "purl" in found.default_index_origin


def test_an_explicit_default_turns_it_off(tmp_path: Path) -> None:
    found = read(tmp_path, 'default_index = "explicit"\n')
    assert urls(found) == []
    assert "explicit" in found.default_index_origin
    chosen = read(tmp_path, LOCKWRIGHT_DEFAULT_INDEX="https://i.example/simple")
    assert urls(chosen) == [("default", "https://i.example/simple/", True)]


U, P, X, Y = "https://uv.example/", "https://pip.example/", "https://x.example/", "https://y.example/"


@pytest.mark.parametrize(
    ("environ", "expected", "origin"),
    [
        ({"UV_DEFAULT_INDEX": U, "UV_INDEX_URL": X, "PIP_INDEX_URL": P}, [("default", U, True)], "UV_DEFAULT_INDEX"),
        ({"UV_INDEX_URL": U, "PIP_INDEX_URL": P}, [("default", U, True)], "UV_INDEX_URL"),
        ({"PIP_INDEX_URL": P}, [("default", P, True)], "PIP_INDEX_URL"),
        ({"UV_DEFAULT_INDEX": f"corp={U}"}, [("corp", U, True)], "UV_DEFAULT_INDEX"),
        (
            {"UV_INDEX": f"x={X} {Y}", "UV_DEFAULT_INDEX": U},
            [("x", X, False), ("extra", Y, False), ("default", U, True)],
            "UV_DEFAULT_INDEX",
        ),
        (
            {"PIP_INDEX_URL": P, "PIP_EXTRA_INDEX_URL": f"{X} {Y} {X}"},
            [("extra", X, False), ("extra-2", Y, False), ("default", P, True)],
            "PIP_INDEX_URL",
        ),
        ({"UV_DEFAULT_INDEX": U, "PIP_EXTRA_INDEX_URL": X}, [("default", U, True)], "UV_DEFAULT_INDEX"),
        ({"PIP_NO_INDEX": "1", "PIP_INDEX_URL": P}, [], "none: PIP_NO_INDEX"),
    ],
)
def test_indexes_of_uv_and_pip_are_honoured(
    tmp_path: Path, environ: dict[str, str], expected: list[tuple[str, str, bool]], origin: str
) -> None:
    found = read(tmp_path, **environ)
    assert urls(found) == expected
    assert found.default_index_origin == origin


def test_a_default_of_our_own_file_beats_those_of_other_tools(tmp_path: Path) -> None:
    file = "[[index]]\nname = 'corp'\nurl = 'https://c.example/simple/'\ndefault = true\n"
    found = read(tmp_path, file, UV_DEFAULT_INDEX=U)
    assert urls(found) == [("corp", "https://c.example/simple/", True)]


def test_files_of_pip_are_read_and_the_environment_beats_them(tmp_path: Path) -> None:
    chosen = tmp_path / "pip.ini"
    chosen.write_text(
        "[global]\nindex-url = https://g.example/simple\nextra-index-url =\n  https://x.example/\n"
        "  file:///srv/wheels\n[install]\nindex-url = https://i.example/simple\nfind-links = /w\n"
    )
    found = read(tmp_path, PIP_CONFIG_FILE=str(chosen))
    assert urls(found) == [("extra", X, False), ("default", "https://i.example/simple/", True)]
    assert found.default_index_origin == f"[install] index-url in {chosen}"
    assert len(found.warnings) == 2
    assert urls(read(tmp_path, PIP_CONFIG_FILE=str(chosen), PIP_INDEX_URL=P))[-1] == ("default", P, True)


def test_pips_install_section_beats_its_global_one_whatever_file_either_is_in(tmp_path: Path) -> None:
    user = tmp_path / "home" / ".config" / "pip"
    user.mkdir(parents=True)
    (user / "pip.conf").write_text("[install]\nindex-url = https://i.example/simple\n")
    chosen = tmp_path / "pip.ini"
    chosen.write_text("[global]\nindex-url = https://g.example/simple\n")
    assert urls(read(tmp_path, PIP_CONFIG_FILE=str(chosen))) == [("default", "https://i.example/simple/", True)]


def test_credentials_come_from_url_file_and_environment(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("from-file\n")
    file = f"""
[[index]]
name = "in-url"
url = "https://me:p%40ss@a.example/simple"
[[index]]
name = "in-file"
url = "https://b.example/simple"
username = "ci"
password_file = "{tmp_path}/secret"
[[index]]
name = "bearer"
url = "https://c.example/simple"
token_file = "{tmp_path}/secret"
[[index]]
name = "my.corp"
url = "https://d.example/simple"
username = "ci"
[[index]]
name = "over"
url = "https://e.example/simple"
username = "ci"
password_file = "{tmp_path}/secret"
"""
    environ = {
        "LOCKWRIGHT_INDEX_MY_CORP_PASSWORD": "from-env",
        "LOCKWRIGHT_INDEX_OVER_TOKEN": "of-ci",
        "UV_INDEX_IN_FILE_PASSWORD": "not-used",
    }
    found = read(tmp_path, file, **environ)
    indexes = {index.name: index.to_index() for index in found.settings.index}
    assert indexes["in-url"].url == "https://a.example/simple/"
    assert {name: index.credential for name, index in indexes.items() if name != "default"} == {
        "in-url": Credential("basic", "me", Secret("p@ss")),
        "in-file": Credential("basic", "ci", Secret("from-file")),
        "bearer": Credential("bearer", "", Secret("from-file")),
        "my.corp": Credential("basic", "ci", Secret("from-env")),
        "over": Credential("bearer", "", Secret("of-ci")),
    }
    shown = f"{found.settings!r} {indexes!r}"
    assert not [secret for secret in ("p@ss", "p%40ss", "from-file", "from-env", "of-ci") if secret in shown]


def test_a_ca_bundle_replaces_the_systems_trust_unless_it_is_added(tmp_path: Path) -> None:
    file = "[[index]]\nname='{0}'\nurl='https://{0}.example'\n{1}\n"
    text = file.format("a", "") + file.format("b", "ca='x'") + file.format("c", "ca='x'\nsystem_trust=true")
    indexes = [index.to_index() for index in read(tmp_path, text).settings.index]
    assert [index.system_trust for index in indexes if not index.default] == [True, False, True]


def test_the_environment_paves_the_road_to_configured_indexes(tmp_path: Path) -> None:
    file = """
[[index]]
name = "a"
url = "https://a.example/"
[[index]]
name = "own"
url = "https://b.corp.example/"
ca = "own.pem"
proxy = "http://own.example:1"
[[index]]
name = "near"
url = "http://127.0.0.1:9/"
"""
    environ = {
        "PIP_CERT": "pip.pem",
        "REQUESTS_CA_BUNDLE": "requests.pem",
        "SSL_CLIENT_CERT": "me.pem",
        "HTTPS_PROXY": "http://u:hunter2@proxy.example:3128",
        "HTTP_PROXY": "http://other.example:3128",
        "NO_PROXY": "default.example",
        "UV_DEFAULT_INDEX": "https://default.example/",
        "NETRC": "~/n",
    }
    found = read(tmp_path, file, **environ)
    indexes = {index.name: index.to_index() for index in found.settings.index}
    assert {name: (index.ca, index.client_cert) for name, index in indexes.items()} == {
        "a": ("pip.pem", "me.pem"),
        "own": ("own.pem", "me.pem"),
        "near": (None, None),
        "default": ("pip.pem", "me.pem"),
    }
    proxies = {name: index.proxy.reveal() if index.proxy else None for name, index in indexes.items()}
    assert proxies == {
        "a": "http://u:hunter2@proxy.example:3128",
        "own": "http://own.example:1",
        "near": None,
        "default": None,
    }
    assert found.origins["index.a.ca"] == "PIP_CERT"
    assert found.settings.network.netrc == Path("~/n").expanduser()
    assert "hunter2" not in f"{found.settings!r}"


def test_roots_of_openssl_beat_those_of_requests(tmp_path: Path) -> None:
    environ = {"UV_DEFAULT_INDEX": U, "REQUESTS_CA_BUNDLE": "r.pem", "SSL_CERT_FILE": "roots.pem"}
    assert read(tmp_path, **environ).settings.index[0].to_index().ca is None
