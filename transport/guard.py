"""Which addresses a socket may be opened to: the last line against server-side request forgery.

The decision is made on the address that is about to be connected, when the socket is made: after DNS, so that no
name can mean one thing when checked and another when used, and after every trick of notation (``0x7f000001``).
"""

from __future__ import annotations

import ipaddress
import socket
from contextvars import ContextVar

from .hop import Reach

IP = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # RFC 6052
_SHARED = ipaddress.IPv4Network("100.64.0.0/10")  # RFC 6598, carrier-grade NAT

denied: ContextVar[list[str] | None] = ContextVar("denied", default=None)
"""A list that the caller lays out; the guard writes the addresses there that it turned down."""


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
        if not may_connect(str(address[0]), self._reach):
            turned_down = denied.get()
            if turned_down is not None:
                turned_down.append(str(address[0]))
            raise DeniedAddressError("the address is not allowed")
        return socket.socket(family, kind, protocol)
