"""All tables of a run, and their files."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import import_module
from math import nan
from pathlib import Path
from typing import BinaryIO, Final

import pandas as pd

from testbed.errors import ExplainedError
from testbed.experiment import Plan, Trial
from testbed.experiment.language.cells import as_cell
from testbed.results.summary import summary_table
from testbed.runfolder.handles import Folder
from testbed.runfolder.record import LONG_BUSY_SECONDS
from testbed.runfolder.trial_data import MeasuredTrial, Row, number
from testbed.tasks.columns import TableColumns
from testbed.tasks.tables import tables_of

DIGITS: Final = "%.9g"


@dataclass(frozen=True)
class Tables:
    """The tables of a run, tidy: a row is an observation, a column a variable. `tables.peers` is the table peers."""

    by_name: Mapping[str, pd.DataFrame]
    columns: TableColumns
    """What their columns mean."""

    def __getattr__(self, name: str) -> pd.DataFrame:
        if name == "by_name" or name not in self.by_name:
            raise AttributeError(f"there is no table {name!r}")
        return self.by_name[name]

    def with_trials(self, name: str) -> pd.DataFrame:
        """Return a table with the columns of its rows' trials; where both have a column, the table's own."""
        table, trials = self.by_name[name], self.by_name["trials"]
        if "trial" not in table or name == "trials":
            return table
        added = [column for column in trials if column == "trial" or column not in table]
        return table.merge(trials[added], on="trial", how="left")

    def first_having(self, columns: Iterable[str], names: Iterable[str]) -> str | None:
        """Return the first of some tables that has these columns, its own or its trials'."""
        wanted = set(columns)
        return next((name for name in names if wanted <= set(self.with_trials(name))), None)


@dataclass(frozen=True)
class TrialRows:
    """The rows of one trial."""

    trial: Row
    """Its row in the table of trials."""
    tables: Mapping[str, pd.DataFrame]
    """Its rows in the others, by the table's name."""


def rows_of(plan: Plan, data: MeasuredTrial) -> TrialRows:
    """Make the rows of a trial."""
    task = tables_of(plan)
    tables = task.tables_of(data)
    return TrialRows({**_identity(data.trial), **task.trial_row(data, tables), **_fidelity(data)}, tables)


@dataclass
class TableMaker:
    """Takes one trial after the other and keeps its rows, so that only one trial is in memory at a time."""

    plan: Plan
    _trials: list[Row] = field(default_factory=list, init=False)
    _parts: dict[str, list[pd.DataFrame]] = field(default_factory=dict, init=False)

    def add(self, rows: TrialRows) -> None:
        """Add the rows of a trial."""
        self._trials.append(rows.trial)
        for name, table in rows.tables.items():
            self._parts.setdefault(name, []).append(table)

    def tables(self, *, with_suspect: bool) -> Tables:
        """Return all tables."""
        columns = tables_of(self.plan).columns
        trials = self._trials_table(columns.tables["trials"])
        found = {
            name: _joined(self._parts.get(name, []), columns.tables[name])
            for name in columns.tables
            if name not in {"trials", "summary"}
        }
        tables = Tables({"trials": trials, **found}, columns)
        groups = tables.with_trials(columns.group_table) if columns.group_table else None
        summary = summary_table(self.plan, columns, trials, groups, with_suspect=with_suspect)
        return replace(tables, by_name={**tables.by_name, "summary": summary})

    def _trials_table(self, columns: Iterable[str]) -> pd.DataFrame:
        """The swept keys follow the trial's id, as they were written."""
        names = list(columns)
        swept = [key for key in self.plan.keys if key not in names]
        return pd.DataFrame(self._trials, columns=["trial", *swept, *(name for name in names if name != "trial")])


def point_cells(trial: Trial) -> Row:
    """Return the swept values of a trial as tables have them: numbers and words as they were written."""
    return {key: as_cell(value) for key, value in trial.point.items()}


def _identity(trial: Trial) -> Row:
    return {
        "trial": trial.id,
        **point_cells(trial),
        "repetition": trial.repetition,
        "seed": trial.seed,
        "pair": trial.pair or "",
    }


def _fidelity(data: MeasuredTrial) -> Row:
    """Return the verdict, the signals of the machine, and how the trial ended."""
    fidelity = data.record.fidelity
    return {
        "verdict": data.record.verdict,
        "reasons": "; ".join(data.record.reasons),
        "attempts": data.attempts,
        "lowest_idle_cpu": number(fidelity.lowest_idle_cpu),
        "worst_lateness_ms": number(fidelity.worst_lateness_ms),
        "loop_lateness_ms": number(fidelity.loop_lateness_ms),
        "run_delay_ms_per_s": number(fidelity.run_delay_ms_per_s),
        "psi_cpu": number(fidelity.psi_cpu),
        "core_drops": number(fidelity.core_drops),
        "link_error": _link_error(data),
        "stopped": data.record.stopped,
        "seconds": data.record.seconds,
        "audit": "" if data.record.audit is None else data.record.audit.outcome,
        "captures": _captures(data),
    }


def _captures(data: MeasuredTrial) -> str:
    """Return whether the captures have all packets; empty without captures."""
    captures = data.record.captures
    lacking = [f"{each.host} lacks {' and '.join(each.lacks)}" for each in captures if each.lacks]
    unknown = [f"{each.host} may lack packets" for each in captures if each.missed is None]
    return "; ".join([*lacking, *unknown]) or ("complete" if captures else "")


def _link_error(data: MeasuredTrial) -> float:
    """Return how far the worst link was from its rate in its fastest second; of links that were busy for long."""
    errors = [
        abs(link.fastest / link.asked - 1)
        for link in data.record.links
        if link.fastest is not None and link.asked and link.busy_s >= LONG_BUSY_SECONDS
    ]
    return max(errors, default=nan)


def _joined(parts: Sequence[pd.DataFrame], columns: Iterable[str]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(columns))


def write_tables(tables: Tables, folder: Folder, *, parquet: bool) -> list[Path]:
    """Write each table as CSV, and as Parquet too if `parquet`."""
    if parquet:
        require_parquet()
    files = []
    for name, table in tables.by_name.items():
        files.append(_write(folder, f"{name}.csv", _csv_writer(table)))
        if parquet:
            files.append(_write(folder, f"{name}.parquet", _parquet_writer(table)))
    return files


def require_parquet() -> None:
    """Refuse Parquet where pyarrow is missing."""
    try:
        import_module("pyarrow")
    except ModuleNotFoundError as error:
        advice = "install the testbed with its extra [parquet], or leave --parquet out"
        raise ExplainedError(f"Parquet needs pyarrow: {advice}") from error


def _csv_writer(table: pd.DataFrame) -> Callable[[BinaryIO], None]:
    return lambda file: table.to_csv(file, index=False, float_format=DIGITS, lineterminator="\n")


def _parquet_writer(table: pd.DataFrame) -> Callable[[BinaryIO], None]:
    """Columns of mixed types, as swept values can be, become text in Parquet."""
    mixed = [name for name in table if table[name].dtype == object]
    return lambda file: table.astype(dict.fromkeys(mixed, "string")).to_parquet(file, index=False)


def _write(folder: Folder, name: str, write: Callable[[BinaryIO], None]) -> Path:
    with whole_file(folder, name) as file:
        write(file)
    return folder.path / name


@contextmanager
def whole_file(folder: Folder, name: str) -> Iterator[BinaryIO]:
    """A file to write that replaces the old one when it is complete; until then the old one stays."""
    try:
        with folder.new_file(name) as file:
            yield file
    except OSError as error:
        advice = "make room, or copy the run folder to where you can write, and report again"
        raise ExplainedError(
            f"{folder.path / name} cannot be written ({(error.strerror or str(error)).lower()}): {advice}"
        ) from error
