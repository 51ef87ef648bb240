"""Random regular graphs, and what a flood on one costs."""

from collections.abc import Iterable
from random import Random

Edge = tuple[int, int]


def regular(nodes: int, degree: int, rng: Random) -> list[Edge]:
    """Draw a graph in which all have the same number of neighbours: pairs of stubs, with bad ones exchanged."""
    stubs = [number for number in range(nodes) for _ in range(degree)]
    rng.shuffle(stubs)
    edges = list(zip(stubs[::2], stubs[1::2], strict=True))
    while bad := bad_edges(edges):
        for at in bad:
            other = rng.randrange(len(edges))
            (a, b), (c, d) = edges[at], edges[other]
            edges[at], edges[other] = (a, d), (c, b)
    return edges


def bad_edges(edges: list[Edge]) -> list[int]:
    """Return the places of loops, and of edges that are there twice."""
    seen: set[frozenset[int]] = set()
    bad = []
    for at, edge in enumerate(edges):
        key = frozenset(edge)
        if len(key) == 1 or key in seen:
            bad.append(at)
        seen.add(key)
    return bad


def neighbours_of(edges: Iterable[Edge]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for one, other in edges:
        found.setdefault(one, []).append(other)
        found.setdefault(other, []).append(one)
    return found


def shells(neighbours: dict[int, list[int]], source: int, most: int) -> list[list[int]]:
    """Return who is at distance 0, 1, ... up to `most`."""
    found, seen = [[source]], {source}
    for _ in range(most):
        shell = list(dict.fromkeys(each for one in found[-1] for each in neighbours[one] if each not in seen))
        seen.update(shell)
        found.append(shell)
    return found


def flood_on(neighbours: dict[int, list[int]], source: int, ttl: int) -> int:
    """Return the questions of a flood: the source asks all, and whoever is nearer than the TTL all but one."""
    first, *others = shells(neighbours, source, ttl - 1)
    return len(neighbours[first[0]]) + sum(len(neighbours[each]) - 1 for shell in others for each in shell)


def expected_shells(nodes: int, degree: int, most: int) -> list[float]:
    """Return how many are at distance 0, 1, ... up to `most` on a random graph in which all have the same degree.

    In a tree that is c(c - 1)^(h - 1). Here edges of a shell also lead to each other, and two of them to one node: each
    end meets a drawn one of the ends that are free, so that a node is not reached if none of its own is met.
    """
    found, missing, ends = [1.0, float(degree)], float(nodes - 1 - degree), float(degree * (degree - 1))
    while len(found) <= most:
        missed = 1 - ends / max(ends + degree * missing - 1, ends, 1.0)
        fresh = missing * (1 - missed**degree)
        ends = degree * (missing * missed - (missing - fresh))
        missing -= fresh
        found.append(fresh)
    return found[: most + 1]


def expected_flood(nodes: int, degree: int, ttl: int) -> float:
    """Return the questions of a flood on such a graph."""
    reached = expected_shells(nodes, degree, ttl - 1)
    return degree + (degree - 1) * sum(reached[1:])
