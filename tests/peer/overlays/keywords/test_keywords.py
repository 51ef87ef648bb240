"""Words upon Chord: lists of entries, and what their search costs."""

from dataclasses import replace
from random import Random
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.overlay_events import AnswerCame, SearchEnded
from peer.errors import WireError
from peer.net.address import Address
from peer.overlays.chord.node import ChordNode
from peer.overlays.chord.parameters import Parameters as ChordParameters
from peer.overlays.chord.wire import size
from peer.overlays.content import Item, Wanted, key_of
from peer.overlays.keywords.keys import key_of_word
from peer.overlays.keywords.node import KeywordNode, Parameters
from peer.overlays.parts.entry import Entry, decode_entry
from peer.simulation.overlays.network import OverlayNetwork, Place
from peer.simulation.overlays.rings import address_of

NAMES = ["blue moon", "blue train", "night train", "blue night train", *(f"blue song {number}" for number in range(60))]


Swarm: TypeAlias = tuple[OverlayNetwork[KeywordNode], list[Place[KeywordNode]]]


def joined(parameters: Parameters) -> Swarm:
    """Sixteen nodes that share the names above, and had time to form a ring and to store."""
    network: OverlayNetwork[KeywordNode] = OverlayNetwork(size, lambda _a, _b: 0.05)
    places: list[Place[KeywordNode]] = []
    random = Random(1)
    for number in range(16):
        place: Place[KeywordNode] = Place(address_of(number, 4_000))
        items = [Item(name) for name in NAMES[number::16]]
        known = [places[0].address] if places else []
        below = ChordNode(place.address, [], known, parameters=ChordParameters(), random=random, record=place.record)
        places.append(network.add(place, KeywordNode(below, place.address, items, parameters, place.record)))
        network.agenda.call_at(number * 10.0, lambda place=place: network.input_to(place, KeywordNode.start))  # type: ignore[misc]
    network.run(500.0)
    return network, places


@pytest.fixture(scope="module", params=[True, False], ids=["rarest", "each"])
def swarm(request: pytest.FixtureRequest) -> Swarm:
    return joined(Parameters(rarest_only=request.param))


def found(swarm: Swarm, wanted: Wanted, name: str = "0" * 32) -> tuple[set[str], str, int]:
    """Search from one node; returns names, outcome, and bytes."""
    network, places = swarm
    places[7].events.clear()
    network.ledger.by_search.pop(name, None)
    network.input_to(places[7], lambda node, now: node.search(name, wanted, now))
    network.run(network.agenda.now + 5.0)
    events = [event for _, event in places[7].events]
    [end] = [event for event in events if isinstance(event, SearchEnded)]
    return (
        {event.item for event in events if isinstance(event, AnswerCame)},
        end.outcome,
        network.ledger.by_search[name].bytes,
    )


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("train", {"blue train", "night train", "blue night train"}),
        ("Train blue", {"blue train", "blue night train"}),
        ("night blue train", {"blue night train"}),
        ("moon train", set()),
        ("unheard of", set()),
    ],
)
def test_items_with_all_words_are_found(swarm: Swarm, words: str, names: set[str]) -> None:
    answers, outcome, _ = found(swarm, Wanted(words, is_exact=False))
    assert answers == names
    assert outcome == ("found" if names else "not_found")


def test_a_long_list_comes_whole(swarm: Swarm) -> None:
    assert len(found(swarm, Wanted("blue", is_exact=False))[0]) == 63


def test_an_exact_name_is_compared_exactly(
    swarm: Swarm,
) -> None:
    assert found(swarm, Wanted("blue train"))[0] == {"blue train"}
    assert found(swarm, Wanted("train blue"))[0] == set()


def test_a_search_without_words_finds_nothing(
    swarm: Swarm,
) -> None:
    assert found(swarm, Wanted("!", is_exact=False))[:2] == (set(), "not_found")


def test_the_shortest_list_alone_costs_less_than_all() -> None:
    wanted = Wanted("blue moon", is_exact=False)
    rarest, each = (found(joined(Parameters(rarest_only=choice)), wanted) for choice in (True, False))
    assert rarest[0] == each[0] == {"blue moon"}
    assert rarest[2] < each[2] / 2


def test_a_name_that_no_entry_carries_is_told_and_the_others_are_shared() -> None:
    place: Place[KeywordNode] = Place(address_of(0, 1))
    parameters = replace(ChordParameters(), replicas=1)
    below = ChordNode(place.address, [], [], parameters=parameters, random=Random(1), record=place.record)
    node = KeywordNode(below, place.address, [Item("x" * 2_000), Item("short")], Parameters(), place.record)
    node.start(0.0)
    assert [event.event for _, event in place.events] == ["node_joined", "node_erred"]
    assert node.entries == 1


octet = st.integers(0, 255)


@given(
    st.builds(lambda a, p: Address(f"198.18.0.{a}", p), octet, st.integers(1, 65_535)),
    st.text(min_size=1, max_size=200),
)
def test_an_entry_is_read_as_it_was_written(holder: Address, name: str) -> None:
    entry = Entry(holder, name)
    assert decode_entry(entry.encode()) == entry


@pytest.mark.parametrize("value", [b"", bytes(6), b"\xc6\x12\0\1\0\0x", b"\xc6\x12\0\1\0\1\xff", bytes(2_000)])
def test_what_is_no_entry_is_refused(value: bytes) -> None:
    with pytest.raises(WireError, match="entry"):
        decode_entry(value)


def test_a_words_list_is_not_where_an_item_of_that_name_is() -> None:
    assert key_of_word("moon") != key_of("moon")
