"""What a search for content takes of the machine, and how long."""

from typing import Final

from testbed.tasks.find.plan.records import FindHosts, FindSettings, FindTheory
from testbed.tasks.find.plan.theory import likely_messages, population
from testbed.tasks.task import Needs
from testbed.values.captures import capture_bytes
from testbed.values.costs import MIB
from testbed.values.records import Estimate

PROGRAM_MIB: Final = 6
"""Memory that a program shares with no other: rounded down."""
PROGRAM_THREADS: Final = 1
"""Of Python; uvloop's start when they are needed."""

SET_UP_SECONDS: Final = 2.0
SECONDS_PER_HOST: Final = 0.05
"""To build the network, start programs and collect what they wrote."""
LAST_ANSWER_SECONDS: Final = 5.0
"""How long the last search is likely to take."""

SKEW: Final = 2.0
"""How much longer downloads take than if all uplinks of those who share were busy all the time."""

MESSAGE_BITS: Final = 8 * 150
SEGMENT_BITS: Final = 8 * 1448
UPKEEP_MESSAGES: Final = 1.0
"""Of a node in a second."""


def estimate(settings: FindSettings, hosts: FindHosts, _theory: FindTheory) -> Estimate:
    """Estimate a trial: it ends when the last search has ended."""
    queries, nodes = settings.queries, population(settings, hosts)
    rate = queries.total_rate or (queries.rate or 0.0) * sum(node.asks for node in hosts.nodes)
    messages = rate * likely_messages(settings, nodes) + nodes * UPKEEP_MESSAGES
    content = rate * settings.content.size * 8 if settings.downloads else 0.0
    uplinks = _uplinks(hosts)
    ended = max(queries.end + LAST_ANSWER_SECONDS, queries.begin + _moving(settings, content, uplinks))
    moved = min(content, uplinks)
    return Estimate(
        seconds=min(settings.time_limit, ended) + SET_UP_SECONDS + SECONDS_PER_HOST * len(hosts.positions),
        bits_per_second=messages * MESSAGE_BITS + moved,
        packets_per_second=messages + moved / SEGMENT_BITS,
    )


def _uplinks(hosts: FindHosts) -> float:
    """Return what all who share can give together, in bit/s."""
    return float(sum(node.up or 0 for node in hosts.nodes if node.shares))


def _moving(settings: FindSettings, content: float, uplinks: float) -> float:
    """Return how long downloads are likely to take, of content that is asked for at a rate in bit/s."""
    queries = settings.queries
    return SKEW * content * (queries.end - queries.begin) / uplinks if uplinks else 0.0


def needs_of(settings: FindSettings, hosts: FindHosts, _estimate: Estimate) -> Needs:
    """Return what a trial needs at least."""
    programs = len(hosts.positions)
    captured = _captured_places(settings, hosts)
    return Needs(
        memory=programs * PROGRAM_MIB * MIB + capture_bytes(captured),
        threads=programs * PROGRAM_THREADS + captured,
        traces=0,
        copies=0,
        shared_file=0,
        kept=0,
    )


def _captured_places(settings: FindSettings, hosts: FindHosts) -> int:
    wanted = settings.capture
    if wanted is None:
        return 0
    groups = {name: hosts.groups.get(name, "directory") for name in hosts.positions}
    return len(wanted.chosen(groups)) + wanted.core
