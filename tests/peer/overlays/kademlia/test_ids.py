"""Ids: distances, and those that follow from addresses (the vectors of BEP 42)."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.overlays.kademlia.ids import (
    BITS,
    beginning_with,
    crc32c,
    is_secure,
    secure_id,
    shared_bits,
    sharing,
    to_bytes,
    to_hex,
)

IDS = st.integers(0, 2**BITS - 1)
VECTORS = {
    "124.31.75.21": 0x5FBFBFF10C5D6A4EC8A88E4C6AB4C28B95EEE401,
    "21.75.31.124": 0x5A3CE9C14E7A08645677BBD1CFE7D8F956D53256,
    "65.23.51.170": 0xA5D43220BC8F112A3D426C84764F8C2A1150E616,
    "84.124.73.14": 0x1B0321DD1BB1FE518101CEEF99462B947A01FF41,
    "43.213.53.83": 0xE56F6CBF5B7C4BE0237986D5243B87AA6D51305A,
}


@pytest.mark.parametrize(("host", "node_id"), VECTORS.items())
def test_published_ids_are_those_of_their_hosts_and_of_no_other(host: str, node_id: int) -> None:
    assert is_secure(node_id, host)
    assert not is_secure(node_id ^ (1 << 159), host)
    assert [each for each in VECTORS if is_secure(node_id, each)] == [host]


def test_checksum_is_castagnolis() -> None:
    assert crc32c(b"123456789") == 0xE3069283


@given(st.ip_addresses(v=4).map(str), st.integers())
def test_drawn_secure_ids_are_accepted(host: str, seed: int) -> None:
    assert is_secure(secure_id(host, Random(seed)), host)


@pytest.mark.parametrize("host", ["10.1.2.3", "172.31.0.1", "192.168.1.1", "169.254.3.3", "127.0.0.9"])
def test_local_hosts_may_have_any_id(host: str) -> None:
    assert is_secure(0, host)


@given(IDS, st.integers(0, BITS - 1), st.integers())
def test_an_id_is_drawn_from_a_bucket(own: int, bits: int, seed: int) -> None:
    assert shared_bits(own, sharing(own, bits, Random(seed))) == bits
    assert shared_bits(own, beginning_with(own, bits, Random(seed))) >= bits


@given(IDS)
def test_an_id_shares_all_bits_with_itself_and_is_written_in_20_bytes(own: int) -> None:
    assert shared_bits(own, own) == BITS
    assert to_bytes(own).hex() == to_hex(own)
