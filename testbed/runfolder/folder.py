"""A run folder: what was planned, and which trials of it are there."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from testbed.errors import ExplainedError
from testbed.experiment import Plan, Trial
from testbed.runfolder.damage import Damage, DamageError
from testbed.runfolder.record import OTHER_VERSION

PLAN: Final = "plan.json"
TRIALS: Final = "trials"
SET_ASIDE: Final = "suspect"


@dataclass(frozen=True)
class RunFolder:
    """A run, finished or not. A trial's folder got its name when everything was in it."""

    path: Path
    plan: Plan

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """Read the plan of a run."""
        if not path.is_dir():
            raise ExplainedError(f"{path} is not a folder: name a run folder, which `testbed run` makes")
        file = path / PLAN
        try:
            return cls(path, Plan.from_json(file.read_text(encoding="utf-8")))
        except FileNotFoundError as error:
            raise ExplainedError(f"{path} has no {PLAN}: name a run folder, which `testbed run` makes") from error
        except (ValidationError, UnicodeDecodeError) as error:
            advice = f"{OTHER_VERSION}, or run the experiment again"
            raise DamageError(file, f"is not a plan of this version of the testbed: {advice}") from error

    def declaring(self, plan: Plan) -> "RunFolder":
        """The same with the figures and expectations of a plan, which must be of the same trials."""
        if {trial.id for trial in plan.trials} != {trial.id for trial in self.plan.trials}:
            advice = "figures and expectations can be changed later, what is measured cannot: run the experiment"
            raise ExplainedError(f"{self.path} has not the trials of this experiment: {advice}")
        words = {"title": plan.title, "question": plan.question, "figures": plan.figures, "expect": plan.expect}
        return replace(self, plan=self.plan.model_copy(update=words))

    def folder_of(self, trial: Trial) -> Path:
        """Where a trial is, if it is there."""
        return self.path / TRIALS / trial.id

    def attempts(self, trial: Trial) -> int:
        """How often a trial that is there was measured: suspect ones can be set aside and measured again."""
        return 1 + sum(1 for _ in (self.path / SET_ASIDE).glob(f"{trial.id}.*"))

    @property
    def complete(self) -> tuple[Trial, ...]:
        """The trials that were run to their end."""
        return tuple(trial for trial in self.plan.trials if self.folder_of(trial).is_dir())

    @property
    def missing(self) -> tuple[Trial, ...]:
        """The trials that are still to be run."""
        return tuple(trial for trial in self.plan.trials if not self.folder_of(trial).is_dir())

    def strangers(self) -> Iterator[Damage]:
        """Yield folders of trials that were never planned."""
        planned = {trial.id for trial in self.plan.trials}
        folder = self.path / TRIALS
        for entry in sorted(folder.iterdir()) if folder.is_dir() else ():
            if entry.name not in planned and not entry.name.startswith("."):
                yield Damage(entry, 0, f"is no trial of {PLAN}, and not used: it has no place here, remove it")
