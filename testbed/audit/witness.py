"""What is known of a host besides its trace and its packets."""

from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True)
class Witness:
    """What is known of a host besides its trace."""

    addresses: Collection[str]
    level: str
    """Of its trace: `summary`, `pieces` or `full`; empty for a program without pieces of BitTorrent."""
    was_killed: bool
    is_lacking: bool
    """Whether packets are missing in its capture, as the capture's record says."""
    is_cut: bool
    """Whether it keeps only the beginning of each packet."""
    trackers: Collection[str]
    """The addresses of trackers, whose connections are no neighbours."""
    origin: float
    """t = 0 on the wall clock, in seconds since 1970."""
