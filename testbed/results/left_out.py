"""Which pairs of a run are not compared, and why."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

import pandas as pd

from contract.wording import counted, one_or_many
from testbed.experiment import Plan, Trial

MISSING: Final = "missing"
"""Instead of a verdict, of a trial that has no result."""
_SUSPECT: Final = "suspect"
_REASONS: Final = ("failed", MISSING, _SUSPECT)
"""From the worst to the mildest: a pair is left out for the worse of its trials."""


def pairs_left_out(plan: Plan, trials: pd.DataFrame, *, with_suspect: bool) -> str:
    """Say how many pairs of the plan are left out of comparisons, and why; empty if none is."""
    verdicts = dict(zip(trials["trial"], trials["verdict"], strict=True))
    pairs = list(planned_pairs(plan))
    found = Counter(_reason(verdicts, pair, with_suspect=with_suspect) for pair in pairs)
    left_out = len(pairs) - found[""]
    if not left_out:
        return ""
    which = f"all {len(pairs)} pairs are" if left_out == len(pairs) > 1 else _of(left_out, len(pairs))
    return f"{which} left out of comparisons: {', '.join(_in_words(found))}"


def planned_pairs(plan: Plan) -> Iterator[tuple[Trial, Trial]]:
    """Yield each trial of another value of the paired key, behind the trial that it is compared with."""
    by_pair: dict[str | None, list[Trial]] = {}
    for trial in plan.trials:
        by_pair.setdefault(trial.pair, []).append(trial)
    for first, *others in by_pair.values() if plan.pair is not None else ():
        yield from ((first, other) for other in others)


def _reason(verdicts: Mapping[object, str], pair: tuple[Trial, Trial], *, with_suspect: bool) -> str:
    found = {verdicts.get(trial.id, MISSING) for trial in pair} - ({_SUSPECT} if with_suspect else set())
    return next((reason for reason in _REASONS if reason in found), "")


def _of(count: int, total: int) -> str:
    return f"{count} of {counted(total, 'pair')} {one_or_many(count, 'is', 'are')}"


def _in_words(found: Mapping[str, int]) -> Iterator[str]:
    for reason in _REASONS:
        if count := found[reason]:
            yield f"{count} {one_or_many(count, 'has', 'have')} a {reason} trial"
