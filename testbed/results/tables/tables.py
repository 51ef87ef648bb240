"""All tables of a run, and their files."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Final

import pandas as pd

from testbed.errors import ExplainedError
from testbed.experiment import Plan
from testbed.experiment.columns import (
    GROUPS,
    PEERS,
    TIMELINE,
    TRANSFERS,
    TRIALS,
)
from testbed.results.observations import Observed
from testbed.results.tables.summary import summary_table
from testbed.tasks.distribute.tables.peers import group_rows, peer_rows
from testbed.tasks.distribute.tables.timeline import timeline_table
from testbed.tasks.distribute.tables.transfers import Row, transfer_rows
from testbed.tasks.distribute.tables.trials import trial_row

DIGITS: Final = "%.9g"


@dataclass(frozen=True)
class Tables:
    """What a run comes to, tidy: a row is an observation, a column a variable."""

    trials: pd.DataFrame
    groups: pd.DataFrame
    peers: pd.DataFrame
    transfers: pd.DataFrame
    timeline: pd.DataFrame
    summary: pd.DataFrame

    def with_trials(self, name: str) -> pd.DataFrame:
        """Return a table with the columns of its rows' trials; where both have a column, the table's own."""
        table: pd.DataFrame = getattr(self, name)
        if "trial" not in table or name == "trials":
            return table
        added = [column for column in self.trials if column == "trial" or column not in table]
        return table.merge(self.trials[added], on="trial", how="left")

    def having(self, columns: Iterable[str], names: Iterable[str]) -> pd.DataFrame | None:
        """Return the first of some tables that has these columns, its own or its trials'."""
        wanted = set(columns)
        for name in names:
            table = self.with_trials(name)
            if wanted <= set(table):
                return table
        return None


@dataclass
class TableMaker:
    """Takes one trial after the other and keeps its rows, so that no more than one is in memory whole."""

    plan: Plan
    _trials: list[Row] = field(default_factory=list)
    _peers: list[pd.DataFrame] = field(default_factory=list)
    _transfers: list[pd.DataFrame] = field(default_factory=list)
    _timelines: list[pd.DataFrame] = field(default_factory=list)

    def add(self, observed: Observed) -> None:
        """Add a trial."""
        peers = _table(peer_rows(observed), PEERS)
        self._trials.append(trial_row(observed, peers))
        self._peers.append(peers)
        self._transfers.append(_table(transfer_rows(observed), TRANSFERS))
        self._timelines.append(timeline_table(observed))

    def tables(self, *, with_suspect: bool) -> Tables:
        """Return all tables."""
        swept = [key for key in self.plan.keys if key not in TRIALS]
        trials = _table(self._trials, ["trial", *swept, *(name for name in TRIALS if name != "trial")])
        peers = _joined(self._peers, PEERS)
        parts = {"transfers": _joined(self._transfers, TRANSFERS), "timeline": _joined(self._timelines, TIMELINE)}
        groups = _table(group_rows(peers, parts["transfers"]), GROUPS)
        with_points = groups.merge(
            trials[[name for name in trials if name == "trial" or name not in groups]], on="trial"
        )
        summary = summary_table(self.plan, trials, with_points, with_suspect=with_suspect)
        return Tables(trials=trials, groups=groups, peers=peers, summary=summary, **parts)


def _table(rows: Iterable[Row], columns: Iterable[str]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(columns))


def _joined(parts: Sequence[pd.DataFrame], columns: Iterable[str]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True) if parts else _table([], columns)


def write_tables(tables: Tables, folder: Path, *, parquet: bool) -> list[Path]:
    """Write each table as CSV, and as Parquet if that is wanted."""
    if parquet:
        require_parquet()
    by_name: Mapping[str, pd.DataFrame] = vars(tables)
    files = []
    for name, table in by_name.items():
        files.append(_write(folder / f"{name}.csv", _csv_writer(table)))
        if parquet:
            files.append(_write(folder / f"{name}.parquet", _parquet_writer(table)))
    return files


def require_parquet() -> None:
    """Refuse Parquet where nothing can write it."""
    try:
        import_module("pyarrow")
    except ModuleNotFoundError as error:
        advice = "install the testbed with its extra [parquet], or leave --parquet out"
        raise ExplainedError(f"Parquet needs pyarrow: {advice}") from error


def _csv_writer(table: pd.DataFrame) -> Callable[[Path], None]:
    return lambda file: table.to_csv(file, index=False, float_format=DIGITS, lineterminator="\n")


def _parquet_writer(table: pd.DataFrame) -> Callable[[Path], None]:
    """Mixed columns, as swept values can be, have no type there but text."""
    mixed = [name for name in table if table[name].dtype == object]
    return lambda file: table.astype(dict.fromkeys(mixed, "string")).to_parquet(file, index=False)


def _write(file: Path, write: Callable[[Path], None]) -> Path:
    with whole_file(file) as unfinished:
        write(unfinished)
    return file


@contextmanager
def whole_file(file: Path) -> Iterator[Path]:
    """A file to write that takes its place when it is whole; until then, whatever happens, the old one stays."""
    unfinished = file.with_name(f".{file.name}.part")
    try:
        yield unfinished
        unfinished.replace(file)
    except OSError as error:
        advice = "make room, or copy the run folder to where you can write, and report again"
        raise ExplainedError(
            f"{file} cannot be written ({(error.strerror or str(error)).lower()}): {advice}"
        ) from error
    finally:
        with suppress(OSError):  # where nothing can be written, nothing was left
            unfinished.unlink(missing_ok=True)
