"""How far a question goes, in numbers: the arithmetic of dynamic queries, and of floods."""


def hosts_within(degree: int, ttl: int) -> int:
    """Return how many ultrapeers a question to one of them reaches, if nobody hears it twice (Fisk, 2.5.2.2)."""
    return sum((degree - 1) ** hop for hop in range(ttl))


def flood_bound(degree: int, ttl: int) -> int:
    """Return how many servents a flood reaches at most, where all have this many neighbours: sum c(c-1)^(h-1)."""
    return degree * hosts_within(degree, ttl)


def flood_messages(nodes: int, edges: int) -> int:
    """Return how many messages a flood takes that reaches everybody before its TTL ends.

    Everyone but the first sends it to all neighbours but one, so that each edge but N - 1 of them carries it twice.
    """
    return 2 * edges - (nodes - 1)


def next_ttl(results: int, asked: int, *, needed: int, links: int, degree: int, most: int) -> int:
    """Return the TTL for the next neighbour, from what those who were asked have answered (Fisk, 2.5.2.1).

    `asked` is how many ultrapeers were reached in theory, `links` how many neighbours are left.
    """
    if results <= 0:
        return most
    hosts = needed * asked / results / max(links, 1)
    return next((ttl for ttl in range(1, most) if hosts_within(degree, ttl) >= hosts), most)
