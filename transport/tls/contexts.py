"""Whom to trust and who to be: one TLS context per policy, made once, in a thread.

aiohttp keys its connections by the context object, so a context per policy keeps identities apart, where a context
per request would end keep-alive and resumption. A context is made anew when one of its files changes; a broken
replacement leaves the old one in use.

No private key, passphrase or content of a file is ever part of a text.
"""

from __future__ import annotations

import asyncio
import logging
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from transport.message import Index
from transport.secret import Secret

from .identity import Identity, Unusable, holds_key, load_identity
from .roots import trust_file, trust_system

log = logging.getLogger("transport.tls")


@dataclass(frozen=True, slots=True)
class Policy:
    """What a context is made of."""

    ca: str | None
    system_trust: bool
    verify: bool = True
    client_cert: str | None = None
    client_key: str | None = None
    client_key_password: Secret | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """The files that the context depends on."""
        return tuple(path for path in (self.ca, self.client_cert, self.client_key) if path is not None)


def policy_of(index: Index, *, own: bool) -> Policy:
    """Return the policy for ``index``: its identity, and leave to go unverified, hold at its own origin only."""
    if not own:
        return Policy(index.ca, index.system_trust)
    return Policy(
        index.ca, index.system_trust, index.verify, index.client_cert, index.client_key, index.client_key_password
    )


@dataclass(frozen=True, slots=True)
class Loaded:
    """A context, and who we are in it."""

    context: ssl.SSLContext
    identity: Identity | None


@dataclass(frozen=True, slots=True)
class _Made:
    task: asyncio.Task[Loaded]
    stamp: tuple[tuple[int, int, int], ...]


class Contexts:
    """Contexts by policy, and by identity where a policy has had several."""

    def __init__(self, environ: Mapping[str, str] | None = None) -> None:
        """``environ`` holds ``SSL_CERT_FILE`` and ``SSL_CERT_DIR``; by default the process' own."""
        self._environ = os.environ if environ is None else environ
        self._made: dict[Policy, _Made] = {}
        self._kept: dict[tuple[Policy, str], Loaded] = {}

    async def identify(self, index: Index) -> str:
        """Return who we are to ``index`` now: the digest of the public key; empty: nobody, or nobody valid."""
        if index.client_cert is None:
            return ""
        try:
            loaded = await self._current(policy_of(index, own=True))
        except Unusable:
            return ""  # said where a connection is wanted; a stored answer of this identity cannot be told anyway
        return loaded.identity.spki if loaded.identity is not None else ""

    async def get(self, index: Index, *, own: bool, identity: str = "") -> Loaded:
        """Return the context for ``index``, at its own origin or (``own`` is false) elsewhere.

        A request that began as ``identity`` ends as it, whatever has become of the files meanwhile: its answer is
        stored under that name.

        Raises:
            Unusable: a file of the policy cannot be used, or no server would accept the certificate; nothing was
                connected.
        """
        policy = policy_of(index, own=own)
        loaded = self._kept.get((policy, identity)) if identity else None
        if loaded is None:
            loaded = await self._current(policy)
            if identity and loaded.identity is not None and loaded.identity.spki != identity:
                what = "it was replaced twice while a request was under way"
                raise Unusable("identity-changed", "client_cert", str(policy.client_cert), what, "try again")
        if loaded.identity is not None:
            loaded.identity.check(datetime.now(UTC))
        return loaded

    async def twin(self, index: Index, *, own: bool) -> Loaded:
        """Make a context like the one for ``index`` that no connection shares.

        Raises:
            Unusable: as :meth:`get`.
        """
        return await asyncio.to_thread(load, policy_of(index, own=own), self._environ)

    async def _current(self, policy: Policy) -> Loaded:
        # A stat takes microseconds and a connection takes milliseconds: who rotates a file waits for nothing.
        stamp = _stamp(policy)
        made = self._made.get(policy)
        if made is None or made.stamp != stamp:
            made = self._made[policy] = _Made(asyncio.create_task(self._load(policy, made)), stamp)
        try:
            return await asyncio.shield(made.task)
        except Unusable:
            if self._made.get(policy) is made:
                del self._made[policy]  # the files may be right the next time
            raise

    async def _load(self, policy: Policy, old: _Made | None) -> Loaded:
        before = await _outcome(old)
        try:
            loaded = await asyncio.to_thread(load, policy, self._environ)
        except Unusable as error:
            if before is None:
                raise
            log.warning("a changed certificate file cannot be used, going on with what was loaded before: %s", error)
            return before
        if loaded.identity is not None:
            # Requests that began with the identity before this one may be under way; with older ones none is.
            last = before.identity.spki if before is not None and before.identity is not None else None
            for key in [key for key in self._kept if key[0] == policy and key[1] != last]:
                del self._kept[key]
            self._kept[policy, loaded.identity.spki] = loaded
        return loaded


async def _outcome(made: _Made | None) -> Loaded | None:
    try:
        return await asyncio.shield(made.task) if made is not None else None
    except Unusable:
        return None


def make_context(policy: Policy, environ: Mapping[str, str]) -> ssl.SSLContext:
    """Make the context for ``policy``; as :func:`load`."""
    return load(policy, environ).context


def load(policy: Policy, environ: Mapping[str, str]) -> Loaded:
    """Make the context for ``policy``; blocks on files.

    Raises:
        Unusable: a file of the policy cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Said here because Pythons differ in their defaults: an anchor that is no root is trusted as far as it was
    # named as one, and corporate roots without key identifiers pass (RFC 5280's letter would have them fail).
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    context.hostname_checks_common_name = False  # RFC 9525 §6.3: a subject's name is no name of a host
    if policy.system_trust:
        trust_system(context, environ)
    if policy.ca is not None and not trust_file(context, Path(policy.ca)):
        raise Unusable(
            "ca-unusable", "ca", policy.ca, "there is no usable certificate in it", "name a file of PEM certificates"
        )
    if not policy.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return Loaded(context, _identity(context, policy))


def _identity(context: ssl.SSLContext, policy: Policy) -> Identity | None:
    if policy.client_cert is None:
        return None
    try:
        identity = load_identity(context, policy.client_cert, policy.client_key, policy.client_key_password)
    except Unusable as error:
        if error.kind == "identity-no-key" and policy.ca is not None and holds_key(policy.ca):
            remedy = f"there is one in ca {policy.ca}: are client_cert and ca swapped?"
            raise Unusable(error.kind, error.setting, error.path, error.what, remedy) from None
        raise
    identity.check(datetime.now(UTC))
    return identity


def _stamp(policy: Policy) -> tuple[tuple[int, int, int], ...]:
    found = []
    for path in policy.files:
        try:
            status = Path(path).stat()
        except OSError:
            found.append((0, 0, 0))
        else:
            found.append((status.st_mtime_ns, status.st_ino, status.st_size))
    return tuple(found)
