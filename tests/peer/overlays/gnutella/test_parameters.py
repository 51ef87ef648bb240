"""What can be chosen, and what is remembered."""

from typing import Any

import pytest

from peer.overlays.gnutella.parameters import (
    Capability,
    DynamicParameters,
    Parameters,
    SearchParameters,
    TableParameters,
    UploadParameters,
    WalkParameters,
)
from peer.overlays.gnutella.routing.memory import LIFETIME, OURS, Memory


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"role": "supernode"}, "role: expected peer, leaf, ultrapeer, elected, found 'supernode'"),
        ({"search": SearchParameters(way="shout")}, "way: expected flood, dynamic, walk"),
        ({"search": SearchParameters(ttl=0)}, "search.ttl: expected 1 to 255, found 0"),
        ({"tables": TableParameters(entries=1000)}, "power of two"),
        ({"tables": TableParameters(infinity=9)}, "tables.infinity"),
        ({"walk": WalkParameters(check_every=0)}, "walk.check_every"),
        ({"dynamic": DynamicParameters(hop_wait=0)}, "dynamic.hop_wait"),
        ({"capability": Capability(level=1001)}, "capability.level"),
        ({"capability": Capability(client="kaza")}, "capability.client: expected kazaa, kazaa-lite, found 'kaza'"),
        ({"uploads": UploadParameters(slots=0)}, "uploads.slots: expected 1 to 1000, found 0"),
    ],
)
def test_what_makes_no_sense_is_refused(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        Parameters(**changes)


def test_a_guid_is_remembered_for_a_lifetime_and_forgotten_after_two() -> None:
    memory = Memory()
    memory.add(b"one", 7, 0.0)
    memory.add(b"ours", OURS, 1.0)
    memory.add(b"later", 8, LIFETIME)
    assert [memory.get(guid) for guid in (b"one", b"ours", b"later", b"never")] == [7, OURS, 8, None]
    memory.add(b"last", 9, 2 * LIFETIME)
    assert [memory.get(guid) for guid in (b"one", b"later", b"last")] == [None, 8, 9]


def test_a_full_memory_forgets_the_older_half() -> None:
    memory = Memory(most=3)
    for number in range(7):
        memory.add(bytes([number]), number + 1, 0.0)
    assert [memory.get(bytes([number])) for number in range(7)] == [None, None, None, 4, 5, 6, 7]
