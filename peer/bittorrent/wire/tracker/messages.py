"""What a client and a tracker tell each other, whichever way it travels: tracker_http.py (BEP 3, 7, 23, 48) and
tracker_udp.py (BEP 15) turn these values into bytes.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from peer.bittorrent.wire.compact import IPV4_STRIDE, IPV6_STRIDE, unpack, unpack6
from peer.net.address import Address


class Event(StrEnum):
    """Why a client announces itself; REGULAR is the announcement that the interval asks for."""

    REGULAR = ""
    STARTED = "started"
    COMPLETED = "completed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class AnnounceRequest:
    """A client's news, and its wish for peers; the names are the specification's."""

    info_hash: bytes
    peer_id: bytes
    port: int
    uploaded: int
    downloaded: int
    left: int
    event: Event = Event.REGULAR
    numwant: int | None = None
    key: str | None = None
    """A secret that proves a client to be the same after its address changed. Over UDP it is 32 bits, here 8 hex
    digits; compare them without regard to case, as clients write them either way over HTTP."""
    ip: str | None = None
    """Where the client says it is; a tracker may disregard it."""
    compact: bool = True
    no_peer_id: bool = False
    trackerid: bytes | None = None


class Peer(NamedTuple):
    """One entry of a peer list in dictionary form."""

    address: Address
    peer_id: bytes | None = None


@dataclass(frozen=True, slots=True)
class AnnounceResponse:
    """The tracker's answer."""

    interval: int
    peers: bytes | tuple[Peer, ...] = b""
    """Compact addresses as bytes (see compact.py), or the dictionary form."""
    peers6: bytes = b""
    complete: int | None = None
    incomplete: int | None = None
    min_interval: int | None = None
    tracker_id: bytes | None = None
    warning: str | None = None

    def addresses(self) -> list[Address]:
        """Return where all the peers are, in whatever form they came."""
        peers = self.peers
        listed = unpack(peers) if isinstance(peers, bytes) else [peer.address for peer in peers]
        return listed + unpack6(self.peers6)

    @property
    def peer_count(self) -> int:
        """How many peers there are."""
        listed = len(self.peers) // IPV4_STRIDE if isinstance(self.peers, bytes) else len(self.peers)
        return listed + len(self.peers6) // IPV6_STRIDE


class ScrapeEntry(NamedTuple):
    """One swarm in numbers: who has it all, how many ever got it all, who does not have it all."""

    complete: int
    downloaded: int
    incomplete: int


@dataclass(frozen=True, slots=True)
class ScrapeResponse:
    """Swarms by info-hash."""

    files: dict[bytes, ScrapeEntry]


@dataclass(frozen=True, slots=True)
class Failure:
    """The tracker refused; the reason is meant for people."""

    reason: str
