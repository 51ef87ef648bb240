"""One peer with another strategy than all others, or a whole swarm with one strategy, in virtual time.

    .venv/bin/python -m benchmarks.bandwidths --strategy bittyrant propshare --comes 5
    .venv/bin/python -m benchmarks.bandwidths --strategy tit-for-tat bittyrant --others propshare --up 450 --comes 5
    .venv/bin/python -m benchmarks.bandwidths --whole tit-for-tat bittyrant bittyrant,excess=withheld propshare
    .venv/bin/python -m benchmarks.bandwidths --up 450 --classes 450x32 --comes 5

The swarm of experiments/bittyrant.yaml on links that are arithmetic (peer/simulation/swarm.py): a server of 1500 kB/s,
and 24 peers of 150 kB/s, 6 of 450 and 2 of 1500, which leave when they have the file of 5 MiB. Periods are a twentieth
of the profile's. A strategy may have parameters: name,key=value.

gain             the peer's download time with the others' strategy / with its own; median (minimum - maximum)
mean and error   geometric mean of the gain, plus and minus two standard errors
sent / received  with the others' strategy -> with its own
others' times    mean change of the other peers' download times
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from random import Random
from statistics import mean, stdev

from benchmarks.clients import markdown, spread
from benchmarks.deviators import as_parameter
from peer.bittorrent.engine.profile import PROFILES
from peer.simulation.swarm import VirtualPeer, VirtualSwarm, virtual_torrent

KB = 1_000
LIMIT = 400.0


@dataclass(frozen=True)
class StrategyChoice:
    """A strategy and its parameters."""

    name: str
    parameters: Mapping[str, object]

    @classmethod
    def read(cls, text: str) -> "StrategyChoice":
        name, *settings = text.split(",")
        return cls(name, {key: as_parameter(value) for key, _, value in (each.partition("=") for each in settings)})

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{key}={value}" for key, value in self.parameters.items())])


@dataclass(frozen=True)
class Setting:
    """The swarm around the deviator: whatever may decide whether its strategy pays."""

    classes: Sequence[tuple[int, int]]  # uplink in kB/s, and number of peers
    server: int  # kB/s
    pieces: int
    arrivals: float  # the others arrive within this many seconds; 0: all at once
    joins_at: float  # when the deviator arrives
    scale: float
    profile: str
    departure: str


class Run:
    """One swarm, run until all peers have the file."""

    def __init__(
        self, setting: Setting, others: StrategyChoice, seed: int, deviator: tuple[StrategyChoice, int] | None = None
    ) -> None:
        self._setting = setting
        self._arrivals: dict[str, float] = {}
        self.swarm = VirtualSwarm(
            virtual_torrent(setting.pieces, 64 << 10),
            seed=seed,
            profile=PROFILES[setting.profile].scaled(setting.scale),
            latency=0.002,
        )
        self.swarm.add("seed", up=setting.server * KB, is_seed=True)
        self.deviator = None if deviator is None else self._add("one", deviator[1], deviator[0], setting.joins_at)
        rng = Random(seed)
        self.classes = [
            [self._add(f"{up} {number}", up, others, rng.uniform(0, setting.arrivals)) for number in range(count)]
            for up, count in setting.classes
        ]
        leechers = [peer for name, peer in self.swarm.peers.items() if name != "seed"]
        self.swarm.run(LIMIT, stop=lambda: all(peer.completed_at is not None for peer in leechers))

    def _add(self, name: str, up: int, choice: StrategyChoice, at: float) -> VirtualPeer:
        self._arrivals[name] = at
        departure = self._setting.departure
        return self.swarm.add(name, up=up * KB, strategy=choice.name, at=at, departure=departure, **choice.parameters)

    def time(self, peer: VirtualPeer) -> float:
        """Return how long a peer's download took."""
        return (peer.completed_at or LIMIT) - self._arrivals[peer.name]

    def times(self) -> list[float]:
        """Return the mean download time of each class."""
        return [mean(self.time(peer) for peer in peers) for peers in self.classes]

    def own_time(self) -> float:
        assert self.deviator is not None
        return self.time(self.deviator)

    def share_ratio(self) -> float:
        assert self.deviator is not None
        return self.deviator.session.sent_bytes / max(self.deviator.session.received_bytes, 1)


def deviators(
    setting: Setting, choices: Sequence[StrategyChoice], others: StrategyChoice, ups: Sequence[int], repeat: int
) -> list[list[object]]:
    rows: list[list[object]] = []
    for up in ups:
        conforming = [Run(setting, others, seed, (others, up)) for seed in range(1, repeat + 1)]
        for choice in choices:
            runs = [Run(setting, others, seed, (choice, up)) for seed in range(1, repeat + 1)]
            pairs = list(zip(runs, conforming, strict=True))
            gains = [before.own_time() / run.own_time() for run, before in pairs]
            costs = [
                mean(now / then for now, then in zip(run.times(), before.times(), strict=True)) - 1
                for run, before in pairs
            ]
            sent = [mean(run.share_ratio() for run in group) for group in (conforming, runs)]
            share_ratios = f"{sent[0]:.2f} -> {sent[1]:.2f}"
            rows.append([up, str(choice), spread(gains), geometric(gains), share_ratios, f"{mean(costs):+.1%}"])
    return rows


def geometric(gains: Sequence[float]) -> str:
    """Format the geometric mean of gains, plus and minus two standard errors."""
    logs = [log(gain) for gain in gains]
    error = 2 * stdev(logs) / sqrt(len(logs)) if len(logs) > 1 else 0.0
    return f"{exp(mean(logs)):.2f} ({exp(mean(logs) - error):.2f} - {exp(mean(logs) + error):.2f})"


def whole_swarms(setting: Setting, choices: Sequence[StrategyChoice], repeat: int) -> list[list[object]]:
    rows: list[list[object]] = []
    for choice in choices:
        runs = [Run(setting, choice, seed) for seed in range(1, repeat + 1)]
        columns = list(zip(*(run.times() for run in runs), strict=True))
        rows.append([str(choice), *(spread(list(column), 1) for column in columns)])
    return rows


def read_class(text: str) -> tuple[int, int]:
    up, _, count = text.partition("x")
    return int(up), int(count)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    strategy, classes = StrategyChoice.read, [(150, 24), (450, 6), (1_500, 2)]
    parser.add_argument("--strategy", nargs="+", type=strategy, default=[strategy("bittyrant")], help="of the one peer")
    parser.add_argument("--others", type=strategy, default=strategy("tit-for-tat"), help="strategy of all other peers")
    parser.add_argument("--whole", nargs="+", type=strategy, help="measure swarms in which all peers have one strategy")
    parser.add_argument("--up", nargs="+", type=int, default=[150, 450, 1_500], help="uplinks of the one peer in kB/s")
    parser.add_argument("--profile", choices=list(PROFILES), default="course")
    parser.add_argument("--classes", nargs="+", type=read_class, default=classes, help="of other peers, as KBxNUMBER")
    parser.add_argument("--server", type=int, default=1_500, help="uplink of the server in kB/s")
    parser.add_argument("--pieces", type=int, default=80, help="number of pieces, of 64 KiB each")
    parser.add_argument("--arrivals", type=float, default=0.0, help="seconds within which the others arrive")
    parser.add_argument("--comes", type=float, help="when the one peer arrives; default: amid the others' arrivals")
    parser.add_argument("--scale", type=float, default=20.0, help="divides the profile's periods")
    parser.add_argument("--departure", default="at-completion", help="when peers leave")
    parser.add_argument("--repeat", type=int, default=6, help="number of runs, each with its own random seed")
    chosen = parser.parse_args(arguments)
    setting = Setting(
        classes=chosen.classes,
        server=chosen.server,
        pieces=chosen.pieces,
        arrivals=chosen.arrivals,
        joins_at=chosen.arrivals / 2 if chosen.comes is None else chosen.comes,
        scale=chosen.scale,
        profile=chosen.profile,
        departure=chosen.departure,
    )
    if chosen.whole:
        columns = [f"{up} kB/s, s" for up, _ in setting.classes]
        print(markdown(["all peers", *columns], whole_swarms(setting, chosen.whole, chosen.repeat)))
    else:
        rows = deviators(setting, chosen.strategy, chosen.others, chosen.up, chosen.repeat)
        print(markdown(["kB/s", "strategy", "gain", "mean and error", "sent / received", "others' times"], rows))


if __name__ == "__main__":
    main()
