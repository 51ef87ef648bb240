"""Single nodes of Chord against silence, lies and floods."""

from collections.abc import Iterator
from dataclasses import replace
from math import inf
from random import Random
from typing import Any

import pytest

from contract.events import TraceEvent
from contract.overlay_events import NodeErred, NodeLeft, SearchEnded
from peer.net.address import Address
from peer.overlays.chord.messages import (
    AskNeighbours,
    Done,
    FindNext,
    Message,
    Neighbours,
    Next,
    Notify,
    Pair,
    Ping,
    Retrieve,
    Route,
    Routed,
    Store,
    Values,
)
from peer.overlays.chord.node import ChordNode
from peer.overlays.chord.parameters import Parameters
from peer.overlays.chord.ring import contact_at
from peer.overlays.content import Item, Wanted, key_of
from peer.overlays.node import SendTo

OWN = Address("198.18.0.1", 4000)
OTHER = Address("198.18.0.2", 4000)
STRANGER = Address("198.18.0.3", 4000)
NAME = "0" * 31 + "1"
NEVER = 1e9
NO_UPKEEP = {"stabilise_every": NEVER, "fix_fingers_every": NEVER, "check_predecessor_every": NEVER}


class Alone:
    """One node, whose messages a test sees and answers."""

    def __init__(self, known: list[Address], **changes: Any) -> None:
        self.events: list[TraceEvent] = []
        parameters = replace(Parameters(), **changes)
        self.node = ChordNode(OWN, [], known, parameters=parameters, random=Random(1), record=self.record)
        self.now = 0.0
        self.node.start(self.now)

    def record(self, event: TraceEvent, _: float) -> None:
        self.events.append(event)

    def sent(self) -> list[SendTo]:
        return [action for action in self.node.take_actions() if isinstance(action, SendTo)]

    def get(self, message: Message, source: Address = OTHER) -> list[SendTo]:
        self.node.received(source, message, self.now)
        return self.sent()

    def notify(self, source: Address) -> list[SendTo]:
        """Notify it, and answer its ping, as it believes only whom it hears."""
        [ping] = self.get(Notify(1), source)
        return self.get(Done(ping.message.token), source)

    def pass_time(self, seconds: float) -> list[SendTo]:
        end, sent = self.now + seconds, []
        while self.node.next_deadline() <= end:
            self.now = max(self.now, self.node.next_deadline())
            self.node.tick(self.now)
            sent += self.sent()
        self.now = end
        return sent

    def ends(self) -> list[SearchEnded]:
        return [event for event in self.events if isinstance(event, SearchEnded)]


def joined(**changes: Any) -> Alone:
    """A node whose successor and predecessor is OTHER."""
    alone = Alone([OTHER], **changes)
    [asked] = alone.sent()
    [asked] = alone.get(Next(asked.message.token, is_final=True, nodes=(OTHER,)))
    alone.get(Neighbours(asked.message.token, None, ()))
    alone.notify(OTHER)
    return alone


def test_a_node_that_nobody_lets_in_asks_again_and_its_searches_fail() -> None:
    alone = Alone([OTHER, STRANGER])
    alone.node.search(NAME, Wanted("x"), 0.0)
    assert [end.outcome for end in alone.ends()] == ["failed"]
    assert {action.to for action in alone.sent() + alone.pass_time(30.0)} == {OTHER, STRANGER}


def test_a_node_alone_finds_its_own_items() -> None:
    alone = Alone([])
    alone.node.share(Item("mine"), 0.0)
    alone.node.search(NAME, Wanted("mine"), 0.0)
    alone.node.search(NAME[:-1] + "2", Wanted("yours"), 0.0)
    assert [(end.outcome, end.hops) for end in alone.ends()] == [("found", 0), ("not_found", 0)]


def test_a_node_alone_shares_very_many_items() -> None:
    alone = Alone([])
    for number in range(3_000):
        alone.node.put(key_of(str(number)), b"x", 0.0)
    assert alone.node.keeping.pairs.count == 3_000


def test_answers_to_questions_that_nobody_asked_are_dropped() -> None:
    alone = joined()
    before = alone.node.neighbours
    for message in (Next(9, is_final=True, nodes=(STRANGER,)), Neighbours(9, STRANGER, ()), Routed(9, 1, ()), Done(9)):
        assert alone.get(message, STRANGER) == []
    assert alone.node.neighbours == before


def test_only_who_was_asked_can_answer_and_only_with_the_right_kind() -> None:
    alone = joined()
    alone.node.search(NAME, Wanted("x"), 0.0)
    [asked] = alone.sent()
    answer = Values(asked.message.token, 0, ())
    if isinstance(asked.message, Retrieve):
        alone.get(Next(asked.message.token, is_final=True, nodes=()))
    else:
        alone.get(answer)
    alone.get(answer, STRANGER)
    assert alone.ends() == []


def test_a_way_that_does_not_lead_nearer_is_not_followed() -> None:
    alone = joined(**NO_UPKEEP, timeout=1.0)
    other, own = contact_at(OTHER).id, contact_at(OWN).id
    name = next(str(number) for number in range(99) if not _is_in(contact_key(str(number)), own, other))
    alone.node.table.predecessor = None
    alone.node.search(NAME, Wanted(name), 0.0)
    [asked] = alone.sent()
    assert isinstance(asked.message, FindNext)
    for _ in range(50):
        following = alone.get(Next(asked.message.token, is_final=False, nodes=(OTHER,)))
        if not following:
            break
        asked = following[0]
    assert len(alone.ends()) + len(following) == 1


def contact_key(name: str) -> int:
    return int.from_bytes(key_of(name), "big")


def _is_in(place: int, after: int, until: int) -> bool:
    return after < place <= until if after < until else place > after or place <= until


def test_a_lookup_ends_however_many_nodes_are_named() -> None:
    alone = joined(most_steps=20, **NO_UPKEEP)
    alone.node.table.predecessor = None
    own, other = contact_at(OWN).id, contact_at(OTHER).id
    name = next(str(number) for number in range(99) if not _is_in(contact_key(str(number)), own, other))
    alone.node.search(NAME, Wanted(name), 0.0)
    pending, number = alone.sent(), 0
    while pending:
        number += 1
        asked = pending[0]
        liar = Address(f"198.19.{number // 200}.{number % 200}", 1)
        pending = alone.get(Next(asked.message.token, is_final=False, nodes=(liar,)), asked.to)
        assert number < 100
    assert [end.outcome for end in alone.ends()] == ["failed"]


def test_values_without_end_are_taken_up_to_a_limit() -> None:
    alone = joined(most_values=30, **NO_UPKEEP, replicas=1)
    other = contact_at(OTHER).id
    name = next(str(number) for number in range(99) if _is_in(contact_key(str(number)), contact_at(OWN).id, other))
    alone.node.search(NAME, Wanted(name), 0.0)
    pending, number = alone.sent(), 0
    while pending:
        number += 1
        assert isinstance(pending[0].message, Retrieve)
        value = bytes([1, 2, 3, number % 256, 4, 5])
        pending = alone.get(Values(pending[0].message.token, 65_535, (value, bytes(6), b"?")))
        assert number < 100
    assert [end.outcome for end in alone.ends()] == ["found"]


def test_pairs_of_others_have_a_limit_and_a_longest_life() -> None:
    alone = joined(most_pairs=10, lifetime=100.0)
    pairs = tuple(Pair(key_of(str(number)), b"v", 65_535) for number in range(40))
    alone.get(Store(5, is_copy=True, pairs=pairs))
    assert alone.node.keeping.pairs.count == 10
    alone.pass_time(90.0)
    alone.get(Notify(1))
    assert alone.node.keeping.pairs.values(key_of("1"), 101.0) == []


def test_a_place_beyond_the_ring_is_an_error_and_nothing_more() -> None:
    alone = joined(bits=8)
    assert alone.get(FindNext(3, 1 << 8), STRANGER) == []
    assert alone.get(Route(3, 1 << 159, STRANGER, 1, 0), STRANGER) == []
    assert [type(event) for event in alone.events[-2:]] == [NodeErred, NodeErred]
    alone.node.refused(STRANGER, b"?", "message: cut", 0.0)
    assert alone.events[-1] == NodeErred("message: cut", str(STRANGER))


def test_questions_that_wait_for_receipts_have_a_limit() -> None:
    alone = joined(most_forwarded=5, **NO_UPKEEP)
    alone.node.table.predecessor = None
    beyond = (contact_at(OTHER).id + 1) % (1 << 160)
    sent = [alone.get(Route(number, beyond, STRANGER, number, 0), STRANGER) for number in range(8)]
    assert [len(actions) for actions in sent] == [2] * 5 + [0] * 3
    alone.pass_time(5.0)  # No receipt came, so the next node is dead, and this one has no other.
    assert len(alone.get(Route(9, beyond, STRANGER, 9, 0), STRANGER)) >= 1


def test_who_claims_to_precede_gets_nothing_until_it_is_heard() -> None:
    alone = joined(**NO_UPKEEP)
    alone.get(Store(5, is_copy=True, pairs=tuple(Pair(key_of(str(n)), b"v", 100) for n in range(500))))
    claims = [Address("198.19.0.1", port) for port in range(1, 400)]
    sent = [action for claim in claims for action in alone.get(Notify(1), claim)]
    assert {type(action.message) for action in sent} == {Ping}
    assert len(sent) <= 16
    assert alone.node.table.predecessor == contact_at(OTHER)


def test_a_dead_node_does_not_come_back_by_hearsay_but_by_itself() -> None:
    alone = joined(suspect_for=NEVER)
    alone.pass_time(100.0)
    assert alone.node.neighbours == []
    between = next(address for address in addresses() if _is_in(contact_at(address).id, *own_and_other()))
    [asked] = alone.notify(between)
    alone.get(Neighbours(asked.message.token, None, (OTHER,)), between)
    assert alone.node.neighbours == [between]
    while not (asks := [action for action in alone.pass_time(0.5) if isinstance(action.message, AskNeighbours)]):
        assert alone.now < 1_000.0
    alone.get(Ping(2), OTHER)
    alone.get(Neighbours(asks[0].message.token, None, (OTHER,)), between)
    assert alone.node.neighbours == [between, OTHER]


def addresses() -> Iterator[Address]:
    return (Address("198.18.0.9", port) for port in range(1, 1_000))


def own_and_other() -> tuple[int, int]:
    return contact_at(OWN).id, contact_at(OTHER).id


def test_who_leaves_says_so_ends_its_searches_once_and_is_silent() -> None:
    alone = joined()
    alone.node.search(NAME, Wanted("x"), 0.0)
    alone.sent()
    alone.node.leave(0.0, by_word=True)
    assert OTHER in {action.to for action in alone.sent()}
    alone.node.leave(0.0, by_word=True)
    assert alone.get(Ping(1)) == []
    assert alone.node.next_deadline() == inf
    assert [end.outcome for end in alone.ends()] == ["left"]
    assert sum(isinstance(event, NodeLeft) for event in alone.events) == 1


def test_an_address_that_has_no_place_in_messages_is_refused() -> None:
    with pytest.raises(ValueError, match="IPv4"):
        ChordNode(Address("host.example", 1), [], [], parameters=Parameters(), random=Random(1), record=lambda *_: None)
