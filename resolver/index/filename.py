"""File names of wheels and sdists: which version, which tags (PEP 427, PEP 625).

A page has thousands of names and few distinct versions and tag sets, so both are parsed once per text and shared:
what is remembered is immutable, and forgetting it costs time only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

MAX_VERSION = 128  # as in requirements; integers of thousands of digits cost quadratic time
MAX_TAGS = 1024  # tags that one compressed set stands for; PEP 425 sets multiply, real ones stay below 50
MAX_REMEMBERED = 100_000  # distinct texts; all of a large index's tags and versions fit

_PLATFORM = re.compile(r"[A-Za-z0-9_]+(?:\.[A-Za-z0-9_]+)*", re.ASCII)
_BUILD = re.compile(r"[0-9]+[A-Za-z0-9_.]*", re.ASCII)
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)

_VERSIONS: dict[str, Version | None] = {}
_TAILS: dict[str, tuple[str | None, str]] = {}
_NAMES: dict[str, str] = {}


class FilenameError(ValueError):
    """The name is no wheel's and no sdist's name; the text says why without quoting it."""


def version_of(text: str) -> Version | None:
    """Return the version that ``text`` spells, the same object for the same text; None where PEP 440 has none."""
    try:
        return _VERSIONS[text]
    except KeyError:
        pass
    version: Version | None
    try:
        # isspace: packaging strips white space, file names have no business with it
        version = None if len(text) > MAX_VERSION or text.strip() != text else Version(text)
    except (InvalidVersion, ValueError):
        version = None
    if len(_VERSIONS) >= MAX_REMEMBERED:
        _VERSIONS.clear()
    _VERSIONS[text] = version
    return version


def normalised(name: str) -> str:
    """Return ``name`` normalised (PEP 503), the same object for the same text; ``""`` for what is no name."""
    try:
        return _NAMES[name]
    except KeyError:
        pass
    text = str(canonicalize_name(name)) if len(name) <= 256 and _NAME.fullmatch(name) else ""
    if len(_NAMES) >= MAX_REMEMBERED:
        _NAMES.clear()
    _NAMES[name] = text
    return text


def wheel_tail(tail: str) -> tuple[str | None, str]:
    """Split ``1-py3-none-any.whl``, what follows the version, into (build tag or None, compressed tag set).

    Raises:
        FilenameError: not three components and at most one build tag before them, or too many tags.
    """
    try:
        return _TAILS[tail]
    except KeyError:
        pass
    parts = tail.removesuffix(".whl").split("-")
    if not tail.endswith(".whl") or len(parts) not in (3, 4):
        raise FilenameError("a wheel's name has five or six parts")
    build = parts[0] if len(parts) == 4 else None
    if build is not None and not _BUILD.fullmatch(build):
        raise FilenameError("a build tag starts with a digit")
    count = 1
    for part in parts[-3:]:
        if not _PLATFORM.fullmatch(part):
            raise FilenameError("an empty tag, or one with characters that no tag has")
        count *= part.count(".") + 1
    if not all(one.isidentifier() for one in parts[-3].split(".")):
        raise FilenameError("an interpreter tag starts with a letter")
    if count > MAX_TAGS:
        raise FilenameError(f"its tags multiply to {count}; at most {MAX_TAGS} are allowed")
    found = (build, "-".join(parts[-3:]))
    if len(_TAILS) >= MAX_REMEMBERED:
        _TAILS.clear()
    _TAILS[tail] = found
    return found


def split_wheel(filename: str) -> tuple[str, str, str]:
    """Split a wheel's name into (normalised name, version as spelled, tail for :func:`wheel_tail`).

    Raises:
        FilenameError: fewer parts than a wheel's name has, or a name that is none.
    """
    parts = filename.split("-", 2)
    if len(parts) != 3:
        raise FilenameError("a wheel's name has five or six parts")
    # PEP 427: runs of punctuation are one underscore
    name = "" if "__" in parts[0] else normalised(parts[0])
    if not name:
        raise FilenameError("the part before the first dash is no project name")
    return name, parts[1], parts[2]


def sdist_stem(filename: str) -> str | None:
    """Return the name without ``.tar.gz`` or ``.zip``; None where it is neither (PEP 527 admits no others)."""
    lower = filename[-7:].lower()
    if lower == ".tar.gz":
        return filename[:-7]
    return filename[:-4] if lower.endswith(".zip") else None


def sdist_version(stem: str, name: str) -> str | None:
    """Return the version as spelled in an sdist's stem, for the project ``name`` (normalised); None: another's file.

    Sdists older than PEP 625 have dashes in names (``foo-bar-1.0``) and in versions (``1.0-rc1``): only the
    project's name tells them apart. The shortest prefix that spells the name is taken, as in pip.
    """
    at = stem.find("-", len(name) - 1)  # a spelling is never shorter than what it normalises to
    while at != -1:
        prefix = stem[:at]
        if len(prefix) > 2 * len(name) + 16:  # nobody repeats punctuation that often
            return None
        if normalised(prefix) == name:
            return stem[at + 1 :]
        at = stem.find("-", at + 1)
    return None


@dataclass(frozen=True, slots=True)
class Filename:
    """A file name, taken apart."""

    name: str
    """Normalised."""
    version: Version
    tags: str | None
    """The compressed tag set; None for an sdist."""
    build: str | None


def parse_filename(filename: str) -> Filename:
    """Take the name of a wheel or sdist apart, without knowing the project.

    An sdist's version is what follows the last dash (PEP 625).

    Raises:
        FilenameError: it is neither.
    """
    if filename.endswith(".whl"):
        name, text, tail = split_wheel(filename)
        build, tags = wheel_tail(tail)
        version = version_of(text)
    else:
        stem = sdist_stem(filename)
        if stem is None:
            raise FilenameError("its ending is none of .whl, .tar.gz and .zip")
        prefix, _, text = stem.rpartition("-")
        name, version, tags, build = normalised(prefix), version_of(text), None, None
    if not name:
        raise FilenameError("the part before the version is no project name")
    if version is None:
        raise FilenameError("its version is not one of PEP 440")
    return Filename(name, version, tags, build)
