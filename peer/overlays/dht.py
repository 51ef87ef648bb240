"""What whoever builds upon a distributed hash table needs of its nodes: Chord's, Kademlia's, or another's."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from peer.overlays.node import DatagramNode


@dataclass(frozen=True, slots=True)
class Got:
    """What became of asking for a key: its values, or None if no node that should have them answered."""

    values: tuple[bytes, ...] | None
    total: int
    """How many values there are, though fewer may have been asked for."""
    hops: int
    timeouts: int


WhenGot: TypeAlias = Callable[[Got], None]


class HashTableNode(DatagramNode, Protocol):
    """A node that keeps values under keys for others, and finds them."""

    def put(self, key: bytes, value: bytes, now: float) -> None:
        """Have a value of ours kept under a key of 20 bytes, and refreshed until we leave."""

    def get(self, key: bytes, search: str, now: float, when_got: WhenGot, most: int | None = None) -> None:
        """Ask for at most so many values of a key; 0 asks for their number alone.

        `when_got` is called once, unless we leave. It may be called before this returns. All messages that this causes
        bear the name of the search.
        """
