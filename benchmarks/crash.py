"""kill -9 of each process of a sandbox in each phase of a network's life: what is left on the machine?

    sudo .venv/bin/python benchmarks/crash.py               twenty kills of each kind, as root and as an ordinary user
    .venv/bin/python benchmarks/crash.py --times 3          three of each kind, as the current user

Prints a table in Markdown: how many kills hit while the phase lasted, how long it took until nothing was left
(processes, namespaces, interfaces, mounts, files), and in how many cases something stayed. Exit status 1 if anything
stayed.
"""

import argparse
import itertools
import random
import statistics
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.network.crashes import (
    PHASES,
    TARGETS,
    Crash,
    crash_each,
    rehearse,
)
from tests.network.users import User, call_as, why_not

_AT_ONCE = 5
_MOST = 4
_HEADER = ("user", "killed", "phase", "kills", "in phase", "clean after ms: median", "max", "leftovers")


def main() -> int:
    arguments = _parser().parse_args()
    users = [user for user in User if not why_not(user)]
    print(_row(_HEADER))
    print(_row(["---"] * len(_HEADER)))
    leftovers = []
    for user in users:
        durations = call_as(user, rehearse)
        for phase in PHASES:
            for target in TARGETS:
                chance = random.Random(f"{arguments.seed} {user} {phase} {target}")
                moments = (chance.uniform(0, durations[phase]) for _ in range(_MOST * arguments.times))
                crashes = _crashes(user, phase, target, moments, arguments.times)
                print(_row(_summary(user, phase, target, crashes)), flush=True)
                leftovers += [line for crash in crashes for line in crash.leftovers]
    for line in leftovers:
        print(line, file=sys.stderr)
    return 1 if leftovers else 0


def _crashes(user: User, phase: str, target: str, moments: Iterator[float], wanted: int) -> list[Crash]:
    """Kill until `wanted` kills hit while the phase lasted; the result includes those that came too late."""
    crashes: list[Crash] = []
    while missing := wanted - sum(crash.struck == phase for crash in crashes):
        some = list(itertools.islice(moments, min(missing, _AT_ONCE)))
        if not some:
            break
        crashes += call_as(user, partial(crash_each, phase, target, some))
    return crashes


def _summary(user: User, phase: str, target: str, crashes: list[Crash]) -> list[str]:
    clean = [crash.clean_after * 1e3 for crash in crashes]
    in_time = sum(crash.struck == phase for crash in crashes)
    dirty = sum(bool(crash.leftovers) for crash in crashes)
    times = f"{statistics.median(clean):.0f}", f"{max(clean):.0f}"
    return [str(user), target, phase, str(len(crashes)), str(in_time), *times, str(dirty)]


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return "| " + " | ".join(cells) + " |"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=_positive, default=20, help="kills of each process in each phase (default: 20)")
    parser.add_argument("--seed", type=int, default=1, help="random seed of the moments (default: 1)")
    return parser


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"a whole number above 0 is needed, not {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
