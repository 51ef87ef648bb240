"""How the testbed talks to a program on a host: the lines that it prints, and the names that it understands."""

from typing import Final, Literal, TypeAlias

READY: Final = "ready"
"""First word of the line that a program prints once it can be used."""
WAITING: Final = "waiting"
"""First word of the line that a program prints when it waits for SIGUSR1 to start."""
COMPLETED: Final = "completed"
"""The line that a program prints when it has the whole file, or when all its searches have ended."""
SEARCHED: Final = "searched"
"""The line that a node of an overlay prints when one of its searches has ended, if it is asked to."""

ProfileName: TypeAlias = Literal["course", "bep3", "mainline", "libtorrent", "testbed"]
"""The profiles of our BitTorrent client: each has the constants of one client or of one text."""

EncryptionChoice: TypeAlias = Literal["off", "accept", "prefer", "require"]
"""How a client treats encryption of its connections (MSE): never; only where others begin with it; first; always."""
RC4_PACKAGE: Final = "cryptography"
"""The Python package that our client needs to encrypt."""
STRATEGIES: Final = (
    "tit-for-tat",
    "sequential",
    "random-order",
    "random-unchoke",
    "optimistic-only",
    "no-optimistic",
    "bittyrant",
    "propshare",
    "bitthief",
    "large-view",
    "seeds-only",
    "fastest-only",
    "false-pieces",
    "under-report",
    "sybil",
    "whitewash",
    "seed-drain",
    "polluter",
    "selfish",
    "altruist",
    "seed-round-robin",
    "seed-fastest",
    "anti-leech",
    "super-seeding",
    "swift",
)
"""The strategies that come with our BitTorrent client."""

CLIENTS: Final = ("libtorrent", "transmission", "aria2", "rtorrent", "qbittorrent", "webtorrent")
"""The other BitTorrent clients that adapters come with."""
SERVICES: Final = ("nginx", "opentracker")
"""The other servers that adapters come with."""

TOGETHER: Final = 0
"""The number of no connection, in `moved`: bytes of which a program does not tell on which connection they moved."""
BYTES: Final = "bytes"
"""Bytes of the file: what TCP carried on the host's interface takes their place, which has messages too."""
NEIGHBOURS: Final = "neighbours"
"""Who its neighbours are, and the bytes of each."""
CHOKES: Final = "chokes"
"""Who unchokes whom, and when."""
PIECES: Final = "pieces"
"""Which pieces it has, and when each was complete or wrong."""
WASTE: Final = "waste"
"""The bytes that it received and did not need, or that were wrong."""
FAULTS: Final = "faults"
"""Errors from which it recovered, and hosts that it banned."""
UNTOLD: Final = (BYTES, NEIGHBOURS, CHOKES, PIECES, WASTE, FAULTS)
"""All that another client may not tell of itself: the words of `untold` in the header of its trace."""
