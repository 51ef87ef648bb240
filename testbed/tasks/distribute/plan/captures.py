"""What the captures of a distribution take: disk, memory, and processors."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from testbed.tasks.distribute.plan.records import PlannedPeer, Settings, TrialHosts
from testbed.theory.wire import FRAME_HEADERS, SEGMENT_PAYLOAD
from testbed.values.captures import HEADERS, PlannedCapture, capture_bytes

SECONDS_PER_PACKET: Final = 3e-6
"""Of a processor, for a packet of which the headers are kept; with the kernel's part of the work."""
SECONDS_PER_BYTE: Final = 1.5e-9
"""More, for what is kept besides the headers. Both measured by benchmarks/capture.py, and rounded up."""
PACKETS_PER_DATA: Final = 1.5
"""There are acknowledgements too: one for two packets of data at least."""
ONE_SEGMENT_RATE: Final = 48_000_000
"""On faster links a packet may be a super-packet of many segments, of which only the first is kept."""
LARGEST_PAYLOAD: Final = 65_536
LIMITED_SHARE: Final = 0.5
"""At least this part of a full file is payload, which compression does not make smaller."""


@dataclass(frozen=True)
class Captures:
    """What captures take at least; nothing is known before of what passes a filter."""

    places: int = 0
    """Hosts and cores; there is one core at least."""
    kept: int = 0
    """Payload in their files, which are hardly smaller when they are compressed, as payload is random."""
    processors: float = 0.0
    """The share of one that they are likely to take while all links are busy."""

    @property
    def memory(self) -> int:
        """What they take of it."""
        return capture_bytes(self.places)


def captures_of(settings: Settings, hosts: TrialHosts, most: int, packets_per_second: float) -> Captures:
    """Return what the captures of a trial take; at most so many bytes, and so many packets of data, enter the core."""
    wanted = settings.capture
    if wanted is None:
        return Captures()
    names = frozenset(wanted.chosen(_groups(hosts)))
    places = len(names) + wanted.core
    if wanted.filter:
        return Captures(places)
    everything = _received(hosts.peers, settings.file_size)
    passes = [
        _received([peer for peer in hosts.peers if peer.name in names], settings.file_size),
        _sent(names, hosts, settings.file_size, everything),
        everything if wanted.core else 0,
    ]
    copies = sum(passes) / everything if everything else 0.0
    return Captures(
        places,
        _kept(wanted, places, sum(min(most, seen) for seen in passes) * _kept_share(wanted.snaplen, hosts)),
        packets_per_second * PACKETS_PER_DATA * copies * _seconds_per_packet(wanted.snaplen),
    )


def _groups(hosts: TrialHosts) -> dict[str, str]:
    servers = {server.name: "servers" for server in hosts.servers}
    return {name: servers.get(name) or hosts.groups.get(name, name) for name in hosts.positions}


def _received(peers: Iterable[PlannedPeer], file_size: int) -> int:
    return sum(round(file_size * (1 - peer.held)) for peer in peers)


def _sent(names: frozenset[str], hosts: TrialHosts, file_size: int, received: int) -> int:
    """Return what these hosts send at least: all of them what is received, and all servers the file once."""
    if names.issuperset(hosts.positions):
        return received
    return file_size if names.issuperset(server.name for server in hosts.servers) else 0


def _kept_share(snaplen: int, hosts: TrialHosts) -> float:
    """Return which part of the payload is kept at least."""
    is_slow = all(
        host.up is not None and host.up <= ONE_SEGMENT_RATE for host in hosts.all if host not in hosts.introducers
    )
    carried = SEGMENT_PAYLOAD if is_slow else LARGEST_PAYLOAD
    return min(1.0, (snaplen - FRAME_HEADERS) / carried)


def _kept(wanted: PlannedCapture, places: int, payload: float) -> int:
    if wanted.size_limit is None:
        return int(payload)
    full = max(1, wanted.files - 1)  # the newest of several may have just begun
    return int(min(payload, places * full * wanted.size_limit * LIMITED_SHARE))


def _seconds_per_packet(snaplen: int) -> float:
    more = max(0, min(snaplen, SEGMENT_PAYLOAD) - HEADERS)
    return SECONDS_PER_PACKET + more * SECONDS_PER_BYTE
