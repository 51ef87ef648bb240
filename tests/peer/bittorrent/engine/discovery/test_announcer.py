"""When to announce to which tracker: intervals, tiers, events, and trackers that fail or lie."""

from random import Random

import pytest

from peer.bittorrent.engine.discovery.announcer import (
    FIRST_RETRY,
    LEAST_INTERVAL,
    LEAST_PERIOD,
    LONGEST_RETRY,
    MOST_INTERVAL,
    USUAL_MIN_INTERVAL,
    Announcer,
)
from peer.bittorrent.wire.tracker.messages import AnnounceResponse, Event

ONE, TWO, THREE = "http://one/announce", "udp://two:1/announce", "http://three/announce"
OK = AnnounceResponse(interval=1800, min_interval=30)


def announcer(*tiers: tuple[str, ...], seed: int = 1, is_complete: bool = False) -> Announcer:
    return Announcer(tiers or ((ONE,),), Random(seed), is_complete=is_complete)


def started(response: AnnounceResponse = OK, now: float = 0.0) -> Announcer:
    """Return the announcer of one tracker, which has answered at `now`."""
    made = announcer()
    assert made.due(now) == (ONE, Event.STARTED)
    made.tracker_answered(ONE, response, now)
    return made


def test_first_announcement_is_due_at_once_and_alone() -> None:
    made = announcer()
    assert made.due(0) == (ONE, Event.STARTED)
    assert made.due(1_000_000) is None


def test_next_announcement_is_due_after_the_interval() -> None:
    made = started()
    assert made.due(OK.interval - 1) is None
    assert made.due(OK.interval) == (ONE, Event.REGULAR)


@pytest.mark.parametrize(
    ("told", "obeyed"),
    [(0, LEAST_INTERVAL), (-1, LEAST_INTERVAL), (1, LEAST_INTERVAL), (900, 900), (365 * 86_400, MOST_INTERVAL)],
)
def test_an_interval_is_believed_within_limits(told: int, obeyed: float) -> None:
    made = started(AnnounceResponse(interval=told))
    assert made.due(obeyed - 0.1) is None
    assert made.due(obeyed) == (ONE, Event.REGULAR)


@pytest.mark.parametrize(
    ("interval", "least", "obeyed"),
    [
        (1800, 30, 30),
        (1800, None, USUAL_MIN_INTERVAL),
        (20, None, 20),
        (1800, 0, LEAST_INTERVAL),
        (1800, -5, LEAST_INTERVAL),
        (1800, 10_000, 1800),
    ],
)
def test_lonely_client_asks_as_early_as_allowed(interval: int, least: int | None, obeyed: float) -> None:
    made = started(AnnounceResponse(interval=interval, min_interval=least))
    made.needs_peers = True
    assert made.due(obeyed - 0.1) is None
    assert made.due(obeyed) == (ONE, Event.REGULAR)


@pytest.mark.parametrize(("wish", "obeyed"), [(10, 10), (5_000, 5_000), (0, LEAST_PERIOD), (-3, LEAST_PERIOD)])
def test_a_strategy_may_set_its_own_period(wish: float, obeyed: float) -> None:
    made = started()
    made.period = wish
    made.needs_peers = True
    assert made.due(obeyed - 0.1) is None
    assert made.due(obeyed) == (ONE, Event.REGULAR)


def test_failing_tracker_is_retried_later_and_later() -> None:
    made, now = announcer(), 0.0
    for number in range(12):
        assert made.due(now) == (ONE, Event.STARTED)
        wait = made.tracker_failed(ONE, now)
        most = min(LONGEST_RETRY, FIRST_RETRY * 2**number)
        assert most / 2 <= wait <= most
        assert made.due(now + wait * 0.99) is None
        now += wait


def test_two_clients_do_not_retry_together() -> None:
    waits = set()
    for seed in range(5):
        made = announcer(seed=seed)
        made.due(0)
        waits.add(made.tracker_failed(ONE, 0))
    assert len(waits) == 5


def test_an_answer_ends_the_trouble() -> None:
    made = announcer()
    made.due(0)
    wait = made.tracker_failed(ONE, 0)
    assert made.due(wait) == (ONE, Event.STARTED)
    made.tracker_answered(ONE, OK, wait)
    assert made.due(wait + OK.interval - 0.1) is None
    assert made.due(wait + OK.interval) == (ONE, Event.REGULAR)


def test_order_within_a_tier_is_random_and_stays() -> None:
    urls = tuple(f"http://{number}/announce" for number in range(8))
    orders = set()
    for seed in range(4):
        made, order = announcer(urls, seed=seed), []
        while (due := made.due(0)) is not None:
            order.append(due[0])
            made.tracker_failed(due[0], 0)
        assert sorted(order) == sorted(urls)
        orders.add(tuple(order))
    assert len(orders) == 4


def test_next_tracker_is_asked_and_then_preferred() -> None:
    made = announcer((ONE, TWO, THREE))
    (first, _), (second, _) = ask_until_second(made, 0)
    made.tracker_answered(second, OK, 0)
    assert made.due(OK.interval) == (second, Event.REGULAR)
    assert first != second


def ask_until_second(made: Announcer, now: float) -> tuple[tuple[str, Event], tuple[str, Event]]:
    first = made.due(now)
    assert first is not None
    assert made.due(now) is None
    made.tracker_failed(first[0], now)
    second = made.due(now)
    assert second is not None
    return first, second


def test_tier_is_asked_only_while_earlier_ones_fail() -> None:
    made = announcer((ONE,), (TWO,))
    assert ask_until_second(made, 0) == ((ONE, Event.STARTED), (TWO, Event.STARTED))
    made.tracker_answered(TWO, OK, 0)
    assert made.due(FIRST_RETRY) == (ONE, Event.STARTED)
    made.tracker_answered(ONE, OK, FIRST_RETRY)
    assert made.due(OK.interval) is None
    assert made.due(FIRST_RETRY + OK.interval) == (ONE, Event.REGULAR)


def test_second_tier_is_asked_while_the_first_fails() -> None:
    made = announcer((ONE,), (TWO,))
    ask_until_second(made, 0)
    made.tracker_answered(TWO, OK, 0)
    asked: dict[str, list[int]] = {ONE: [], TWO: []}
    for now in range(OK.interval + 1):
        while (due := made.due(now)) is not None:
            asked[due[0]].append(now)
            if due[0] == ONE:
                made.tracker_failed(ONE, now)
            else:
                made.tracker_answered(TWO, OK, now)
    assert len(asked[ONE]) > 1
    assert asked[TWO] == [OK.interval]


def test_a_tracker_named_twice_is_one_tracker() -> None:
    made = announcer((ONE, ONE), (ONE, TWO))
    assert ask_until_second(made, 0) == ((ONE, Event.STARTED), (TWO, Event.STARTED))


def test_completion_is_announced_once_to_known_trackers() -> None:
    made = announcer((ONE,), (TWO,), (THREE,))
    ask_until_second(made, 0)
    made.tracker_answered(TWO, OK, 0)
    assert made.due(FIRST_RETRY) == (ONE, Event.STARTED)
    made.tracker_answered(ONE, OK, FIRST_RETRY)
    made.completed()
    told = [made.due(20), made.due(20)]
    assert sorted(told, key=str) == [(ONE, Event.COMPLETED), (TWO, Event.COMPLETED)]
    assert made.due(20) is None
    made.tracker_answered(ONE, OK, 21)
    made.tracker_answered(TWO, OK, 21)
    assert made.due(22) is None
    assert made.due(21 + OK.interval) == (ONE, Event.REGULAR)


def test_failed_completed_announcement_is_repeated() -> None:
    made = started()
    made.completed()
    assert made.due(5) == (ONE, Event.COMPLETED)
    wait = made.tracker_failed(ONE, 6)
    assert made.due(6) is None
    assert made.due(6 + wait * 0.99) is None
    assert made.due(6 + wait) == (ONE, Event.COMPLETED)


def test_completion_during_the_first_announcement_follows_its_answer() -> None:
    made = announcer()
    made.due(0)
    made.completed()
    assert made.due(1) is None
    made.tracker_answered(ONE, OK, 2)
    assert made.due(2) == (ONE, Event.COMPLETED)


def test_new_tracker_gets_started_from_a_complete_peer() -> None:
    made = announcer()
    made.due(0)
    made.completed()
    wait = made.tracker_failed(ONE, 2)
    assert made.due(2 + wait) == (ONE, Event.STARTED)
    made.tracker_answered(ONE, OK, 20)
    assert made.due(21) is None


def test_initial_seed_never_announces_completed() -> None:
    made = announcer(is_complete=True)
    made.due(0)
    made.tracker_answered(ONE, OK, 0)
    made.completed()
    assert made.due(1) is None


def test_stopped_goes_only_to_trackers_that_answered() -> None:
    made = announcer((ONE,), (TWO,))
    ask_until_second(made, 0)
    assert made.stop() == []
    made = announcer((ONE,), (TWO,))
    ask_until_second(made, 0)
    made.tracker_answered(TWO, OK, 0)
    assert made.stop() == [TWO]
    assert made.due(1_000_000) is None
    made.tracker_failed(ONE, 2)
    made.tracker_answered(TWO, OK, 2)
    assert made.due(1_000_000) is None


def test_tracker_id_is_repeated_until_it_changes() -> None:
    made = started(AnnounceResponse(interval=10, tracker_id=b"x"))
    made.due(10)
    made.tracker_answered(ONE, AnnounceResponse(interval=10), 10)
    assert made.tracker_id(ONE) == b"x"
    made.due(20)
    made.tracker_answered(ONE, AnnounceResponse(interval=10, tracker_id=b"y"), 20)
    assert made.tracker_id(ONE) == b"y"


def test_without_trackers_nothing_is_ever_due() -> None:
    made = Announcer((), Random(1))
    assert made.due(0) is None
    assert made.due(1_000_000) is None
    assert made.stop() == []


def test_some_tracker_is_always_asked_again() -> None:
    """After the longest interval something is due, whatever was answered, failed or completed before."""
    for seed in range(20):
        rng, now = Random(seed), 0.0
        made = announcer((ONE, TWO), (THREE,), seed=seed)
        for _ in range(200):
            made.needs_peers = rng.random() < 0.5
            pause = rng.choice([1, 60, MOST_INTERVAL])
            now += pause
            due = made.due(now)
            assert due is not None or pause < MOST_INTERVAL
            if due is not None:
                answer_or_fail(made, due[0], now, rng)
            if rng.random() < 0.02:
                made.completed()


def answer_or_fail(made: Announcer, url: str, now: float, rng: Random) -> None:
    if rng.random() < 0.5:
        made.tracker_failed(url, now)
    else:
        made.tracker_answered(url, AnnounceResponse(rng.choice([-1, 0, 60, 1800])), now)
