"""The file entries of a project page, grouped into releases.

This is the loop of the cold path: a popular project has thousands of files, and nothing else in a first resolve
runs as often. Hence one loop with everything at hand, dictionaries that remember each distinct text, and files
left packed (``page``). What is wrong with an entry is said by whoever noticed, as :class:`_Unusable`, or found
out again, slowly, by :func:`_fault`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any

from ..specifier import SortKey, canonical_key, sort_key
from .filename import MAX_VERSION, FilenameError, sdist_stem, sdist_version, split_wheel, version_of, wheel_tail
from .links import BadLink, Links
from .packed import Key, PackedReleases, shared
from .release import PACKED_FIELDS, Signature
from .sightings import Sightings

MAX_SKIPPED = 100  # reasons kept per page: a warning, not a log
MAX_SHOWN = 160  # characters of a file name in a warning
MAX_FILENAME = 512  # file systems stop at 255
MAX_REQUIRES_PYTHON = 512  # characters; real ones stay below 60
MAX_INSTANT = 40  # characters of an upload time
MAX_REASON = 1000  # characters of a yanked reason

_FOREIGN = "its name is another project's"
_ORDER = attrgetter("order")


class _Unusable(ValueError):
    """Why an entry is skipped."""


class _Group:
    """The files of one version, as they come."""

    __slots__ = ("keys", "order", "rows", "sdists", "text")

    def __init__(self, order: SortKey, text: str) -> None:
        self.order = order
        self.text = text
        self.rows: list[str] = []
        self.keys: set[Key] = set()
        self.sdists: list[tuple[str, str, Key]] = []

    def packed(self) -> tuple[str, str, Signature]:
        if self.sdists:
            # One sdist per release, ".tar.gz" before ".zip" (PEP 625), whatever the order on the page.
            _, row, key = self.sdists[0]
            if len(self.sdists) > 1:
                _, row, key = min(self.sdists, key=lambda one: (one[0][-4:].lower() == ".zip", one[0], one[1]))
            self.rows.append(row)
            self.keys.add(key)
        return self.text, "\n".join(self.rows), shared(self.keys)


class _Groups:
    """The versions of one project, by spelling and by value: ``1.0`` and ``1.0.0`` are one release.

    The release's text is the canonical form of the spelling that comes first on the page.
    """

    __slots__ = ("_by_order", "_name", "by_text")

    def __init__(self, name: str) -> None:
        self._name = name
        self.by_text: dict[str, _Group] = {}
        self._by_order: dict[SortKey, _Group] = {}

    def find(self, text: str) -> _Group:
        """Return the group of the version that ``text`` spells."""
        found = self.by_text.get(text)
        if found is None:
            canonical, order = text, canonical_key(text) if len(text) <= MAX_VERSION else None
            if order is None:
                version = version_of(text)
                if version is None:
                    raise _Unusable("its version is not one of PEP 440")
                order, canonical = sort_key(version), str(version)
            found = self.by_text[text] = self._by_order.setdefault(order, _Group(order, canonical))
        return found

    def releases(self, sightings: Sightings | None) -> PackedReleases:
        # a group is made before its first entry proves usable
        filled = [group for group in self._by_order.values() if group.rows or group.sdists]
        return PackedReleases.of([group.packed() for group in sorted(filled, key=_ORDER)], sightings)


def _hashes(value: Any) -> str:
    """Pack a dictionary of hashes."""
    if not isinstance(value, dict):
        raise _Unusable("its hashes are no object")
    found = []
    for algorithm, digest in value.items():
        if not isinstance(digest, str) or not digest.isalnum() or not digest.isascii() or len(digest) > 256:
            raise _Unusable("a hash that is not hexadecimal text")
        if len(algorithm) <= 32 and algorithm.replace("-", "").replace("_", "").isalnum() and algorithm.isascii():
            found.append(f"{algorithm.lower()}={digest.lower()}")
    return ",".join(sorted(found)[:16])


def _core_metadata(value: Any) -> str:
    """Pack the value of ``core-metadata`` (PEP 658, 714)."""
    if isinstance(value, dict):
        return _hashes(value) or "-"
    if not isinstance(value, bool):
        raise _Unusable("its core-metadata is neither true, false nor hashes")
    return "-" if value else ""


def _yanked(value: Any) -> str:
    """Pack the value of ``yanked`` (PEP 592): false and the empty string mean that it is not."""
    if isinstance(value, str):
        return "y" + " ".join(value.split())[:MAX_REASON] if value else ""
    if not isinstance(value, bool):
        raise _Unusable("its yanked is neither true, false nor text")
    return "y" if value else ""


def _requires_python(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_REQUIRES_PYTHON:
        raise _Unusable(f"its requires-python is no text, or longer than {MAX_REQUIRES_PYTHON} characters")
    return " ".join(value.split())


def _fault(entry: Any) -> str:
    """Say what is wrong with an entry that raised something unforeseen."""
    if not isinstance(entry, dict):
        return "an entry that is no object"
    for key in ("filename", "url"):
        if not isinstance(entry.get(key), str):
            return f"its {key} is missing or no text"
    if not isinstance(entry.get("hashes"), dict):
        return "its hashes are missing or no object"
    return "a value of the wrong type"


class _Skipped:
    """What was skipped, and why."""

    __slots__ = ("count", "reasons")

    def __init__(self) -> None:
        self.reasons: list[tuple[str, str]] = []
        self.count = 0

    def add(self, entry: Any, reason: str) -> None:
        self.count += 1
        if len(self.reasons) < MAX_SKIPPED:
            shown = entry.get("filename") if isinstance(entry, dict) else None
            shown = shown[:MAX_SHOWN] if isinstance(shown, str) else "?"
            self.reasons.append(("".join([char if char.isprintable() else "\ufffd" for char in shown]), reason))


def _absolute(entries: Sequence[Mapping[str, Any]], links: Links) -> Sequence[str | None]:
    """Join the links of all entries at once, where they are alike; None where each has to be looked at."""
    try:
        urls = links.join_plain([entry["url"] for entry in entries])
    except (KeyError, TypeError, AttributeError):
        urls = None
    return urls if urls is not None else [None] * len(entries)


def group(  # noqa: C901, PLR0912, PLR0915 - one loop on purpose: calls would cost as much as the work
    entries: Sequence[Mapping[str, Any]], links: Links, name: str
) -> tuple[PackedReleases, list[tuple[str, str]], int, Sightings | None]:
    """Group the entries of a page (PEP 691, ``files``) into releases of ``name`` (normalised), ascending.

    Returns the releases, at most :data:`MAX_SKIPPED` pairs of file name and the reason why it was skipped, how many
    were skipped, and room for first sightings where upload times are missing. Files that are neither wheel nor sdist
    are counted only: old projects have hundreds.
    """
    groups = _Groups(name)
    by_text = groups.by_text
    spellings: set[str] = set()  # of the project's name, as they were seen
    tails: dict[str, str] = {}  # what follows the version in a wheel's name → its tags
    specifiers: dict[str | None, tuple[str, str | None]] = {None: ("", None)}
    skipped = _Skipped()
    sightings: Sightings | None = None
    for entry, joined in zip(entries, _absolute(entries, links), strict=True):
        try:
            filename = entry["filename"]
            tags: str | None = None
            if filename[-4:] == ".whl":
                spelling, version, tail = filename.split("-", 2)
                if spelling not in spellings:
                    if split_wheel(filename)[0] != name:
                        raise _Unusable(_FOREIGN)  # noqa: TRY301 - as above
                    spellings.add(spelling)
                tags = tails.get(tail)
                if tags is None:
                    tags = tails[tail] = wheel_tail(tail)[1]
            else:
                stem = sdist_stem(filename)
                if stem is None:
                    skipped.count += 1
                    continue
                spelling, _, version = stem.rpartition("-")
                if spelling not in spellings:
                    version = sdist_version(stem, name)
                    if version is None:
                        raise _Unusable(_FOREIGN)  # noqa: TRY301 - as above
                    spellings.add(stem[: -len(version) - 1])
            found = by_text.get(version)
            if found is None:
                found = groups.find(version)

            url = links.join(entry["url"]) if joined is None else joined
            if url.endswith(filename):
                cut = -len(filename)
                if url[cut - 1] == "/":
                    url = url[:cut]
            elif url[-1] == "/":
                url += "#"

            hashes = entry["hashes"]
            digest = hashes.get("sha256")
            if digest.__class__ is not str or len(digest) != 64 or len(hashes) != 1:
                digest = _hashes(hashes)

            core = entry.get("core-metadata")
            if core.__class__ is dict and len(core) == 1 and "sha256" in core and len(core["sha256"]) == 64:
                core = core["sha256"]
            else:
                if core is None:
                    core = entry.get("dist-info-metadata")  # PEP 714: the older key, where the newer is absent
                core = "" if core is None else "-" if core is True else _core_metadata(core)

            size = entry.get("size")
            if size.__class__ is not int or not 0 <= size < 1 << 53:
                if size is not None:
                    raise _Unusable("its size is no natural number")  # noqa: TRY301 - as above
                size = ""

            uploaded = entry.get("upload-time")
            if uploaded.__class__ is not str or len(uploaded) > MAX_INSTANT:
                if uploaded is not None:
                    raise _Unusable("its upload-time is no instant")  # noqa: TRY301 - as above
                uploaded = ""
            if uploaded[-1:] != "Z" and sightings is None:  # none, or one that may prove malformed
                sightings = Sightings()

            yanked = entry.get("yanked")
            yanked = "" if yanked is False or yanked is None else _yanked(yanked)

            requires = entry.get("requires-python")
            specifier = specifiers.get(requires)
            if specifier is None:
                text = _requires_python(requires)
                specifier = specifiers[requires] = (text, text or None)

            row = f"{filename}\n{url}\n{digest}\n{core}\n{size}\n{uploaded}\n{specifier[0]}\n{yanked}"
            if row.count("\n") != PACKED_FIELDS - 1:
                raise _Unusable("a line break in one of its values")  # noqa: TRY301 - as above
            if tags is not None:
                found.rows.append(row)
                found.keys.add((tags, specifier[1], yanked != ""))
            else:
                found.sdists.append((filename, row, (None, specifier[1], yanked != "")))
        except (_Unusable, FilenameError, BadLink) as error:
            skipped.add(entry, str(error))
        except (KeyError, TypeError, AttributeError, ValueError, IndexError):
            skipped.add(entry, _fault(entry))
    return groups.releases(sightings), skipped.reasons, skipped.count, sightings
