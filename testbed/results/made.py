"""What a report has made of a run."""

from dataclasses import dataclass
from pathlib import Path

from testbed.experiment import Outcome
from testbed.results.tables import Tables
from testbed.runfolder.damage import Damage
from testbed.runfolder.folder import RunFolder


@dataclass(frozen=True)
class Report:
    """The results of a run."""

    run: RunFolder
    tables: Tables
    with_suspect: bool
    """Whether suspect trials are in the summary, the figures and the expectations."""
    files: tuple[Path, ...]
    """Every table and figure that was written."""
    outcomes: tuple[Outcome, ...]
    """One for each line of `expect:`."""
    damages: tuple[Damage, ...]
    """The unusable files of the folder; no trial with one is in the tables."""
    complaints: tuple[str, ...]
    """Results that do not agree with each other; they change no verdict."""
    failed: tuple[str, ...]
    """The trials in which a program failed, and how."""
    undrawn: tuple[str, ...]
    """Why some figures could not be drawn."""
    notes: tuple[str, ...]
    """What some figures leave out."""
    pairs_left_out: str = ""
    """How many pairs are in no comparison, and why; empty if all are."""
    page: Path | None = None
    """All of this to look at; None before it is written."""

    @property
    def is_well(self) -> bool:
        """Whether the run is complete and undamaged, and everything is as expected."""
        complete = not (self.damages or self.undrawn or self.failed or self.run.missing())
        return complete and all(outcome.holds for outcome in self.outcomes)

    @property
    def is_all_used(self) -> bool:
        """Whether no trial is excluded."""
        return self.with_suspect or bool((self.tables.trials["verdict"] == "valid").all())

    def is_evaluated(self, outcome: Outcome) -> bool:
        """Whether an expectation held or not; neither, if it is about trials that are missing, or not valid."""
        return bool(outcome.rows or (not self.run.missing() and (outcome.holds or self.is_all_used)))
