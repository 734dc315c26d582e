"""What an index says about one version of a project: its files (PEP 503, 592, 658, 691, 700, 714).

A resolve looks at the signatures of thousands of releases and at the files of a few. So the parsers leave the files
of a release *packed* in one string, a third of the memory and of the time that objects take, and a release unpacks
itself when its files are first asked for. Nobody can tell the difference from a release made of files.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self, TypeAlias

from packaging.version import Version

from .filename import sdist_stem
from .links import quoted
from .sightings import Sightings

PACKED_FIELDS = 8
"""Lines per file of a packed release: filename, url, hashes, core metadata, size, upload time, requires-python, yanked.

A URL that ends in a slash lacks the file name. Hashes are a bare SHA-256, or ``algorithm=hex`` joined by commas;
the core metadata likewise, ``-`` where it exists without one. Yanked is ``y`` and the reason. Absent is empty.
"""

MAX_CHOSEN = 8  # answers of :meth:`Release.wheels_with` that a release remembers: a request has a few targets

Signature: TypeAlias = frozenset[tuple[str | None, str | None, bool]]
"""(tags, requires_python, yanked?) of each file of a release."""

_HASH = re.compile(r"(?:([a-z0-9_-]{1,32})=)?([0-9a-f]{8,256})", re.ASCII)
# Most rows are such ones, and one match reads all of it; :func:`_file` reads any, to the same end.
_PLAIN_SHA = r"([0-9a-f]{64})"
_PLAIN_TAG = r"[A-Za-z0-9_.]+"
_PLAIN_FILE = re.compile(
    # a wheel's name and version; its build tag; its tags; or a source distribution's name
    rf"([A-Za-z0-9_.]+-[A-Za-z0-9_.+!]+-(?:(\d[A-Za-z0-9_.]*)-)?({_PLAIN_TAG}-{_PLAIN_TAG}-{_PLAIN_TAG})\.whl"
    r"|[A-Za-z0-9_.+-]+\.tar\.gz)\n"
    rf"([A-Za-z0-9:/._~%+-]+/)\n{_PLAIN_SHA}\n(?:{_PLAIN_SHA}|(-))?\n(\d{{1,18}})?\n"
    # an upload time on a day that every year has
    r"([12]\d{3}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)"
    r"T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?Z)?\n"
    r"([^\n]+)?\n(?:y([^\n]*))?(?:\n|\Z)",
    re.ASCII,
)
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class File:
    """One wheel or sdist of a project page, or of a direct reference."""

    filename: str
    url: str
    """Absolute, without userinfo and fragment."""
    hashes: tuple[tuple[str, str], ...]
    """(algorithm, hex digest), sorted; empty where the index gives none."""
    tags: str | None
    """The compressed tag set of a wheel's file name (``py2.py3-none-any``); None for an sdist. Interned."""
    build: str | None = None
    """The build tag of a wheel (``1``, ``2abc``)."""
    size: int | None = None
    upload_time: str | None = None
    """RFC 3339 in UTC with a trailing Z, as text: compared as text is wrong, use :func:`instant`."""
    requires_python: str | None = None
    """Raw specifier text, unchecked; None where absent."""
    yanked: str | None = None
    """None: not yanked; else the reason, ``""`` where none is given (PEP 592)."""
    core_metadata: tuple[tuple[str, str], ...] | None = None
    """None: no ``.metadata`` file; else its hashes, ``()`` where it exists without one (PEP 658, 714)."""

    @property
    def is_wheel(self) -> bool:
        """Whether the file is a wheel (else it is an sdist)."""
        return self.tags is not None


@dataclass(frozen=True, slots=True)
class Release:
    """Every file of one version. ``signature`` is equal for releases that any filter treats alike.

    It is the sorted set of (tags, requires_python, yanked?) of the files: filters that look at nothing else are
    evaluated once per signature, not once per release (a project has thousands of files and few signatures).
    """

    version: Version
    text: str
    """The version's canonical (PEP 440) spelling."""
    wheels: tuple[File, ...]
    """Sorted by filename."""
    sdist: File | None
    """``.tar.gz`` before ``.zip`` where there are both (PEP 625)."""
    signature: Signature
    packed: str | None = field(default=None, repr=False, compare=False)
    """The files, packed, of a release that a parser made (see :data:`PACKED_FIELDS`)."""
    sightings: Sightings | None = field(default=None, repr=False, compare=False)
    """Of the page, where a file gives no upload time."""
    sign: Callable[[], Signature] | None = field(default=None, repr=False, compare=False)
    """What makes the signature of a release that a parser made."""
    made: dict[str, File] = field(default_factory=dict, repr=False, compare=False)
    """Name → file, of a packed release: those that were asked for, each made once."""
    chosen: dict[Hashable, tuple[File, ...]] = field(default_factory=dict, repr=False, compare=False)
    """What :meth:`wheels_with` found."""
    is_yanked: bool = field(init=False, repr=False, compare=False)
    """Whether every file is, and there is one."""

    @classmethod
    def from_packed(
        cls, text: str, packed: str, sign: Callable[[], Signature], sightings: Sightings | None = None
    ) -> Self:
        """Make a release whose version, signature and files are made when they are first asked for."""
        release = cls.__new__(cls)
        put = object.__setattr__
        put(release, "made", {})
        put(release, "chosen", {})
        put(release, "text", text)
        put(release, "packed", packed)
        put(release, "sign", sign)
        put(release, "sightings", sightings)
        return release

    @property
    def files(self) -> tuple[File, ...]:
        """The wheels, and the sdist if there is one."""
        return self.wheels if self.sdist is None else (*self.wheels, self.sdist)

    def wheels_with(self, tags: Hashable, has: Callable[[str], bool]) -> tuple[File, ...]:
        """Those of :attr:`wheels` with tags that ``has``, which ``tags`` stands for; the others are not made.

        A page's release has dozens of wheels, of which one place can install a few.
        """
        found = self.chosen.get(tags)
        if found is None:
            if self.packed is None:
                found = tuple([file for file in self.wheels if has(file.tags or "")])
            else:
                found = self._unpack(self.packed, has)
            if len(self.chosen) >= MAX_CHOSEN:
                self.chosen.clear()
            self.chosen[tags] = found
        return found

    def first_seen(self, file: File) -> datetime | None:
        """When ``file``, one of the release that gives no upload time, was first seen; None where nobody knows."""
        return None if self.sightings is None else self.sightings.of(file.filename)

    @property
    def yanked_reasons(self) -> frozenset[str]:
        """Why files of the release were yanked: of those that were, ``""`` where no reason is given."""
        if self.packed is not None:
            fields = self.packed.split("\n")[::-1]
            # backwards, so that of a file that is listed twice the first row counts, as in the files
            told = dict(zip(fields[PACKED_FIELDS - 1 :: PACKED_FIELDS], fields[::PACKED_FIELDS], strict=True))
            return frozenset([reason[1:] for reason in told.values() if reason])
        return frozenset([file.yanked for file in self.files if file.yanked is not None])

    if not TYPE_CHECKING:  # to the type checker the fields are always there

        def __getattr__(self, name: str) -> object:
            """Unpack: an empty slot is the only way to get here. Two threads at once make equal values."""
            if name == "version":
                version = Version(self.text)
                object.__setattr__(self, "version", version)
                return version
            if name == "signature":
                signature = self.sign()
                object.__setattr__(self, "signature", signature)
                return signature
            if name == "is_yanked" and self.packed is None:
                told = bool(self.files) and all(file.yanked is not None for file in self.files)
                object.__setattr__(self, "is_yanked", told)
                return told
            if name not in ("wheels", "sdist", "is_yanked"):
                raise AttributeError(name)
            wheels = self._unpack(self.packed, None if name == "wheels" else _none)
            if name == "wheels":
                object.__setattr__(self, "wheels", wheels)
            return object.__getattribute__(self, name)

    def _unpack(self, packed: str, has: Callable[[str], bool] | None) -> tuple[File, ...]:
        """Make the source distribution, and the wheels with tags that ``has`` (None: all), which are returned."""
        made = self.made
        wheels: dict[str, File] = {}
        sdists: dict[str, File] = {}
        is_yanked = packed != ""
        at, end = 0, len(packed)
        while at < end:
            start, plain = at, _PLAIN_FILE.match(packed, at)
            if plain is None:
                for _ in range(PACKED_FIELDS):
                    at = packed.find("\n", at) + 1 or end + 1
                file = _file(packed[start : at - 1].split("\n"))
                filename, tags, yanked = file.filename, file.tags, file.yanked
            else:
                at = plain.end()
                filename, tags, yanked = plain.group(1, 3, 11)
            if is_yanked and yanked is None and not _lists(packed[:start], filename):
                is_yanked = False
            if has is not None and tags is not None and not has(tags):
                continue
            if plain is not None:
                file = made.get(filename) or _of_match(plain)
            # of a file that is listed twice the first row counts
            file = made.setdefault(filename, file)
            (sdists if tags is None else wheels).setdefault(filename, file)
        sdist = sdists[min(sdists, key=_sdist_order)] if sdists else None
        object.__setattr__(self, "sdist", sdist)
        object.__setattr__(self, "is_yanked", is_yanked)
        return tuple([wheels[filename] for filename in sorted(wheels)])


def _none(tags: str) -> bool:
    del tags
    return False


def _lists(packed: str, filename: str) -> bool:
    return filename in packed.split("\n")[:-1:PACKED_FIELDS]


def _sdist_order(filename: str) -> tuple[bool, str]:
    return filename[-4:].lower() == ".zip", filename


def _hashes(text: str) -> tuple[tuple[str, str], ...]:
    if len(text) == 64 and not text.strip("0123456789abcdef"):  # nearly always a bare SHA-256
        return (("sha256", text),)
    found = []
    for one in text.lower().split(",") if text else ():
        match = _HASH.fullmatch(one)
        if match is not None and (match[1] or len(match[2]) == 64):
            found.append((match[1] or "sha256", match[2]))
    return tuple(sorted(found))


def undated(packed: Iterable[str]) -> dict[str, str]:
    """The files of packed releases that give no upload time, as :meth:`~.page.ProjectPage.undated` says."""
    found: dict[str, str] = {}
    for rows in packed:
        fields = rows.split("\n")
        for at in range(0, len(fields) - 1, PACKED_FIELDS):
            filename, url, hashes, _, _, uploaded = fields[at : at + 6]
            if filename not in found and (not uploaded or _utc(uploaded) is None):
                found[filename] = _sha256(hashes).lower() or url.partition("?")[0]
    return found


def uploads(packed: str) -> Iterator[tuple[str, str]]:
    """The name and the upload time (RFC 3339; ``""`` where there is none) of each file of a packed release."""
    fields = packed.split("\n")
    for filename, uploaded in zip(fields[::PACKED_FIELDS], fields[5::PACKED_FIELDS], strict=True):
        yield filename, uploaded if uploaded[-1:] == "Z" else uploaded and (_utc(uploaded) or "")


def _sha256(packed: str) -> str:
    """The SHA-256 of packed hashes; all of them where there is none. ``""`` where there is nothing."""
    if "," not in packed and "=" not in packed:
        return packed
    return next((one[7:] for one in packed.split(",") if one.startswith("sha256=")), packed)


def _utc(text: str) -> str | None:
    """Return an RFC 3339 instant in UTC; None for anything else (PEP 700 demands nothing less)."""
    try:
        parsed = datetime.fromisoformat(text)
        if _INSTANT.fullmatch(text):
            return text
        if parsed.tzinfo is None:
            return None
        return parsed.astimezone(UTC).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return None


def _of_match(plain: re.Match[str]) -> File:
    """Make a file of a row that :data:`_PLAIN_FILE` matched."""
    filename, build, tags, url, sha256, core, bare, size, uploaded, requires_python, yanked = plain.groups()
    return File(
        filename,
        url + filename,
        (("sha256", sha256),),
        tags and sys.intern(tags),
        build,
        int(size) if size else None,
        uploaded,
        requires_python,
        yanked,
        () if bare else (("sha256", core),) if core else None,
    )


def _file(row: Sequence[str]) -> File:
    """Make any file of its :data:`PACKED_FIELDS`."""
    filename, url, hashes, core, size, uploaded, requires_python, yanked = row
    build, tags = None, None
    if sdist_stem(filename) is None:
        # name, version, perhaps a build tag, and three tags: the parser has seen to it
        parts = filename[:-4].split("-")
        build, tags = parts[2] if len(parts) == 6 else None, sys.intern("-".join(parts[-3:]))
    return File(
        filename=filename,
        url=quoted(url + filename if url.endswith("/") else url.removesuffix("#")),
        hashes=_hashes(hashes),
        tags=tags,
        build=build,
        size=int(size) if size else None,
        upload_time=_utc(uploaded) if uploaded else None,
        requires_python=requires_python or None,
        yanked=yanked[1:] if yanked else None,
        core_metadata=(() if core == "-" else _hashes(core)) if core else None,
    )
