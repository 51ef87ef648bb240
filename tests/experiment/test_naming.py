"""A trial is named by its number in the plan, its id, or a part of the id."""

from pathlib import Path

import pytest

from testbed.errors import ExplainedError
from testbed.experiment import Plan
from testbed.experiment.plan.naming import trial_named
from tests.experiment.files import SMALL, planned


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return planned(tmp_path, SMALL + "sweep: {profile: [bep3, course], peers.homes.count: [2, 12]}\nrepeat: 2\n")


def test_number_names_trial_as_the_plan_counts(plan: Plan) -> None:
    assert [trial_named(plan, str(number)) for number in range(1, 9)] == list(plan.trials)


def test_id_and_its_only_part_name_a_trial(plan: Plan) -> None:
    for trial in plan.trials:
        assert trial_named(plan, trial.id) == trial
    assert trial_named(plan, "course_count-12_r2") == plan.trials[7]


@pytest.mark.parametrize("number", ["0", "9", "99999999999999999999"])
def test_number_beyond_the_plan_is_refused(plan: Plan, number: str) -> None:
    with pytest.raises(ExplainedError, match=f"no trial {number}: `testbed plan` numbers them from 1 to 8"):
        trial_named(plan, number)


def test_part_of_several_ids_is_refused_with_their_numbers(plan: Plan) -> None:
    with pytest.raises(ExplainedError) as refused:
        trial_named(plan, "count-2_r1")
    heading, *named = str(refused.value).splitlines()
    assert heading == "'count-2_r1' is a part of 2 trials; name one:"
    assert named == [f"  1 {plan.trials[0].id}", f"  3 {plan.trials[2].id}"]


@pytest.mark.parametrize("name", ["", "mainline"])
def test_unknown_name_is_refused(plan: Plan, name: str) -> None:
    with pytest.raises(ExplainedError, match=f"no trial '{name}'"):
        trial_named(plan, name)
