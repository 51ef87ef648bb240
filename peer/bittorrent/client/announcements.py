"""Announcements to trackers and to the DHT, and their answers as inputs of the session."""

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

from peer.bittorrent.client.dht import Dht
from peer.bittorrent.client.trackers import TrackerClient, TrackerFailure
from peer.bittorrent.engine.actions import Announce, AnnounceToDht, MeetDhtNode
from peer.bittorrent.engine.session import Session
from peer.bittorrent.wire.tracker.messages import Event
from peer.net.address import Address


class Announcements:
    """Those of one session; `settle` is called with the time after each input."""

    def __init__(
        self, session: Session, trackers: TrackerClient, dht: Dht | None, settle: Callable[[float], None]
    ) -> None:
        self._session: Final = session
        self._trackers: Final = trackers
        self._dht: Final = dht
        self._settle: Final = settle
        self._loop: Final = asyncio.get_running_loop()
        self._asking: Final[set[asyncio.Task[None]]] = set()

    def to_tracker(self, action: Announce, _: float) -> None:
        asking = self._loop.create_task(self._ask(action))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)

    def to_dht(self, action: AnnounceToDht, _: float) -> None:
        if self._dht is not None:
            self._dht.announce(action.port, action.identity, self._peers_found, self._dht_ended)

    def meet_dht_node(self, action: MeetDhtNode, _: float) -> None:
        if self._dht is not None:
            self._dht.meet(action.address)

    async def wait(self) -> None:
        """Wait until no tracker is being asked any more."""
        if self._asking:
            await asyncio.wait(self._asking)

    def cancel(self) -> None:
        for each in self._asking:
            each.cancel()

    async def _ask(self, action: Announce) -> None:
        is_farewell = action.request.event is Event.STOPPED
        try:
            response = await self._trackers.announce(action.url, action.request)
        except TrackerFailure as failure:
            if not is_farewell:
                self._session.tracker_failed(action.url, str(failure), monotonic(), action.identity)
        else:
            if not is_farewell:
                self._session.tracker_answered(action.url, response, monotonic(), action.identity)
        self._settle(monotonic())

    def _peers_found(self, identity: int, addresses: list[Address]) -> None:
        now = monotonic()
        self._session.peers_found(addresses, now, identity)
        self._settle(now)

    def _dht_ended(self, identity: int, node_count: int) -> None:
        now = monotonic()
        self._session.dht_ended(node_count, now, identity)
        self._settle(now)
