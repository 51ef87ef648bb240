"""What is queued for a neighbour on an encrypted connection.

    sealed: encrypted, and to be sent in this order   |   the queue of any connection, in plaintext

Messages overtake blocks that have not begun, so bytes are encrypted only when the socket is about to take them. This
costs a copy of each block, which plaintext connections do without.
"""

from typing import Final

from peer.bittorrent.client.connections.send_queue import Buffer, SendQueue
from peer.bittorrent.wire.encryption import Cipher
from peer.bittorrent.wire.messages import Request

MOST_SEALED: Final = 64 << 10


class EncryptedQueue(SendQueue):
    """A queue whose buffers are encrypted."""

    __slots__ = ("_done", "_encrypt", "_sealed")

    def __init__(self, encrypt: Cipher, front: bytes) -> None:
        """`front` is sent first, and as it is."""
        super().__init__()
        self._encrypt = encrypt
        self._sealed = memoryview(front)
        self._done: list[Request] = []
        """The requests whose blocks end in the sealed bytes."""

    def __bool__(self) -> bool:
        return bool(self._sealed) or super().__bool__()

    def buffers(self) -> list[Buffer]:
        """Return what to send next."""
        if not self._sealed:
            self._seal()
        return [self._sealed]

    def sent(self, count: int) -> list[Request]:
        """Remove the first `count` bytes; returns requests whose last byte was sent, at the end of what was sealed."""
        self._sealed = self._sealed[count:]
        if self._sealed:
            return []
        done, self._done = self._done, []
        return done

    def _seal(self) -> None:
        portion = bytearray()
        for buffer in super().buffers():
            portion += buffer[: MOST_SEALED - len(portion)]
            if len(portion) == MOST_SEALED:
                break
        self._sealed = memoryview(portion)
        self._encrypt.update_into(self._sealed, self._sealed)
        self._done = super().sent(len(portion))
