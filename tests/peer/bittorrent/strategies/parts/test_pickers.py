"""Pickers choose from what they are shown."""

from collections.abc import Iterator

import pytest

from peer.bittorrent.engine.strategy import Picker
from peer.bittorrent.strategies.parts.pickers import RandomOrder, RarestFirst, Sequential


class Shown:
    """A view whose answers tell which question was asked."""

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


def test_rarest_first_begins_with_any_pieces_and_goes_on_with_the_rarest() -> None:
    picker = RarestFirst(random_first=4)
    assert [picker.pick(Shown(completed)) for completed in (0, 3, 4, 5, 1000)] == [20, 20, 30, 30, 30]


def test_rarest_first_can_do_without_random_pieces() -> None:
    assert RarestFirst(random_first=0).pick(Shown()) == 30


def test_a_negative_number_of_random_pieces_is_refused() -> None:
    with pytest.raises(ValueError, match="random_first: expected 0 or more pieces, found -1"):
        RarestFirst(random_first=-1)


def test_sequential_takes_the_first_and_random_order_any() -> None:
    assert Sequential().pick(Shown()) == 10
    assert RandomOrder().pick(Shown(500)) == 20


@pytest.mark.parametrize("picker", [RarestFirst(), RarestFirst(0), Sequential(), RandomOrder()])
def test_from_nothing_nothing_is_picked(picker: Picker) -> None:
    assert picker.pick(Shown(is_empty=True)) is None
