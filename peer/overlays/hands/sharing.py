"""Files beside the messages of a node: both come to one port, and the first bytes tell which connection is for what."""

import asyncio
import socket
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeAlias

from peer.net.address import Address
from peer.net.http import Request
from peer.net.poller import running_poller
from peer.overlays.hands.transfers import PATIENCE, Transfers
from peer.overlays.node import Get, Give, Refuse, SharingNode

FIRST_BYTES: Final = b"GE"
"""By which a request is known from the messages of an overlay."""

Input: TypeAlias = Callable[[Callable[[SharingNode, float], None]], None]
"""Gives a node an input that happens now."""
Take: TypeAlias = Callable[[socket.socket, Address], None]


class Sharing:
    """Tells a node what comes of files, and does what it asks for."""

    def __init__(self, host: str, dial_timeout: float, give_input: Input, take_neighbour: Take) -> None:
        """`take_neighbour` gets the connections that are not for files."""
        self._input: Final = give_input
        self._take_neighbour: Final = take_neighbour
        self._transfers: Final = Transfers(host, dial_timeout, self)
        self._doorways: Final[set[Doorway]] = set()
        self.performers: Final[Mapping[type, Callable[[Any], None]]] = {
            Get: self._transfers.get,
            Give: self._transfers.give,
            Refuse: self._transfers.refuse,
        }

    def accepted(self, connected: socket.socket, source: Address) -> None:
        """Find out what a connection is for."""
        self._doorways.add(Doorway(connected, source, self._told))

    @property
    def unknown(self) -> int:
        """How many connections have not said yet what they are for."""
        return len(self._doorways)

    def close(self) -> None:
        """End all at once."""
        self._transfers.close()
        for doorway in self._doorways:
            doorway.close()
        self._doorways.clear()

    def _told(self, doorway: "Doorway", asks_for_a_file: bool) -> None:
        self._doorways.discard(doorway)
        take = self._transfers.accepted if asks_for_a_file else self._take_neighbour
        take(doorway.socket, doorway.source)

    def upload_asked(self, upload: int, source: Address, request: Request) -> None:
        self._input(lambda node, now: node.upload_asked(upload, source, request, now))

    def upload_ended(self, upload: int, count: int) -> None:
        self._input(lambda node, now: node.upload_ended(upload, count, now))

    def download_began(self, download: str, size: int) -> None:
        self._input(lambda node, now: node.download_began(download, size, now))

    def download_ended(self, download: str, count: int, problem: str) -> None:
        self._input(lambda node, now: node.download_ended(download, count, problem, now))


class Doorway:
    """A connection that somebody made and that has said nothing: its first bytes tell whom it is for.

    Who asks sends both bytes together; a first byte that comes alone is taken for a message.
    """

    def __init__(self, connected: socket.socket, source: Address, tell: Callable[["Doorway", bool], None]) -> None:
        """`tell` hears whether it asks for a file; what says nothing for PATIENCE seconds does not."""
        self.socket: Final = connected
        self.source: Final = source
        self._tell: Final = tell
        self._poller: Final = running_poller()
        self._fd: Final = connected.fileno()
        self._timer: Final = asyncio.get_running_loop().call_later(PATIENCE, self._choose, False)
        self._poller.add_reader(self._fd, self._look)

    def close(self) -> None:
        self._leave()
        self.socket.close()

    def _leave(self) -> None:
        self._timer.cancel()
        self._poller.remove_reader(self._fd)

    def _look(self) -> None:
        try:
            first = self.socket.recv(len(FIRST_BYTES), socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            return
        except OSError:
            first = b""
        self._choose(first == FIRST_BYTES)

    def _choose(self, asks_for_a_file: bool) -> None:
        self._leave()
        self._tell(self, asks_for_a_file)
