"""The store, the tokens, the transactions and the backlog: what each promises by itself."""

from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from peer.net.address import Address
from peer.overlays.kademlia.parameters import Parameters
from peer.overlays.kademlia.serving.store import PeerStore
from peer.overlays.kademlia.serving.tokens import Tokens
from peer.overlays.kademlia.transactions import Transactions
from peer.overlays.kademlia.walks.backlog import Backlog
from peer.overlays.kademlia.wire.messages import Answer, Ping
from peer.overlays.node import Outbox, SendTo

THERE = Address("198.18.0.2", 1)


def peer(number: int) -> Address:
    return Address("198.18.4.4", number)


def test_a_peer_that_is_announced_again_is_kept_for_longer() -> None:
    store = PeerStore(Parameters(peer_lifetime=100), Random(1))
    store.add(1, peer(1), 0.0)
    store.add(1, peer(2), 10.0)
    store.add(1, peer(1), 50.0)
    assert set(store.peers(1, 109.0)) == {peer(1), peer(2)}
    assert store.peers(1, 120.0) == [peer(1)]
    assert store.peers(1, 150.0) == []
    assert len(store) == 0


def test_all_that_has_expired_is_forgotten_at_once() -> None:
    store = PeerStore(Parameters(peer_lifetime=100), Random(1))
    for key in range(10):
        store.add(key, peer(1), float(key))
    store.expire(104.0)
    assert len(store) == 5


def test_the_oldest_peer_and_the_key_with_the_fewest_give_way() -> None:
    store = PeerStore(Parameters(most_keys=2, most_peers=3), Random(1))
    for number in range(1, 5):
        store.add(1, peer(number), float(number))
    assert store.peers(1, 5.0) == [peer(2), peer(3), peer(4)]
    store.add(2, peer(1), 5.0)
    store.add(3, peer(1), 5.0)
    assert not store.peers(2, 5.0)
    assert store.peers(1, 5.0)


def test_an_answer_has_a_drawn_choice_of_many_peers() -> None:
    store = PeerStore(Parameters(peers_an_answer=5), Random(1))
    for number in range(1, 21):
        store.add(1, peer(number), 0.0)
    chosen = [tuple(store.peers(1, 0.0)) for _ in range(10)]
    assert all(len(set(each)) == 5 for each in chosen)
    assert len(set(chosen)) > 1


@given(st.lists(st.floats(0, 2000), min_size=1, max_size=20), st.integers())
def test_tokens_are_good_for_one_period_and_bad_after_two(waits: list[float], seed: int) -> None:
    tokens, now = Tokens(300.0, Random(seed)), 0.0
    given_at: list[tuple[float, bytes]] = []
    for wait in waits:
        now += wait
        for then, token in given_at:
            if now - then < 300:
                assert tokens.accepts(token, "198.18.0.9", now)
            if now - then >= 600:
                assert not tokens.accepts(token, "198.18.0.9", now)
        given_at.append((now, tokens.give("198.18.0.9", now)))
        assert not tokens.accepts(given_at[-1][1], "198.18.0.8", now)


class Listener:
    """Notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    def answered(self, about: Any, _answer: Answer) -> None:
        self.heard.append(("answered", about))

    def is_slow(self, about: Any) -> None:
        self.heard.append(("slow", about))

    def failed(self, about: Any) -> None:
        self.heard.append(("failed", about))


def asking(most: int = 3) -> tuple[Transactions, Outbox, Callable[[int], bool]]:
    outbox = Outbox(lambda _event, _now: None)
    transactions = Transactions(outbox, Parameters(most_questions=most, timeout=15, slow_after=1), Random(1))

    def ask(number: int) -> bool:
        return transactions.ask(THERE, None, lambda t: Ping(t, 1), asker=Listener(), about=number)

    return transactions, outbox, ask


def test_a_question_becomes_slow_once_and_expires_once() -> None:
    transactions, outbox, ask = asking()
    ask(1)
    outbox.now = 0.5
    ask(2)
    assert transactions.deadline == 1.0
    assert [each.about for each in transactions.slow_ones(1.0)] == [1]
    assert transactions.deadline == 1.5
    assert [each.about for each in transactions.slow_ones(2.0)] == [2]
    assert not transactions.slow_ones(3.0)
    assert transactions.deadline == 15.0
    assert [each.about for each in transactions.expired(15.0)] == [1]
    assert [each.about for each in transactions.expired(100.0)] == [2]
    assert not len(transactions)


def test_no_more_questions_wait_than_there_may() -> None:
    _, outbox, ask = asking(most=3)
    assert [ask(number) for number in range(5)] == [True, True, True, False, False]
    assert len(outbox.take()) == 3


def test_an_answer_is_taken_once_and_from_the_right_place_only() -> None:
    transactions, outbox, ask = asking()
    ask(1)
    (action,) = outbox.take()
    assert isinstance(action, SendTo)
    answer = Answer(action.message.transaction, 9)
    assert transactions.take(Address(THERE.host, 2), answer) is None
    question = transactions.take(THERE, answer)
    assert question is not None
    assert question.about == 1
    assert transactions.take(THERE, answer) is None
    assert not transactions.slow_ones(5.0)


def test_jobs_that_end_at_once_do_not_pile_up_on_the_stack() -> None:
    backlog = Backlog(2)
    begun: list[Callable[[], None]] = []

    def begin(ended: Callable[[], None]) -> None:
        begun.append(ended)
        if len(begun) > 2:
            ended()

    for _ in range(5000):
        backlog.add(begin)
    assert len(begun) == 2
    begun[0]()
    assert len(begun) == 5000


def test_a_limited_number_of_jobs_runs_at_the_same_time() -> None:
    backlog = Backlog(2)
    running: list[Callable[[], None]] = []
    for _ in range(4):
        backlog.add(running.append)
    assert len(running) == 2
    running[0]()
    assert len(running) == 3
