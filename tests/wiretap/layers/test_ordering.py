"""Segments are put in order, whatever order they were captured in; what is missing is told, never invented."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from testbed.wiretap.layers.ordering import MOST_WAITING, WINDOW, Order, Run

STREAM = bytes(range(256)) * 4


@st.composite
def captures(draw: st.DrawFn) -> tuple[int, list[tuple[int, int]]]:
    """Draw the sequence number of the first byte, and segments that cover the stream, in some order and repeated."""
    cuts = sorted({0, len(STREAM), *draw(st.lists(st.integers(1, len(STREAM) - 1), max_size=20))})
    whole = list(pairwise(cuts))
    again = draw(st.lists(st.tuples(st.integers(0, 1000), st.integers(1, 200)), max_size=10))
    repeated = [(at, min(len(STREAM), at + length)) for at, length in again]
    return draw(st.integers(0, 2**32 - 1)), [whole[0], *draw(st.permutations(whole[1:] + repeated))]


@given(captures())
def test_any_order_of_segments_gives_the_stream(capture: tuple[int, list[tuple[int, int]]]) -> None:
    first, segments = capture
    order = Order()
    runs = [
        run for begin, end in segments for run in order.add((first + begin) % 2**32, STREAM[begin:end], end - begin)
    ]
    assert b"".join(run.data for run in runs) == STREAM
    assert not any(run.missing or run.is_after_gap for run in runs)
    assert order.is_complete


@given(captures(), st.integers(0, 100))
def test_bytes_that_a_snaplen_cut_are_counted(capture: tuple[int, list[tuple[int, int]]], snaplen: int) -> None:
    first, segments = capture
    order = Order()
    at = 0
    for begin, end in segments:
        for run in order.add((first + begin) % 2**32, STREAM[begin : min(end, begin + snaplen)], end - begin):
            assert run.data == STREAM[at : at + len(run.data)]
            at += len(run.data) + run.missing
    assert at == len(STREAM)


def test_a_hole_that_is_never_filled_is_given_up() -> None:
    order = Order()
    order.add(0, b"a", 1)
    runs = [run for n in range(MOST_WAITING + 1) for run in order.add(2 + n, b"b", 1)]
    assert runs[0] == Run(b"b", is_after_gap=True)
    assert len(runs) == MOST_WAITING + 1
    assert not any(run.is_after_gap for run in runs[1:])
    assert order.add(1, b"a", 1) == []


def test_a_hole_before_many_bytes_is_given_up() -> None:
    order = Order()
    order.add(0, b"a", 1)
    assert order.add(2, bytes(WINDOW), WINDOW) == []
    assert [run.is_after_gap for run in order.add(2 + WINDOW, b"b", 1)] == [True, False]


def test_a_segment_far_away_begins_again() -> None:
    order = Order()
    order.add(0, b"a", 1)
    order.add(2, b"c", 1)
    assert order.add(2**31 - 9, b"new", 3) == [Run(b"c", is_after_gap=True), Run(b"new", is_after_gap=True)]
    assert order.add(2**31 - 6, b"er", 2) == [Run(b"er")]
