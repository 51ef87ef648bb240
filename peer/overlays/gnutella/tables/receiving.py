"""A neighbour's route table, put together from its messages."""

from peer.errors import WireError
from peer.overlays.gnutella.tables.patches import apply_change, decompress
from peer.overlays.gnutella.tables.table import Table
from peer.overlays.gnutella.wire.messages import Patch, Reset


class Incoming:
    """The table of one neighbour. Until a first change is complete, nothing is known of it."""

    __slots__ = ("_is_known", "_last", "_parts", "table")

    def __init__(self) -> None:
        self.table: Table | None = None
        self._is_known = False
        self._parts: list[bytes] = []
        self._last: Patch | None = None

    def reset(self, message: Reset) -> None:
        self.table, self._is_known = Table(message.entries), False
        self._parts, self._last = [], None

    def patch(self, message: Patch) -> None:
        """Take a part of a change; raises WireError if it does not belong to what came before."""
        table = self.table
        if table is None:
            raise WireError("a patch without a reset before it")
        self._check_order(message)
        self._parts.append(message.data)
        self._last = message
        if sum(map(len, self._parts)) > table.entries + 1024:
            raise WireError(f"a change of more than {table.entries + 1024} bytes for {table.entries} entries")
        if message.number == message.count:
            self._apply(table, message)

    def _check_order(self, message: Patch) -> None:
        last = self._last
        number = last.number + 1 if last else 1
        same = last or message
        described = (message.count, message.compressor, message.entry_bits)
        if message.number != number or described != (same.count, same.compressor, same.entry_bits):
            raise WireError(f"patch {message.number} of {message.count}: expected number {number}, and the same kind")

    def _apply(self, table: Table, message: Patch) -> None:
        data = b"".join(self._parts)
        self._parts, self._last = [], None
        if message.compressor:
            data = decompress(data, table.entries * message.entry_bits >> 3)
        apply_change(table, data, message.entry_bits)
        self._is_known = True

    def may_have(self, text: str) -> bool:
        """Whether a question may have answers there. Whoever gave no table gets all questions."""
        return self.table is None or not self._is_known or self.table.may_have(text)

    @property
    def known(self) -> Table | None:
        return self.table if self._is_known else None

    @property
    def size(self) -> int:
        """How many entries are kept."""
        return self.table.entries if self.table else 0
