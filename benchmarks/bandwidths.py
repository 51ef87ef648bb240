"""One peer that follows another strategy than all others, or a swarm of its kind, in virtual time.

    .venv/bin/python -m benchmarks.bandwidths --strategy bittyrant propshare --up 300 750 3000 --repeat 3
    .venv/bin/python -m benchmarks.bandwidths --strategy propshare bittyrant --others propshare --up 750
    .venv/bin/python -m benchmarks.bandwidths --whole tit-for-tat bittyrant bittyrant,excess=withheld propshare

The swarm of experiments/bittyrant.yaml over links that are arithmetic (tests/peer/swarm/virtual.py): a server of
3000 kB/s, 12 peers of 300, 6 of 750 and 2 of 3000 kB/s, who leave with the file of 10 MiB; periods are a twentieth. The
gain is over the same peer that does as the others do. A strategy may have parameters: name,key=value.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean

from benchmarks.clients import markdown, spread
from benchmarks.deviators import as_parameter
from peer.swarm.profile import PROFILES
from tests.peer.swarm.virtual import VirtualPeer, VirtualSwarm, a_torrent

KB = 1_000
CLASSES = {"slow": (300, 12), "medium": (750, 6), "fast": (3_000, 2)}
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


class Run:
    """One swarm, from its beginning until all have left."""

    def __init__(self, others: Way, seed: int, profile: str, one: tuple[Way, int] | None = None) -> None:
        self.swarm = VirtualSwarm(
            a_torrent(160, 64 << 10), seed=seed, profile=PROFILES[profile].scaled(20), latency=0.002
        )
        self.swarm.add("seed", up=3_000 * KB, is_seed=True)
        self.one = None if one is None else self._add("one", one[1], one[0])
        self.classes = {
            name: [self._add(f"{name} {number}", up, others) for number in range(count)]
            for name, (up, count) in CLASSES.items()
        }
        leechers = [peer for name, peer in self.swarm.peers.items() if name != "seed"]
        self.swarm.run(LIMIT, stop=lambda: all(peer.completed_at is not None for peer in leechers))

    def _add(self, name: str, up: int, way: Way) -> VirtualPeer:
        return self.swarm.add(name, up=up * KB, strategy=way.name, departure="at-completion", **way.parameters)

    def times(self) -> list[float]:
        """The mean time of each class."""
        return [mean(peer.completed_at or LIMIT for peer in peers) for peers in self.classes.values()]


def deviators(ways: Sequence[Way], others: Way, ups: Sequence[int], repeat: int, profile: str) -> list[list[object]]:
    rows: list[list[object]] = []
    for up in ups:
        conforming = [Run(others, seed, profile, (others, up)) for seed in range(1, repeat + 1)]
        for way in ways:
            runs = [Run(others, seed, profile, (way, up)) for seed in range(1, repeat + 1)]
            gains = [
                (before.one.completed_at or LIMIT) / (run.one.completed_at or LIMIT)
                for run, before in zip(runs, conforming, strict=True)
                if run.one and before.one
            ]
            costs = [
                mean(now / then for now, then in zip(run.times(), before.times(), strict=True)) - 1
                for run, before in zip(runs, conforming, strict=True)
            ]
            sent = [mean(_share_ratio(run) for run in group) for group in (conforming, runs)]
            row = [up, str(way), spread(gains), f"{sent[0]:.2f} -> {sent[1]:.2f}", f"{mean(costs):+.1%}"]
            rows.append(row)
    return rows


def _share_ratio(run: Run) -> float:
    assert run.one is not None
    return run.one.session.sent_bytes / max(run.one.session.received_bytes, 1)


def whole(ways: Sequence[Way], repeat: int, profile: str) -> list[list[object]]:
    rows: list[list[object]] = []
    for way in ways:
        runs = [Run(way, seed, profile) for seed in range(1, repeat + 1)]
        columns = list(zip(*(run.times() for run in runs), strict=True))
        rows.append([str(way), *(spread(list(column), 1) for column in columns)])
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strategy", nargs="+", type=Way.read, default=[Way("bittyrant", {})])
    parser.add_argument("--others", type=Way.read, default=Way("tit-for-tat", {}))
    parser.add_argument("--whole", nargs="+", type=Way.read, help="swarms of one kind instead")
    parser.add_argument("--up", nargs="+", type=int, default=[300, 750, 3_000], help="kB/s")
    parser.add_argument("--profile", choices=list(PROFILES), default="course")
    parser.add_argument("--repeat", type=int, default=3)
    chosen = parser.parse_args(arguments)
    if chosen.whole:
        rows = whole(chosen.whole, chosen.repeat, chosen.profile)
        print(markdown(["all are", *(f"{name}, s" for name in CLASSES)], rows))
    else:
        rows = deviators(chosen.strategy, chosen.others, chosen.up, chosen.repeat, chosen.profile)
        print(markdown(["kB/s", "strategy", "gain", "sent / received", "others' times"], rows))


if __name__ == "__main__":
    main()
