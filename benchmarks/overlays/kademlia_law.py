"""What hops, table sizes and questions should be, from ranks alone: no messages, no buckets, no node.

Hops follow a chain in the manner of Roos, Salah and Strufe ("Comprehending Kademlia routing", 2013), in ranks: the node
of rank r is the r-th closest to the target of all N. It knows k drawn nodes of the part of the space that the target is
in and it is not, which has about half of the nodes that are closer than it. Each round asks the alpha best that were
not asked, and adds what they know. A search is over when one of the k best is asked, since these keep the values.

So a round wins one bit for the half, and H_k / ln 2 - 1/2 bits on average for the best of k: 4.4 bits together for
k = 8, 5.7 for k = 20, and a little more for alpha > 1. Hops grow as log2(N / k) / 4.4. The paper's bound, log2 N, has
each round win one bit; Cai and Devroye (2013) prove c log N with high probability, with a constant c.
"""

from math import comb, floor, log2
from random import Random
from statistics import mean

ROUNDS = 4_000


def hops(n: int, k: int, alpha: int, seed: int = 1) -> float:
    """Return the mean number of rounds until a node that keeps the values is asked."""
    rng = Random(seed)
    return mean(_rounds(n, k, alpha, rng) for _ in range(ROUNDS))


def _rounds(n: int, k: int, alpha: int, rng: Random) -> int:
    """Follow one search; the rank of its first node is drawn, and 0 rounds mean that it keeps the values itself."""
    own = rng.randint(1, n)
    if own <= k:
        return 0
    known, asked, rounds = set(_known_by(own, n, k, rng)), set[int](), 0
    while True:
        rounds += 1
        chosen = sorted(known - asked)[:alpha]
        if not chosen or chosen[0] <= k:
            return rounds
        asked.update(chosen)
        for rank in chosen:
            known.update(_known_by(rank, n, k, rng))


def _known_by(rank: int, n: int, k: int, rng: Random) -> list[int]:
    """Draw the ranks of the nodes that one names: k of those closer to the target than its own part of the space."""
    shared = floor(log2(n / rank))
    closer = max(floor(n / 2 ** (shared + 1)), k)
    return rng.sample(range(1, closer + 1), k)


def entries(n: int, k: int) -> float:
    """Return the mean size of a full table: of each bucket's nodes, whose number is drawn, at most k."""
    return sum(_at_most(n - 1, 2.0 ** -(bits + 1), k) for bits in range(60))


def _at_most(n: int, share: float, k: int) -> float:
    """Return the mean of min(k, X) for X of n nodes that are each there with the probability `share`."""
    few = sum((k - x) * comb(n, x) * share**x * (1 - share) ** (n - x) for x in range(min(k, n + 1)))
    return k - few


def messages(k: int, alpha: int, mean_hops: float, *, ends_at_values: bool) -> float:
    """Return the questions of a search and their answers: alpha on each hop, but for the k closest at the end."""
    return 2 * alpha * mean_hops if ends_at_values else 2 * (k + alpha * max(mean_hops - 1, 0))
