"""From a run folder to its tables, its figures, and the outcomes of its expectations."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import pandas as pd

from testbed.experiment import Outcome, Plan, evaluate
from testbed.experiment.language.expressions import Expectation, parse_expectation
from testbed.results.figures import FigureError, write_figure
from testbed.results.figures.rows import FigureSource
from testbed.results.tables import TableMaker, Tables, require_parquet, whole_file, write_tables
from testbed.runfolder.damage import Damage, DamageError
from testbed.runfolder.folder import EXPECTATIONS, RunFolder
from testbed.runfolder.trial_data import read_trial
from testbed.runfolder.trial_folder import write_json
from testbed.tasks.tables import tables_of

FIGURES: Final = "figures"
_VERDICT: Final = "verdict"


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
    undrawn: tuple[str, ...]
    """Why some figures could not be drawn."""

    @property
    def is_well(self) -> bool:
        """Whether the run is complete and undamaged, and everything is as expected."""
        complete = not (self.damages or self.undrawn or self.run.missing())
        return complete and all(outcome.holds for outcome in self.outcomes)


def report(
    run_folder: Path, *, parquet: bool = False, with_suspect: bool = False, declared: Plan | None = None
) -> Report:
    """Make every table and figure of a run from its trials; suspect trials are in means only if `with_suspect`.

    Figures and expectations are the run's own, or those of another plan of the same trials, `declared`.
    """
    if parquet:
        require_parquet()
    run = RunFolder.open(run_folder)
    if declared is not None:
        run = run.declaring(declared)
    tables, damages = read_tables(run, with_suspect=with_suspect)
    files = write_tables(tables, run_folder, parquet=parquet)
    drawn, undrawn = _draw_all(run, tables, with_suspect=with_suspect)
    found = outcomes(run.plan.expect, tables, with_suspect=with_suspect)
    _write_outcomes(run, found)
    return Report(
        run=run,
        tables=tables,
        with_suspect=with_suspect,
        files=(*files, *drawn),
        outcomes=tuple(found),
        damages=damages,
        complaints=tuple(tables_of(run.plan).complaints(tables.trials)),
        undrawn=tuple(undrawn),
    )


def read_tables(run: RunFolder, *, with_suspect: bool) -> tuple[Tables, tuple[Damage, ...]]:
    """Make the tables of the usable trials, and name the damage of the others."""
    maker, damages = TableMaker(run.plan), list(run.unplanned())
    traced = tables_of(run.plan).traced_roles
    for trial in run.complete():
        try:
            maker.add(read_trial(run.folder_of(trial), trial, run.attempts(trial), traced=traced))
        except DamageError as error:
            damages.append(error.damage)
    return maker.tables(with_suspect=with_suspect), tuple(damages)


def _draw_all(run: RunFolder, tables: Tables, *, with_suspect: bool) -> tuple[Sequence[Path], Sequence[str]]:
    """Draw the figures, and say why some cannot be drawn. Figures of an earlier report are removed."""
    folder = run.path / FIGURES
    drawn: list[Path] = []
    undrawn: list[str] = []
    for name, figure in run.plan.figures.items():
        folder.mkdir(exist_ok=True)
        for old in folder.glob(f"{name}.*"):
            old.unlink()
        try:
            drawn += write_figure(FigureSource(name, figure, run.plan, tables, with_suspect), folder)
        except FigureError as error:
            undrawn.append(str(error))
    return drawn, undrawn


def _write_outcomes(run: RunFolder, found: Sequence[Outcome]) -> None:
    """Write what the expectations came to, for commands that make no tables."""
    with whole_file(run.path / EXPECTATIONS) as unfinished:
        write_json(unfinished, [asdict(outcome) for outcome in found])


def outcomes(expectations: Sequence[str], tables: Tables, *, with_suspect: bool) -> list[Outcome]:
    """Evaluate each expectation on the rows of the coarsest table that has the columns it names."""
    return [_outcome(parse_expectation(text), tables, with_suspect=with_suspect) for text in expectations]


def _outcome(expectation: Expectation, tables: Tables, *, with_suspect: bool) -> Outcome:
    names = list(expectation.columns)
    name = tables.first_having(names, tables.columns.expected_of)
    if name is None:
        return evaluate([expectation], _rows(tables.trials))[0]
    table = tables.with_trials(name)
    if not with_suspect and _VERDICT in table and _VERDICT not in names:
        table = table[table[_VERDICT] == "valid"]
    return evaluate([expectation], _rows(table[[*names, *{_VERDICT}.intersection(table).difference(names)]]))[0]


def _rows(table: pd.DataFrame) -> list[Mapping[str, object]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
