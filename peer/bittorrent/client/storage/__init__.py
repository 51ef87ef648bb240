"""Where a torrent's bytes are: in memory, on the disk, or in an original that all peers of the machine share.

All three have the one face `Storage`. The life of a piece:

    space(index, begin, length)   at each block: memory that the socket reads into
    piece(index)                  when all blocks are there: what is to be hashed
    kept(index)                   the hash is right: from now on `read` gives it        (or)
    dropped(index)                the hash is wrong: all its blocks have to come again
    read(index, begin, length)    memory that the socket sends from

A block arrives where it stays (`memory`), or in a buffer of its piece (`disk`, `shared`) that is written once, or
given up, when the hash is known; so a disk never holds a byte that was not verified. Resident memory of these two is
bounded by the pieces in flight. User space never reads a file through its map, and so no disk error and no truncation
by somebody else can kill the process: the kernel, which reads the map in `send`, returns an error instead.
"""

from peer.bittorrent.client.storage.disk import Disk
from peer.bittorrent.client.storage.interface import Storage, StorageError
from peer.bittorrent.client.storage.memory import Memory
from peer.bittorrent.client.storage.shared import Shared

__all__ = ["Disk", "Memory", "Shared", "Storage", "StorageError"]
