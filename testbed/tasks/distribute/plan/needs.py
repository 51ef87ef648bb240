"""What a distribution needs of the machine at least. All constants are measured, and rounded down."""

from collections.abc import Iterable
from math import ceil
from typing import Final

from testbed.tasks.distribute.plan.captures import captures_of
from testbed.tasks.distribute.plan.records import PlannedPeer, Settings, TrialHosts
from testbed.tasks.task import Needs
from testbed.values.costs import MIB
from testbed.values.records import Estimate

PROGRAM_MIB: Final = {"bittorrent": 9, "client-server": 6, "fluid": 6}
"""Memory that a program shares with no other: 12 MiB in swarms of 20 to 300 peers, 8 with 60 clients, 9 in fluid."""

PROGRAM_THREADS: Final = 5
"""One of Python and four of uvloop; a BitTorrent client has one more, which verifies pieces."""

OTHER_CLIENT_MIB: Final = 16
"""The same for another client with the program that watches it: 17 MiB for Transmission, and more for all others."""
OTHER_CLIENT_THREADS: Final = 8
"""Of both; Transmission has three, and ours one more than an own client, to ask it."""

PIECE_BYTES: Final = 1000
"""What a BitTorrent client knows of a piece: 1270 bytes with ten neighbours and 32768 pieces."""

BLOCK: Final = 16 * 1024
BLOCK_TRACE_BYTES: Final = 600
BLOCK_KEPT_BYTES: Final = 40
"""Of the lines about a block that is received, at `trace_level: full`: 730 bytes, and 55 of them compressed."""


def needs_of(settings: Settings, hosts: TrialHosts, estimate: Estimate) -> Needs:
    """Return what a trial needs at least: all its peers complete, or its links are busy until the time limit."""
    others = 0
    if settings.distribution == "bittorrent":
        others = sum(not host.is_ours for host in (*hosts.servers, *hosts.peers))
    programs = len(hosts.positions) - others
    most = round(settings.time_limit * estimate.bits_per_second / 8)
    captured = captures_of(settings, hosts, most, estimate.packets_per_second)
    received = min(most, _received(hosts.peers, settings.file_size))
    blocks = received // BLOCK if settings.trace_level == "full" and settings.distribution == "bittorrent" else 0
    return Needs(
        memory=programs * _program_bytes(settings) + others * OTHER_CLIENT_MIB * MIB + captured.memory,
        threads=programs * PROGRAM_THREADS + others * OTHER_CLIENT_THREADS + captured.places,
        traces=blocks * BLOCK_TRACE_BYTES,
        copies=others * settings.file_size,
        shared_file=settings.file_size,
        kept=blocks * BLOCK_KEPT_BYTES + captured.kept,
        capturing=captured.processors,
    )


def _program_bytes(settings: Settings) -> int:
    pieces = ceil(settings.file_size / settings.piece_length) if settings.distribution == "bittorrent" else 0
    return PROGRAM_MIB[settings.distribution] * MIB + pieces * PIECE_BYTES


def _received(peers: Iterable[PlannedPeer], file_size: int) -> int:
    return sum(round(file_size * (1 - peer.held)) for peer in peers)
