"""Servents whose every message is written, cut anywhere and read do the same as those who give each other values."""

from random import Random
from typing import Any

import pytest

from peer.overlays.content import Item
from peer.overlays.gnutella.parameters import NeighbourParameters, Parameters, SearchParameters, TableParameters
from peer.overlays.gnutella.wire import encode
from peer.overlays.gnutella.wire.decoder import Decoder
from peer.overlays.gnutella.wire.messages import Handshake
from tests.peer.overlays.gnutella.worlds import World

NODES = 14
ULTRAPEERS = 4


def parameters(role: str, way: str) -> Parameters:
    return Parameters(
        role=role,
        neighbours=NeighbourParameters(ultrapeers=3),
        search=SearchParameters(way=way, silence=20),
        tables=TableParameters(entries=256, patch_bytes=16),
    )


def carry_bytes(world: World, rng: Random) -> None:
    """Write, cut and read all that is sent."""
    deliver, decoders = world.network._deliver, dict[Any, Decoder]()

    def deliver_bytes(far: Any, link: int, message: Any, size: int) -> None:
        data = encode(message)
        assert len(data) == size
        is_call = isinstance(message, Handshake) and message.line.startswith("GNUTELLA CONNECT")
        decoder = decoders.setdefault((far.address, link), Decoder(not is_call))
        cut = rng.randrange(len(data) + 1)
        found = [each for part in (data[:cut], data[cut:]) for each in decoder.feed(part)]
        assert found == [message]
        deliver(far, link, found[0], size)

    world.network._deliver = deliver_bytes  # type: ignore[method-assign]


def traces(way: str, roles: list[str], *, as_bytes: bool) -> list[Any]:
    world = World()
    if as_bytes:
        carry_bytes(world, Random(1))
    for number, role in enumerate(roles):
        known = [each for each in range(ULTRAPEERS) if each != number]
        world.add(number, known, [Item(f"song {number}"), Item("a song of all")], parameters(role, way))
    world.start()
    world.wait(100)
    world.search(NODES - 1, "song of all", "12" * 16)
    world.search(0, "song 9", "34" * 16)
    world.wait(100)
    world.network.leave(world.places[1])
    world.wait(100)
    return [place.events for place in world.places.values()]


@pytest.mark.parametrize(
    ("way", "roles"),
    [
        ("dynamic", ["ultrapeer"] * ULTRAPEERS + ["leaf"] * (NODES - ULTRAPEERS)),
        ("flood", ["peer"] * NODES),
        ("walk", ["peer"] * NODES),
    ],
)
def test_traces_are_the_same(way: str, roles: list[str]) -> None:
    events = traces(way, roles, as_bytes=True)
    assert sum(map(len, events)) > 2 * NODES
    assert events == traces(way, roles, as_bytes=False)
