"""The pairs that this node has others keep."""

from collections.abc import Callable
from typing import Final, TypeAlias

from contract.overlay_events import UPKEEP
from peer.overlays.chord.context import Context
from peer.overlays.chord.lookup import Find
from peer.overlays.chord.ring import position_of
from peer.overlays.chord.storing.keeping import Keeping, check_value
from peer.overlays.parts.published import Published

_Pair: TypeAlias = tuple[bytes, bytes]


class Publishing(Published[_Pair]):
    """Stores each pair at the node that its key belongs to, and at those that follow it."""

    __slots__ = ("_bits", "_find", "_keeping")

    def __init__(self, context: Context, keeping: Keeping, find: Find) -> None:
        parameters = context.parameters
        super().__init__(self._store_pair, lambda: context.wait(parameters.refresh_every), parameters.stores_at_once)
        self._bits: Final = parameters.bits
        self._keeping: Final = keeping
        self._find: Final = find

    def add(self, thing: _Pair) -> None:
        """Store a pair, now or when the node has joined; raises ValueError for a value that is too long."""
        check_value(thing[1])
        super().add(thing)

    def _store_pair(self, pair: _Pair, done: Callable[[], None]) -> None:
        new = self._keeping.new_pair(*pair)
        self._find(position_of(pair[0], self._bits), UPKEEP, lambda found: self._keeping.store_at(found, new, done))
