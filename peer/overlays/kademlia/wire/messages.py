"""The messages of krpc as values, and the numbers of its errors."""

from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from peer.net.address import Address
from peer.overlays.kademlia.ids import LENGTH

VERSION: Final = b"TB\x01\x00"
"""Our client and its version, as our peer ids begin: the key `v` of what we send."""

GENERIC_ERROR: Final = 201
SERVER_ERROR: Final = 202
PROTOCOL_ERROR: Final = 203
METHOD_UNKNOWN: Final = 204

NODE: Final = LENGTH + 6
PEER: Final = 6
"""Bytes of a node and of a peer."""


class NodeInfo(NamedTuple):
    """Where a node is, in both worlds."""

    id: int
    address: Address


@dataclass(frozen=True, slots=True)
class Ping:
    """Are you there?"""

    transaction: bytes
    id: int
    is_read_only: bool = False
    version: bytes | None = VERSION


@dataclass(frozen=True, slots=True)
class FindNode:
    """Which nodes do you know that are closest to `target`?"""

    transaction: bytes
    id: int
    target: int
    is_read_only: bool = False
    version: bytes | None = VERSION


@dataclass(frozen=True, slots=True)
class GetPeers:
    """Which peers have you stored for this key, and which nodes do you know that are closest to it?"""

    transaction: bytes
    id: int
    info_hash: int
    is_read_only: bool = False
    version: bytes | None = VERSION


@dataclass(frozen=True, slots=True)
class AnnouncePeer:
    """Store a peer for this key: my host with `port`, or with the port that this came from if it is implied."""

    transaction: bytes
    id: int
    info_hash: int
    port: int
    token: bytes
    has_implied_port: bool = False
    is_read_only: bool = False
    version: bytes | None = VERSION


@dataclass(frozen=True, slots=True)
class UnknownQuery:
    """A question of a later specification."""

    transaction: bytes
    method: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """What the node `id` returns; what it has depends on the question. None: the key is not there."""

    transaction: bytes
    id: int
    nodes: tuple[NodeInfo, ...] | None = None
    values: tuple[Address, ...] | None = None
    token: bytes | None = None
    ip: Address | None = None
    """Where the question came from, as whoever answers sees it (BEP 42)."""
    version: bytes | None = VERSION


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error: one of the codes above, and a text for people."""

    transaction: bytes
    code: int
    text: str
    version: bytes | None = VERSION


Query: TypeAlias = Ping | FindNode | GetPeers | AnnouncePeer
Message: TypeAlias = Query | UnknownQuery | Answer | Refusal
