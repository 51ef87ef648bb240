"""Which trials are replayed."""

from pathlib import Path

from testbed.experiment import Plan
from testbed.results.replay import choose
from tests.experiment.files import SMALL, planned


def swept(folder: Path, points: int, repeat: int = 2) -> Plan:
    rates = ", ".join(f"{number} Mbit/s" for number in range(1, points + 1))
    return planned(folder, f"{SMALL}sweep: {{servers.up: [{rates}]}}\nrepeat: {repeat}\n")


def test_each_point_has_the_repetition_that_is_valid_at_most_points(tmp_path: Path) -> None:
    plan = swept(tmp_path, 3)
    verdicts = {trial.id: "suspect" if trial.repetition == 1 else "valid" for trial in plan.trials}
    verdicts[plan.trials[0].id] = "valid"
    chosen = choose(plan.trials, verdicts)
    assert [trial.repetition for trial in chosen.trials] == [2, 2, 2]
    assert chosen.points_left_out == 0


def test_a_suspect_trial_is_better_than_a_failed_one_and_that_than_none(tmp_path: Path) -> None:
    plan = swept(tmp_path, 2)
    first, second, again, _ = plan.trials
    chosen = choose(plan.trials, {first.id: "failed", again.id: "suspect", second.id: "failed"})
    assert chosen.trials == (again, second)


def test_many_points_are_thinned_evenly(tmp_path: Path) -> None:
    plan = swept(tmp_path, 9, repeat=1)
    chosen = choose(plan.trials, dict.fromkeys((trial.id for trial in plan.trials), "valid"), most=3)
    assert chosen.trials == (plan.trials[0], plan.trials[4], plan.trials[8])
    assert chosen.points_left_out == 6


def test_no_trial_no_replay(tmp_path: Path) -> None:
    assert choose(swept(tmp_path, 2).trials, {}).trials == ()
