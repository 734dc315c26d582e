"""A hash as requirements files and URL fragments write it: ``sha256:…`` and ``sha256=…``."""

from __future__ import annotations

import re

# Hexadecimal digits. What pip calls strong; MD5 and SHA-1 promise nothing any more.
STRONG = {"sha256": 64, "sha384": 96, "sha512": 128}
WEAK = frozenset({"md5", "sha1", "sha224"})

_HEX = re.compile(r"[0-9a-fA-F]+")


class HashError(ValueError):
    """No usable hash; the message says what to write."""


def read_hash(algorithm: str, digest: str) -> tuple[str, str]:
    """Return (algorithm, lower-case hex).

    Raises:
        HashError: an algorithm that is unknown or weak, or digits that are not its own.
    """
    name = algorithm.strip().lower()
    known = ", ".join(STRONG)
    if name in WEAK:
        raise HashError(f"{name} no longer protects against a forged file; give one of {known}")
    if name not in STRONG:
        raise HashError(f"a hash is written ALGORITHM:HEX with one of {known}")
    if len(digest) != STRONG[name] or not _HEX.fullmatch(digest):
        raise HashError(f"a {name} hash has {STRONG[name]} hexadecimal digits; copy it whole")
    return name, digest.lower()
