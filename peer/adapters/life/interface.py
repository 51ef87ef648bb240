"""What a host's network interface carried, for a client that does not count its bytes.

A host has one application, so what TCP carried is that of the client: the file, the protocol's messages, and what was
sent twice. The kernel counts frames; each has 66 bytes of headers, also one that stands for many segments.
"""

from pathlib import Path
from typing import Final, NamedTuple

_COUNTERS: Final = Path("/proc/net/dev")
_HEADERS: Final = 14 + 20 + 32
"""Of Ethernet, IPv4, and TCP with a timestamp."""
_LOOPBACK: Final = "lo"


class Carried(NamedTuple):
    """Bytes of TCP's streams, in both directions."""

    received: int = 0
    sent: int = 0


def carried() -> Carried:
    """Return what all interfaces of this network namespace carried so far, but the loopback interface."""
    return carried_in(_COUNTERS.read_text())


def carried_in(counters: str) -> Carried:
    """Read the counters as Linux writes them."""
    received = sent = 0
    for line in counters.splitlines()[2:]:
        name, _, numbers = line.partition(":")
        if name.strip() != _LOOPBACK:
            words = [int(word) for word in numbers.split()]
            received += max(0, words[0] - _HEADERS * words[1])
            sent += max(0, words[8] - _HEADERS * words[9])
    return Carried(received, sent)
