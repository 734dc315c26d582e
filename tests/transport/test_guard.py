"""Addresses, in all their disguises."""

from __future__ import annotations

import pytest

from transport.guard import may_connect
from transport.hop import Reach

PRIVATE = ["127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "::1", "fd00::1",
           "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::"]  # fmt: skip
NEVER = ["169.254.169.254", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "0.0.0.0", "::",
         "224.0.0.1", "ff02::1", "nonsense", ""]  # fmt: skip
PUBLIC = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "::ffff:93.184.215.14"]
RESERVED = ["240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "2001:db8::1"]


@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize("reach", Reach)
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
