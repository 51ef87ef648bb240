"""What the hosts of an emulated network cost the machine.

These are measured values, rounded down: what they say is too much does not work.
"""

from ipaddress import IPv4Network
from typing import Final

ADDRESSES: Final = IPv4Network("198.18.0.0/15")
"""The range for benchmarks: BitTorrent clients treat private ranges as local and exempt them from their limits."""

RETURN_DISTANCE: Final = 1 << 16
"""From a host's first address to its second one, with which it comes back: first ones are in the lower half."""

MOST_HOSTS: Final = ADDRESSES.num_addresses - 3
"""The network's own address, its broadcast address, and one core's are taken."""

MOST_TESTED: Final = 1000
"""More hosts were never tried with programs on them."""

MIB: Final = 1 << 20

KERNEL_BYTES: Final = MIB // 3
"""Of a host: its namespace, its interfaces, their queues. Measured: 0.35 MiB idle, 0.6 MiB with connections."""

OPEN_FILES: Final = 4
"""Of a host with a program, in the process that performs the trial. Measured with 22, 102 and 302 hosts."""
OPEN_FILES_BESIDES: Final = 20
"""Of that process itself: 12, and some for captures and monitors."""


def open_files(hosts: int) -> int:
    """Return how many files the process needs that builds a network and starts programs on it."""
    return hosts * OPEN_FILES + OPEN_FILES_BESIDES
