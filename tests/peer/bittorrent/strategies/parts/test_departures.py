"""When a client goes, and how that is written."""

import pytest

from peer.bittorrent.engine.actions import Leave
from peer.bittorrent.engine.strategy import Departure
from peer.bittorrent.strategies.parts.departures import parse_departure
from tests.peer.bittorrent.strategies.progress import progress


def leaves(departure: Departure, **fields: object) -> bool:
    return departure.decide(progress(**fields)) is not None


def test_who_stays_stays() -> None:
    assert not leaves(parse_departure("stay"), now=1e9, completed_at=100, have_count=10, sent=10**12)


def test_at_completion_is_at_once() -> None:
    departure = parse_departure("at-completion")
    assert not leaves(departure, now=1e9, have_count=9)
    assert departure.decide(progress(now=150, completed_at=150)) == Leave("complete")


def test_after_completion_is_so_much_later() -> None:
    departure = parse_departure("7.5 s after completion")
    assert not leaves(departure, now=1e9)
    assert not leaves(departure, now=157.4, completed_at=150)
    assert leaves(departure, now=157.5, completed_at=150)


def test_after_a_time_whatever_is_here() -> None:
    departure = parse_departure("after 60 s")
    assert not leaves(departure, now=159, completed_at=150)
    assert departure.decide(progress(now=160)) == Leave("after 60 s")


def test_at_a_ratio_of_what_the_torrent_holds() -> None:
    departure = parse_departure("at ratio 1.5")
    assert not leaves(departure, sent=5_000)
    assert not leaves(departure, sent=1_499, completed_at=150)
    assert departure.decide(progress(sent=1_500, completed_at=150)) == Leave("ratio 1.5")


def test_mid_way_is_once_and_with_a_return() -> None:
    departure = parse_departure("at 70 % for 30 s")
    assert not leaves(departure, piece_count=0, length=0)
    assert not leaves(departure, have_count=6)
    assert departure.decide(progress(have_count=7)) == Leave("at 70%", back_after=30)
    assert not leaves(departure, have_count=7)
    assert not leaves(departure, have_count=10, completed_at=150)


def test_mid_way_is_where_it_says_for_every_percent() -> None:
    for percent in range(1, 101):
        departure = parse_departure(f"at {percent} % for 30 s")
        assert not leaves(departure, have_count=percent - 1, piece_count=100)
        assert leaves(departure, have_count=percent, piece_count=100)


def test_a_departure_that_is_made_anew_for_the_return_stays() -> None:
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
def test_other_words_are_refused_with_those_that_are_known(text: str) -> None:
    with pytest.raises(ValueError, match=r'^departure: expected "stay", "at-completion", ') as refusal:
        parse_departure(text)
    assert str(refusal.value).endswith(f'found "{text}"')


@pytest.mark.parametrize("percent", ["0", "101", "500.5"])
def test_a_part_is_more_than_nothing_and_not_more_than_all(percent: str) -> None:
    with pytest.raises(ValueError, match=f"^departure: expected more than 0 % and at most 100 %, found {percent} %$"):
        parse_departure(f"at {percent} % for 30 s")


def test_a_number_is_no_departure() -> None:
    with pytest.raises(ValueError, match=r'found "5"$'):
        parse_departure(5)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["after 60s", " after 60 s ", "at 50% for 30s", "at 0.5 % for 1.5 s"])
def test_spaces_do_not_matter(text: str) -> None:
    parse_departure(text)
