"""How likely it is that all k nodes closest to a key are attackers, if ids follow from addresses (BEP 42).

    .venv/bin/python -m benchmarks.overlays.kademlia_attacks --honest 60 1000 --attackers 8 20 60
    .venv/bin/python -m benchmarks.overlays.kademlia_attacks --honest 1000000 --attackers 1000000 --draws 0

The law: the eight ids of an address are one in each eighth of the space, as the three bits change the first three of
the checksum in eight ways. So the closest of them is at a distance x, of a space of length 1, that is uniform up to
1/8. The closest of N honest nodes is farther than x with the chance (1 - x)^N, and the key is lost if k of S attackers
are closer than that. Many attackers are as dense as 8 S nodes: the chance comes near (8 S / (8 S + N))^k.

Drawn: honest ids are uniform, and each attacker takes the closest id that its address may have. Addresses are from
anywhere, or neighbours in one subnet, drawn again for each key.
"""

import argparse
from bisect import bisect_left
from collections.abc import Callable, Sequence
from functools import partial
from ipaddress import IPv4Address
from math import comb
from random import Random
from statistics import mean

from benchmarks.clients import markdown
from peer.overlays.kademlia.ids import BITS, closest_secure_id
from peer.overlays.kademlia.parameters import DEFAULT

CHOICES = 8
"""Ids of each address, but for what nothing depends on."""
MOST = 1 << 24
STEPS = 1000


def chance(honest: int, attackers: int, k: int) -> float:
    """Return the law's chance that all k closest are attackers: the mean over the distance of the closest other."""
    return mean(
        _at_least(k, attackers, min(CHOICES * (1 - ((step + 0.5) / STEPS) ** (1 / honest)), 1.0))
        for step in range(STEPS)
    )


def _at_least(k: int, count: int, part: float) -> float:
    """Return the chance that at least k of some are there, each with the same chance."""
    if part >= 1 or count < k:
        return float(count >= k)
    return 1 - sum(comb(count, i) * part**i * (1 - part) ** (count - i) for i in range(k))


def needed(honest: int, k: int, wanted: float) -> int:
    """Return how many attackers have this chance."""
    return bisect_left(range(MOST), wanted, key=lambda attackers: chance(honest, attackers, k))


def drawn(honest: int, places: Callable[[], Sequence[str]], k: int, draws: int, rng: Random) -> float:
    """Return the part of drawn keys whose k closest nodes are all attackers; `places` draws where these are."""
    return sum(_is_lost(honest, places(), k, rng) for _ in range(draws)) / draws


def _is_lost(honest: int, hosts: Sequence[str], k: int, rng: Random) -> bool:
    key = rng.getrandbits(BITS)
    nearest = (1 - rng.random() ** (1 / honest)) * 2**BITS  # the least of so many uniform numbers
    return sum(closest_secure_id(key, host) ^ key < nearest for host in hosts) >= k


def neighbours(count: int, rng: Random) -> list[str]:
    """Draw a subnet, and return its first addresses."""
    first = rng.getrandbits(16) << 16
    return [str(IPv4Address(first + number)) for number in range(1, count + 1)]


def anywhere(count: int, rng: Random) -> list[str]:
    """Draw addresses."""
    return [str(IPv4Address(rng.getrandbits(32))) for _ in range(count)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--honest", type=int, nargs="+", default=[60])
    parser.add_argument("--attackers", type=int, nargs="+", default=[8, 20])
    parser.add_argument("--k", type=int, default=DEFAULT.k)
    parser.add_argument("--draws", type=int, default=1000, help="0: the law alone")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    rng, k = Random(chosen.seed), chosen.k
    rows = [_row(honest, attackers, k, chosen.draws, rng) for honest in chosen.honest for attackers in chosen.attackers]
    print(markdown(["honest", "attackers", "law", "drawn, anywhere", "drawn, neighbours", "for one half"], rows))


def _row(honest: int, attackers: int, k: int, draws: int, rng: Random) -> list[str]:
    places = [partial(place, attackers, rng) for place in (anywhere, neighbours)] if draws else []
    found = [f"{drawn(honest, place, k, draws, rng):.1%}" for place in places] or ["", ""]
    law = f"{chance(honest, attackers, k):.2%}"
    return [f"{honest:,}", f"{attackers:,}", law, *found, f"{needed(honest, k, 0.5):,}"]


if __name__ == "__main__":
    main()
