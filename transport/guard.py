"""Which addresses a socket may be opened to: the last line against server-side request forgery.

The decision is made on the address that is about to be connected, when the socket is made: after DNS, so that no
name can mean one thing when checked and another when used, and after every trick of notation (``0x7f000001``).
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from contextvars import ContextVar

from .hop import Reach
from .origin import Origin

HOME_FOR = 60.0  # seconds; names move, but not by the second
MAX_HOMES = 1024

IP = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
_SHARED = ipaddress.IPv4Network("100.64.0.0/10")  # RFC 6598, carrier-grade NAT


class Sockets:
    """What the guard did on behalf of one request."""

    __slots__ = ("denied", "made")

    def __init__(self) -> None:
        self.denied: list[str] = []
        """The addresses that it turned down."""
        self.made = 0
        """How many sockets it made; none where a kept connection served."""


sockets: ContextVar[Sockets | None] = ContextVar("sockets", default=None)
"""Laid out by the caller; the guard writes there."""


class DeniedAddressError(OSError):
    """The guard made no socket."""


def embedded(address: IP) -> IP:
    """Unwrap an IPv4 address that travels inside an IPv6 one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address.sixtofour is not None:
            return address.sixtofour
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def may_connect(address: str, reach: Reach) -> bool:
    """Whether ``reach`` allows a connection to the literal ``address``."""
    if reach is Reach.ANY:
        return True
    try:
        ip = embedded(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    if ip.is_multicast or ip.is_unspecified or ip.is_link_local:
        return False
    if ip.is_loopback or ip.is_private or (ip.version == 4 and ip in _SHARED):
        return reach is Reach.PRIVATE
    return ip.is_global


def is_private(address: str) -> bool:
    """Whether ``address`` is private or loopback."""
    return not may_connect(address, Reach.PUBLIC) and may_connect(address, Reach.PRIVATE)


class Homes:
    """Where indexes live: what their pages may lead to depends on it.

    The name of a configured index is the operator's, so its DNS is trusted here, for a minute at a time; what is
    connected in the end is still checked socket by socket.
    """

    def __init__(self) -> None:
        self._known: dict[Origin, tuple[Reach, float]] = {}

    async def reach(self, home: Origin) -> Reach:
        """Return what links of an index at ``home`` may reach."""
        loop = asyncio.get_running_loop()
        known = self._known.get(home)
        if known is not None and known[1] > loop.time():
            return known[0]
        try:
            found = await loop.getaddrinfo(home.host.strip("[]"), home.port, type=socket.SOCK_STREAM)
        except OSError:
            return Reach.PUBLIC
        reach = Reach.PRIVATE if all(is_private(str(info[4][0])) for info in found) else Reach.PUBLIC
        while len(self._known) >= MAX_HOMES:
            del self._known[next(iter(self._known))]
        self._known[home] = (reach, loop.time() + HOME_FOR)
        return reach


class Guard:
    """Makes sockets for one reach; given to the connector as its socket factory."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def __call__(self, info: tuple[int, int, int, str, tuple[object, ...]]) -> socket.socket:
        """Make the socket for an ``addrinfo`` tuple.

        Raises:
            DeniedAddressError: the address is not within reach.
        """
        family, kind, protocol, _, address = info
        noted = sockets.get()
        if not may_connect(str(address[0]), self._reach):
            if noted is not None:
                noted.denied.append(str(address[0]))
            raise DeniedAddressError("the address is not allowed")
        if noted is not None:
            noted.made += 1
        return socket.socket(family, kind, protocol)
