"""How often `testbed compare` calls runs different that are the same, and whether it finds a difference that is there.

    sudo .venv/bin/python -m benchmarks.same_runs --pairs 20 [--set KEY=VALUE] [--other KEY=VALUE]
    .venv/bin/python -m benchmarks.same_runs --virtual --pairs 20 [--repeat 5] [--profile course] [--other-profile bep3]

The first runs an experiment (benchmarks/same_runs.yaml, or another one) twice for each pair, one run after the other,
and compares the two as a user would; with `--other` the second run has that value. What exists in the folder is not run
again, so it can be stopped and continued.
The second draws small swarms in virtual time (8 s or so of it) with another seed for each repetition: no network, no
machine.

p <= 5 %            comparisons (a measure at a point) that are unlikely by themselves: about 5 % if runs are the same
different, ...      comparisons with that outcome, after the correction, and with the margin
pairs, p <= 5 %     pairs of runs with at least one corrected p of 5 % or less: at most 5 % if runs are the same
pairs, different    pairs of runs with at least one comparison that is called different: differences that are certainly
                    within the margin are not, so this is less

Shares have 95 % intervals. Those of comparisons are too narrow, as the measures of one pair of runs go together.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from math import nan
from pathlib import Path
from typing import Any

from scipy.stats import binomtest

from benchmarks.clients import markdown
from benchmarks.virtual import Setting
from benchmarks.virtual import ratio as virtual_ratio
from peer.bittorrent.engine.profile import PROFILES
from testbed.results.comparison.findings import MARGIN, outcome_of
from testbed.results.comparison.ratios import holm
from testbed.results.comparison.samples import Observation, Pairing, compared
from testbed.results.statistics import CONFIDENCE

NAMES = ("time / bound", "seed copies", "mean / bound")
SMALL = Setting(pieces=32, seed_up=1e6, up=0.25e6, down=2e6)
"""4 MiB over links of home users: it takes about as long as a short real trial, and a tenth of a second to compute."""
TESTBED = Path(sys.executable).with_name("testbed")
LEVEL = 1 - CONFIDENCE


@dataclass(frozen=True)
class Found:
    """What is found in one comparison."""

    outcome: str
    p: float
    p_corrected: float


Outcomes = Sequence[Found]
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
        done = subprocess.run([TESTBED, "compare", *paths, "--json"], capture_output=True, text=True, check=False)
        if done.returncode:
            print(f"pair {number} is left out: {done.stderr.strip()}", file=sys.stderr)
            continue
        made = json.loads(done.stdout)
        trials = " and ".join(f"{side['valid']} of {side['planned']}" for side in made["sides"])
        print(f"pair {number}: {trials} trials are valid", file=sys.stderr)
        yield [found_in(finding) for finding in made["findings"]]


def found_in(finding: dict[str, Any]) -> Found:
    """Read a finding; one without repetitions has no p."""
    p, p_corrected = (nan if finding[name] is None else finding[name] for name in ("p", "p_holm"))
    return Found(finding["outcome"], p, p_corrected)


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
    return [virtual_ratio(PROFILES[profile], n, seed, ("tit-for-tat", "tit-for-tat"), SMALL) for seed in seeds]


def outcomes(samples: Sequence[dict[int, list[tuple[float, ...]]]]) -> Outcomes:
    first, other = samples
    ratios = [
        compared(observations(first[n], place, 1), observations(other[n], place, 2), Pairing()).ratio
        for n in first
        for place in range(len(NAMES))
    ]
    p_values = [ratio.p_different() for ratio in ratios]
    return [
        Found(outcome_of(ratio, corrected, MARGIN), p, corrected)
        for ratio, p, corrected in zip(ratios, p_values, holm(p_values), strict=True)
    ]


def observations(rows: Sequence[tuple[float, ...]], place: int, seed: int) -> list[Observation]:
    return [Observation(k, seed, "valid", row[place]) for k, row in enumerate(rows, start=1)]


def told(found: Sequence[Outcomes]) -> list[Any]:
    comparisons = [each for pair in found for each in pair]
    counts = Counter(each.outcome for each in comparisons)
    total = len(comparisons)
    return [
        len(found),
        total,
        share(sum(each.p <= LEVEL for each in comparisons), total),
        share(counts["different"], total),
        counts["equivalent"],
        counts["undecided"],
        share(sum(any(each.p_corrected <= LEVEL for each in pair) for pair in found), len(found)),
        share(sum(any(each.outcome == "different" for each in pair) for pair in found), len(found)),
    ]


def share(part: int, whole: int) -> str:
    interval = binomtest(part, whole).proportion_ci()
    return f"{part} ({interval.low:.1%} to {interval.high:.1%})"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("experiment", nargs="?", default="benchmarks/same_runs.yaml")
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
    outcomes_and_pairs = ["different", "equivalent", "undecided", "pairs, p <= 5 %", "pairs, different"]
    headings = ["pairs", "comparisons", "p <= 5 %", *outcomes_and_pairs]
    print(markdown(headings, [told(found)]))


if __name__ == "__main__":
    main()
