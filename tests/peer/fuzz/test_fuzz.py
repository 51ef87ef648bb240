"""Arbitrary input: decoders accept or refuse any bytes, and a session survives any sequence of messages."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peer.bittorrent.engine import actions
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.messages import Message, PieceHeader
from peer.simulation.swarm import virtual_torrent
from tests.peer.bittorrent.engine.scripted import (
    ALL,
    FAST,
    PLAIN,
    SessionHarness,
)
from tests.peer.bittorrent.wire.values import BLOCKLESS
from tests.peer.fuzz.targets import TARGETS, mutate

INFO = virtual_torrent(8, 64 << 10)
SMALL = st.integers(0, 9)
BLOCKS = st.sampled_from([0, 1, 16 << 10, 32 << 10, 48 << 10, 64 << 10])
HEADERS = st.builds(PieceHeader, SMALL, BLOCKS, st.sampled_from([1, 16 << 10, 1 << 20]))


@pytest.mark.parametrize("name", TARGETS)
def test_mutated_input_is_read_or_refused(name: str) -> None:
    rng, target = Random(name), TARGETS[name]
    for good in target.good:
        target.read(good)
    for _ in range(300):
        target.run(mutate(rng.choice(target.good), rng))


@given(
    st.lists(st.tuples(st.integers(0, 2), BLOCKLESS | HEADERS), max_size=60),
    st.sampled_from([ALL, FAST, PLAIN]),
    st.booleans(),
)
@settings(max_examples=200)
def test_no_sequence_of_messages_breaks_session(
    said: list[tuple[int, Message]], reserved: object, is_magnet: bool
) -> None:
    some = Bitfield(INFO.piece_count)
    some.add(3)
    harness = SessionHarness(INFO, have=None if is_magnet else some, is_magnet=is_magnet)
    neighbours = [
        harness.add_neighbour(host=f"198.18.0.{k + 2}", name=f"peer {k}", reserved=reserved) for k in range(3)
    ]
    for speaker, message in said:
        neighbour = neighbours[speaker]
        if isinstance(message, PieceHeader):
            harness.actions_after(
                lambda key=neighbour.key, header=message: harness.session.block_began(key, header, harness.now)
            )
            harness.actions_after(
                lambda key=neighbour.key, header=message: harness.session.block_received(key, header, harness.now)
            )
        else:
            neighbour.send(message)
        harness.wait(0.5)
    assert not harness.session.is_over
    closed = [each.neighbour for each in harness.actions if isinstance(each, actions.Close)]
    assert len(closed) == len(set(closed))
