"""Nodes of Cubit in virtual time: they find each other and what is misspelt, and outlive losses and lies."""

from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from contract.overlay_events import AnswerCame, NodeErred, NodeJoined, NodeLeft, SearchEnded
from peer.net.address import Address
from peer.overlays.content import Item, Wanted
from peer.overlays.cubit.messages import Contact, Done, FindNodes, Gossip, Items, Keep, Kept, Leave, Message, Nodes
from peer.overlays.cubit.node import CubitNode
from peer.overlays.cubit.parameters import Parameters
from peer.overlays.cubit.table import nearest
from peer.overlays.cubit.wire import decode, encode, size
from peer.overlays.node import SendTo
from peer.overlays.parts.entry import Entry
from peer.simulation.overlays.cubits import Cubits
from peer.simulation.overlays.misspelling import misspelt, vocabulary

N = 60
STRANGER = Address("198.18.99.1", 9)


def size_as_written(message: Message) -> int:
    data = encode(message)
    assert decode(data) == message
    assert size(message) == len(data)
    return len(data)


def gathered(parameters: Parameters, n: int = N) -> Cubits:
    random = Random(1)
    words = vocabulary(2 * n, random)
    cubits = Cubits(parameters, words, random, size_as_written)
    cubits.join(([Item(word) for word in words[number::n]] for number in range(n)), 2.0)
    cubits.run_for(n * 2.0 + 400.0)
    return cubits


@pytest.fixture(scope="module")
def cubits() -> Cubits:
    return gathered(Parameters(edits=3, refresh_every=100_000.0, lifetime=60_000.0))


def outcome(cubits: Cubits, place_number: int, text: str, *, is_exact: bool = False) -> tuple[set[str], SearchEnded]:
    """Search; returns the names that were found, and how it ended."""
    place = cubits.places[place_number]
    place.events.clear()
    cubits.search(place, text, is_exact=is_exact)
    cubits.run_for(30.0)
    events = [event for _, event in place.events]
    [end] = [event for event in events if isinstance(event, SearchEnded)]
    return {event.item for event in events if isinstance(event, AnswerCame)}, end


def test_every_node_has_a_word_of_its_own_and_knows_who_is_near(cubits: Cubits) -> None:
    contacts = [place.node.contact for place in cubits.places]
    assert len({contact.word for contact in contacts}) == N
    joined = [event for place in cubits.places for _, event in place.events if isinstance(event, NodeJoined)]
    assert len(joined) == N
    known = 0
    for place in cubits.places:
        others = [contact for contact in contacts if contact != place.node.contact]
        known += len(set(nearest(others, place.node.contact.word, 6)) & set(place.node.table.leaves))
    assert known / (6 * N) >= 0.9


@pytest.mark.parametrize("edits", [0, 1, 2, 3])
def test_misspelt_words_are_found(cubits: Cubits, edits: int) -> None:
    random = Random(edits)
    words = [word for word in random.sample(cubits.vocabulary, 60) if len(word) > edits + 1][:20]
    names = {cubits.search(random.choice(cubits.places), misspelt(word, edits, random)): word for word in words}
    cubits.run_for(30.0)
    answers = cubits.answers()
    found = sum(word in {answer.item for answer in answers[name]} for name, word in names.items())
    assert found >= 19


def test_what_is_too_far_is_no_answer(cubits: Cubits) -> None:
    names, end = outcome(cubits, 3, "zzzzzzzzzzzz")
    assert names == set()
    assert (end.outcome, end.timeouts) == ("not_found", 0)


def test_an_exact_name_finds_that_name_alone(cubits: Cubits) -> None:
    word = cubits.vocabulary[5]
    assert outcome(cubits, 9, word, is_exact=True)[0] == {word}
    assert outcome(cubits, 9, misspelt(word, 1, Random(2)) + "qq", is_exact=True)[0] == set()


def test_of_several_words_each_may_be_misspelt() -> None:
    cubits = gathered(Parameters(), 12)
    cubits.network.input_to(cubits.places[4], lambda node, now: node.share(Item("Yesterday's trumpets"), now))
    cubits.run_for(20.0)
    assert outcome(cubits, 8, "yesterdey trumpits")[0] == {"Yesterday's trumpets"}
    assert outcome(cubits, 8, "yesterdey violins")[0] == set()


def test_all_that_a_search_causes_bears_its_name(cubits: Cubits) -> None:
    ledger = cubits.network.ledger
    before = ledger.by_search[""].messages
    place = cubits.places[20]
    name = cubits.search(place, cubits.vocabulary[7])
    cubits.run_for(1.0)
    spent = ledger.by_search[name].messages
    assert spent >= 2 * cubits.parameters.nearest
    assert spent % 2 == 0  # Each question had an answer.
    assert ledger.by_search[""].messages - before < 50


def test_items_outlive_the_nodes_that_kept_them() -> None:
    cubits = gathered(Parameters(edits=1), 40)
    for place in cubits.random.sample(cubits.places[1:], 10):
        cubits.network.kill(place)
    words = [item.name for place in cubits.alive for item in place.node._items]
    names = {cubits.search(cubits.random.choice(cubits.alive), word): word for word in words}
    cubits.run_for(60.0)
    answers = cubits.answers()
    assert sum(bool(answers[name]) for name in names) >= 0.95 * len(names)
    assert Counter(end.outcome for end in cubits.ends())["failed"] == 0


def test_who_leaves_by_word_gives_its_entries_away() -> None:
    cubits = gathered(replace(Parameters(edits=0), replicas=1), 20)
    for place in cubits.places[1:6]:
        cubits.network.leave(place)
        cubits.run_for(1.0)
    kept = {key.decode() for place in cubits.alive for key in place.node.keeping.entries.all_keys()}
    assert kept == set(cubits.vocabulary)


class Alone:
    """One node, whose messages a test sees and answers."""

    def __init__(self, known: list[Address], words: list[str] | None = None, **changes: object) -> None:
        self.cubits = Cubits(replace(Parameters(), **changes), ["moon"], Random(1))
        self.place = self.cubits.add(known=known, words=words or ["moon"])
        self.node: CubitNode = self.place.node
        self.node.start(0.0)

    def sent(self) -> list[SendTo]:
        return [action for action in self.node.take_actions() if isinstance(action, SendTo)]

    def get(self, message: Message, source: Address = STRANGER) -> list[SendTo]:
        self.node.received(source, message, 0.0)
        return self.sent()


def test_a_word_that_another_node_has_is_not_taken() -> None:
    alone = Alone([STRANGER], ["moon", "train"])
    [asked] = alone.sent()
    [asked] = alone.get(Nodes(asked.message.token, "moon", ()))
    assert asked.message.word == "train"
    alone.get(Nodes(asked.message.token, "moon", ()))
    assert alone.node.contact.word == "train"
    assert alone.node.is_joined


def test_tables_have_limits_whatever_is_told() -> None:
    alone = Alone([])
    for number in range(300):
        nodes = tuple(Contact(f"{letter}{number}", Address(f"198.19.{number % 250}.{place}", 1)) for place, letter in enumerate("abcdefgh"))  # fmt: skip  # noqa: E501
        alone.get(Gossip(number, f"w{number}", nodes))
    assert len(alone.node.table) <= 8 * 12 + 12
    alone.get(Nodes(7, "w", (Contact("moons", STRANGER),)), STRANGER)
    alone.get(Done(8))
    alone.get(Items(9, 1, (Entry(STRANGER, "x"),)))
    assert STRANGER in alone.node.neighbours  # By its gossip; the answers that nobody asked for changed nothing.


def test_entries_of_others_have_a_limit() -> None:
    alone = Alone([], most_entries=10)
    entries = tuple(Kept(f"w{number}", Entry(STRANGER, f"w{number}"), 100) for number in range(40))
    alone.get(Keep(1, entries))
    assert alone.node.keeping.entries.count == 10


def test_a_way_ends_however_many_nodes_are_named() -> None:
    alone = Alone([], edits=3, most_steps=30)
    alone.get(Gossip(1, "train", ()))
    alone.node.search("0" * 32, Wanted("trains", is_exact=False), 0.0)
    pending, number = alone.sent(), 0
    while pending:
        number += 1
        asked = pending.pop()
        if isinstance(asked.message, FindNodes):
            liars = tuple(Contact("trains", Address(f"198.19.{number}.{place}", 1)) for place in range(8))
            pending += alone.get(Nodes(asked.message.token, "trains", liars), asked.to)
        else:
            pending += alone.get(Items(asked.message.token, 65_535, (Entry(STRANGER, f"trains {number}"),)), asked.to)
        assert number < 40_000
    ends = [event for _, event in alone.place.events if isinstance(event, SearchEnded)]
    assert [end.outcome for end in ends] == ["found"]


def test_a_search_ends_once_if_the_node_leaves_or_has_not_joined() -> None:
    alone = Alone([STRANGER])
    alone.node.search("0" * 32, Wanted("x", is_exact=False), 0.0)
    joined = Alone([])
    joined.get(Gossip(1, "train", ()))
    joined.node.search("1" * 32, Wanted("train", is_exact=False), 0.0)
    joined.node.leave(0.0, by_word=True)
    joined.node.leave(0.0, by_word=True)
    assert Leave in {type(action.message) for action in joined.sent()}
    ends = [event for node in (alone, joined) for _, event in node.place.events if isinstance(event, SearchEnded)]
    assert [end.outcome for end in ends] == ["failed", "left"]
    assert sum(isinstance(event, NodeLeft) for _, event in joined.place.events) == 1


def test_what_cannot_be_said_in_messages_is_told() -> None:
    alone = Alone([])
    alone.node.share(Item("x" * 100), 0.0)
    alone.node.refused(STRANGER, b"?", "message: cut", 0.0)
    told = [event.what for _, event in alone.place.events if isinstance(event, NodeErred)]
    assert [what.split()[0] for what in told] == ["a", "message:"]
    with pytest.raises(ValueError, match="1 to 64 bytes"):
        Alone([], [""])


def test_a_new_neighbour_gets_entries_only_when_it_is_heard() -> None:
    alone = Alone([])
    alone.get(Keep(1, (Kept("train", Entry(STRANGER, "train"), 100),)))
    sent = alone.get(FindNodes(2, "x", 8, "train"))
    [greeting] = [action for action in sent if isinstance(action.message, Gossip)]
    assert not any(isinstance(action.message, Keep) for action in sent)
    [given] = alone.get(Nodes(greeting.message.token, "train", ()))
    assert [kept.word for kept in given.message.entries] == ["train"]
