"""What an adapter is: the few things that one client needs said about it (docs/applications.md).

An adapter knows one client: its settings, its command line, how to give it the torrent, and how to ask for its state.
It waits for nothing and records nothing; `life` does both. Its methods run in a thread, one at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final

from contract.programs import UNTOLD
from peer.adapters.program import Program
from peer.net.address import Address


@dataclass(frozen=True)
class Place:
    """Where and for what a client is to run."""

    is_seed: bool
    """It has the whole file at first; otherwise it has nothing."""
    torrent: Path
    """A torrent with one file."""
    name: str
    """The name of that file."""
    length: int
    folder: Path
    """For the client's settings and logs; of this client alone, and removed when it has ended."""
    downloads: Path
    """Where the file is, or is to be put, under its name; also of this client alone."""
    host: str
    """The address to listen on and to dial from."""
    port: int
    upload_limit: int | None
    """Bytes/s, for a client that wants to be told the rate of its uplink."""
    wake: Path
    """A program to be run, with any arguments, when the client has completed: it makes us look at once."""
    dht: Sequence[Address] | None = None
    """The nodes by which to join the DHT; None is without it."""
    encryption: str | None = None
    """One of the adapter's `encryptions`; None if it is left to the adapter."""


@dataclass(frozen=True)
class Neighbour:
    """A connection, and the bytes of blocks that it moved so far."""

    address: str
    """host:port; it tells connections apart."""
    is_outgoing: bool
    received: int
    sent: int


@dataclass(frozen=True)
class State:
    """What a client says of itself. Bytes are of blocks since it joined."""

    is_complete: bool
    have: int = 0
    """Bytes of the file that it has and has verified."""
    received: int | None = None
    """None if it does not tell: then `untold` has BYTES, and the host's interface is read instead."""
    sent: int | None = None
    wasted: int | None = None
    """Bytes that were not needed, or wrong; None if it does not tell."""
    neighbours: Sequence[Neighbour] | None = None
    """The open connections; None if it does not tell."""
    is_announced: bool = True
    """Whether a tracker has answered. A seed is ready then, so that leeches find it at once."""
    problem: str = ""
    """An error from which it does not recover, such as a full disk."""


class Adapter(Program):
    """How one client is run. A subclass has at least `program`, `command` and `state`."""

    untold: ClassVar[Sequence[str]] = UNTOLD
    """What it does not tell: words of UNTOLD."""
    can_use_dht: ClassVar[bool] = False
    """Whether it heeds `dht` of its place."""
    encryptions: ClassVar[Sequence[str]] = ()
    """The words of `EncryptionChoice` that the client can be told; its place has one of them, or None."""
    starts_at_join: ClassVar[bool] = False
    """Whether its program is started only when it joins, as it takes the torrent on its command line."""

    counts_go_on: ClassVar[bool] = False
    """Whether the counts of a connection begin with those of the last one with the same host."""
    staleness: ClassVar[float] = 0.0
    """How many seconds old the counts that it tells may be: so long it is let be before the last question."""

    def __init__(self, place: Place) -> None:
        super().__init__(place.folder)
        self.place: Final = place

    def is_up(self) -> bool:
        """Whether the client can take a torrent."""
        return True

    def join(self) -> None:
        """Give the torrent to the client, which is up; nothing to do if it is on its command line."""

    def state(self) -> State:
        """Return its state, after it has joined; raises OSError, ValueError or LookupError if it cannot tell now."""
        raise NotImplementedError
