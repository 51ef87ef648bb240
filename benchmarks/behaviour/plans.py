"""The plans of all shipped experiments: `testbed plan --json` prints what a run saves as plan.json."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any, TypeAlias

from benchmarks.behaviour.output import Output
from benchmarks.behaviour.project import (
    ADDED_IN_FIGURES,
    EXPERIMENTS,
    NO_WORDS,
    RECORDED_WORDS,
    RENAMED_IN_PLANS,
    TESTBED,
)
from benchmarks.behaviour.renaming import old_value

Plan: TypeAlias = dict[str, Any]


def planned() -> Iterator[Output]:
    """Yield for each experiment its trials' ids, and the plan without parts that may change."""
    for file in sorted(EXPERIMENTS.glob("*.yaml")):
        made = subprocess.run([TESTBED, "plan", "--json", file], capture_output=True, text=True, check=False)
        if made.returncode:
            print(made.stderr, end="", file=sys.stderr)
            yield Output.of_text(f"plan {file.stem}", made.stderr)
            continue
        plan: Plan = json.loads(made.stdout)
        has_modules = any(trial["settings"]["modules"] for trial in plan["trials"])
        yield Output.of_text(f"ids {file.stem}", _ids(plan, has_modules=has_modules))
        plan |= RECORDED_WORDS.get(file.stem, NO_WORDS)
        yield Output.of_text(f"plan {file.stem}", json.dumps(_normalised(plan), indent=1, sort_keys=True) + "\n")


def _ids(plan: Plan, *, has_modules: bool) -> str:
    """Return one id per line. An id ends with a digest of the trial's settings, including the users' modules."""
    return "".join((_without_digest(trial["id"]) if has_modules else trial["id"]) + "\n" for trial in plan["trials"])


def _normalised(plan: Plan) -> Any:
    """Leave out digests, which depend on field names, and the text of users' modules, which depends on our names.

    Nothing else in a plan depends on the machine, the commit, a path, or how the file was written.
    """
    for trial in plan["trials"]:
        trial["id"] = _without_digest(trial["id"])
        trial["settings"]["modules"] = dict.fromkeys(trial["settings"]["modules"], "")
    plan["figures"] = {name: _without_appearance(figure) for name, figure in plan["figures"].items()}
    return old_value(plan, names=RENAMED_IN_PLANS)


def _without_appearance(figure: Plan) -> Plan:
    return {key: value for key, value in figure.items() if key not in ADDED_IN_FIGURES}


def _without_digest(trial_id: str) -> str:
    return re.sub("_[0-9a-f]{8}$", "", trial_id)
