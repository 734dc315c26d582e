"""What is known of environments without asking: which values of different variables go together.

CPython decides ``sys.platform``, ``os.name`` and ``platform.system()`` together, so ``os_name == "nt"`` and
``sys_platform == "linux"`` exclude each other although no literal says so, and ``platform_system == "Windows"`` says
the same as ``sys_platform == "win32"``. Every set of environments lies within :data:`CONSISTENT`. Only what holds on
every interpreter of a platform that has releases is stated here; values that are not named are left free.

Sources: the documentation of ``sys.platform``, ``os.name`` and ``platform.system``; PEP 730 and 738 for iOS, Android.
"""

from __future__ import annotations

from .axes import axis_of
from .diagram import NO, YES, Node, make, meet

# By sys_platform, os_name and platform_system: the three determine one another.
PLATFORMS = {"darwin": ("posix", "Darwin"), "linux": ("posix", "Linux"), "win32": ("nt", "Windows")}
_POSIX = ("aix", "android", "cygwin", "emscripten", "ios", "wasi")  # what they call their system varies
# By implementation_name, platform_python_implementation.
IMPLEMENTATIONS = {"cpython": "CPython", "pypy": "PyPy"}


def _only(variable: str, value: str, then: Node) -> Node:
    return make(axis_of(variable), (value,), (then, NO))


def _none_of(variable: str, values: set[str], then: Node) -> Node:
    return make(axis_of(variable), tuple(sorted(values)), (*[NO] * len(values), then))


def _platforms() -> Node:
    no_known_system = _none_of("platform_system", {system for _, system in PLATFORMS.values()}, YES)
    by_name = {
        name: _only("os_name", os_name, _only("platform_system", system, YES))
        for name, (os_name, system) in PLATFORMS.items()
    }
    by_name.update(dict.fromkeys(_POSIX, _only("os_name", "posix", no_known_system)))
    names = tuple(sorted(by_name))
    return make(
        axis_of("sys_platform"), names, (*map(by_name.__getitem__, names), _none_of("os_name", {"nt"}, no_known_system))
    )


def _implementations() -> Node:
    axis = axis_of("implementation_name")
    reported = "platform_python_implementation"
    named = [_only(reported, IMPLEMENTATIONS[name], YES) for name in sorted(IMPLEMENTATIONS)]
    return make(axis, tuple(sorted(IMPLEMENTATIONS)), (*named, _none_of(reported, set(IMPLEMENTATIONS.values()), YES)))


CONSISTENT = meet(_platforms(), _implementations())
"""The environments that can be."""
