"""Pickers choose from the view of pieces."""

from collections.abc import Iterator

import pytest

from peer.bittorrent.engine.strategy import Picker
from peer.bittorrent.strategies.parts.pickers import RandomOrder, RarestFirst, Sequential


class Shown:
    """A view whose results show which method was called."""

    neighbour = 1

    def __init__(self, completed: int = 0, *, is_empty: bool = False) -> None:
        self.have_count = completed
        self._is_empty = is_empty

    def first(self) -> int | None:
        return None if self._is_empty else 10

    def random(self) -> int | None:
        return None if self._is_empty else 20

    def rarest(self) -> int | None:
        return None if self._is_empty else 30

    def copies(self, index: int) -> int:
        return index

    def __iter__(self) -> Iterator[int]:
        return iter(() if self._is_empty else (10, 20, 30))


def test_rarest_first_starts_with_random_pieces() -> None:
    picker = RarestFirst(random_first=4)
    assert [picker.pick(Shown(completed)) for completed in (0, 3, 4, 5, 1000)] == [20, 20, 30, 30, 30]


def test_rarest_first_works_without_random_pieces() -> None:
    assert RarestFirst(random_first=0).pick(Shown()) == 30


def test_negative_number_of_random_pieces_is_refused() -> None:
    with pytest.raises(ValueError, match="random_first: expected 0 or more pieces, found -1"):
        RarestFirst(random_first=-1)


def test_sequential_takes_first_random_order_any() -> None:
    assert Sequential().pick(Shown()) == 10
    assert RandomOrder().pick(Shown(500)) == 20


@pytest.mark.parametrize("picker", [RarestFirst(), RarestFirst(0), Sequential(), RandomOrder()])
def test_empty_view_gives_no_piece(picker: Picker) -> None:
    assert picker.pick(Shown(is_empty=True)) is None
