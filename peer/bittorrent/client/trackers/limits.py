"""How long to wait for a tracker, and how an announcement fails."""

from collections.abc import Iterator
from dataclasses import dataclass


class TrackerFailure(Exception):  # noqa: N818  The failure is not ours.
    """The tracker refused, could not be reached, or sent nonsense; the message is a line for the trace."""


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Times in seconds."""

    http: float = 15.0
    """For a whole announcement: resolving, connecting, redirects, and the answer's last byte."""
    first_try: float = 3.0
    """For the first try over UDP, doubled each time. The specification says 15 s, which is long if a datagram was
    lost; an answer that is merely slow is still accepted during the next tries."""
    tries: int = 4
    """The specification's nine would take two hours, during which the next tracker would have to wait."""
    leaving: float = 2.0
    """For telling a tracker that we leave."""

    @property
    def udp(self) -> float:
        """For a whole announcement: all tries."""
        return sum(self.waits())

    def waits(self) -> Iterator[float]:
        """Yield how long each try may take."""
        return (self.first_try * 2**number for number in range(self.tries))
