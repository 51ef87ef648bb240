"""Trials by the names that people use for them."""

from collections.abc import Mapping

from testbed.errors import ExplainedError
from testbed.experiment.language.points import names_of
from testbed.experiment.plan.plan import Plan
from testbed.experiment.plan.trials import Trial
from testbed.values.findings import did_you_mean

_MOST_SHOWN = 6


def trial_named(plan: Plan, name: str) -> Trial:
    """Return the trial with this number in the plan, this id, or the only id that has this part."""
    if name.isdecimal():
        return _numbered(plan, int(name))
    found = [(number, trial) for number, trial in enumerate(plan.trials, start=1) if name and name in trial.id]
    exact = [trial for _, trial in found if trial.id == name]
    if exact or len(found) == 1:
        return exact[0] if exact else found[0][1]
    if found:
        shown = [f"{number} {trial.id}" for number, trial in found[:_MOST_SHOWN]]
        more = ["..."] if len(found) > _MOST_SHOWN else []
        raise ExplainedError("\n  ".join([f"{name!r} is a part of {len(found)} trials; name one:", *shown, *more]))
    hint = did_you_mean(name, [trial.id for trial in plan.trials])
    raise ExplainedError(
        f"there is no trial {name!r}{hint}: write its number in `testbed plan`, its id or a part of it"
    )


def short_names_of(plan: Plan) -> Mapping[str, str]:
    """Return the short names of all trials by their ids, as they are in terminals: each must fit in a line."""
    names = names_of([trial.point for trial in plan.trials])
    return {
        trial.id: ", ".join(filter(None, [name, f"repetition {trial.repetition}"]))
        for trial, name in zip(plan.trials, names, strict=True)
    }


def _numbered(plan: Plan, number: int) -> Trial:
    if not 1 <= number <= len(plan.trials):
        raise ExplainedError(f"there is no trial {number}: `testbed plan` numbers them from 1 to {len(plan.trials)}")
    return plan.trials[number - 1]
