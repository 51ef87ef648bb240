"""The messages between client and tracker; http.py (BEP 3, 7, 23, 48) and udp.py (BEP 15) write them as bytes."""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from peer.bittorrent.wire.compact import IPV4_STRIDE, IPV6_STRIDE, unpack, unpack6
from peer.net.address import Address


class Event(StrEnum):
    """Why a client announces; REGULAR is the periodic announcement."""

    REGULAR = ""
    STARTED = "started"
    COMPLETED = "completed"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class AnnounceRequest:
    """A client's state, and its request for peers; field names are the specification's."""

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
    """The address that the client claims; a tracker may ignore it."""
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
        """Return the addresses of all peers, from either form."""
        peers = self.peers
        listed = unpack(peers) if isinstance(peers, bytes) else [peer.address for peer in peers]
        return listed + unpack6(self.peers6)

    @property
    def peer_count(self) -> int:
        listed = len(self.peers) // IPV4_STRIDE if isinstance(self.peers, bytes) else len(self.peers)
        return listed + len(self.peers6) // IPV6_STRIDE


class ScrapeEntry(NamedTuple):
    """The numbers of one swarm: seeds, completed downloads, leeches."""

    complete: int
    downloaded: int
    incomplete: int


@dataclass(frozen=True, slots=True)
class ScrapeResponse:
    """Swarms by info-hash."""

    files: dict[bytes, ScrapeEntry]


@dataclass(frozen=True, slots=True)
class Failure:
    """The tracker refused; the reason is for people."""

    reason: str
