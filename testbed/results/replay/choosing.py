"""Which trials are replayed: one of each point as long as there is room, and where possible valid ones."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from testbed.experiment import Trial
from testbed.values.spread import spread

MOST_REPLAYS: Final = 12
_VERDICTS: Final = ("valid", "suspect", "failed")
"""From the first choice to the last."""


@dataclass(frozen=True)
class Choice:
    """The trials to replay, and how many points have none."""

    trials: tuple[Trial, ...]
    points_left_out: int


def choose(trials: Sequence[Trial], verdicts: Mapping[str, str], most: int = MOST_REPLAYS) -> Choice:
    """Choose among the trials that have a verdict. The repetition is the same for all points, as far as it is valid.

    So points can be compared within a pair. If there are more points than room, those that are left out are spread.
    """
    by_point: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.id in verdicts:
            by_point.setdefault(repr(trial.point), []).append(trial)
    valid = Counter(trial.repetition for trial in trials if verdicts.get(trial.id) == _VERDICTS[0])
    best = [
        min(each, key=lambda trial: (_VERDICTS.index(verdicts[trial.id]), -valid[trial.repetition], trial.repetition))
        for each in by_point.values()
    ]
    chosen = spread(best, most)
    return Choice(chosen, len(best) - len(chosen))
