"""One peer that follows another strategy than all others, or a swarm of its kind, in virtual time.

    .venv/bin/python -m benchmarks.bandwidths --strategy bittyrant propshare --comes 5
    .venv/bin/python -m benchmarks.bandwidths --strategy tit-for-tat bittyrant --others propshare --up 450 --comes 5
    .venv/bin/python -m benchmarks.bandwidths --whole tit-for-tat bittyrant bittyrant,excess=withheld propshare
    .venv/bin/python -m benchmarks.bandwidths --up 450 --classes 450x32 --comes 5

The swarm of experiments/bittyrant.yaml over links that are arithmetic (peer/simulation/swarm.py): a server of
1500 kB/s, 24 peers of 150, 6 of 450 and 2 of 1500 kB/s, who leave with the file of 5 MiB; periods are a twentieth. The
gain is over the same peer that does as the others do: medians, least and most, and the geometric mean with two standard
errors. A strategy may have parameters: name,key=value.
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
class Way:
    """A strategy and its parameters."""

    name: str
    parameters: Mapping[str, object]

    @classmethod
    def read(cls, text: str) -> "Way":
        name, *settings = text.split(",")
        return cls(name, {key: as_parameter(value) for key, _, value in (each.partition("=") for each in settings)})

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{key}={value}" for key, value in self.parameters.items())])


@dataclass(frozen=True)
class Setting:
    """The swarm around the one, and what of it might decide whether its strategy pays."""

    classes: Sequence[tuple[int, int]]  # each: kB/s, and how many
    server: int  # kB/s
    pieces: int
    arrivals: float  # over how many seconds the others come; 0: all at once
    comes: float  # when the one does
    scale: float
    profile: str
    departure: str


class Run:
    """One swarm, from its beginning until all have the file."""

    def __init__(self, setting: Setting, others: Way, seed: int, one: tuple[Way, int] | None = None) -> None:
        self._setting = setting
        self._came: dict[str, float] = {}
        self.swarm = VirtualSwarm(
            virtual_torrent(setting.pieces, 64 << 10),
            seed=seed,
            profile=PROFILES[setting.profile].scaled(setting.scale),
            latency=0.002,
        )
        self.swarm.add("seed", up=setting.server * KB, is_seed=True)
        self.one = None if one is None else self._add("one", one[1], one[0], setting.comes)
        rng = Random(seed)
        self.classes = [
            [self._add(f"{up} {number}", up, others, rng.uniform(0, setting.arrivals)) for number in range(count)]
            for up, count in setting.classes
        ]
        leechers = [peer for name, peer in self.swarm.peers.items() if name != "seed"]
        self.swarm.run(LIMIT, stop=lambda: all(peer.completed_at is not None for peer in leechers))

    def _add(self, name: str, up: int, way: Way, at: float) -> VirtualPeer:
        self._came[name] = at
        departure = self._setting.departure
        return self.swarm.add(name, up=up * KB, strategy=way.name, at=at, departure=departure, **way.parameters)

    def time(self, peer: VirtualPeer) -> float:
        """How long its download took."""
        return (peer.completed_at or LIMIT) - self._came[peer.name]

    def times(self) -> list[float]:
        """The mean time of each class."""
        return [mean(self.time(peer) for peer in peers) for peers in self.classes]

    def own_time(self) -> float:
        assert self.one is not None
        return self.time(self.one)

    def share_ratio(self) -> float:
        assert self.one is not None
        return self.one.session.sent_bytes / max(self.one.session.received_bytes, 1)


def deviators(
    setting: Setting, ways: Sequence[Way], others: Way, ups: Sequence[int], repeat: int
) -> list[list[object]]:
    rows: list[list[object]] = []
    for up in ups:
        conforming = [Run(setting, others, seed, (others, up)) for seed in range(1, repeat + 1)]
        for way in ways:
            runs = [Run(setting, others, seed, (way, up)) for seed in range(1, repeat + 1)]
            pairs = list(zip(runs, conforming, strict=True))
            gains = [before.own_time() / run.own_time() for run, before in pairs]
            costs = [
                mean(now / then for now, then in zip(run.times(), before.times(), strict=True)) - 1
                for run, before in pairs
            ]
            sent = [mean(run.share_ratio() for run in group) for group in (conforming, runs)]
            share_ratios = f"{sent[0]:.2f} -> {sent[1]:.2f}"
            rows.append([up, str(way), spread(gains), geometric(gains), share_ratios, f"{mean(costs):+.1%}"])
    return rows


def geometric(gains: Sequence[float]) -> str:
    """The geometric mean of gains, and twice its standard error to both sides."""
    logs = [log(gain) for gain in gains]
    error = 2 * stdev(logs) / sqrt(len(logs)) if len(logs) > 1 else 0.0
    return f"{exp(mean(logs)):.2f} ({exp(mean(logs) - error):.2f} - {exp(mean(logs) + error):.2f})"


def whole(setting: Setting, ways: Sequence[Way], repeat: int) -> list[list[object]]:
    rows: list[list[object]] = []
    for way in ways:
        runs = [Run(setting, way, seed) for seed in range(1, repeat + 1)]
        columns = list(zip(*(run.times() for run in runs), strict=True))
        rows.append([str(way), *(spread(list(column), 1) for column in columns)])
    return rows


def read_class(text: str) -> tuple[int, int]:
    up, _, count = text.partition("x")
    return int(up), int(count)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strategy", nargs="+", type=Way.read, default=[Way("bittyrant", {})])
    parser.add_argument("--others", type=Way.read, default=Way("tit-for-tat", {}))
    parser.add_argument("--whole", nargs="+", type=Way.read, help="swarms of one kind instead")
    parser.add_argument("--up", nargs="+", type=int, default=[150, 450, 1_500], help="kB/s")
    parser.add_argument("--profile", choices=list(PROFILES), default="course")
    parser.add_argument("--classes", nargs="+", type=read_class, default=[(150, 24), (450, 6), (1_500, 2)])
    parser.add_argument("--server", type=int, default=1_500, help="kB/s")
    parser.add_argument("--pieces", type=int, default=80, help="of 64 KiB")
    parser.add_argument("--arrivals", type=float, default=0.0, help="seconds in which the others come")
    parser.add_argument("--comes", type=float, help="when the one comes; without it, in the middle of the others")
    parser.add_argument("--scale", type=float, default=20.0, help="how much shorter periods are")
    parser.add_argument("--departure", default="at-completion")
    parser.add_argument("--repeat", type=int, default=6)
    chosen = parser.parse_args(arguments)
    setting = Setting(
        classes=chosen.classes,
        server=chosen.server,
        pieces=chosen.pieces,
        arrivals=chosen.arrivals,
        comes=chosen.arrivals / 2 if chosen.comes is None else chosen.comes,
        scale=chosen.scale,
        profile=chosen.profile,
        departure=chosen.departure,
    )
    if chosen.whole:
        columns = [f"{up} kB/s, s" for up, _ in setting.classes]
        print(markdown(["all are", *columns], whole(setting, chosen.whole, chosen.repeat)))
    else:
        rows = deviators(setting, chosen.strategy, chosen.others, chosen.up, chosen.repeat)
        print(markdown(["kB/s", "strategy", "gain", "mean and error", "sent / received", "others' times"], rows))


if __name__ == "__main__":
    main()
