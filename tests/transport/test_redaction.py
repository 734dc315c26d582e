"""No secret in what is shown."""

from __future__ import annotations

import pickle

import pytest

from transport.credentials import authorization, basic, bearer, header, index_from_url
from transport.message import Authenticate
from transport.partition import PUBLIC, Partitions, load_key
from transport.redaction import KnownSecrets, redact
from transport.secret import Secret


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://u:p@h.example/x", "https://****@h.example/x"),
        ("https://tok@h.example/x", "https://****@h.example/x"),
        ("https://h.example/x?sig=abc&X-Amz-Signature=d%2Fe#f", "https://h.example/x?sig=****&X-Amz-Signature=****"),
        ("https://h.example/x", "https://h.example/x"),
        ("https://u:p@ss@h.example/x", "https://****@h.example/x"),
        ("https://h.example/@scope/x", "https://h.example/@scope/x"),
    ],
)
def test_userinfo_and_query_values_are_masked(url: str, shown: str) -> None:
    assert redact(url) == shown


def test_known_secrets_are_blotted_out_however_they_are_spelt() -> None:
    known = KnownSecrets()
    known.add("p/w d", "p/w dlonger", "abc")
    assert known.scrub("a p/w dlonger b p/w d c p%2Fw%20d d p%2Fw+d abc") == "a **** b **** c **** d **** abc"


def test_secrets_do_not_print() -> None:
    index = index_from_url("corp", "https://user:c4nary@h.example/simple")
    assert "c4nary" not in f"{index!r} {index} {index.credential}"
    with pytest.raises(TypeError):
        pickle.dumps(Secret("c4nary"))


@pytest.mark.parametrize(
    ("url", "clean", "sent"),
    [
        ("https://u:p@h.example/simple", "https://h.example/simple/", "Basic dTpw"),
        ("https://:tok@h.example/simple/", "https://h.example/simple/", "Basic OnRvaw=="),
        ("https://tok@h.example:443/simple//", "https://h.example/simple/", "Basic dG9rOg=="),
        ("https://u:p%40%3A%2F@h.example/", "https://h.example/", "Basic dTpwQDov"),
        ("https://@h.example/", "https://h.example/", None),
        ("https://h.example", "https://h.example/", None),
    ],
)
def test_an_index_is_made_of_a_url_as_users_write_it(url: str, clean: str, sent: str | None) -> None:
    index = index_from_url("corp", url, explicit=True)
    assert (index.url, index.explicit) == (clean, True)
    assert (authorization(index.credential)[1] if index.credential else None) == sent


@pytest.mark.parametrize(
    "url",
    ["https://user/c4nary:pw@h.example/", "https://u:%ff@h.example/", "https://u:c4nary%0d%0ax@h.example/",
     "https://u%3Ax:c4nary@h.example/", "ftp://u:c4nary@h.example/"],
)  # fmt: skip
def test_a_url_that_is_ambiguous_or_unusable_is_an_error_that_names_the_index_only(url: str) -> None:
    with pytest.raises(ValueError, match="corp") as caught:
        index_from_url("corp", url)
    assert "c4nary" not in str(caught.value)


def test_a_credential_for_an_index_that_never_authenticates_is_a_contradiction() -> None:
    with pytest.raises(ValueError, match="never"):
        index_from_url("corp", "https://u:p@h.example/", authenticate=Authenticate.NEVER)


@pytest.mark.parametrize("make", [lambda: bearer(""), lambda: bearer("a b"), lambda: header("x y", "v"),
                                  lambda: header("Host", "v"), lambda: header("X-Key", "a\r\nb: c")])  # fmt: skip
def test_credentials_that_would_break_a_header_are_refused(make: object) -> None:
    assert callable(make)
    with pytest.raises(ValueError, match=r"token|header"):
        make()


def test_partitions_tell_everything_apart_that_could_change_an_answer() -> None:
    names = Partitions(b"k" * 32)
    plain = index_from_url("corp", "https://h.example/")
    makes = [
        names.of(plain, None),
        names.of(plain, basic("u", "p")),
        names.of(plain, basic("up", "")),
        names.of(plain, basic("", "up")),
        names.of(plain, bearer("up")),
        names.of(index_from_url("corp", "https://h.example/", client_cert="/id.pem"), None),
        names.of(index_from_url("corp", "https://h.example/", ca="/ca.pem"), None),
        names.of(index_from_url("corp", "https://h.example/", ca="/ca.pem", system_trust=False), None),
        names.of(index_from_url("corp", "https://h.example/", verify=False), None),
        names.of(index_from_url("corp", "https://h.example/", proxy=Secret("http://p.example")), None),
    ]
    assert makes[0] == PUBLIC
    assert len(set(makes)) == len(makes)
    assert Partitions(b"j" * 32).of(plain, basic("u", "p")) != makes[1]


def test_processes_that_share_a_directory_agree_on_the_key(tmp_path_factory: pytest.TempPathFactory) -> None:
    directory = tmp_path_factory.mktemp("cache")
    assert load_key(directory) == load_key(directory)
    assert len(list(directory.iterdir())) == 1
    (directory / "partition.key").write_bytes(b"short")
    assert load_key(directory) == load_key(directory)
    assert load_key(None) != load_key(None)
