"""What theory says of searches in overlays: pure functions of sizes. docs/find/README.md explains them."""

from math import log2


def flood_bound(neighbours: float, ttl: int) -> float:
    """Return the most messages that a flooded question can cause: c + c(c - 1) + ... + c(c - 1)^(ttl - 1).

    It is reached where nobody is reached twice, as in a tree.
    """
    return sum(neighbours * (neighbours - 1) ** hop for hop in range(ttl))


def flood_messages(nodes: int, neighbours: float, ttl: int) -> float:
    """Return the most messages of a flood among some nodes.

    The one who asks sends to all its neighbours, and each other node, which acts once, to all but one of its own.
    """
    everywhere = neighbours + max(nodes - 1, 0) * max(neighbours - 1, 0.0)
    return min(flood_bound(neighbours, ttl), everywhere)


def chord_hops(nodes: int) -> float:
    """Return the mean hops of a lookup in a stable ring: half of log2 N."""
    return log2(nodes) / 2 if nodes > 1 else 0.0


def halving_hops(nodes: int) -> float:
    """Return the most hops of a lookup that halves the distance to its goal with each: log2 N."""
    return log2(nodes) if nodes > 1 else 0.0


def chord_entries(nodes: int) -> float:
    """Return how many different fingers a node of a stable ring has: log2 N."""
    return log2(nodes) if nodes > 1 else 0.0


def kademlia_entries(nodes: int, bucket: int) -> float:
    """Return the most contacts in full buckets of a tree of N nodes: k for each halving, until k are left."""
    if nodes <= bucket + 1:
        return float(max(nodes - 1, 0))
    return bucket * (log2(nodes / bucket) + 1)


DIRECTORY_MESSAGES = 2.0
"""A question to a directory, and the end of its answers."""
DIRECTORY_HOPS = 1.0
