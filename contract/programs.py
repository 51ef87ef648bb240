"""How the testbed talks to a program on a host: the lines that it prints, and the names that it understands."""

from typing import Final, Literal, TypeAlias

READY: Final = "ready"
"""The first word of the line that says that a program can be used."""
WAITING: Final = "waiting"
"""The first word of the line that says that a program begins at SIGUSR1."""
COMPLETED: Final = "completed"
"""The line that says that the whole file is there."""

ProfileName: TypeAlias = Literal["course", "bep3", "mainline", "libtorrent", "testbed"]
"""The profiles of our BitTorrent client: the constants of different clients and texts."""

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
