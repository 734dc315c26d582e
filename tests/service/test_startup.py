"""What makes a process start quickly: dataclasses whose methods are compiled when they are called."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT

_PROLOGUE = """
from __future__ import annotations
import copy, dataclasses, gc, inspect, json, typing
from service.startup import FEW, compile_late, hasten
from dataclasses import dataclass, field
EAGER = dataclasses._create_fn
compile_late()
compile_late()
"""

_CLASSES = """
@dataclass(frozen=True, slots=True)
class Point:
    \"\"\"A point.\"\"\"
    x: int
    y: tuple[int, ...] = ()
    z: list[int] = field(default_factory=list, compare=False)

@dataclass(frozen=True, slots=True)
class Named(Point):
    \"\"\"With a name.\"\"\"
    name: str = field(default="n", repr=False)

@dataclass(slots=True, order=True)
class Counter:
    \"\"\"May change.\"\"\"
    count: int = 0
    def __post_init__(self): self.count += 1

@dataclass(frozen=True, kw_only=True)
class Odd(Point):
    \"\"\"With all that there is.\"\"\"
    seed: dataclasses.InitVar[int] = 0
    kinds: typing.ClassVar[int] = 5
    twice: int = field(init=False, default=0)
    def __post_init__(self, seed): object.__setattr__(self, "twice", 2 * (self.x + seed))

@dataclass(frozen=True, slots=True, kw_only=True)
class Strict:
    \"\"\"Positive.\"\"\"
    count: int
    more: dict[str, int] = field(default_factory=dict)
    def __post_init__(self):
        if self.count < 0: raise ValueError("negative")

def tried(call):
    try:
        return repr(call())
    except Exception as error:
        return f"{type(error).__name__}: {error}"

point, named, counter = Point(1, (2,)), Named(1, (2,), name="x"), Counter(3)
told = [tried(call) for call in (
    lambda: point, lambda: named, lambda: counter,
    lambda: point == Point(1, (2,), [9]), lambda: point == named, lambda: named == Named(1, (2,)), lambda: point == 1,
    lambda: hash(point) == hash(Point(1, (2,), [9])), lambda: hash(named) == hash(Named(1, (2,), name="x")),
    lambda: hash(counter), lambda: setattr(point, "x", 2), lambda: setattr(named, "name", 2),
    lambda: delattr(point, "x"), lambda: delattr(named, "x"), lambda: setattr(counter, "count", 9), lambda: counter,
    lambda: Counter(1) < Counter(2), lambda: sorted([Counter(5), Counter(2)]), lambda: Point(), lambda: Point(1, w=2),
    lambda: dataclasses.replace(named, x=7, name="y").name, lambda: copy.deepcopy(named), lambda: point.z is Point(1).z,
    lambda: dataclasses.asdict(named), lambda: Named.__init__.__qualname__, lambda: inspect.signature(Point),
    lambda: Odd(1, seed=3).twice, lambda: Odd(1, (2,), [3], seed=3), lambda: Odd(1, (2,), [3], 4), lambda: Odd.kinds,
    lambda: Strict(count=1), lambda: Strict(1), lambda: Strict(count=-1), lambda: Strict(), lambda: Strict(more={}),
    lambda: Point(1, (2,), [3], 4), lambda: Point(1, x=2), lambda: Point(y=(1,), x=2), lambda: Point(1, v=2),
    lambda: Strict(count=1).more is Strict(count=1).more, lambda: [Point(n).x for n in range(3 * FEW)][-1],
    lambda: Point.__slots__, lambda: Point.__init__(self=point, x=3) is None,
)]
"""


def _run(script: str) -> list[object]:
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    told = json.loads(done.stdout)
    assert isinstance(told, list)
    return told


needs_seam = pytest.mark.skipif(sys.version_info >= (3, 13), reason="dataclasses are built in another way there")


@needs_seam
def test_dataclasses_whose_methods_are_compiled_late_behave_as_any() -> None:
    late = _run(f"{_PROLOGUE}{_CLASSES}print(json.dumps(told))")
    eager = _run(f"{_PROLOGUE}dataclasses._create_fn = EAGER\n{_CLASSES}print(json.dumps(told))")
    assert late == eager


@needs_seam
def test_methods_that_nobody_calls_are_never_compiled_and_the_others_once() -> None:
    counting = _PROLOGUE.replace(
        "compile_late()\ncompile_late()",
        "compiled = []\n"
        "def counted(name, *args, **scope):\n    compiled.append(name)\n    return EAGER(name, *args, **scope)\n"
        "dataclasses._create_fn = counted\ncompile_late()",
    )
    calls = "before = list(compiled)\n[(Point(1) == Point(n), repr(Point(n))) for n in range(FEW)]\n"
    cls = _CLASSES.partition("@dataclass(frozen=True, slots=True)\nclass Named")[0]
    before, after, is_plain = _run(
        f"{counting}{cls}{calls}print(json.dumps([before, compiled, Point.__init__.__code__.co_name]))"
    )
    assert before == []
    assert after == ["__eq__", "__repr__", "__init__"]  # the constructor has been called often by then
    assert is_plain == "__init__"  # not the function that waited: nothing is paid from the second call on


def test_a_hastened_process_has_no_collector_until_it_serves_and_no_foreign_plugins() -> None:
    script = (
        "import gc, json, os, sys\nfrom service.startup import hasten\nhasten()\n"
        "asked = []\nfrom importlib import metadata\n"
        "metadata.distributions = lambda **_: asked.append(1) or []\n"
        "import service.schema\nfrom service.garbage import tune\n"
        "before = gc.isenabled()\ntune()\nprint(json.dumps([before, gc.isenabled(), asked]))"
    )
    assert _run(script) == [False, False, []]  # who keeps house turns it on: tests/service/test_garbage.py


def test_patterns_of_our_modules_are_compiled_when_they_are_used_and_then_as_quick(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "import re\nPLAIN = re.compile('a(?P<x>b*)', re.ASCII)\nBAD = re.compile('(')\n"
        "class Kind:\n    pattern = re.compile('c')\n"
        "def made():\n    return re.compile('d'), re.compile(PLAIN)\n"
    )
    (tmp_path / "other.py").write_text("import re\nPATTERN = re.compile('a')\n")
    script = (
        f"import json, re, sys\nsys.path.insert(0, {str(tmp_path)!r})\n"
        "from service.late_patterns import compile_patterns_late\n"
        "compile_patterns_late(('own',))\ncompile_patterns_late(('own',))\nimport other, own\n"
        "late = [isinstance(one, re.Pattern) for one in (own.PLAIN, own.Kind.pattern, other.PATTERN, *own.made())]\n"
        "told = [own.PLAIN.fullmatch('abb')['x'], own.PLAIN.sub('-', 'xab'), own.PLAIN.pattern, own.PLAIN.groups]\n"
        "same = own.PLAIN.match is own.PLAIN.match\n"
        "try:\n    own.BAD.match('')\nexcept re.error as error:\n    told.append(error.msg)\n"
        "try:\n    own.PLAIN.nothing\nexcept AttributeError as error:\n    told.append(str(error))\n"
        "print(json.dumps([late, told, same]))"
    )
    late, told, same = _run(script)
    assert late == [False, False, True, True, True]
    assert told == ["bb", "x-", "a(?P<x>b*)", 1, "missing ), unterminated subpattern", "nothing"]
    assert same  # nothing is looked up again: the pattern's own method


@needs_seam
def test_a_process_that_is_to_serve_compiles_what_requests_would_wait_for() -> None:
    told = _run(
        "import dataclasses, json, re\nfrom service.startup import hasten, settle\nhasten()\n"
        "from resolver.requirement import Requirement\nimport resolver.driver, service.app\n"
        "from service.late_patterns import LatePattern\nimport resolver.index.release as release\n"
        "before = [Requirement.__init__.__code__.co_filename, 'match' in vars(release._HASH)]\n"
        "settle()\nsettle()\nassert re.compile.__module__ == 're'\n"
        "after = [Requirement.__init__.__code__.co_filename, 'match' in vars(release._HASH)]\n"
        "print(json.dumps([before != after, after]))"
    )
    assert told == [True, ["<string>", True]]
