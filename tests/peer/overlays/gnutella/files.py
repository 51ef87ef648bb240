"""Files between servents in virtual time: an upload takes as long as its size says, and each word one latency."""

from functools import partial
from typing import Any

from peer.net.http import Request
from peer.overlays.gnutella.node import GnutellaNode
from peer.overlays.node import Get, Give, Refuse
from peer.simulation.overlays.network import Place
from tests.peer.overlays.gnutella.worlds import LATENCY, World

RATE = 100_000
"""Bytes a second of each upload."""


class Files:
    """Does what the servents of a world want to do with files."""

    def __init__(self, world: World) -> None:
        self._network = world.network
        self._uploads: dict[int, tuple[Place[GnutellaNode], str]] = {}
        """By number, who gets it, and the name that it has there."""
        world.network._performers.update({Get: self._get, Give: self._give, Refuse: self._refuse})

    def _after(self, seconds: float, place: Place[GnutellaNode], give: Any) -> None:
        def arrive() -> None:
            if place.is_here:
                self._network.input_to(place, give)

        self._network.agenda.call_at(self._network.agenda.now + seconds, arrive)

    def _get(self, place: Place[Any], action: Get) -> None:
        holder, upload = self._network.places.get(action.holder), len(self._uploads) + 1
        self._uploads[upload] = place, action.download
        headers = {name.lower(): value for name, value in action.headers}
        request = Request("GET", action.target, "", headers, True)
        if holder is None or not holder.is_here:
            self._end(2 * LATENCY, upload, 0, "connection refused")
        else:
            self._after(LATENCY, holder, lambda node, now: node.upload_asked(upload, place.address, request, now))

    def _give(self, place: Place[Any], action: Give) -> None:
        getter, name = self._uploads[action.upload]
        takes = action.size / RATE
        self._after(LATENCY, getter, lambda node, now: node.download_began(name, action.size, now))
        self._end(LATENCY + takes, action.upload, action.size, "")
        gone = partial(lambda node, now: node.upload_ended(action.upload, action.size, now))
        self._after(2 * LATENCY + takes, place, gone)

    def _refuse(self, _place: Place[Any], action: Refuse) -> None:
        self._end(LATENCY, action.upload, 0, f"{action.status} No")

    def _end(self, seconds: float, upload: int, count: int, problem: str) -> None:
        getter, name = self._uploads[upload]
        self._after(seconds, getter, lambda node, now: node.download_ended(name, count, problem, now))
