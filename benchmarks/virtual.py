"""How near a swarm comes to the bound in virtual time, by profile, without a network or the machine's influence.

    .venv/bin/python -m benchmarks.virtual --profile course testbed --n 5 10 20 40 [--strict] [--repeat 3] [--whole]
    .venv/bin/python -m benchmarks.virtual --seed-strategy swift --leech-strategy tit-for-tat

The swarms of benchmarks/swarm.py on links that are arithmetic (peer/simulation/swarm.py). All bytes are payload there,
so the bound is not corrected for headers. With 40 leeches or more, the rates and the file are half of those with fewer,
unless `--whole` asks for the work of experiments/clients.yaml. With `--at-once 0`, all neighbours are sent blocks
at the same time.

time / bound    when the last peer completes, over the bound
seed copies     how often the seed sent the file
mean / bound    the peers' mean completion time, over the bound
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import mean

from benchmarks.clients import markdown, spread
from peer.bittorrent.engine.profile import PROFILES, Profile
from peer.bittorrent.strategies.registry import STRATEGIES
from peer.simulation.swarm import VirtualSwarm, virtual_torrent

PIECE = 128 << 10
LATENCY = 0.002


@dataclass(frozen=True)
class Setting:
    """What is distributed, over which links (bytes/s)."""

    pieces: int
    seed_up: float
    up: float
    down: float

    def bound(self, n: int) -> float:
        """Return the least time in which it can be done."""
        length = self.pieces * PIECE
        return max(length / self.seed_up, length / self.down, n * length / (self.seed_up + n * self.up))


WHOLE = Setting(pieces=256, seed_up=2e6, up=1e6, down=3e6)
"""Of experiments/clients.yaml."""


def usual(n: int) -> Setting:
    """Return the setting of benchmarks/swarm.py: for many leeches half of everything, which takes as long."""
    return Setting(WHOLE.pieces // 2, WHOLE.seed_up / 2, WHOLE.up / 2, WHOLE.down / 2) if n >= 40 else WHOLE


def ratio(
    profile: Profile, n: int, seed: int, strategies: tuple[str, str], setting: Setting | None = None
) -> tuple[float, float, float]:
    """Distribute once; return the time over the bound, the seed's copies, and the mean time over the bound."""
    links = setting or usual(n)
    swarm = VirtualSwarm(virtual_torrent(links.pieces, PIECE), profile=profile, seed=seed, latency=LATENCY)
    source = swarm.add("seed", up=links.seed_up, is_seed=True, strategy=strategies[0])
    leeches = [swarm.add(f"l{number}", up=links.up, down=links.down, strategy=strategies[1]) for number in range(n)]
    took, length, bound = swarm.run_until_all_complete(), swarm.info.length, links.bound(n)
    average = mean(leech.completed_at or 0 for leech in leeches)
    return took / bound, source.session.sent_bytes / length, average / bound


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", nargs="+", choices=list(PROFILES), default=["course", "testbed"])
    parser.add_argument("--n", nargs="+", type=int, default=[5, 10, 20, 40], help="numbers of leeches")
    parser.add_argument("--repeat", type=int, default=3, help="number of runs, each with its own random seed")
    parser.add_argument("--strict", action="store_true", help="give every profile strict priority")
    parser.add_argument("--at-once", type=int, help="how many neighbours are sent blocks at a time; 0 is all of them")
    parser.add_argument("--whole", action="store_true", help="the whole rates and file for 40 leeches and more, too")
    parser.add_argument("--seed-strategy", choices=list(STRATEGIES), default="tit-for-tat")
    parser.add_argument("--leech-strategy", choices=list(STRATEGIES), default="tit-for-tat")
    chosen = parser.parse_args(arguments)
    strategies = (chosen.seed_strategy, chosen.leech_strategy)
    rows = []
    for name in chosen.profile:
        profile = PROFILES[name]
        profile = replace(profile, strict_priority=True) if chosen.strict else profile
        profile = profile if chosen.at_once is None else replace(profile, served_at_once=chosen.at_once)
        for n in chosen.n:
            seeds = range(1, chosen.repeat + 1)
            runs = [ratio(profile, n, seed, strategies, WHOLE if chosen.whole else None) for seed in seeds]
            times, copies, means = zip(*runs, strict=True)
            rows.append([name, n, spread(times, 3), spread(copies), spread(means, 3)])
    print(markdown(["profile", "N", "time / bound", "seed copies", "mean / bound"], rows))


if __name__ == "__main__":
    main()
