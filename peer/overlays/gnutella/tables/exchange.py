"""Our route table, as messages to a neighbour: all of it once, and then what changed."""

from collections.abc import Callable

from peer.overlays.gnutella.parameters import TableParameters
from peer.overlays.gnutella.tables.patches import compress, write_change
from peer.overlays.gnutella.tables.table import Table
from peer.overlays.gnutella.wire.messages import Patch, Reset

MOST_PATCHES = 255
Message = Reset | Patch


class Outgoing:
    """What one neighbour was told. Tables that were given are not changed any more."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told: Table | None = None

    def messages(self, table: Table, parameters: TableParameters, new_guid: Callable[[], bytes]) -> list[Message]:
        """Return what the neighbour must be told now; nothing if it knows this table."""
        if self._told == table:
            return []
        change = write_change(self._told, table, parameters.infinity)
        patches = _patches(change, parameters, new_guid)
        first: list[Message] = [] if self._told else [Reset(new_guid(), 1, 0, table.entries, parameters.infinity)]
        self._told = table
        return first + patches


def _patches(change: bytes, parameters: TableParameters, new_guid: Callable[[], bytes]) -> list[Message]:
    data = compress(change) if parameters.compresses else change
    least = -(-len(data) // MOST_PATCHES)
    step = max(parameters.patch_bytes, least)
    parts = [data[begin : begin + step] for begin in range(0, len(data), step)]
    compressor = int(parameters.compresses)
    return [
        Patch(new_guid(), 1, 0, number, len(parts), compressor, 4, part) for number, part in enumerate(parts, start=1)
    ]
