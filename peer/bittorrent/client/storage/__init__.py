"""Where a torrent's bytes are: in memory, on the disk, or in an original that all peers of the machine share.

All three implement `Storage`. The life of a piece:

    space(index, begin, length)   for each block: memory that the socket reads into
    piece(index)                  when all blocks are there: what is to be hashed
    keep(index)                   the hash is right: from now on `read` returns it        (or)
    drop(index)                   the hash is wrong: all its blocks have to arrive again
    read(index, begin, length)    memory that the socket sends from

A block arrives in its final place (`memory`), or in a buffer of its piece (`disk`, `shared`) that is written or
released when the hash is known; so a disk never holds an unverified byte. Resident memory of these two is bounded by
the pieces in flight. User space never reads a file through its map, so no disk error and no truncation can kill the
process: the kernel, which reads the map in `send`, returns an error instead.
"""

from peer.bittorrent.client.storage.disk import Disk
from peer.bittorrent.client.storage.interface import Storage
from peer.bittorrent.client.storage.memory import Memory
from peer.bittorrent.client.storage.shared import Shared
from peer.files import StorageError

__all__ = ["Disk", "Memory", "Shared", "Storage", "StorageError"]
