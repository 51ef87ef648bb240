"""Overlays in virtual time from the descriptions that programs of nodes read."""

import json
from typing import Any

import pytest

from contract.overlay_events import AnswerCame, NodeJoined, NodeLeft, SearchEnded
from peer.net.address import Address
from peer.overlays.description import Description, read_description
from peer.simulation.overlays.described import DescribedOverlay

DIRECTORY = Address("198.18.0.1", 8888)
ALICE = Address("198.18.0.2", 6699)
BOB = Address("198.18.0.3", 6699)
SONG = {"name": "a song.mp3", "size": 1000}


def described(address: Address, role: str = "client", **keys: Any) -> Description:
    known = [] if role == "directory" else [str(DIRECTORY)]
    words = {"overlay": "napster", "role": role, "address": str(address), "known": known, "seed": 1, **keys}
    return read_description(json.dumps(words))


def search(at: float, number: int = 1) -> dict[str, Any]:
    return {"at": at, "name": f"{number:032x}", "wanted": "a song.mp3"}


def performed(*descriptions: Description, until: float = 30.0) -> DescribedOverlay:
    overlay = DescribedOverlay([described(DIRECTORY, "directory"), *descriptions], lambda _from, _to: 0.02)
    overlay.run(until)
    return overlay


def ends(overlay: DescribedOverlay, address: Address) -> list[SearchEnded]:
    return [event for event in overlay.nodes[address].events if isinstance(event, SearchEnded)]


def test_a_node_finds_what_another_shares() -> None:
    overlay = performed(described(ALICE, items=[SONG]), described(BOB, searches=[search(1.0)]))
    assert ends(overlay, BOB) == [SearchEnded(f"{1:032x}", "found", 1, 1, 0)]
    (answer,) = (event for event in overlay.nodes[BOB].events if isinstance(event, AnswerCame))
    assert answer.holder == ALICE.host
    # The question, a result, the end of results, and two for the download.
    assert overlay.network.ledger.by_search[f"{1:032x}"].messages == 5


def test_what_a_node_shares_cannot_be_found_before_it_joins_and_after_it_left() -> None:
    alice = described(ALICE, items=[SONG], sessions=[{"join": 5.0, "leave": 10.0}])
    overlay = performed(alice, described(BOB, searches=[search(4.0, 1), search(7.0, 2), search(12.0, 3)]))
    assert [end.outcome for end in ends(overlay, BOB)] == ["not_found", "found", "not_found"]
    assert not overlay.nodes[ALICE].is_here


def test_a_node_that_comes_back_is_another_one_with_the_same_items() -> None:
    other = Address("198.18.1.2", 6699)
    lives = [{"leave": 5.0}, {"join": 6.0, "address": str(other)}]
    overlay = performed(described(ALICE, items=[SONG], sessions=lives), described(BOB, searches=[search(9.0)]))
    events = overlay.nodes[ALICE].events
    assert [type(event) for event in events if isinstance(event, NodeJoined | NodeLeft)] == [
        *(NodeJoined, NodeLeft),
        NodeJoined,
    ]
    (answer,) = (event for event in overlay.nodes[BOB].events if isinstance(event, AnswerCame))
    assert answer.holder == other.host


def test_the_same_descriptions_give_the_same_traces() -> None:
    def traces() -> list[list[tuple[float, Any]]]:
        nodes = [
            Description("kademlia", Address("198.18.0.1", 6881 + number), seed=number, known=known)
            for number, known in enumerate([(), (Address("198.18.0.1", 6881),), (Address("198.18.0.1", 6881),)])
        ]
        overlay = DescribedOverlay(nodes, lambda _from, _to: 0.02)
        overlay.run(60.0)
        return [node.places[0].events for node in overlay.nodes.values()]

    first = traces()
    assert all(any(isinstance(event, NodeJoined) for _, event in trace) for trace in first)
    assert first == traces()


def test_nodes_of_two_overlays_are_refused() -> None:
    with pytest.raises(ValueError, match="one overlay, found chord, napster"):
        performed(Description("chord", ALICE, seed=1))


def test_a_node_without_a_seed_is_refused() -> None:
    with pytest.raises(ValueError, match="has no seed"):
        performed(Description("napster", ALICE, role="client", known=(DIRECTORY,)))
