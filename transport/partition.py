"""Who may share an answer with whom.

Two fetches are in one partition when the same credential, client identity, trust and proxy stand behind them.
Everything that is derived from a response carries its partition: bytes, parsed facts, negative answers. An
anonymous fetch with default trust is in ``public``; nothing else ever is.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
from pathlib import Path

from .message import Credential, Index

PUBLIC = "public"
KEY_FILE = "partition.key"
KEY_BYTES = 32


class Partitions:
    """Names partitions with a keyed hash: a weak password cannot be guessed from a name on disk."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, index: Index, credential: Credential | None, identity: str = "") -> str:
        """Return the partition of fetches for ``index`` with ``credential``.

        ``identity`` is the digest of our public key; without one (its file cannot be used) the paths stand for it:
        a file that is replaced by another's identity must not open what was stored for the first.
        """
        facts: list[str] = []
        if credential is not None:
            facts += ["credential", credential.scheme, credential.name, credential.secret.reveal()]
        if index.client_cert is not None:
            facts += ["identity", identity] if identity else ["files", index.client_cert, index.client_key or ""]
        if index.ca is not None or not index.system_trust:
            facts += ["trust", index.ca or "", str(index.system_trust)]
        if not index.verify:
            facts += ["unverified", index.name]
        if index.proxy is not None:
            facts += ["proxy", index.proxy.reveal()]
        if not facts:
            return PUBLIC
        # Length-prefixed: no two lists of facts run together into one text.
        text = "".join(f"{len(fact)}:{fact}" for fact in facts)
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()[:32]


def load_key(directory: Path | None) -> bytes:
    """Return the key of the cache in ``directory``, made on first use; processes that share it agree.

    Without a (writable) directory the key lives as long as the process.
    """
    if directory is None:
        return os.urandom(KEY_BYTES)
    path = directory / KEY_FILE
    for _ in range(2):
        with contextlib.suppress(OSError):
            key = path.read_bytes()
            if len(key) == KEY_BYTES:
                return key
        fresh = os.urandom(KEY_BYTES)
        temporary = directory / f"{KEY_FILE}.{os.urandom(8).hex()}"
        try:
            with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(fresh)
            if path.exists():  # a damaged key opens nothing; without it old entries are only unreachable
                temporary.replace(path)
            else:
                os.link(temporary, path)  # fails where another process was first: then read theirs
                temporary.unlink()
        except OSError:
            with contextlib.suppress(OSError):
                temporary.unlink()
    try:
        key = path.read_bytes()
    except OSError:
        key = b""
    return key if len(key) == KEY_BYTES else os.urandom(KEY_BYTES)
