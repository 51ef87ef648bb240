"""Lines and tables fit the terminal, and no word is broken."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.cli.terminal.layout import Column, format_table, wrapped

HEADER = (Column("link"), Column("rate", 2), Column("round trip", 1))
ROWS = [["h1 - s1", "8 Mbit/s", "20.1"], ["h100 - s1", "16 Mbit/s", "7"]]


def test_numbers_are_aligned_right_words_left() -> None:
    assert format_table(("link", "rate"), [["h1", "8"], ["h100", "12.5"]]).split("\n") == [
        "link  rate",
        "h1       8",
        "h100  12.5",
    ]


def test_empty_table_has_only_header() -> None:
    assert format_table(("link", "rate"), []) == "link  rate"


def test_table_without_a_width_is_complete() -> None:
    assert format_table(HEADER, ROWS).split("\n") == [
        "link            rate  round trip",
        "h1 - s1     8 Mbit/s        20.1",
        "h100 - s1  16 Mbit/s           7",
    ]


def test_headings_are_broken_before_columns_are_dropped() -> None:
    assert format_table(HEADER, ROWS, 31).split("\n") == [
        "link            rate  round",
        "                       trip",
        "h1 - s1     8 Mbit/s   20.1",
        "h100 - s1  16 Mbit/s      7",
    ]


def test_column_of_the_highest_rank_is_dropped_first_and_named() -> None:
    assert format_table(HEADER, ROWS, 20).split("\n") == [
        "link       round",
        "            trip",
        "h1 - s1     20.1",
        "h100 - s1      7",
        "(no room for: rate)",
    ]


def test_narrow_column_takes_the_room_that_a_wide_one_leaves() -> None:
    header = (Column("link"), Column("a wide one", 1), Column("up", 2))
    assert format_table(header, [["h1", "0.123456789", "8"]], 12).split("\n") == [
        "link  up",
        "h1     8",
        "(no room",
        "  for: a",
        "  wide one)",
    ]


def test_words_are_wrapped_where_no_column_can_go() -> None:
    assert format_table(("link", "rate"), [["h1 - s1", "8"]], 12).split("\n") == [
        "link  rate",
        "h1 -     8",
        "s1",
    ]


WORDS = st.lists(st.text("abc1-", min_size=1, max_size=9), min_size=1, max_size=6).map(" ".join)
TABLES = st.integers(1, 5).flatmap(
    lambda count: st.tuples(
        st.lists(st.builds(Column, WORDS, st.integers(0, 3)), min_size=count, max_size=count),
        st.lists(st.lists(WORDS, min_size=count, max_size=count), max_size=4),
    )
)


@given(TABLES, st.integers(10, 90))
def test_every_word_of_a_shown_column_is_whole(table: tuple[list[Column], list[list[str]]], width: int) -> None:
    header, rows = table
    shown = format_table(header, rows, width).partition("\n(no")[0].split()
    complete = format_table(header, rows).split()
    assert not set(shown) - set(complete)
    if all(column.rank == 0 for column in header):
        assert sorted(shown) == sorted(complete)


@given(WORDS, st.integers(1, 40))
def test_wrapped_text_keeps_its_words_and_its_width(text: str, width: int) -> None:
    lines = wrapped(text, width, indent=0).split("\n")
    assert " ".join(lines) == text
    assert all(len(line) <= width or " " not in line for line in lines)


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", None, ["one two three"]),
        ("one   two", 9, ["one   two"]),
        ("  one two three", 10, ["  one two", "    three"]),
        ("/a/very/long/path is kept", 8, ["/a/very/long/path", "    is", "    kept"]),
    ],
)
def test_text_is_wrapped_between_words(text: str, width: int | None, lines: list[str]) -> None:
    assert wrapped(text, width, indent=4).split("\n") == lines
