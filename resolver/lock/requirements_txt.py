"""Lock → requirements.txt, as pip and uv read it: pins, hashes, and who asked for each.

Extras are left out: what they add is pinned by lines of its own, and an installer that is told ``name[extra]`` would
look for it again. Nothing in the text depends on when or where it was made.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from resolver.model import Lock, LockedPackage

from .address import plain
from .errors import HashMissing

PART = "# Part: "
"""Begins the lines that name the parts in which a universal lock was solved: the next lock begins with them."""

_MAX_STATED = 20  # requirements that the header repeats; every direct package says ``via`` anyway

# Strongest first, but sha256 before all: it is what indexes publish and every installer reads.
_ALGORITHMS = ("sha256", "sha512", "sha384", "sha3_512", "sha3_256", "blake2b", "blake2s", "sha224", "sha1", "md5")


def to_requirements(lock: Lock, *, annotate: bool = True, hashes: bool = True) -> str:
    """Write ``lock`` as the text of a requirements file; ``annotate`` adds ``# via`` comments.

    Raises:
        HashMissing: with ``hashes``, a file has none. An installer would refuse the other lines with it.
        LockError: a URL carries a credential.
    """
    if hashes:
        missing = [one for package in lock.packages for one in _unhashed(package)]
        if missing:
            raise HashMissing(missing, "A requirements file with hashes")
    lines = [*_header(lock)]
    for package in lock.packages:
        lines.append(_again(package, hashes=hashes))
        if annotate:
            lines.extend(_via(package))
    return "\n".join([*lines, ""])


def _header(lock: Lock) -> Iterator[str]:
    yield "# Locked by lockwright. To change it, change what it was made from and lock again."
    if lock.requires_python:
        yield f"# Python: {_one_line(lock.requires_python)}"
    for marker in lock.environments:
        yield f"# Environment: {_one_line(marker)}"
    for marker in lock.regions:
        yield f"{PART}{_one_line(marker)}"
    for text in lock.stated[:_MAX_STATED]:
        yield f"# From: {_one_line(text)}"
    if len(lock.stated) > _MAX_STATED:
        yield f"# From: {len(lock.stated) - _MAX_STATED} more"


def _unhashed(package: LockedPackage) -> list[tuple[str, str, str | None]]:
    found: list[tuple[str, str, str | None]] | None = package.memo.get("hashless")
    if found is None:
        files = package.files
        found = [(package.name, file.filename, package.index) for file in files if _hash(file.hashes) is None]
        package.memo.keep("hashless", found)
    return found


def _again(package: LockedPackage, *, hashes: bool) -> str:
    """The lines of an entry, as an earlier lock may have had them."""
    key = ("requirements", hashes)
    text: str | None = package.memo.get(key)
    if text is None:
        text = package.memo.keep(key, "\n".join(_package(package, hashes=hashes)))
    return text


def _package(package: LockedPackage, *, hashes: bool) -> Iterator[str]:
    if package.reference is not None:
        line = f"{package.name} @ {plain(package.reference)}"
    else:
        line = f"{package.name}=={package.version}"
    if package.marker is not None:
        line += f" ; {package.marker}"
    digests = sorted({_hash(file.hashes) or "" for file in package.files}) if hashes else []
    if not digests:
        yield line
        return
    yield f"{line} \\"
    yield from (f"    --hash={digest} \\" for digest in digests[:-1])
    yield f"    --hash={digests[-1]}"


def _via(package: LockedPackage) -> Iterator[str]:
    if len(package.via) == 1:
        yield f"    # via {_one_line(package.via[0])}"
    elif package.via:
        yield "    # via"
        yield from (f"    #   {_one_line(origin)}" for origin in package.via)


@lru_cache(maxsize=65_536)
def _hash(hashes: tuple[tuple[str, str], ...]) -> str | None:
    known = dict(hashes)
    return next((f"{name}:{known[name]}" for name in _ALGORITHMS if name in known), None)


def _one_line(text: str) -> str:
    """A name of a file or a marker may hold a line end, which would begin a requirement."""
    return " ".join(text.split())
