"""The road to an index, step by step, for a person who asks: the name, the address, the handshake. No HTTP is spoken.

A fetch says what failed; this says what worked, too. Only for indexes that the operator configured.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from .guard import may_connect
from .hop import Reach
from .message import Index
from .origin import Origin, parse
from .probe import End, Finding, Streams, probe
from .proxy import read_proxy
from .tls import Contexts, Unusable

MAX_SHOWN = 4  # addresses, certificates, authorities


@dataclass(slots=True)
class Step:
    """One thing that had to work. ``detail`` holds no secret."""

    name: str
    is_ok: bool = False
    detail: str = ""
    seconds: float = 0.0
    facts: Mapping[str, object] = field(default_factory=dict)


async def survey(index: Index, *, patience: float, deny_private: bool = False) -> list[Step]:
    """Go the road to ``index`` as far as it leads; the last step is the first that failed.

    Args:
        index: a configured one.
        patience: seconds for each step.
        deny_private: as for fetches: not even a configured index may be on a private address.
    """
    origin, steps = parse(index.url).origin, list[Step]()
    goal, place = origin, "the index"
    try:
        if index.proxy is not None:
            goal, place = parse(read_proxy(index.proxy).url).origin, "the proxy"
    except ValueError as error:
        return [Step("proxy", detail=str(error))]
    addresses: list[str] = []
    async with _timed(steps, "name", patience) as step:
        found = await asyncio.get_running_loop().getaddrinfo(goal.host.strip("[]"), goal.port, type=socket.SOCK_STREAM)
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        step.is_ok, step.detail = True, f"{goal.host} is {', '.join(addresses[:MAX_SHOWN])}"
    if not steps[-1].is_ok:
        return steps
    reach = Reach.PUBLIC if deny_private and index.proxy is None else Reach.ANY
    allowed = [address for address in addresses if may_connect(address, reach)]
    connect = _connector(allowed, goal)
    async with _timed(steps, "connect", patience) as step:
        if not allowed:
            raise OSError("the address is private, and policy.private_addresses denies it")
        _, writer = await connect()
        peer = writer.get_extra_info("peername")
        writer.transport.abort()
        step.is_ok, step.detail = True, f"{place} answers at {peer[0]} port {peer[1]}"
    if steps[-1].is_ok and origin.scheme == "https" and index.proxy is None:
        async with _timed(steps, "tls", patience) as step:
            await _handshake(step, index, origin, connect, patience)
    return steps


@asynccontextmanager
async def _timed(steps: list[Step], name: str, patience: float) -> AsyncIterator[Step]:
    step = Step(name)
    steps.append(step)
    started = time.monotonic()
    try:
        async with asyncio.timeout(patience * 2):
            yield step
    except TimeoutError:
        step.detail = f"nothing within {patience * 2:.0f} s"
    except Unusable as error:
        step.detail = error.text
    except OSError as error:
        step.detail = error.strerror or str(error) or type(error).__name__
    finally:
        step.seconds = time.monotonic() - started


def _connector(addresses: list[str], goal: Origin) -> Callable[[], asyncio.Future[Streams]]:
    async def connect() -> Streams:
        failure: OSError = OSError("there is no address to connect to")
        for address in addresses[:MAX_SHOWN]:
            try:
                return await asyncio.open_connection(address, goal.port)
            except OSError as error:
                failure = error
        raise failure

    return lambda: asyncio.ensure_future(connect())


async def _handshake(
    step: Step, index: Index, origin: Origin, connect: Callable[[], asyncio.Future[Streams]], patience: float
) -> None:
    loaded = await Contexts().twin(index, own=True)
    finding = await probe(connect, loaded.context, origin.host.strip("[]"), patience=patience)
    if finding is None:
        step.detail = "the handshake did not end"
        return
    step.is_ok = finding.end is End.OPEN
    facts: dict[str, object] = {
        "version": finding.version or None,
        "chain": [certificate.to_facts() for certificate in finding.chain[:MAX_SHOWN]],
        "verified": index.verify and finding.is_established,
        "client_certificate_wanted": finding.is_identity_wanted,
        "accepted_authorities": list(finding.authorities[:MAX_SHOWN]),
    }
    if loaded.identity is not None:
        with contextlib.suppress(Unusable):
            facts["client_certificate"] = loaded.identity.to_facts()
    step.facts = facts
    step.detail = _told(finding, has_identity=loaded.identity is not None, is_verified=index.verify)


def _told(finding: Finding, *, has_identity: bool, is_verified: bool) -> str:
    words = [finding.version or "no handshake"]
    if finding.end is not End.OPEN:
        words.append(f"ended with {finding.end.value}" + (f" ({finding.reason})" if finding.reason else ""))
    elif finding.chain:
        leaf = finding.chain[0]
        words.append(f"certificate {leaf.subject} of {leaf.issuer}, until {leaf.not_after:%Y-%m-%d}")
    if not is_verified:
        words.append("not verified (verify = false)")
    if finding.is_identity_wanted:
        words.append("a client certificate is asked for" + (", and shown" if has_identity else ", and none is set"))
    elif has_identity:
        words.append("the server asks for no client certificate")
    return "; ".join(words)
