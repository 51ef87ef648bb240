"""Participation levels, and queues of uploads by level."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.overlays.gnutella.kazaa.participation import Client, Participation, name_of
from peer.overlays.gnutella.kazaa.upload_queue import UploadQueue
from peer.overlays.gnutella.neighbours.standing import may_be_ultrapeer
from peer.overlays.gnutella.parameters import Capability, ElectionParameters

MB = 1 << 20
levels = st.integers(0, 1000)


def test_a_level_is_uploads_over_downloads_times_a_hundred() -> None:
    user = Participation()
    assert user.claimed == 10
    user.took(100 * MB)
    assert user.claimed == 0
    user.gave(50 * MB)
    assert user.claimed == 50
    user.gave(50 * MB, is_rated=True)
    assert user.claimed == 150
    user.gave(100_000 * MB)
    assert user.claimed == 1000


def test_kazaa_lite_claims_the_highest_level_whatever_it_earned() -> None:
    user = Participation(Client.KAZAA_LITE)
    user.took(100 * MB)
    assert (user.earned, user.claimed) == (0, 1000)


@given(st.integers(0, 1 << 50), st.integers(0, 1 << 50))
def test_levels_are_between_0_and_1000(given: int, taken: int) -> None:
    assert 0 <= Participation(uploaded=given, downloaded=taken).earned <= 1000


@pytest.mark.parametrize(
    ("level", "name"), [(0, "low"), (50, "low"), (51, "medium"), (500, "guru"), (1000, "supreme being")]
)
def test_levels_have_names(level: int, name: str) -> None:
    assert name_of(level) == name


def test_the_highest_level_is_served_first_and_among_equals_the_first() -> None:
    queue = UploadQueue[str](slots=1)
    assert queue.ask("first", 0)
    assert not queue.ask("low", 10)
    assert not queue.ask("high", 500)
    assert not queue.ask("high too", 500)
    assert queue.order == ["high", "high too", "low"]
    assert [queue.place_of(who) for who in ("first", "low", "nobody")] == [0, 3, None]
    assert queue.ended("first") == ["high"]
    assert queue.ended("high too") == []
    assert queue.ended("high") == ["low"]


def test_nobody_who_has_begun_is_interrupted() -> None:
    queue = UploadQueue[str](slots=1)
    queue.ask("low", 0)
    assert not queue.ask("supreme being", 1000)
    assert queue.running == {"low"}


def test_who_claims_more_while_waiting_gets_on() -> None:
    queue = UploadQueue[str](slots=0)
    queue.ask("one", 10)
    queue.ask("other", 5)
    queue.ask("other", 1000)
    assert queue.order == ["other", "one"]


def test_a_full_queue_drops_its_last() -> None:
    queue = UploadQueue[str](slots=0, most_waiting=2)
    for who, level in (("a", 10), ("b", 20), ("c", 30), ("d", 1)):
        queue.ask(who, level)
    assert queue.order == ["c", "b"]


def test_a_low_level_can_starve_where_all_others_lie() -> None:
    queue = UploadQueue[str](slots=1)
    queue.ask("liar 0", 1000)
    queue.ask("honest", 100)
    for number in range(1, 50):
        queue.ask(f"liar {number}", 1000)
        queue.ended(f"liar {number - 1}")
    assert queue.place_of("honest") == 1


@given(st.lists(st.tuples(st.integers(0, 9), levels, st.booleans()), max_size=60), st.integers(1, 3))
def test_slots_are_never_idle_while_somebody_waits(steps: list[tuple[int, int, bool]], slots: int) -> None:
    queue = UploadQueue[int](slots=slots, most_waiting=4)
    for who, level, is_end in steps:
        if is_end:
            queue.ended(who)
        else:
            queue.ask(who, level)
        assert len(queue.running) <= slots
        assert len(queue.order) <= 4
        assert len(queue.running) == slots or not queue.order
        assert not queue.running & set(queue.order)


@pytest.mark.parametrize(
    ("able", "is_one"),
    [
        (Capability(), True),
        (Capability(is_firewalled=True), False),
        (Capability(upload=9), False),
        (Capability(download=14), False),
        (Capability(level=9), False),
        (Capability(level=9, client="kazaa-lite"), True),
    ],
)
def test_who_may_be_a_supernode(able: Capability, *, is_one: bool) -> None:
    rules = ElectionParameters(level=10)
    assert may_be_ultrapeer(able, 300, rules) == is_one
    assert not may_be_ultrapeer(able, 299, rules)
