"""What makes a process start quickly: dataclasses whose methods are compiled when they are called."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.cli.conftest import ROOT

_PROLOGUE = """
from __future__ import annotations
import copy, dataclasses, gc, inspect, json
from service.startup import compile_late, hasten
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
    calls = "before = list(compiled)\n[(Point(1) == Point(n), repr(Point(n))) for n in range(3)]\n"
    cls = _CLASSES.partition("@dataclass(frozen=True, slots=True)\nclass Named")[0]
    before, after, is_plain = _run(
        f"{counting}{cls}{calls}print(json.dumps([before, compiled, Point.__init__.__code__.co_name]))"
    )
    assert before == []
    assert after == ["__init__", "__eq__", "__repr__"]
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
