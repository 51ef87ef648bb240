"""What nodes sent and received, added up: by node, and by the search that caused it."""

from collections import defaultdict
from dataclasses import dataclass

from contract.overlay_events import UPKEEP


@dataclass(slots=True)
class Traffic:
    """Messages, and their bytes without headers of UDP and TCP."""

    messages: int = 0
    bytes: int = 0

    def add(self, size: int) -> None:
        self.messages += 1
        self.bytes += size


class Ledger:
    """The traffic of all nodes together."""

    def __init__(self) -> None:
        self.by_search: defaultdict[str, Traffic] = defaultdict(Traffic)
        """What each search caused anywhere; UPKEEP has all else."""
        self.sent: defaultdict[str, Traffic] = defaultdict(Traffic)
        """By the host that sent it."""
        self.received: defaultdict[str, Traffic] = defaultdict(Traffic)

    def count_sent(self, host: str, search: str, size: int) -> None:
        self.by_search[search].add(size)
        self.sent[host].add(size)

    def charge(self, search: str, size: int) -> None:
        """Count a message to a search that its sender counted as upkeep."""
        for name, sign in ((UPKEEP, -1), (search, 1)):
            self.by_search[name].messages += sign
            self.by_search[name].bytes += sign * size

    def count_received(self, host: str, size: int) -> None:
        self.received[host].add(size)
