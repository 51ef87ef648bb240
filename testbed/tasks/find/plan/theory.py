"""The laws that apply to a trial, and what it is likely to take."""

from collections.abc import Callable, Mapping
from math import log2
from typing import Final

from testbed.tasks.find.plan import laws
from testbed.tasks.find.plan.content import draw_catalogue
from testbed.tasks.find.plan.records import FindHosts, FindSettings, FindTheory

TTL: Final = "search.ttl"
DEFAULT_TTL: Final = 7
DEFAULT_BUCKET: Final = 8
"""What programs have where an experiment says nothing else."""


def theory_of(settings: FindSettings, hosts: FindHosts) -> FindTheory:
    """Calculate what the laws of the overlay say of a trial."""
    law = _LAWS.get(settings.overlay.name)
    if law is None:
        return FindTheory(hops=None, messages=None, entries=None, directory_entries=None)
    return law(settings, hosts)


def population(settings: FindSettings, hosts: FindHosts) -> int:
    """Return how many nodes are there in the middle of the time in which they ask."""
    queries = settings.queries
    return sum(node.is_there((queries.begin + queries.end) / 2) for node in hosts.nodes)


def number_of(settings: FindSettings, name: str, default: int) -> int:
    """Return a parameter of the overlay that is a whole number, by its path such as search.ttl."""
    value: object = settings.overlay.parameters
    for key in name.split("."):
        value = value.get(key, default) if isinstance(value, dict) else default
    return value if isinstance(value, int) and not isinstance(value, bool) else default


def _napster(settings: FindSettings, hosts: FindHosts) -> FindTheory:
    copies = draw_catalogue(settings.content, hosts).copies / max(len(hosts.directories), 1)
    return FindTheory(
        hops=laws.DIRECTORY_HOPS, messages=laws.DIRECTORY_MESSAGES, entries=None, directory_entries=copies
    )


def _gnutella(settings: FindSettings, _hosts: FindHosts) -> FindTheory:
    """The messages of a flood depend on the neighbours that nodes turn out to have."""
    return FindTheory(hops=number_of(settings, TTL, DEFAULT_TTL), messages=None, entries=None, directory_entries=None)


def _chord(settings: FindSettings, hosts: FindHosts) -> FindTheory:
    count = population(settings, hosts)
    hops = laws.chord_hops(count)
    return FindTheory(hops=hops, messages=2 * hops, entries=laws.chord_entries(count), directory_entries=None)


def _kademlia(settings: FindSettings, hosts: FindHosts) -> FindTheory:
    count, bucket = population(settings, hosts), number_of(settings, "k", DEFAULT_BUCKET)
    return FindTheory(
        hops=laws.halving_hops(count),
        messages=None,
        entries=laws.kademlia_entries(count, bucket),
        directory_entries=None,
    )


_LAWS: Final[Mapping[str, Callable[[FindSettings, FindHosts], FindTheory]]] = {
    "napster": _napster,
    "gnutella": _gnutella,
    "chord": _chord,
    "kademlia": _kademlia,
}


def likely_messages(settings: FindSettings, nodes: int) -> float:
    """Return how many messages a search is likely to cause, for planning only."""
    if settings.overlay.name == "napster":
        return 4.0
    if settings.overlay.name == "gnutella":
        return 4.0 * nodes
    return 6.0 * log2(nodes + 1)
