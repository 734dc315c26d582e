"""Addresses, in all their disguises."""

from __future__ import annotations

import pytest

from transport.credentials import index_from_url
from transport.errors import AddressDenied
from transport.guard import Homes, may_connect
from transport.hop import Reach
from transport.message import Kind, Request
from transport.origin import parse
from transport.stack import TransportSettings, open_stack

from .server import index, reply

PRIVATE = ["127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd00::1",
           "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::"]  # fmt: skip
NEVER = ["169.254.169.254", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "0.0.0.0", "::",
         "224.0.0.1", "ff02::1", "nonsense", ""]  # fmt: skip
PUBLIC = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"]
RESERVED = ["240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "2001:db8::1"]


@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize("reach", [Reach.PUBLIC, Reach.PRIVATE, Reach.ANY])
def test_public_addresses_are_for_everyone(address: str, reach: Reach) -> None:
    assert may_connect(address, reach)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_for_those_who_may(address: str) -> None:
    assert not may_connect(address, Reach.PUBLIC)
    assert may_connect(address, Reach.PRIVATE)
    assert may_connect(address, Reach.ANY)


@pytest.mark.parametrize("address", NEVER)
def test_links_lead_nowhere_that_only_this_machine_should_ask(address: str) -> None:
    assert not may_connect(address, Reach.PUBLIC)
    assert not may_connect(address, Reach.PRIVATE)


@pytest.mark.parametrize("address", RESERVED)
def test_reserved_addresses_are_not_public(address: str) -> None:
    assert not may_connect(address, Reach.PUBLIC)


@pytest.mark.parametrize(
    ("home", "reach"),
    [
        ("http://127.0.0.1/", Reach.PRIVATE),
        ("http://[::1]/", Reach.PRIVATE),
        ("http://localhost/", Reach.PRIVATE),
        ("http://10.1.2.3/", Reach.PRIVATE),
        ("http://93.184.215.14/", Reach.PUBLIC),
        ("http://169.254.169.254/", Reach.PUBLIC),
        ("http://no-such-host.invalid/", Reach.PUBLIC),
    ],
)
async def test_links_of_an_index_reach_private_addresses_only_if_it_lives_on_one(home: str, reach: Reach) -> None:
    assert await Homes().reach(parse(home).origin) is reach


async def test_a_page_of_a_public_index_cannot_point_into_our_network() -> None:
    """The page came from the cache or a proxy; here the index is only configured, and its link is followed."""
    async with index({"*": reply(b"inside")}) as server, open_stack(TransportSettings()) as fetcher:
        public = index_from_url("default", "http://93.184.215.14/simple/")
        private = index_from_url("corp", "http://127.0.0.1:9/simple/")
        with pytest.raises(AddressDenied):
            await fetcher.fetch(Request(f"{server.url}/x.whl", public, Kind.FILE))
        assert server.connections == 0
        assert (await fetcher.fetch(Request(f"{server.url}/x.whl", private, Kind.FILE))).body == b"inside"
