"""Where attackers stand: as close to a key as they may."""

from typing import Final

from peer.net.address import Address
from peer.overlays.content import key_of
from peer.overlays.kademlia.ids import closest_secure_id, crc32c, is_local
from peer.overlays.kademlia.wire.messages import NodeInfo
from peer.overlays.overlay import Attack

_OWN_BITS: Final = 32


def places_of(attack: Attack, own: Address, *, are_secure: bool) -> list[NodeInfo]:
    """Return all attackers with their ids, the same at each of them: they share out the targets in turn.

    `own` is one of them, even if the attack does not name it.
    """
    addresses = sorted({*attack.attackers, own})
    keys = [int.from_bytes(key_of(target), "big") for target in attack.targets]
    return [
        NodeInfo(_place(keys[number % len(keys)], address, is_secure=are_secure), address)
        for number, address in enumerate(addresses)
    ]


def _place(key: int, address: Address, *, is_secure: bool) -> int:
    """Return an id close to a key: the closest that the host may have, or one with 128 bits of the key if it may."""
    if is_secure and not is_local(address.host):
        return closest_secure_id(key, address.host)
    return key >> _OWN_BITS << _OWN_BITS | crc32c(str(address).encode())
