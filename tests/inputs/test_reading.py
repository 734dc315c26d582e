"""Limits, encodings and whatever else needs more than a golden line."""

from __future__ import annotations

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from resolver.errors import Fault, InvalidQuery
from resolver.inputs import Inputs, read_inputs
from resolver.inputs.faults import host_of
from resolver.requirement import parse

SHA = "a" * 64


def _faults(**query: object) -> tuple[Fault, ...]:
    with pytest.raises(InvalidQuery) as caught:
        read_inputs(**query)  # type: ignore[arg-type]  # what JSON may hold is the point
    return caught.value.faults


def test_a_byte_order_mark_and_crlf_change_nothing() -> None:
    windows = read_inputs(files={"a.txt": f"\ufeffattrs \\\r\n  --hash=sha256:{SHA}\r\n# c\r\nflask\r\n"})
    unix = read_inputs(files={"a.txt": f"attrs \\\n  --hash=sha256:{SHA}\n# c\nflask\n"})
    assert windows == unix
    assert [str(one.requirement) for one in unix.requirements] == ["attrs", "flask"]


def test_duplicates_are_kept_in_order() -> None:
    inputs = read_inputs(requirements=["a>1", "b", "a<3", "a>1"])
    assert [str(one.requirement) for one in inputs.requirements] == ["a>1", "b", "a<3", "a>1"]


def test_a_url_with_and_without_its_fragment_is_the_same_requirement() -> None:
    url = "https://files.example/app-1.0-py3-none-any.whl"
    inputs = read_inputs(requirements=[f"app @ {url}", f"app @ {url}#sha256={SHA.upper()}"])
    assert inputs.requirements[0].requirement is inputs.requirements[1].requirement
    assert inputs.requirements[1].hashes == (("sha256", SHA),)


def test_two_thousand_requirements_are_read_and_one_more_is_a_fault() -> None:
    texts = [f"p{index}" for index in range(1999)]
    assert len(read_inputs(requirements=texts, constraints=["c<1"]).requirements) == 1999
    (fault,) = _faults(requirements=texts, constraints=["c<1"], files={"a.txt": "one-more\nand-more"})
    assert fault.place.file == "a.txt"
    assert "2000 requirements" in fault.detail


def test_a_hundred_faults_are_listed_and_the_others_counted() -> None:
    faults = _faults(requirements=["not ok"] * 150)
    assert len(faults) == 101
    assert faults[-1].detail == "and 50 more faults from here on"
    assert faults[-1].place.pointer == "/requirements/100"


def test_a_flood_of_faults_ends_the_reading() -> None:
    faults = _faults(files={"pyproject.toml": tomli_w.dumps({"project": {"dependencies": ["not ok"] * 100_000}})})
    assert faults[-1].detail == "and at least 2000 more faults from here on"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a #" + "x" * 4096, "a line of more than 4096"),
        ("\\\n".join(["a" * 4000] * 40), "too many joined"),
        ("a;" + "(" * 2000, "nested"),
        ("a==" + "1" * 3000, "longer than 128"),
        ("a" + ",>1" * 1000, "more than 100"),
        ("-f x\n" * 10_001, "more than 10000 statements"),
    ],
)
def test_a_file_beyond_a_limit_is_a_fault(text: str, said: str) -> None:
    faults = _faults(files={"a.txt": f"{text}\nb --hash=sha256:oops"})
    assert any(said in fault.detail for fault in faults)


def test_a_long_comment_between_statements_is_a_fault_of_its_line_only_when_it_takes_part() -> None:
    assert len(read_inputs(files={"a.txt": "#" * 5000 + "\nattrs"}).requirements) == 1


def test_files_are_included_sixteen_deep_and_no_deeper() -> None:
    def chain(length: int) -> dict[str, str]:
        return {f"{index}.txt": f"-r {index + 1}.txt\np{index}" for index in range(length)} | {f"{length}.txt": "end"}

    assert len(read_inputs(files=chain(16)).requirements) == 17
    (fault,) = _faults(files=chain(17))
    assert fault.place.file == "16.txt"
    assert "16 deep" in fault.detail


def test_more_than_sixty_four_files_are_refused() -> None:
    (fault,) = _faults(files={f"{index}.txt": "" for index in range(65)}, roots=["0.txt"])[:1]
    assert fault.place.pointer == "/files"


def test_extras_that_multiply_under_markers_are_refused_not_expanded() -> None:
    def level(index: int) -> list[str]:
        return [f"app[e{index + 1}]; python_version < '3.{minor}'" for minor in range(10, 14)]

    extras = {f"e{index}": level(index) for index in range(12)} | {"e12": ["leaf"]}
    text = tomli_w.dumps({"project": {"name": "app", "optional-dependencies": extras}})
    assert any("too many ways" in fault.detail for fault in _faults(files={"pyproject.toml": text}, extras=["e0"]))


def test_a_self_reference_applies_under_both_markers() -> None:
    extras = {"all": ["app[one]; sys_platform == 'linux'"], "one": ["leaf>1; os_name == 'nt' or os_name == 'java'"]}
    text = tomli_w.dumps({"project": {"name": "App", "optional-dependencies": extras}})
    (stated,) = read_inputs(files={"pyproject.toml": text}, extras=["all"]).requirements
    marker = parse("x; (os_name == 'nt' or os_name == 'java') and sys_platform == 'linux'").marker
    assert stated.requirement.marker == marker
    assert stated.origin == "pyproject.toml (extra: one)"


def test_several_projects_share_extras_and_intersect_their_pythons() -> None:
    files = {
        f"{name}/pyproject.toml": tomli_w.dumps(
            {"project": {"name": name, "requires-python": python, "optional-dependencies": {"web": [f"{name}-web"]}}}
        )
        for name, python in (("a", ">=3.11"), ("b", "<4"))
    }
    inputs = read_inputs(files=files, roots=list(files), extras=["web"])
    assert [one.requirement.name for one in inputs.requirements] == ["a-web", "b-web"]
    assert inputs.requires_python == ">=3.11,<4"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a = " + "[" * 5000, "nested too deeply"),
        ("a = " + "9" * 5000, "out of range"),
        ("a." * 40 + "a = 1", "more than 32 parts"),
        ('x = {"a" . ' + "'b c'." * 40 + "a = 1}", "more than 32 parts"),
    ],
)
def test_hostile_toml_is_a_fault(text: str, said: str) -> None:
    assert said in _faults(files={"pyproject.toml": text})[0].detail


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://packages.example/simple", "packages.example"),
        ("https://user:secret@Packages.example:8080", "packages.example"),
        ("https://user:se/cr@et@packages.example/", "packages.example"),
        ("user:secret@packages.example", None),
        ("../wheels", None),
        ("https://", None),
    ],
)
def test_the_host_of_a_url_is_shown_and_nothing_else(url: str, host: str | None) -> None:
    assert host_of(url) == host


_PIECES = [
    *(
        "a",
        "==1",
        "[x]",
        ";",
        " ",
        "\n",
        "\\\n",
        "-r ",
        "-c x",
        "--hash=",
        "sha256:",
        "https://",
        "u:SECRET@",
        "#",
        "@",
    ),
    *("h.example/", "a-1-py3-none-any.whl", "python_version", "<'3'", "(", ")", '"', "${A}", "-e", "\ud800"),
]
_GARBAGE = st.one_of(
    st.text(max_size=60),
    st.lists(
        st.sampled_from(_PIECES),
        max_size=12,
    ).map("".join),
)
_TOML = st.recursive(
    st.one_of(_GARBAGE.map(lambda text: text.replace("\ud800", "")), st.integers(), st.booleans()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["include-group", "index", "git", "all", "dev", "a"]), inner, max_size=3),
    ),
    max_leaves=6,
)
_KEYS = ["name", "dependencies", "optional-dependencies", "requires-python", "dynamic"]
_PROJECTS = st.fixed_dictionaries(
    {},
    optional={
        "project": st.dictionaries(st.sampled_from(_KEYS), _TOML),
        "dependency-groups": _TOML,
        "tool": st.fixed_dictionaries({"uv": st.dictionaries(st.sampled_from(["sources", "index"]), _TOML)}),
    },
).map(tomli_w.dumps)


def _is_answered(**query: object) -> None:
    """Whatever was asked: Inputs that hold no userinfo, or faults that can be encoded and hold none either."""
    faults: tuple[Fault, ...] = ()
    inputs = Inputs()
    try:
        inputs = read_inputs(**query)  # type: ignore[arg-type]  # garbage on purpose
    except InvalidQuery as error:
        faults = error.faults
    for stated in (*inputs.requirements, *inputs.constraints, *inputs.overrides):
        assert stated.requirement.url is None or "SECRET" not in stated.requirement.url
    for said in (*(fault.detail for fault in faults), *(notice.detail for notice in inputs.warnings)):
        assert "://u:SECRET" not in said
        assert said.isprintable()


@given(st.lists(st.one_of(_GARBAGE, st.none(), st.integers()), max_size=3), _GARBAGE, _GARBAGE)
@settings(max_examples=150, deadline=None)
def test_garbage_is_read_or_refused_but_never_breaks(texts: list[object], content: str, other: str) -> None:
    _is_answered(requirements=texts, files={"a.txt": content, "x": other}, roots=["a.txt"])
    _is_answered(constraints=texts, excludes=texts, extras=texts, groups=texts, files={other: content})


@given(st.one_of(_PROJECTS, _GARBAGE))
@settings(max_examples=150, deadline=None)
def test_garbage_in_a_project_is_read_or_refused_but_never_breaks(content: str) -> None:
    _is_answered(files={"pyproject.toml": content}, extras=["all"], groups=["dev"])
    _is_answered(files={"pyproject.toml": content})
