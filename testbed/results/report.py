"""From a run folder to its tables, its figures, and the outcomes of its expectations."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final, TypeAlias

import pandas as pd

from testbed.experiment import Outcome, Plan, Trial, evaluate
from testbed.experiment.language.aggregates import Expectation
from testbed.experiment.language.conditions import Comparison
from testbed.experiment.language.expressions import parse_expectation
from testbed.results.figures import FORMS, FigureError, numbers_of, write_figure
from testbed.results.figures.rows import FigureSource
from testbed.results.left_out import pairs_left_out
from testbed.results.made import Report
from testbed.results.page import write_page
from testbed.results.summary import is_used
from testbed.results.tables import (
    TableMaker,
    Tables,
    TrialRows,
    require_parquet,
    rows_of,
    whole_file,
    write_tables,
)
from testbed.runfolder.damage import Damage, DamageError
from testbed.runfolder.folder import EXPECTATIONS, REPORT, RunFolder
from testbed.runfolder.handles import Folder
from testbed.runfolder.record import VERSION
from testbed.runfolder.trial_folder import as_json
from testbed.runs import provenance
from testbed.tasks.tables import tables_of

FIGURES: Final = "figures"
_VERDICT: Final = "verdict"
_IS_VALID: Final = Comparison(_VERDICT, "=", "valid")
_NOT_FAILED: Final = Comparison(_VERDICT, "!=", "failed")

ReadRows: TypeAlias = Callable[[RunFolder, Trial, bool], TrialRows]
"""Reads a complete trial; of its captures instead of its traces, if so chosen. A DamageError says why it cannot."""


def read_rows(run: RunFolder, trial: Trial, from_captures: bool) -> TrialRows:
    """Read the rows of a trial; a DamageError says why it cannot be used."""
    task, attempts = tables_of(run.plan), run.attempts(trial)
    return rows_of(run.plan, task.read(run.folder_of(trial), trial, attempts, from_captures=from_captures))


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
    with run.opened() as folder:
        found = read_tables(run, with_suspect=with_suspect)
        files = write_tables(found[0], folder, parquet=parquet)
        made = _made(run, found, folder, with_suspect=with_suspect)
        _write_json(folder, EXPECTATIONS, [asdict(outcome) for outcome in made.outcomes])
        _write_json(folder, REPORT, {"version": VERSION, **provenance.of_report(), "with_suspect": with_suspect})
        page = write_page(made, folder)
    return replace(made, files=(*files, *made.files, page), page=page)


def look(run: RunFolder, scratch: Folder, read: ReadRows) -> Report:
    """Make the same of a run that is not to be changed: nothing is written but its figures, into another folder."""
    found = read_tables(run, with_suspect=False, read=read)
    return _made(run, found, scratch, with_suspect=False, read=read, forms=("svg",))


def _made(
    run: RunFolder,
    found: tuple[Tables, tuple[Damage, ...]],
    folder: Folder,
    *,
    with_suspect: bool,
    read: ReadRows = read_rows,
    forms: Sequence[str] = FORMS,
) -> Report:
    """Make of tables what else there is, and draw the figures into a folder."""
    tables, damages = found
    drawn, undrawn, notes = _draw_all(run, tables, folder, with_suspect=with_suspect, read=read, forms=forms)
    return Report(
        run=run,
        tables=tables,
        with_suspect=with_suspect,
        files=tuple(drawn),
        outcomes=tuple(outcomes(run.plan.expect, tables, with_suspect=with_suspect)),
        damages=damages,
        complaints=tuple(tables_of(run.plan).complaints(tables.trials)),
        failed=tuple(_failed(tables.trials)),
        undrawn=tuple(undrawn),
        notes=tuple(notes),
        pairs_left_out=pairs_left_out(run.plan, tables.trials, with_suspect=with_suspect),
    )


def _failed(trials: pd.DataFrame) -> Iterator[str]:
    failed = trials[trials[_VERDICT] == "failed"]
    for name, reasons in zip(failed["trial"], failed["reasons"], strict=True):
        yield f"{name}: {reasons}"


def _write_json(folder: Folder, name: str, content: object) -> None:
    with whole_file(folder, name) as file:
        file.write(as_json(content).encode())


def read_tables(
    run: RunFolder, *, with_suspect: bool, from_captures: bool = False, read: ReadRows = read_rows
) -> tuple[Tables, tuple[Damage, ...]]:
    """Make the tables of the usable trials, and name the damage of the others; of their captures if so chosen."""
    maker, damages = TableMaker(run.plan), list(run.unplanned())
    for trial in run.complete():
        try:
            maker.add(read(run, trial, from_captures))
        except DamageError as error:
            damages.append(error.damage)
    return maker.tables(with_suspect=with_suspect), tuple(damages)


def _draw_all(
    run: RunFolder, tables: Tables, folder: Folder, *, with_suspect: bool, read: ReadRows, forms: Sequence[str]
) -> tuple[Sequence[Path], Sequence[str], Sequence[str]]:
    """Draw the figures, and say why some cannot be drawn, and what others leave out.

    Figures of an earlier report are removed.
    """
    drawn: list[Path] = []
    undrawn: list[str] = []
    notes: list[str] = []
    captured = tables
    if any(figure.source == "captures" for figure in run.plan.figures.values()):
        captured, _ = read_tables(run, with_suspect=with_suspect, from_captures=True, read=read)
    for name, figure in run.plan.figures.items():
        with folder.own_subfolder(FIGURES) as figures:
            for old in figures.names():
                if old.startswith(f"{name}."):
                    figures.remove(old)
            try:
                source = captured if figure.source == "captures" else tables
                numbers = numbers_of(FigureSource(name, figure, run.plan, source, with_suspect))
                drawn += write_figure(numbers, figures, forms)
            except FigureError as error:
                undrawn.append(str(error))
                continue
            if numbers.left_out:
                notes.append(f"figure {name}: {numbers.left_out}")
    return drawn, undrawn, notes


def outcomes(expectations: Sequence[str], tables: Tables, *, with_suspect: bool) -> list[Outcome]:
    """Evaluate each expectation on the rows of the coarsest table that has the columns it names."""
    return [_outcome(parse_expectation(text), tables, with_suspect=with_suspect) for text in expectations]


def _outcome(expectation: Expectation, tables: Tables, *, with_suspect: bool) -> Outcome:
    names = list(expectation.columns)
    name = tables.first_having(names, tables.columns.expected_of)
    if name is None:
        return evaluate([expectation], _rows(tables.trials))[0]
    table = tables.with_trials(name)
    if _VERDICT in names:
        expectation = expectation.limited_to(_NOT_FAILED if with_suspect else _IS_VALID)
    elif _VERDICT in table:
        table = table[is_used(table[_VERDICT], with_suspect=with_suspect)]
    return evaluate([expectation], _rows(table[[*names, *{_VERDICT}.intersection(table).difference(names)]]))[0]


def _rows(table: pd.DataFrame) -> list[Mapping[str, object]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]
