"""One node, and others that do what they like: right answers, errors, and nothing that a hostile one can gain."""

from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from contract.events import TraceEvent
from contract.overlay_events import AnswerCame, NodeErred, SearchEnded
from peer.net.address import Address
from peer.overlays.content import Item, Wanted, key_of
from peer.overlays.kademlia.ids import BITS, secure_id, sharing
from peer.overlays.kademlia.node import KademliaNode
from peer.overlays.kademlia.parameters import DEFAULT, Parameters
from peer.overlays.kademlia.wire.messages import (
    AnnouncePeer,
    Answer,
    FindNode,
    GetPeers,
    Message,
    NodeInfo,
    Ping,
    Refusal,
    UnknownQuery,
)
from tests.peer.overlays.kademlia.worlds import sent

US, THEM, OTHERS = Address("198.18.0.1", 6881), Address("198.18.0.2", 6882), Address("198.18.0.3", 6883)
OUR_ID, THEIR_ID, KEY = 1 << 100, 1 << 159, 77
SEARCH = "0" * 32


class Bench:
    """One node, whose messages are read and answered by hand."""

    def __init__(self, parameters: Parameters = DEFAULT, **options: Any) -> None:
        self.now = 0.0
        self.events: list[TraceEvent] = []
        self.node = KademliaNode(
            US,
            rng=Random(1),
            record=lambda event, _: self.events.append(event),
            node_id=OUR_ID,
            parameters=parameters,
            **options,
        )
        self.node.start(self.now)

    def give(self, message: Message, source: Address = THEM) -> list[tuple[Address, Message]]:
        self.node.received(source, message, self.now)
        return sent(self.node)

    def answer_to(self, message: Message, source: Address = THEM) -> Message:
        """Ask the node, and return its answer, which comes before anything else that it does."""
        return self.give(message, source)[0][1]

    def meet(self, number: int = 0) -> NodeInfo:
        """Let the node get to know another."""
        info = NodeInfo(THEIR_ID + number, Address("198.18.1.1", 7000 + number))
        self.node.add_node(info.address, self.now)
        self.settle(lambda message: Answer(message.transaction, info.id))
        return info

    def settle(self, answer: Callable[[Message], Message]) -> None:
        """Answer what the node asks, until it asks nothing more."""
        for _ in range(1000):
            asked = sent(self.node)
            for to, message in asked:
                if isinstance(message, Ping | FindNode | GetPeers | AnnouncePeer):
                    self.node.received(to, answer(message), self.now)
            if not asked:
                return
        raise AssertionError("the node asks for ever")

    def wait(self, seconds: float) -> None:
        self.now += seconds
        while self.node.next_deadline() <= self.now:
            self.node.tick(self.now)

    def found(self, kind: type[TraceEvent]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


# What is answered


def test_ping_is_answered_with_our_id() -> None:
    assert Bench().answer_to(Ping(b"aa", THEIR_ID)) == Answer(b"aa", OUR_ID)


def test_find_node_names_the_good_nodes_that_are_closest() -> None:
    bench = Bench()
    infos = [bench.meet(number) for number in range(3)]
    answer = bench.answer_to(FindNode(b"aa", THEIR_ID, THEIR_ID + 2))
    assert answer == Answer(b"aa", OUR_ID, nodes=(infos[2], infos[0], infos[1]))
    bench.now += DEFAULT.good_for
    assert bench.answer_to(FindNode(b"ab", THEIR_ID, THEIR_ID + 2)) == Answer(b"ab", OUR_ID, nodes=())


def token_for(bench: Bench, source: Address = THEM) -> bytes:
    answer = bench.answer_to(GetPeers(b"aa", THEIR_ID, KEY), source)
    assert isinstance(answer, Answer)
    assert answer.token
    return answer.token


def stored(bench: Bench) -> tuple[Address, ...] | None:
    answer = bench.answer_to(GetPeers(b"aa", THEIR_ID, KEY), OTHERS)
    assert isinstance(answer, Answer)
    return answer.values


def test_a_peer_is_stored_with_the_token_that_its_host_was_given() -> None:
    bench = Bench()
    assert stored(bench) is None
    asked = AnnouncePeer(b"ab", THEIR_ID, KEY, 5555, token_for(bench))
    assert bench.answer_to(asked) == Answer(b"ab", OUR_ID)
    assert stored(bench) == (Address(THEM.host, 5555),)


def test_an_implied_port_is_that_of_the_datagram() -> None:
    bench = Bench()
    bench.give(AnnouncePeer(b"ab", THEIR_ID, KEY, 5555, token_for(bench), has_implied_port=True))
    assert stored(bench) == (THEM,)


def test_the_token_of_another_host_is_refused() -> None:
    bench = Bench()
    refusal = bench.answer_to(AnnouncePeer(b"ab", THEIR_ID, KEY, 5555, token_for(bench, OTHERS)))
    assert refusal == Refusal(b"ab", 203, "Bad token")
    assert stored(bench) is None


@pytest.mark.parametrize(("age", "is_good"), [(0, True), (299, True), (601, False), (5000, False)])
def test_a_token_is_good_for_five_to_ten_minutes(age: float, is_good: bool) -> None:
    bench = Bench()
    token = token_for(bench)
    bench.now += age
    bench.give(AnnouncePeer(b"ab", THEIR_ID, KEY, 5555, token))
    assert (stored(bench) is not None) == is_good


def test_an_unknown_method_is_refused() -> None:
    assert Bench().answer_to(UnknownQuery(b"aa", b"vote")) == Refusal(b"aa", 204, "Method Unknown")


def test_whoever_asks_wrongly_is_told_so() -> None:
    bench = Bench()
    bench.node.refused(THEM, b"d1:ade1:q4:ping1:t2:aa1:y1:qe", "no id", bench.now)
    assert sent(bench.node) == [(THEM, Refusal(b"aa", 203, "no id"))]
    bench.node.refused(THEM, b"rubbish", "rubbish", bench.now)
    bench.node.refused(THEM, b"d1:t2:aa1:y1:re", "no r", bench.now)
    assert not sent(bench.node)
    assert len(bench.found(NodeErred)) == 3


def test_a_read_only_node_answers_nobody_and_says_so_in_questions() -> None:
    bench = Bench(Parameters(is_read_only=True))
    assert not bench.give(Ping(b"aa", THEIR_ID))
    bench.node.refused(THEM, b"d1:ade1:q4:ping1:t2:aa1:y1:qe", "no id", bench.now)
    assert not sent(bench.node)
    bench.node.add_node(THEM, bench.now)
    ((_, question),) = sent(bench.node)
    assert isinstance(question, Ping)
    assert question.is_read_only


def test_a_node_that_asks_is_pinged_and_known_once_it_answers() -> None:
    bench = Bench()
    _, (to, ping) = bench.give(Ping(b"aa", THEIR_ID))
    assert (to, type(ping)) == (THEM, Ping)
    assert not bench.node.neighbours
    bench.give(Answer(ping.transaction, THEIR_ID))
    assert bench.node.neighbours == [THEM]


def test_a_read_only_node_that_asks_is_answered_and_not_pinged() -> None:
    assert len(Bench().give(Ping(b"aa", THEIR_ID, is_read_only=True))) == 1


def test_with_secure_ids_whoever_asks_is_told_its_address() -> None:
    bench = Bench(Parameters(has_secure_ids=True))
    assert bench.answer_to(Ping(b"aa", THEIR_ID)) == Answer(b"aa", OUR_ID, ip=THEM)


# What a client asks


def test_a_client_is_told_peers_as_they_are_found_and_when_the_way_is_over() -> None:
    bench = Bench()
    them = bench.meet()
    found: list[tuple[list[Address], int]] = []
    ends: list[str] = []
    bench.node.get_peers(
        KEY.to_bytes(20, "big"), bench.now, lambda peers, hops: found.append((peers, hops)), lambda: ends.append("end")
    )
    ((to, question),) = sent(bench.node)
    assert (to, type(question)) == (them.address, GetPeers)
    assert not ends
    bench.give(Answer(question.transaction, them.id, values=(OTHERS, OTHERS)), to)
    assert found == [([OTHERS], 1)]
    assert ends == ["end"]


@pytest.mark.parametrize("port", [6001, None])
def test_a_client_announces_with_the_tokens_that_it_was_given(port: int | None) -> None:
    bench = Bench()
    them = bench.meet()
    bench.node.announce(KEY.to_bytes(20, "big"), port, bench.now)
    ((to, question),) = sent(bench.node)
    ((to, announcement),) = bench.give(Answer(question.transaction, them.id, token=b"please"), to)
    assert isinstance(announcement, AnnouncePeer)
    assert (announcement.token, announcement.info_hash) == (b"please", KEY)
    assert (announcement.port, announcement.has_implied_port) == (port or US.port, port is None)


def test_a_client_is_told_the_peers_that_its_own_node_keeps() -> None:
    bench = Bench()
    token = bench.answer_to(GetPeers(b"aa", THEIR_ID, KEY)).token  # type: ignore[union-attr]
    bench.give(AnnouncePeer(b"bb", THEIR_ID, KEY, 6001, token))
    found: list[tuple[list[Address], int]] = []
    for ask in (bench.node.get_peers, bench.node.announce):
        more = () if ask == bench.node.get_peers else (6002,)
        ask(KEY.to_bytes(20, "big"), *more, bench.now, lambda peers, hops: found.append((peers, hops)))  # type: ignore[arg-type]
    assert found == [([Address(THEM.host, 6001)], 0)] * 2


def test_an_announcement_is_kept_here_too_if_this_is_one_of_the_closest_nodes() -> None:
    bench = Bench()
    bench.node.announce(KEY.to_bytes(20, "big"), 6001, bench.now)
    answer = bench.answer_to(GetPeers(b"aa", THEIR_ID, KEY))
    assert isinstance(answer, Answer)
    assert answer.values == (Address(US.host, 6001),)


def test_a_router_is_asked_again_and_again_until_it_answers() -> None:
    bench = Bench()
    bench.node.add_router(THEM, bench.now)
    ((to, _),) = sent(bench.node)
    assert to == THEM
    asked = 0
    while asked < 2:
        bench.now = bench.node.next_deadline()
        bench.node.tick(bench.now)
        asked += sum(to == THEM for to, _ in sent(bench.node))
    assert bench.now < 120


def test_nobody_without_a_token_is_announced_to() -> None:
    bench = Bench()
    them = bench.meet()
    bench.node.announce(KEY.to_bytes(20, "big"), 6001, bench.now)
    ((to, question),) = sent(bench.node)
    assert not bench.give(Answer(question.transaction, them.id), to)


# Those who do not answer


def test_nobody_answers_and_the_search_fails_once() -> None:
    bench = Bench()
    bench.meet()
    bench.node.search(SEARCH, Wanted("x"), bench.now)
    bench.wait(DEFAULT.timeout)
    assert [(end.outcome, end.timeouts) for end in bench.found(SearchEnded)] == [("failed", 1)]
    bench.wait(100)
    assert len(bench.found(SearchEnded)) == 1


def test_a_node_that_does_not_answer_twice_is_no_neighbour() -> None:
    bench = Bench()
    bench.meet()
    for _ in range(2):
        assert bench.node.neighbours
        bench.node.search(SEARCH, Wanted("x"), bench.now)
        bench.wait(DEFAULT.timeout)
    assert not bench.node.neighbours


def test_another_is_asked_in_the_place_of_a_slow_one() -> None:
    bench = Bench()
    for number in range(DEFAULT.alpha + 1):
        bench.meet(number)
    bench.node.search(SEARCH, Wanted("x"), bench.now)
    assert len(sent(bench.node)) == DEFAULT.alpha
    bench.wait(DEFAULT.slow_after)
    assert len(sent(bench.node)) == 1


def test_a_late_answer_still_counts() -> None:
    bench = Bench()
    them = bench.meet()
    bench.node.search(SEARCH, Wanted("x"), bench.now)
    ((to, question),) = sent(bench.node)
    bench.wait(DEFAULT.timeout - 1)
    bench.give(Answer(question.transaction, them.id, values=(OTHERS,)), to)
    assert [end.outcome for end in bench.found(SearchEnded)] == ["found"]


def test_a_refusal_ends_a_question() -> None:
    bench = Bench()
    bench.meet()
    bench.node.search(SEARCH, Wanted("x"), bench.now)
    ((to, question),) = sent(bench.node)
    bench.give(Refusal(question.transaction, 202, "Server Error"), to)
    assert [end.outcome for end in bench.found(SearchEnded)] == ["failed"]
    assert [event.what for event in bench.found(NodeErred)] == ["error 202: Server Error"]


# Hostile nodes


def test_answers_that_nobody_asked_for_are_dropped() -> None:
    bench = Bench()
    them = bench.meet()
    bench.node.search(SEARCH, Wanted("x"), bench.now)
    ((to, question),) = sent(bench.node)
    lie = Answer(question.transaction, them.id, values=(OTHERS,))
    assert not bench.give(lie, OTHERS)  # from another address
    assert not bench.give(Answer(b"??", them.id, values=(OTHERS,)), to)
    assert not bench.found(AnswerCame)
    bench.give(Answer(question.transaction, them.id), to)
    bench.give(lie, to)  # a second time
    assert not bench.found(AnswerCame)
    assert len(bench.found(SearchEnded)) == 1


def test_an_answer_with_another_id_is_not_that_of_the_node_that_was_asked() -> None:
    bench = Bench()
    them = bench.meet()
    bench.node.search(SEARCH, Wanted("x"), bench.now)
    ((to, question),) = sent(bench.node)
    bench.give(Answer(question.transaction, them.id + 1, values=(OTHERS,)), to)
    assert not bench.found(AnswerCame)
    assert [contact.info.id for contact in bench.node.table if not contact.is_bad(DEFAULT)] == [them.id + 1]


def test_a_lookup_ends_though_each_answer_names_nodes_that_are_closer() -> None:
    bench = Bench()
    bench.meet()
    rng = Random(5)
    distance = [1 << 158]
    key = int.from_bytes(key_of("x"), "big")

    def lure(question: Message) -> Answer:
        nodes = []
        for _ in range(8):
            distance[0] -= 1
            nodes.append(NodeInfo(key ^ distance[0], Address("198.18.9.9", rng.randrange(1, 65_536))))
        return Answer(question.transaction, 0, nodes=tuple(nodes))

    def true_id(question: Message) -> Message:
        (node_id,) = [
            each.node_id for t, each in bench.node._transactions._questions.items() if t == question.transaction
        ]
        answer = lure(question)
        return Answer(answer.transaction, node_id or 0, nodes=answer.nodes)

    bench.node.search(SEARCH, Wanted("x"), bench.now)
    bench.settle(true_id)
    bench.wait(100)
    assert [end.outcome for end in bench.found(SearchEnded)] == ["not_found"]


def test_memory_is_bounded_whatever_comes() -> None:
    bench = Bench(Parameters(most_keys=20, most_peers=10))
    rng = Random(2)
    token = token_for(bench)
    for number in range(3000):
        bench.give(AnnouncePeer(b"ab", rng.getrandbits(160), number % 100, 1 + number, token))
    assert len(bench.node._responder.store) <= 200
    assert bench.node.entries < 200 + 2 * DEFAULT.k * 20
    assert len(bench.node._transactions) <= DEFAULT.most_questions


def test_memory_is_bounded_though_nodes_stand_in_every_bucket_and_announce_without_end() -> None:
    bench = Bench(Parameters(most_keys=20, most_peers=10))
    rng = Random(4)
    questions = bench.node._transactions._questions
    table = bench.node.table
    waiting: deque[tuple[Address, Message]] = deque()

    def answer(to: Address, ping: Message) -> None:
        """Answer all pings until there are many buckets, and most of them then; name a node of each bucket."""
        is_answered = len(table.buckets) < 100 or rng.random() < 0.9
        if isinstance(ping, Ping) and ping.transaction in questions and is_answered:
            nodes = tuple(NodeInfo(sharing(OUR_ID, bits, rng), to) for bits in range(60, BITS))
            expected = questions[ping.transaction].node_id or 0
            waiting.extend(bench.give(Answer(ping.transaction, expected, nodes), to))

    for number in range(300):
        source = Address(f"198.18.{1 + number % 200}.{1 + number % 250}", 1 + number)
        node_id = sharing(OUR_ID, number % (BITS - 1), rng)
        (_, told), *asked = bench.give(GetPeers(b"aa", node_id, rng.getrandbits(160)), source)
        token = told.token  # type: ignore[union-attr]
        asked += bench.give(AnnouncePeer(b"ab", node_id, number % 20, 1 + number, token), source)
        waiting.extend(asked)
        for _ in range(min(len(waiting), 5)):
            answer(*waiting.popleft())
        bench.wait(0.1)
        waiting.extend(sent(bench.node))
    assert len(table.buckets) >= 100
    assert table.waiting_count > 100
    assert all(len(each.contacts) <= DEFAULT.k and len(each.waiting) <= DEFAULT.k for each in table.buckets)
    assert len(bench.node._responder.store) == 20 * 10  # of 300 peers
    assert len(questions) <= BITS  # a ping of each bucket
    assert len(bench.node._transactions._not_slow) <= DEFAULT.most_questions


def test_nodes_of_which_we_only_hear_are_not_named_to_others() -> None:
    bench = Bench()
    bench.meet()
    bench.node.search(SEARCH, Wanted("x"), bench.now)
    ((to, question),) = sent(bench.node)
    rumour = NodeInfo(3, Address("198.18.7.7", 7))
    bench.give(Answer(question.transaction, THEIR_ID, nodes=(rumour,)), to)
    answer = bench.answer_to(FindNode(b"aa", THEIR_ID, 3))
    assert isinstance(answer, Answer)
    assert rumour not in (answer.nodes or ())


def test_names_of_ourselves_are_not_followed() -> None:
    bench = Bench()
    bench.meet()
    bench.node.search(SEARCH, Wanted("x"), bench.now)
    ((to, question),) = sent(bench.node)
    nodes = (NodeInfo(OUR_ID, OTHERS), NodeInfo(5, US))
    assert not bench.give(Answer(question.transaction, THEIR_ID, nodes=nodes), to)


def test_a_lookup_asks_one_node_of_a_host_if_so_chosen() -> None:
    bench = Bench(Parameters(one_per_host=True))
    bench.meet()
    bench.node.search(SEARCH, Wanted("x"), bench.now)
    ((to, question),) = sent(bench.node)
    nodes = tuple(NodeInfo(number, Address("198.18.7.7", number)) for number in range(1, 9))
    asked = [message for _, message in bench.give(Answer(question.transaction, THEIR_ID, nodes=nodes), to)]
    assert len([message for message in asked if isinstance(message, GetPeers)]) == 1


def test_a_lookup_passes_by_ids_that_addresses_do_not_have_if_so_chosen() -> None:
    bench = Bench(Parameters(has_secure_ids=True))
    address = Address("198.18.5.5", 5)
    own = secure_id(address.host, Random(3))
    bench.node.add_node(address, bench.now)
    ((_, ping),) = sent(bench.node)
    bench.give(Answer(ping.transaction, own), address)
    bench.settle(lambda message: Answer(message.transaction, own))
    bench.node.search(SEARCH, Wanted("x"), bench.now)
    ((to, question),) = sent(bench.node)
    assert not bench.give(Answer(question.transaction, own, nodes=(NodeInfo(5, OTHERS),)), to)


def test_a_node_to_join_by_that_may_not_have_its_id_names_others_and_is_believed_no_more() -> None:
    """Until it answers, only its address is known, so that its id cannot be checked before."""
    bench = Bench(Parameters(has_secure_ids=True), known=[THEM])
    bench.settle(lambda message: Answer(message.transaction, THEIR_ID))
    bench.node.announce(KEY.to_bytes(20, "big"), 6001, bench.now)
    ((to, question),) = sent(bench.node)
    assert to == THEM
    assert not bench.give(Answer(question.transaction, THEIR_ID, token=b"please"), to)
    bench.node.search(SEARCH, Wanted("x"), bench.now)
    ((to, question),) = sent(bench.node)
    named = NodeInfo(secure_id(OTHERS.host, Random(3)), OTHERS)
    asked = bench.give(Answer(question.transaction, THEIR_ID, nodes=(named,), values=(THEM,)), to)
    assert {to for to, _ in asked} == {OTHERS}
    assert not bench.found(AnswerCame)
    assert not bench.node.neighbours


# What is shared


def test_what_is_shared_is_announced_once_joined_and_again_later() -> None:
    bench = Bench(items=[Item("song")])
    them = bench.meet()
    asked: list[float] = []

    def answer(message: Message) -> Message:
        if isinstance(message, AnnouncePeer):
            asked.append(bench.now)
        return Answer(message.transaction, them.id, token=b"t")

    for _ in range(3):
        bench.wait(0)
        bench.settle(answer)
        bench.now += DEFAULT.announce_period
    assert asked == [0.0, DEFAULT.announce_period, 2 * DEFAULT.announce_period]
