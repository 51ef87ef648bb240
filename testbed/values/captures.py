"""What a trial captures, with everything filled in."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict

from testbed.values.costs import MIB

ALL: Final = "all"

WHOLE: Final = 262_144
"""A length that no packet has, not even one of many segments."""

HEADERS: Final = 192
"""Of Ethernet (14 bytes), IPv4 (20) and TCP (at most 60), 96 bytes of what these carry, and two for a round number."""

LEAST_SNAPLEN: Final = 94
LEAST_LIMIT: Final = 1 << 20
"""Packets are written by blocks of the kernel's ring, which have at most a quarter of this."""


MOST_RING_BYTES: Final = 256 << 20
"""Of all captures of a trial together."""


def ring_bytes(places: int) -> int:
    """Return how much memory the kernel may fill with packets of one place that are not yet written."""
    return min(16 * MIB, max(MIB, MOST_RING_BYTES // max(1, places)))


PROGRAM_BYTES: Final = 3 * MIB
"""Memory that a capturing program shares with no other, without its ring."""


def capture_bytes(places: int) -> int:
    """Return the memory that captures at some places take together."""
    return places * (PROGRAM_BYTES + ring_bytes(places))


class PlannedCapture(BaseModel):
    """Where packets are captured, which ones, and how much of each."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    hosts: tuple[str, ...] = ()
    """`all`, or words for hosts: of their groups, or their names."""
    core: bool = False
    """Whether each packet is captured where it enters the core."""
    filter: str = ""
    """In the words of libpcap; empty for all packets."""
    snaplen: int = HEADERS
    """The most bytes that are kept of a packet."""
    size_limit: int | None = None
    """Of one file, in bytes."""
    files: int = 1
    """How many files of this size are kept at most."""

    def chosen(self, groups: Mapping[str, str]) -> list[str]:
        """Return the names of the hosts that are captured, of all hosts with their groups.

        A word that is both a group and a host means the group.
        """
        known = frozenset(groups.values())
        names = frozenset(word for word in self.hosts if word not in known)
        return [name for name, group in groups.items() if ALL in self.hosts or group in self.hosts or name in names]


def _of_version_0_1(value: object) -> Any:
    """Read what plans of version 0.1 have: a list of words, for whole packets of these hosts."""
    if isinstance(value, list | tuple):
        return PlannedCapture(hosts=tuple(value), snaplen=WHOLE) if value else None
    return value


OptionalCapture = Annotated[PlannedCapture | None, BeforeValidator(_of_version_0_1)]
"""None for nothing."""
