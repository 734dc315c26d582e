"""Specifiers that admit one version more, changed as little as a person would change them."""

from __future__ import annotations

from packaging.specifiers import SpecifierSet
from packaging.version import Version


def relaxed(specifier: str, version: str) -> str:
    """Return ``specifier`` (PEP 440, comma-joined) with those clauses changed that exclude ``version``.

    An upper bound keeps its precision: ``<3`` becomes ``<4`` for 3.0.1, ``<2.1`` becomes ``<3.1``, ``<2.0.0`` becomes
    ``<4.0.0``. A pin moves, a lower bound comes down to the version, and an exception is dropped.
    """
    wanted = Version(version)
    clauses = (_relaxed(clause.strip(), wanted) for clause in specifier.split(","))
    found = ",".join(dict.fromkeys(filter(None, clauses)))
    return found if _admits(found, wanted) else f"=={version}"


def _admits(specifier: str, version: Version) -> bool:
    return SpecifierSet(specifier).contains(version, prereleases=True)


def _relaxed(clause: str, version: Version) -> str:
    if _admits(clause, version):
        return clause
    operator = clause[: len(clause) - len(clause.lstrip("<>=!~"))]
    value = clause[len(operator) :].strip()
    length = len(Version(value.removesuffix(".*")).release) if operator != "===" else 0
    release = (*version.release, *[0] * length)[:length]
    epoch = f"{version.epoch}!" if version.epoch else ""
    match operator:
        case "<":
            return f"<{epoch}{_text(_beyond(release, Version(value).release))}"
        case "<=":
            return f"<={version.public}"
        case "==" if value.endswith(".*"):
            return f"=={epoch}{_text(release)}.*"
        case "==" | "===":
            return f"{operator}{version}"
        case "~=" if _admits(compatible := f"~={epoch}{_text(release)}", version):
            return compatible
        case "!=":
            return ""
    return f">={version.public}"


def _beyond(release: tuple[int, ...], bound: tuple[int, ...]) -> tuple[int, ...]:
    """The next release after ``release`` that is as round as ``bound``."""
    last = max((at for at, part in enumerate(bound) if part), default=0)
    return (*release[:last], release[last] + 1, *[0] * (len(bound) - last - 1))


def _text(release: tuple[int, ...]) -> str:
    return ".".join(map(str, release))
