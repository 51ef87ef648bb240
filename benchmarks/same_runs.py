"""How often `testbed compare` calls runs different that are the same, and whether it finds a difference that is there.

    sudo .venv/bin/python -m benchmarks.same_runs quickstart --pairs 20 [--set KEY=VALUE] [--other KEY=VALUE]
    .venv/bin/python -m benchmarks.same_runs --virtual --pairs 20 [--repeat 5] [--profile course] [--other-profile bep3]

The first runs an experiment twice for each pair, one run after the other, and compares the two as a user would; with
`--other` the second run has that value. What exists in the folder is not run again, so it can be stopped and continued.
The second draws the swarms of benchmarks/virtual.py with another seed for each repetition: no network, no machine.

called different    comparisons (a measure at a point) with that outcome, with the 95 % interval of their share
pairs with any      pairs of runs in which at least one comparison is called different
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from benchmarks.clients import markdown
from benchmarks.virtual import ratio as virtual_ratio
from peer.bittorrent.engine.profile import PROFILES
from testbed.results.comparison.findings import MARGIN, outcome_of
from testbed.results.comparison.ratios import holm
from testbed.results.comparison.samples import Observation, Pairing, compared

NAMES = ("time / bound", "seed copies", "mean / bound")
TESTBED = Path(sys.executable).with_name("testbed")
Outcomes = Sequence[str]
"""Of one pair of runs, one for each comparison."""


def run(experiment: str, settings: Sequence[str], folder: Path) -> Path:
    """Run an experiment in a folder of its own, unless that has a complete run; return the run folder."""
    options = [word for setting in settings for word in ("--set", setting)]
    subprocess.run([TESTBED, "run", experiment, *options, "--runs", folder, "--quiet"], check=False)
    return max(folder.glob("*/plan.json")).parent


def measured(chosen: argparse.Namespace) -> Iterator[Outcomes]:
    """Run and compare each pair. Each has a seed of its own, which its two runs share."""
    for number in range(1, chosen.pairs + 1):
        folder, settings = chosen.runs / str(number), [*chosen.settings, f"seed={number}"]
        sides = [("first", settings), ("other", [*settings, *chosen.other])]
        paths = []
        for name, values in sides:
            has_run = list((folder / name).glob("*/summary.csv"))
            paths.append(has_run[0].parent if has_run else run(chosen.experiment, values, folder / name))
        done = subprocess.run([TESTBED, "compare", *paths, "--json"], capture_output=True, text=True, check=True)
        yield [found["outcome"] for found in json.loads(done.stdout)["findings"]]


def virtual(chosen: argparse.Namespace) -> Iterator[Outcomes]:
    """Draw and compare each pair, of swarms of several sizes."""
    seeds = count(1)
    profiles = (chosen.profile, chosen.other_profile or chosen.profile)
    for _ in range(chosen.pairs):
        samples = [
            {n: swarms(profile, n, [next(seeds) for _ in range(chosen.repeat)]) for n in chosen.n}
            for profile in profiles
        ]
        yield outcomes(samples)


def swarms(profile: str, n: int, seeds: Sequence[int]) -> list[tuple[float, ...]]:
    return [virtual_ratio(PROFILES[profile], n, seed, ("tit-for-tat", "tit-for-tat")) for seed in seeds]


def outcomes(samples: Sequence[dict[int, list[tuple[float, ...]]]]) -> Outcomes:
    first, other = samples
    ratios = [
        compared(observations(first[n], place, 1), observations(other[n], place, 2), Pairing()).ratio
        for n in first
        for place in range(len(NAMES))
    ]
    corrected = holm([ratio.p_different() for ratio in ratios])
    return [outcome_of(ratio, p, MARGIN) for ratio, p in zip(ratios, corrected, strict=True)]


def observations(rows: Sequence[tuple[float, ...]], place: int, seed: int) -> list[Observation]:
    return [Observation(k, seed, "valid", row[place]) for k, row in enumerate(rows, start=1)]


def told(found: Sequence[Outcomes]) -> list[Any]:
    counts = Counter(outcome for each in found for outcome in each)
    total = sum(counts.values())
    share = binomtest(counts["different"], total).proportion_ci()
    some = sum("different" in each for each in found)
    return [
        len(found),
        total,
        f"{counts['different']} ({share.low:.1%} to {share.high:.1%})",
        counts["equivalent"],
        counts["undecided"],
        some,
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", nargs="?", default="quickstart")
    parser.add_argument("--virtual", action="store_true", help="draw swarms in virtual time instead")
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--set", dest="settings", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--other", action="append", default=[], metavar="KEY=VALUE", help="for the second of each pair")
    parser.add_argument("--runs", type=Path, default=Path("runs/same"))
    parser.add_argument("--repeat", type=int, default=5, help="repetitions of virtual swarms")
    parser.add_argument("--n", nargs="+", type=int, default=[5, 10], help="peers of virtual swarms")
    parser.add_argument("--profile", choices=list(PROFILES), default="course", help="of virtual swarms")
    parser.add_argument("--other-profile", choices=list(PROFILES), help="of the second of each pair")
    chosen = parser.parse_args(arguments)
    found = list(virtual(chosen) if chosen.virtual else measured(chosen))
    headings = ["pairs", "comparisons", "called different", "equivalent", "undecided", "pairs with any"]
    print(markdown(headings, [told(found)]))


if __name__ == "__main__":
    main()
