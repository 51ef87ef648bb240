"""From a run folder to its tables, figures, and what became of the expectations."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from testbed.experiment import Outcome, Plan
from testbed.results.expectations import outcomes
from testbed.results.figures import FigureError, write_figure
from testbed.results.figures.rows import Material
from testbed.results.observations import observe
from testbed.results.tables.tables import (
    TableMaker,
    Tables,
    require_parquet,
    write_tables,
)
from testbed.runfolder.damage import Damage, DamageError
from testbed.runfolder.folder import RunFolder

FIGURES: Final = "figures"


@dataclass(frozen=True)
class Report:
    """What a run came to."""

    run: RunFolder
    tables: Tables
    with_suspect: bool
    """Whether suspect trials are in the summary, the figures, and what was held against the expectations."""
    files: tuple[Path, ...]
    """Every table and figure that was written."""
    outcomes: tuple[Outcome, ...]
    """Of each line of `expect:`."""
    damages: tuple[Damage, ...]
    """What in the folder cannot be used; no trial that is touched by it is in the tables."""
    undrawn: tuple[str, ...]
    """Why figures could not be drawn."""

    @property
    def is_well(self) -> bool:
        """Whether the whole run is there and sound, and everything is as expected."""
        complete = not (self.damages or self.undrawn or self.run.missing())
        return complete and all(outcome.holds for outcome in self.outcomes)


def report(
    run_folder: Path, *, parquet: bool = False, with_suspect: bool = False, declared: Plan | None = None
) -> Report:
    """Make every table and figure of a run from what its trials left; suspect trials are summed up only if asked.

    Figures and expectations are the run's own, or those of another plan of the same trials.
    """
    if parquet:
        require_parquet()
    run = RunFolder.open(run_folder)
    if declared is not None:
        run = run.declaring(declared)
    tables, damages = _read(run, with_suspect=with_suspect)
    files = write_tables(tables, run_folder, parquet=parquet)
    drawn, undrawn = _draw_all(run, tables, with_suspect=with_suspect)
    return Report(
        run=run,
        tables=tables,
        with_suspect=with_suspect,
        files=(*files, *drawn),
        outcomes=tuple(outcomes(run.plan.expect, tables, with_suspect=with_suspect)),
        damages=damages,
        undrawn=tuple(undrawn),
    )


def _read(run: RunFolder, *, with_suspect: bool) -> tuple[Tables, tuple[Damage, ...]]:
    """Make the tables of what can be used, and tell of the rest."""
    maker, damages = TableMaker(run.plan), list(run.unplanned())
    for trial in run.complete():
        try:
            maker.add(observe(run.folder_of(trial), trial, run.attempts(trial)))
        except DamageError as error:
            damages.append(error.damage)
    return maker.tables(with_suspect=with_suspect), tuple(damages)


def _draw_all(run: RunFolder, tables: Tables, *, with_suspect: bool) -> tuple[Sequence[Path], Sequence[str]]:
    """Draw what can be drawn, and say why the rest cannot. What was drawn before is removed."""
    folder = run.path / FIGURES
    drawn: list[Path] = []
    undrawn: list[str] = []
    for name, figure in run.plan.figures.items():
        folder.mkdir(exist_ok=True)
        for old in folder.glob(f"{name}.*"):
            old.unlink()
        try:
            drawn += write_figure(Material(name, figure, run.plan, tables, with_suspect), folder)
        except FigureError as error:
            undrawn.append(str(error))
    return drawn, undrawn
