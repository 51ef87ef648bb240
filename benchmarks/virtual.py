"""How near a swarm comes to the bound in virtual time: what profiles make of it, without a network or a machine.

    .venv/bin/python -m benchmarks.virtual --profile course testbed --n 5 10 20 40 [--strict] [--repeat 3]

The swarms of benchmarks/swarm.py over links that are arithmetic (tests/peer/swarm/virtual.py), where all bytes are
payload: the bound is not corrected for headers. --strict gives every profile strict priority.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace

from benchmarks.clients import markdown, spread
from peer.swarm.profile import PROFILES, Profile
from tests.peer.swarm.virtual import VirtualSwarm, a_torrent

PIECE = 128 << 10
LATENCY = 0.002


def ratio(profile: Profile, n: int, seed: int) -> tuple[float, float]:
    """Distribute once; returns the time over the bound, and the copies that the seed sent."""
    half = 2 if n >= 40 else 1
    seed_up, up, down = 2e6 / half, 1e6 / half, 3e6 / half
    swarm = VirtualSwarm(a_torrent(256 // half, PIECE), profile=profile, seed=seed, latency=LATENCY)
    source = swarm.add("seed", up=seed_up, is_seed=True)
    for number in range(n):
        swarm.add(f"l{number}", up=up, down=down)
    took, length = swarm.run_until_all_complete(), swarm.info.length
    bound = max(length / seed_up, length / down, n * length / (seed_up + n * up))
    return took / bound, source.session.sent_bytes / length


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", nargs="+", choices=list(PROFILES), default=["course", "testbed"])
    parser.add_argument("--n", nargs="+", type=int, default=[5, 10, 20, 40])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--strict", action="store_true")
    chosen = parser.parse_args(arguments)
    rows = []
    for name in chosen.profile:
        profile = PROFILES[name]
        profile = replace(profile, strict_priority=True) if chosen.strict else profile
        for n in chosen.n:
            runs = [ratio(profile, n, seed) for seed in range(1, chosen.repeat + 1)]
            rows.append([name, n, spread([run[0] for run in runs], 3), spread([run[1] for run in runs])])
    print(markdown(["profile", "N", "time / bound", "seed copies"], rows))


if __name__ == "__main__":
    main()
