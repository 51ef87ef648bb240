"""How long to wait for trackers."""

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Patience:
    """Times in seconds."""

    http: float = 15.0
    """For a whole announcement: resolving, connecting, redirects, and the answer's last byte."""
    first_try: float = 3.0
    """For the first try over UDP, doubled each time. The specification says 15 s: that is long for a datagram that was
    lost, and one that only takes long is waited for in the next tries."""
    tries: int = 4
    """The specification's nine would take two hours, and the next tracker would have to wait for so long."""
    last_words: float = 2.0
    """For telling a tracker that we leave."""

    @property
    def udp(self) -> float:
        """For a whole announcement: all tries."""
        return sum(self.waits())

    def waits(self) -> Iterator[float]:
        """Yield how long each try may take."""
        return (self.first_try * 2**number for number in range(self.tries))
