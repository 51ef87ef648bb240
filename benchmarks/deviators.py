"""What deviators gain in virtual time, and what it costs the others: the same peers with and without a strategy.

    .venv/bin/python -m benchmarks.deviators bitthief large-view "whitewash periods=2" [--profile bep3] [--repeat 6]

A flash crowd of standard clients, in which one peer or several follow the strategy. Each repetition runs twice: with
the deviators, and with standard clients in their place.

gain            download time as standard clients / as deviators; above 1 the strategy pays
cost to others  the others' download time with deviators / without; above 1 the others pay

A deviator without the file after three times the others' time counts with that time. Links are arithmetic
(peer/simulation/swarm.py). Cells are median (minimum - maximum).
"""

import argparse
from collections.abc import Sequence
from statistics import mean
from typing import Any

from benchmarks.clients import markdown, spread
from peer.bittorrent.engine.profile import PROFILES
from peer.simulation.swarm import VirtualPeer, VirtualSwarm, virtual_torrent

KIB = 1024
LIMIT = 2_000.0
PATIENCE = 3
"""How long to wait for the deviators, as a multiple of the others' time."""


def downloads(arguments: argparse.Namespace, choice: str, seed: int) -> tuple[float, float]:
    """Distribute once; return the mean download times of the deviators and of the others."""
    strategy, *settings = choice.split()
    parameters = {name: as_parameter(value) for name, _, value in (each.partition("=") for each in settings)}
    profile = PROFILES[arguments.profile].scaled(arguments.time_scale)
    swarm = VirtualSwarm(virtual_torrent(arguments.pieces, 64 * KIB), profile=profile, seed=seed)
    swarm.add("seed", up=arguments.seed_up * KIB, is_seed=True)
    ordinary: dict[str, Any] = {} if arguments.neighbours is None else {"neighbours": arguments.neighbours}
    leech = {"up": 128 * KIB, "down": arguments.down * KIB, **ordinary}
    others = [swarm.add(f"leech {n}", **leech) for n in range(arguments.n - arguments.deviators)]
    mine = ordinary | parameters if strategy == "tit-for-tat" else parameters
    deviator = {"up": 128 * KIB, "down": 1024 * KIB, "strategy": strategy, **mine}
    deviators = [swarm.add(f"other {n}", **deviator) for n in range(arguments.deviators)]
    swarm.run(LIMIT, stop=lambda: all(map(_is_done, others)))
    swarm.run(PATIENCE * swarm.now, stop=lambda: all(map(_is_done, deviators)))
    return mean(_took(each, swarm.now) for each in deviators), mean(_took(each, swarm.now) for each in others)


def _is_done(peer: VirtualPeer) -> bool:
    return peer.completed_at is not None


def _took(peer: VirtualPeer, now: float) -> float:
    return now if peer.completed_at is None else peer.completed_at


def as_parameter(text: str) -> object:
    """Read the value of a strategy's parameter: a boolean, a number, or text."""
    if text in {"true", "false"}:
        return text == "true"
    try:
        return float(text) if "." in text else int(text)
    except ValueError:
        return text


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "strategies", nargs="+", metavar="STRATEGY", help="a strategy's name, and its parameters as NAME=VALUE"
    )
    parser.add_argument("--profile", choices=list(PROFILES), default="course")
    parser.add_argument("--time-scale", type=float, default=10, dest="time_scale", help="divides the profile's periods")
    parser.add_argument("--n", type=int, default=24, help="number of leeches, including deviators")
    parser.add_argument("--deviators", type=int, default=1, help="number of deviators")
    parser.add_argument("--pieces", type=int, default=96, help="number of pieces, of 64 KiB each")
    parser.add_argument("--seed-up", type=float, default=512, dest="seed_up", help="uplink of the seed in KiB/s")
    parser.add_argument("--down", type=float, default=1024, help="downlink of a standard client in KiB/s")
    parser.add_argument("--neighbours", type=int, help="most neighbours of a standard client")
    parser.add_argument("--repeat", type=int, default=6, help="number of runs, each with its own random seed")
    chosen = parser.parse_args(arguments)
    seeds = range(1, chosen.repeat + 1)
    standard = [downloads(chosen, "tit-for-tat", seed) for seed in seeds]
    rows = []
    for choice in chosen.strategies:
        runs = [downloads(chosen, choice, seed) for seed in seeds]
        gains = [before[0] / after[0] for before, after in zip(standard, runs, strict=True)]
        costs = [after[1] / before[1] for before, after in zip(standard, runs, strict=True)]
        rows.append([choice, spread(gains), spread(costs, 3)])
    print(markdown(["strategy", "gain", "cost to others"], rows))


if __name__ == "__main__":
    main()
