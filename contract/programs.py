"""How the testbed talks to a program on a host: the lines that it prints, and the names that it understands."""

from typing import Final, Literal, TypeAlias

READY: Final = "ready"
"""First word of the line that a program prints once it can be used."""
WAITING: Final = "waiting"
"""First word of the line that a program prints when it waits for SIGUSR1 to start."""
COMPLETED: Final = "completed"
"""The line that a program prints when it has the whole file."""

ProfileName: TypeAlias = Literal["course", "bep3", "mainline", "libtorrent", "testbed"]
"""The profiles of our BitTorrent client: each has the constants of one client or of one text."""

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
