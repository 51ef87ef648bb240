"""The messages of Gnutella. All have the header of 0.4: who they are, how far they may go, and how far they came."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from peer.net.address import Address

GUID_BYTES: Final = 16


class Kind(IntEnum):
    """The types of payloads."""

    PING = 0x00
    PONG = 0x01
    BYE = 0x02
    ROUTE_TABLE = 0x30
    VENDOR = 0x31
    PUSH = 0x40
    QUERY = 0x80
    QUERY_HIT = 0x81


@dataclass(frozen=True, slots=True)
class Handshake:
    """A line and headers, as in HTTP: the first that both ends say."""

    line: str
    headers: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str:
        """Return a header's value; empty if it is absent. Names are the same in any case of letters."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), "")


@dataclass(frozen=True, slots=True)
class Ping:
    """Ask for addresses."""

    guid: bytes
    ttl: int
    hops: int


@dataclass(frozen=True, slots=True)
class Pong:
    """A servent that takes connections. It has the GUID of the ping."""

    guid: bytes
    ttl: int
    hops: int
    address: Address
    files: int
    kilobytes: int


@dataclass(frozen=True, slots=True)
class Bye:
    """The last message of a connection: why it ends, 200 if nothing is wrong."""

    guid: bytes
    ttl: int
    hops: int
    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Push:
    """Ask a servent behind a firewall to connect to an address and give a file."""

    guid: bytes
    ttl: int
    hops: int
    servent: bytes
    index: int
    address: Address


@dataclass(frozen=True, slots=True)
class Query:
    """A search for names with all these words."""

    guid: bytes
    ttl: int
    hops: int
    text: str
    speed: int = 0
    """The least speed of who may answer, in kbit/s; later 16 flags. Ours asks for none and looks at none."""
    extension: bytes = b""
    """What follows the text, which we pass on as it came."""


@dataclass(frozen=True, slots=True)
class Found:
    """One result of a hit."""

    index: int
    size: int
    name: str
    extension: bytes = b""


@dataclass(frozen=True, slots=True)
class QueryHit:
    """Results from one servent. It has the GUID of the query."""

    guid: bytes
    ttl: int
    hops: int
    address: Address
    speed: int
    results: tuple[Found, ...]
    servent: bytes
    """The servent's own GUID, by which a push finds it."""
    descriptor: bytes = b""
    """Its vendor and flags, as the QHD of BearShare has them."""


@dataclass(frozen=True, slots=True)
class Reset:
    """Begin a route table of so many entries, all of them infinite."""

    guid: bytes
    ttl: int
    hops: int
    entries: int
    infinity: int


@dataclass(frozen=True, slots=True)
class Patch:
    """A part of a change of a route table."""

    guid: bytes
    ttl: int
    hops: int
    number: int
    """From 1 to `count`."""
    count: int
    compressor: int
    """0: none; 1: zlib, of all parts together."""
    entry_bits: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Walk:
    """A walker of a search. It is a vendor's message, which every servent that does not know it drops.

    The header says TTL 1, as such messages are not routed; how far it may go is in the payload.
    """

    guid: bytes
    ttl: int
    hops: int
    querier: Address
    """Whom to ask whether to go on."""
    steps: int
    """That it has made."""
    left: int
    """That it may make."""
    text: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """A message of a type that is not one of ours."""

    kind: int


@dataclass(frozen=True, slots=True)
class Malformed:
    """A message whose payload is not what its type asks for. Its end is known, so the stream goes on."""

    kind: int
    why: str


Binary: TypeAlias = Ping | Pong | Bye | Push | Query | QueryHit | Reset | Patch | Walk
Message: TypeAlias = Handshake | Binary
Received: TypeAlias = Message | Unknown | Malformed
