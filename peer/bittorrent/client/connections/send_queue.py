"""What is queued for one neighbour, in the order in which it is sent; no I/O.

    the rest of a block that has begun  |  messages  |  blocks that have not begun

So a message waits for one block at most. Blocks are never copied: the socket reads them where the storage has them.
"""

from collections import deque
from typing import Final, TypeAlias

from peer.bittorrent.wire.messages import PieceHeader, Request, encode

Buffer: TypeAlias = bytes | bytearray | memoryview
_Block: TypeAlias = tuple[Request, Buffer, memoryview]


class SendQueue:
    """A queue of messages and blocks."""

    __slots__ = ("_begun", "_blocks", "_messages", "block_bytes")

    def __init__(self) -> None:
        self._begun: _Block | None = None
        self._messages = bytearray()
        self._blocks: Final[deque[_Block]] = deque()
        self.block_bytes = 0
        """Bytes of queued blocks, without their headers and the messages."""

    def __bool__(self) -> bool:
        return bool(self._messages) or self.block_bytes > 0

    @property
    def message_bytes(self) -> int:
        return len(self._messages)

    def add_message(self, encoded: bytes) -> None:
        """Add a message behind other messages."""
        self._messages += encoded

    def add_block(self, request: Request, block: memoryview) -> None:
        """Add a block behind everything else."""
        header = encode(PieceHeader(request.index, request.begin, request.length))
        self._blocks.append((request, header, block))
        self.block_bytes += len(block)

    def drop_blocks(self) -> None:
        """Drop the blocks that have not begun."""
        self._blocks.clear()
        self.block_bytes = 0 if self._begun is None else len(self._begun[2])

    def buffers(self) -> list[Buffer]:
        """Return what is queued, in order."""
        waiting: list[Buffer] = []
        if self._begun is not None:
            waiting += self._begun[1:]
        if self._messages:
            waiting.append(self._messages)
        for _, header, block in self._blocks:
            waiting += (header, block)
        return waiting

    def sent(self, count: int) -> list[Request]:
        """Remove the first `count` bytes; returns the requests whose last byte was among them."""
        done: list[Request] = []
        if self._begun is not None:
            count = self._advance(self._begun, count, done)
        front = min(count, len(self._messages))
        if front:
            del self._messages[:front]
            count -= front
        while count:
            count = self._advance(self._blocks.popleft(), count, done)
        return done

    def _advance(self, waiting: _Block, count: int, done: list[Request]) -> int:
        """Remove up to `count` bytes of the next block; returns how many are left for what is behind it."""
        request, header, block = waiting
        left = len(header) + len(block) - count
        if left <= 0:
            self._begun = None
            self.block_bytes -= len(block)
            done.append(request)
            return -left
        if count < len(header):
            self._begun = (request, header[count:], block)
        else:
            gone = count - len(header)
            self._begun = (request, b"", block[gone:])
            self.block_bytes -= gone
        return 0
