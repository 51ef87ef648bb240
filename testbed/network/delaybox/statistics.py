"""The counters of a delay box (pure)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from testbed.network.delaybox.errors import DelayBoxError


@dataclass(frozen=True, slots=True)
class Lateness:
    """How late packets left, at most: a histogram, {upper edge in ns: packets}.

    It counts the box's share: the time after the packet was due, and the time that it may have waited in the device
    before the box read it. Buckets are a fifth to an eighth of their edge wide.
    """

    counts: Mapping[int, int]

    @property
    def packets(self) -> int:
        """The number of packets that left."""
        return sum(self.counts.values())

    def quantile_us(self, share: float) -> float:
        """The time within which this share of the packets left, rounded up to its bucket's edge; 0 if none left."""
        wanted = share * self.packets
        passed = 0
        for edge_ns in sorted(self.counts):
            passed += self.counts[edge_ns]
            if passed >= wanted:
                return edge_ns / 1000
        return 0.0

    def since(self, earlier: "Lateness") -> "Lateness":
        """Return what was added since an earlier reading of the same box."""
        added = {edge_ns: count - earlier.counts.get(edge_ns, 0) for edge_ns, count in self.counts.items()}
        return Lateness({edge_ns: count for edge_ns, count in added.items() if count})


@dataclass(frozen=True, slots=True)
class DelayBoxStats:
    """The counters of a delay box since it started; packets, unless the name says otherwise."""

    forwarded: int
    """Given back to the kernel."""
    unknown: int
    """Forwarded at once because neither address is in the table."""
    lost: int
    """Lost as the table asks."""
    no_memory: int
    """Dropped because the box held as much as it may."""
    ignored: int
    """Dropped because they are not IPv4."""
    refused: int
    """Dropped because the kernel did not take them back; `device_dropped` has them too."""
    device_dropped: int
    """Dropped by the kernel: before the box, which read too slowly, or after it (net.core.netdev_max_backlog)."""
    held: int
    """Waiting at this instant."""
    memory_peak: int
    """Bytes held at most."""
    cpu_us: int
    """Processor time of the box, which includes the kernel's work on what it forwards."""
    priority: str
    """How the box is scheduled: fifo, nice or normal."""
    late_max_ns: int
    """The latest that any packet left."""
    lateness: Lateness

    @property
    def dropped(self) -> int:
        """Packets that the table did not ask to lose; anything but 0 spoils a trial."""
        return self.no_memory + self.device_dropped

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Read the helper's line of JSON."""
        try:
            values: dict[str, Any] = json.loads(line)
            lateness = Lateness(dict(values.pop("late_ns")))
            return cls(lateness=lateness, **values)
        except (ValueError, KeyError, TypeError) as error:
            names = ", ".join(field.name for field in fields(cls))
            message = f"the delay box answered {line!r} instead of its counters ({names}); build it again"
            raise DelayBoxError(message) from error
