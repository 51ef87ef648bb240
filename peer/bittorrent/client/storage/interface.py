"""What every storage can do."""

from typing import Protocol, Self

from peer.bittorrent.wire.bitfield import Bitfield


class Storage(Protocol):
    """The bytes of one torrent; all methods but `close` may raise StorageError."""

    def space(self, index: int, begin: int, length: int) -> memoryview:
        """Return the writable memory of a block that is to arrive."""

    def piece(self, index: int) -> memoryview:
        """Return a piece whose blocks have all arrived, to be hashed."""

    def keep(self, index: int) -> None:
        """Keep a piece: its hash is right."""

    def drop(self, index: int) -> None:
        """Discard a piece: its hash is wrong. All its blocks have to arrive again."""

    def read(self, index: int, begin: int, length: int) -> memoryview:
        """Return a block of a piece that was kept, to be sent."""

    def recheck(self) -> Bitfield:
        """Find out which pieces are here."""

    def close(self) -> None:
        """Release files and memory; views handed out before stay valid."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...
