"""What an overlay is to whoever runs its nodes: the nodes that it has, and how their messages are written and read."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar

from peer.net.address import Address
from peer.overlays.content import Item
from peer.overlays.node import DatagramNode, Node, Record, StreamNode

AnyNode_co = TypeVar("AnyNode_co", bound=Node, covariant=True)


@dataclass(frozen=True, slots=True)
class Attack:
    """What attackers are told before they begin."""

    targets: tuple[str, ...] = ()
    """The names of the items that they attack."""
    attackers: tuple[Address, ...] = ()
    """The addresses of all that attack together."""


NO_ATTACK: Final = Attack()


@dataclass(frozen=True, slots=True)
class Setup:
    """What a node is made of, for one life."""

    address: Address
    known: tuple[Address, ...]
    items: tuple[Item, ...]
    parameters: Any
    """A value of the role's class."""
    rng: Random
    """Goes on from life to life, so that an identity that is drawn is a new one."""
    record: Record
    attack: Attack = NO_ATTACK
    downloads: bool = False
    """Whether the node gets what it found, and gives what others found."""


@dataclass(frozen=True, slots=True)
class NoParameters:
    """Of nodes that have none."""


@dataclass(frozen=True, slots=True)
class Role(Generic[AnyNode_co]):
    """One kind of node of an overlay."""

    make: Callable[[Setup], AnyNode_co]
    parameters: type = NoParameters
    """A dataclass, whose fields are the keys of `parameters` in a description."""
    least_known: int = 0
    """How many addresses such a node must know at the start."""
    least_targets: int | None = None
    """How many items an attacker must be told of; None for a node that attacks nobody."""


class Decoder(Protocol):
    """Reads the messages of one connection."""

    def feed(self, data: bytes, /) -> Iterable[Any]:
        """Take bytes, and give the messages that are complete; raises WireError. What it keeps is bounded."""


@dataclass(frozen=True, slots=True)
class DatagramOverlay:
    """An overlay whose messages are datagrams."""

    roles: Mapping[str, Role[DatagramNode]]
    encode: Callable[[Any], bytes]
    decode: Callable[[bytes], Any]
    """Raises WireError."""
    common: frozenset[str] = frozenset()
    """Parameters in which all nodes must agree to understand each other, by their paths such as ring.bits."""


@dataclass(frozen=True, slots=True)
class StreamOverlay:
    """An overlay whose messages go over connections."""

    roles: Mapping[str, Role[StreamNode]]
    encode: Callable[[Any], bytes]
    decoder: Callable[[bool], Decoder]
    """Makes one for a new connection; the argument says whether it is outgoing."""
    common: frozenset[str] = frozenset()
    """As of a DatagramOverlay."""
    has_files: bool = False
    """Whether its nodes are SharingNodes if they are told to download."""


Overlay: TypeAlias = DatagramOverlay | StreamOverlay
