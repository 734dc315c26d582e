"""One TLS context per trust and identity: immutable, made once, in a thread.

aiohttp keys its connections by the context object, so a context per policy keeps identities apart and a context
per request would end keep-alive and resumption.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from .message import Index
from .secret import Secret


@dataclass(frozen=True, slots=True)
class Policy:
    """Whom to trust and who to be."""

    ca: str | None
    system_trust: bool
    verify: bool
    client_cert: str | None
    client_key: str | None
    client_key_password: Secret | None


def policy_of(index: Index, *, own: bool) -> Policy:
    """Return the policy for ``index``: its identity, and leave to be unverified, hold at its own origin only."""
    if own:
        return Policy(
            index.ca, index.system_trust, index.verify, index.client_cert, index.client_key, index.client_key_password
        )
    return Policy(index.ca, index.system_trust, True, None, None, None)  # noqa: FBT003


class Contexts:
    """Contexts by policy."""

    def __init__(self) -> None:
        self._made: dict[Policy, asyncio.Task[ssl.SSLContext]] = {}

    async def get(self, index: Index, *, own: bool) -> ssl.SSLContext:
        """Return the context for ``index``."""
        policy = policy_of(index, own=own)
        task = self._made.get(policy)
        if task is None:
            task = self._made[policy] = asyncio.create_task(asyncio.to_thread(_make, policy))
        try:
            return await asyncio.shield(task)
        except BaseException:
            if task.done():
                self._made.pop(policy, None)  # the files may be right the next time
            raise


def _make(policy: Policy) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if policy.system_trust:
        context.load_default_certs()
    if policy.ca is not None:
        context.load_verify_locations(cafile=policy.ca)
    if not policy.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if policy.client_cert is not None:
        password = policy.client_key_password
        context.load_cert_chain(
            policy.client_cert, policy.client_key, lambda: password.reveal() if password is not None else ""
        )
    return context
