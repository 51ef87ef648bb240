"""What runs a node whose messages go over connections: one listening socket, and the links that it numbers from one."""

import asyncio
import socket
from collections.abc import Callable, Collection, Iterator
from typing import Any, Final, cast

from peer.errors import WireError
from peer.net.address import Address
from peer.net.dialler import Dialler
from peer.net.listener import Listener
from peer.overlays.hands.hands import Hands, OnFetch, fetch_nothing
from peer.overlays.hands.link import MOST_UNSENT as MOST_UNSENT_ON_LINK
from peer.overlays.hands.link import Link
from peer.overlays.hands.sharing import Sharing
from peer.overlays.node import Charge, Dial, Fetch, HangUp, Record, Send, SharingNode, StreamNode
from peer.overlays.overlay import StreamOverlay

MOST_LINKS: Final = 16_384
"""Connections at a time; further ones are refused."""
MOST_UNSENT: Final = 512 << 20
"""Bytes that may wait on all links together, in equal shares."""
DIAL_TIMEOUT: Final = 10.0


class StreamHands(Hands[StreamNode]):
    """Runs one node on a TCP socket, which it closes."""

    def __init__(
        self,
        node: StreamNode,
        bound: socket.socket,
        overlay: StreamOverlay,
        record: Record,
        fetch: OnFetch = fetch_nothing,
        *,
        followed: Collection[str] = (),
        most_links: int = MOST_LINKS,
        transfers: bool = False,
    ) -> None:
        """With `transfers`, whoever asks for a file by HTTP at the same port is served: the node is a SharingNode."""
        super().__init__(node, record, followed)
        host = bound.getsockname()[0]
        self._sharing: Final = (
            Sharing(host, DIAL_TIMEOUT, self._input_of_files, self._take_neighbour) if transfers else None
        )
        self.performers = {
            Dial: self._dial,
            Send: self._send,
            HangUp: self._hang_up,
            Charge: self._charge,
            Fetch: fetch,
            **(self._sharing.performers if self._sharing else {}),
        }
        self._last_message: Any = None
        """That came, from the address `_last_source`."""
        self._last_source = Address("", 0)
        self._overlay: Final = overlay
        self._dialler: Final = Dialler(host, DIAL_TIMEOUT, self._loop)
        self._most_links: Final = most_links
        self._last_number = 0
        self._links: Final[dict[int, Link]] = {}
        """Those that the node knows of."""
        self._open: Final[set[Link]] = set()
        """All whose sockets are open; some are only finishing."""
        self._all_closed: Final = asyncio.Event()
        self._listener: Final = Listener(bound, self._loop, self._accept)
        self._is_listening = True

    async def end(self) -> None:
        """End the links once everything is sent, or it has taken too long."""
        self._stop()
        for link in self._links.values():
            if not link.is_closed:
                link.finish()
        if self._open:
            self._all_closed.clear()
            await self._all_closed.wait()

    def cut(self) -> None:
        """End at once."""
        self._stop()
        for link in list(self._open):
            link.close()

    def _stop(self) -> None:
        super().cut()
        self._dialler.close()
        if self._sharing is not None:
            self._sharing.close()
        if self._is_listening:
            self._is_listening = False
            self._listener.close()

    def _accept(self, connected: socket.socket, source: Address) -> None:
        unknown = self._sharing.unknown if self._sharing is not None else 0
        if len(self._open) + unknown >= self._most_links:
            connected.close()
            self.troubles.note("a connection was refused, as there are too many", source)
        elif self._sharing is not None:
            self._sharing.accepted(connected, source)
        else:
            self._take_neighbour(connected, source)

    def _input_of_files(self, give: Callable[[SharingNode, float], None]) -> None:
        self.input(lambda node, now: give(cast(SharingNode, node), now))

    def _take_neighbour(self, connected: socket.socket, source: Address) -> None:
        """Give the node a connection that somebody made."""
        link = self._add(connected, source, is_outgoing=False)
        self.input(lambda node, now: node.accepted(link.number, source, now))

    def _dial(self, action: Dial) -> None:
        """Both outcomes arrive in a turn of the loop of their own: there an exception of the node is not lost."""
        self._dialler.dial(
            action.address,
            lambda address, connected: self._soon(self._connected, address, connected),
            lambda address, reason: self._soon(self._dial_failed, address, reason),
        )

    def _soon(self, call: Callable[..., None], *arguments: object) -> None:
        self._loop.call_soon(call, *arguments)

    def _connected(self, address: Address, connected: socket.socket) -> None:
        if self.is_over:
            connected.close()
            return
        link = self._add(connected, address, is_outgoing=True)
        self.input(lambda node, now: node.connected(link.number, address, now))

    def _dial_failed(self, address: Address, reason: str) -> None:
        self.input(lambda node, now: node.dial_failed(address, reason, now))

    def _add(self, connected: socket.socket, address: Address, *, is_outgoing: bool) -> Link:
        self._last_number += 1
        link = Link(self._last_number, connected, address, self._overlay.decoder(is_outgoing), self)
        self._links[link.number] = link
        self._open.add(link)
        return link

    def _send(self, action: Send) -> None:
        link = self._links.get(action.link)
        if link is None or link.is_closed:
            return
        data = self._overlay.encode(action.message)
        if link.send(data, min(MOST_UNSENT_ON_LINK, MOST_UNSENT // len(self._open))):
            self.costs.count_sent(action.search, len(data))
            self.following.sent(action.search, link.address, action.message)

    def _charge(self, action: Charge) -> None:
        """Count the last message, whose length on the wire is that which we would give it."""
        self.costs.charge(action.search, len(self._overlay.encode(self._last_message)))
        self.following.charged(action.search, self._last_source, self._last_message)

    def _hang_up(self, action: HangUp) -> None:
        link = self._links.pop(action.link, None)
        if link is not None and not link.is_closed:
            link.finish()

    def link_received(self, link: Link, data: bytes) -> None:
        self.costs.count_received(0, len(data))
        for message in self._messages(link, data):
            self._deliver(link, message)
            if link.number not in self._links or link.is_closed:
                return

    def _deliver(self, link: Link, message: Any) -> None:
        self.costs.count_received(1, 0)
        self._last_message, self._last_source = message, link.address
        self.input(lambda node, now: node.received(link.number, message, now))

    def _messages(self, link: Link, data: bytes) -> Iterator[Any]:
        """Yield what a decoder finds. After an error nothing of the stream can be understood, and it ends."""
        try:
            yield from link.decoder.feed(data)
        except WireError as error:
            self.troubles.note(f"a stream makes no sense: {error}", link.address)
            link.close()
            self.link_lost(link, str(error))

    def link_lost(self, link: Link, reason: str) -> None:
        if self._links.pop(link.number, None) is not None:
            self.input(lambda node, now: node.disconnected(link.number, reason, now))

    def link_closed(self, link: Link) -> None:
        self._open.discard(link)
        if not self._open:
            self._all_closed.set()
