"""Why a wheel does not fit a target, in words: the interpreter or the platform, told apart as its tags tell them."""

from __future__ import annotations

from functools import lru_cache

from ..environment.place import Place
from ..environment.target import Target

MAX_SHOWN = 8  # tags of one release that a hint lists

_PLATFORM = "has no wheels for the platform"
_PYTHON = "has no wheels for"


@lru_cache(maxsize=256)
def _platforms(key: str, target: Target) -> frozenset[str]:
    del key  # equal keys mean equal tags; the target itself is not compared
    return frozenset(tag.rsplit("-", 1)[-1] for tag in target.tags)


def telling(tags: str, place: Place) -> str:
    """The part of ``tags`` that :func:`reason` depends on."""
    return tags if isinstance(place, Target) else tags.rsplit("-", 1)[-1]


def reason(tags: str, place: Place) -> str:
    """The fact about a release whose wheels do not fit, continuing a sentence that begins with the release."""
    if not isinstance(place, Target):
        if place.admits_tags(f"py3-none-{telling(tags, place)}"):
            return "has no wheels for a Python of these environments"
        return "has no wheels for the environments of the lock"
    return _reason(tags, place)


@lru_cache(maxsize=65_536)  # distinct tag sets of an index are some thousands, for a few targets
def _reason(tags: str, target: Target) -> str:
    platforms = _platforms(target.key, target)
    if any(one in platforms for one in tags.lower().rsplit("-", 1)[-1].split(".")):
        version = target.markers.get("python_version", target.python)
        return f"{_PYTHON} Python {version} ({_interpreter(target)})"
    return f"{_PLATFORM} {target.platform or target.markers.get('sys_platform', '')}".rstrip()


def nearest(reasons: set[str]) -> str:
    """Of several reasons that of the wheel that comes closest: its platform is right."""
    return min(reasons, key=lambda text: (text.startswith(_PLATFORM), text))


def interpreters(tag_sets: list[str]) -> str:
    """The interpreter tags of a release's wheels, as a list for a hint; with the ABI where that says more."""
    found = {one for tags in tag_sets for one in _interpreters(tags)}
    return _list(sorted(found, key=lambda tag: (tag.rstrip("0123456789"), len(tag), tag)))


def _interpreters(tags: str) -> list[str]:
    interpreter, _, rest = tags.partition("-")
    abi = rest.partition("-")[0]
    # cp312-cp312 is one thing, and abi3 is said by the oldest Python that it is for.
    is_known = abi in {"none", "abi3"} or abi.startswith(interpreter)
    return interpreter.split(".") if is_known else [f"{one}-{abi}" for one in interpreter.split(".")]


def platforms(tag_sets: list[str]) -> str:
    """The platform tags of a release's wheels, as a list for a hint."""
    return _list(sorted({one for tags in tag_sets for one in tags.rsplit("-", 1)[-1].split(".")}))


def _list(tags: list[str]) -> str:
    shown = tags if len(tags) <= MAX_SHOWN else [*tags[:MAX_SHOWN], "…"]
    return ", ".join(shown)


def _interpreter(target: Target) -> str:
    best = min(target.tags, key=target.tags.__getitem__, default="")
    return best.split("-", 1)[0]
