"""Compact addresses are read and written; text that is not an address is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.wire.compact import pack, pack6, unpack, unpack6
from peer.errors import WireError
from peer.net.address import Address, pack_host, pack_host6, parse_address, unpack_host
from tests.peer.bittorrent.wire.values import IPV4_ADDRESSES, IPV6_ADDRESSES


def test_ipv4_address_and_port_take_six_bytes() -> None:
    assert unpack(b"\xc6\x12\x00\x05\x1a\xe1") == [Address("198.18.0.5", 6881)]
    assert pack([Address("198.18.0.5", 6881)]) == b"\xc6\x12\x00\x05\x1a\xe1"


@given(st.lists(IPV4_ADDRESSES, max_size=5))
def test_ipv4_addresses_survive_round_trip(addresses: list[Address]) -> None:
    assert unpack(pack(addresses)) == addresses


@given(st.lists(IPV6_ADDRESSES, max_size=5))
def test_ipv6_addresses_survive_round_trip(addresses: list[Address]) -> None:
    assert unpack6(pack6(addresses)) == addresses


@given(IPV4_ADDRESSES | IPV6_ADDRESSES)
def test_printed_address_is_read_unless_port_0(address: Address) -> None:
    if address.port:
        assert parse_address(str(address)) == address
    else:
        with pytest.raises(WireError):
            parse_address(str(address))


@pytest.mark.parametrize("text", ["", "host", "host:", ":1", "host:65536", "host:1x", "::1:80", "[::1]", "a b:1"])
def test_invalid_address_text_is_refused(text: str) -> None:
    with pytest.raises(WireError, match="expected host:port"):
        parse_address(text)


def test_truncated_list_is_refused() -> None:
    with pytest.raises(WireError, match="expected a multiple of 6 bytes, found 7"):
        unpack(bytes(7))
    with pytest.raises(WireError, match="expected a multiple of 18 bytes, found 6"):
        unpack6(bytes(6))


def test_host_alone_takes_4_or_16_bytes() -> None:
    assert unpack_host(pack_host("198.18.0.5")) == "198.18.0.5"
    assert unpack_host(pack_host6("2001:db8::1")) == "2001:db8::1"
    with pytest.raises(WireError, match="expected 4 or 16 bytes, found 5"):
        unpack_host(bytes(5))


@pytest.mark.parametrize("host", ["", "1.2.3", "1.2.3.256", "peer.example"])
def test_host_name_is_not_packed(host: str) -> None:
    with pytest.raises(WireError, match="expected an IPv4 address"):
        pack_host(host)
    with pytest.raises(WireError, match="expected an IPv6 address"):
        pack_host6(host)
