"""The entries that this node has others keep: its items under each of their words."""

from collections.abc import Callable
from typing import Final

from contract.overlay_events import UPKEEP
from peer.overlays.cubit.context import Context
from peer.overlays.cubit.keeping import Keeping
from peer.overlays.cubit.messages import Kept
from peer.overlays.cubit.navigation import Navigation, Reached, Region
from peer.overlays.parts.published import Published


class Publishing(Published[Kept]):
    """Stores each entry at the nodes that are nearest to its word."""

    __slots__ = ("_context", "_keeping")

    def __init__(self, context: Context, keeping: Keeping) -> None:
        parameters = context.parameters
        super().__init__(self._store_entry, lambda: context.wait(parameters.refresh_every), parameters.stores_at_once)
        self._context: Final = context
        self._keeping: Final = keeping

    def _store_entry(self, kept: Kept, done: Callable[[], None]) -> None:
        replicas = self._context.parameters.replicas

        def keep(reached: Reached) -> None:
            for node in reached.nodes:
                if node == self._context.own:
                    self._keeping.keep(kept)
                else:
                    self._keeping.send_to(node.address, [kept])
            done()

        Navigation(self._context, Region(kept.word, 0, replicas, replicas), UPKEEP, keep).begin()
