"""When a client leaves, and how that is written."""

import pytest

from peer.bittorrent.engine.actions import Leave
from peer.bittorrent.engine.strategy import Departure
from peer.bittorrent.strategies.parts.departures import parse_departure
from tests.peer.bittorrent.strategies.progress import progress


def leaves(departure: Departure, **fields: object) -> bool:
    return departure.decide(progress(**fields)) is not None


def test_stay_never_leaves() -> None:
    assert not leaves(parse_departure("stay"), now=1e9, completed_at=100, have_count=10, sent=10**12)


def test_at_completion_leaves_at_once() -> None:
    departure = parse_departure("at-completion")
    assert not leaves(departure, now=1e9, have_count=9)
    assert departure.decide(progress(now=150, completed_at=150)) == Leave("complete")


def test_after_completion_leaves_later() -> None:
    departure = parse_departure("7.5 s after completion")
    assert not leaves(departure, now=1e9)
    assert not leaves(departure, now=157.4, completed_at=150)
    assert leaves(departure, now=157.5, completed_at=150)


def test_after_a_time_leaves_complete_or_not() -> None:
    departure = parse_departure("after 60 s")
    assert not leaves(departure, now=159, completed_at=150)
    assert departure.decide(progress(now=160)) == Leave("after 60 s")


def test_at_ratio_leaves_after_that_upload() -> None:
    departure = parse_departure("at ratio 1.5")
    assert not leaves(departure, sent=5_000)
    assert not leaves(departure, sent=1_499, completed_at=150)
    assert departure.decide(progress(sent=1_500, completed_at=150)) == Leave("ratio 1.5")


def test_mid_way_leaves_once_and_returns() -> None:
    departure = parse_departure("at 70 % for 30 s")
    assert not leaves(departure, piece_count=0, length=0)
    assert not leaves(departure, have_count=6)
    assert departure.decide(progress(have_count=7)) == Leave("at 70%", back_after=30)
    assert not leaves(departure, have_count=7)
    assert not leaves(departure, have_count=10, completed_at=150)


def test_mid_way_leaves_at_every_exact_percentage() -> None:
    for percent in range(1, 101):
        departure = parse_departure(f"at {percent} % for 30 s")
        assert not leaves(departure, have_count=percent - 1, piece_count=100)
        assert leaves(departure, have_count=percent, piece_count=100)


def test_new_departure_for_the_return_stays() -> None:
    departure = parse_departure("at 70 % for 30 s")
    assert not leaves(departure, have_count=7)
    assert not leaves(departure, have_count=8)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "leave",
        "at ratio",
        "at ratio -1",
        "after 60",
        "after 60 min",
        "at 50 %",
        "at-completion 5",
        "after 1e3 s",
        "60",
    ],
)
def test_unknown_departure_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match=r'^departure: expected "stay", "at-completion", ') as refusal:
        parse_departure(text)
    assert str(refusal.value).endswith(f'found "{text}"')


@pytest.mark.parametrize("percent", ["0", "101", "500.5"])
def test_percentage_must_be_within_0_and_100(percent: str) -> None:
    with pytest.raises(ValueError, match=f"^departure: expected more than 0 % and at most 100 %, found {percent} %$"):
        parse_departure(f"at {percent} % for 30 s")


def test_number_is_refused() -> None:
    with pytest.raises(ValueError, match=r'found "5"$'):
        parse_departure(5)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["after 60s", " after 60 s ", "at 50% for 30s", "at 0.5 % for 1.5 s"])
def test_surrounding_spaces_are_ignored(text: str) -> None:
    parse_departure(text)
