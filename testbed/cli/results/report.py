"""`testbed report`: rebuild the tables and figures of a run."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import isnan
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from contract.wording import counted, one_or_many
from testbed.cli.experiment.files import open_experiment
from testbed.cli.terminal.complaints import complain
from testbed.cli.terminal.layout import Column, format_table, line_width, wrapped
from testbed.cli.terminal.output import decimal
from testbed.errors import ExplainedError
from testbed.experiment import Plan, make_plan
from testbed.experiment.language.points import short, short_names, telling_keys
from testbed.runfolder.folder import PLAN

if TYPE_CHECKING:
    import pandas as pd

    from testbed.experiment import Outcome
    from testbed.results import Report

_OF_PAIRS: Final = (Column("pairs", 1), Column("group"), Column("gain"), Column("p", 2))
_MOST_LINES: Final = 60


def make_report(
    run: Path,
    *,
    declared: Plan | None = None,
    parquet: bool = False,
    with_suspect: bool = False,
    quiet: bool = False,
) -> int:
    """Make the tables and figures of a run, and print a summary; returns the exit status."""
    with extra_explained():
        from testbed.results import report
        from testbed.results.problems import problems
    _refuse_collection(run)
    made = report(run, parquet=parquet, with_suspect=with_suspect, declared=declared)
    if not quiet:
        print("\n".join(_in_short(made, line_width(sys.stdout))))
    for line in problems(made):
        complain(line)
    return 0 if made.is_well else 1


def _refuse_collection(path: Path) -> None:
    """Refuse the folder that holds all runs."""
    runs = [] if (path / PLAN).exists() else sorted(path.glob(f"*/{PLAN}"), key=_age)
    if runs:
        raise ExplainedError(f"{path} holds {len(runs)} runs: name one of them, such as {runs[-1].parent}, the latest")


def _age(plan: Path) -> tuple[int, str]:
    return plan.stat().st_mtime_ns, plan.parent.name


def declared_in(experiment: Path) -> Plan:
    """Return the plan of an experiment file, for its figures and expectations."""
    return make_plan(open_experiment(experiment))


@contextmanager
def extra_explained() -> Iterator[None]:
    """Name the extra to install if a package for making results is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise ExplainedError(f"{error.name} is missing: install the testbed with its extra [results]") from error


def _in_short(made: "Report", width: int | None) -> Iterator[str]:
    """Yield the points of the sweep as a table, the outcomes of the expectations, and where the files are."""
    header, rows = _points(made)
    if rows:
        yield format_table(header, rows[:_MOST_LINES], width)
    if len(rows) > _MOST_LINES:
        yield f"... and {counted(len(rows) - _MOST_LINES, 'more line')} in summary.csv"
    if pairs := _pairs(made):
        yield format_table([*_headings(made), *_OF_PAIRS], pairs[:_MOST_LINES], width)
    yield from (wrapped(line, width) for line in _sentences(made))


def _sentences(made: "Report") -> Iterator[str]:
    if made.pairs_left_out:
        yield made.pairs_left_out
    yield from (_told(made, outcome) for outcome in made.outcomes)
    if again := int((made.tables.trials["attempts"] > 1).sum()):
        were = one_or_many(again, "was", "were")
        yield f"{counted(again, 'trial')} {were} measured again because the emulation had been disturbed"
    figures = sum(file.suffix == ".pdf" for file in made.files)
    yield f"tables and {counted(figures, 'figure')} in {made.run.path}"
    yield f"to look at in a browser: {made.page}"


def _told(made: "Report", outcome: "Outcome") -> str:
    """Describe an outcome."""
    is_complete = not made.run.missing()
    if made.is_evaluated(outcome):
        return str(outcome) if is_complete else f"so far {outcome}"
    why = "is valid" if is_complete else "has ended"
    return f"not evaluated: {outcome.text} (no trial that it is about {why})"


def _keys(made: "Report") -> list[str]:
    return telling_keys([trial.point for trial in made.run.plan.trials])


def _headings(made: "Report") -> list[Column]:
    return [Column(name) for name in short_names(_keys(made)).values()]


def _points(made: "Report") -> tuple[list[Column], list[list[str]]]:
    """Return the means of each point with their intervals; in a narrow terminal, the last measures go first."""
    summary, keys = made.tables.summary, _keys(made)
    means = summary[(summary["group"] == "") & (summary["against"] == "")]
    by_point: Any = means.groupby(keys, sort=False) if keys else [((), means)]
    measures = [Column(measure, rank) for rank, measure in enumerate(made.tables.columns.headline)]
    counts = [Column(verdict, rank) for rank, verdict in enumerate(_verdicts(made), start=1)]
    header = [*_headings(made), *counts, *measures]
    return header, [_line(made, values, point) for values, point in by_point if len(point)]


def _line(made: "Report", values: tuple[object, ...], point: "pd.DataFrame") -> list[str]:
    found = point.set_index("measure")
    first: Any = found.iloc[0]
    counts = [str(first[f"n_{verdict}"]) for verdict in _verdicts(made)]
    return [*map(short, values), *counts, *(_mean(found.loc[measure]) for measure in made.tables.columns.headline)]


def _verdicts(made: "Report") -> list[str]:
    """Return the verdicts to count; `failed` only where there are such trials."""
    return ["valid", "suspect", *(["failed"] if made.failed else [])]


def _pairs(made: "Report") -> list[list[str]]:
    """Return the gain in time of each value of the paired key over the first one: of each group, or of all peers."""
    summary, keys = made.tables.summary, _keys(made)
    gains = summary[summary["compared"] == "gain"]
    of_group, of_trial = made.tables.columns.paired
    of_groups = gains[gains["measure"] == of_group]
    rows = gains[gains["measure"] == of_trial] if of_groups.empty else of_groups
    return [
        [*(short(row[key]) for key in keys), _pairs_used(made, row), row["group"], _mean(row), _p_value(row)]
        for row in rows.to_dict("records")
    ]


def _pairs_used(made: "Report", row: Any) -> str:
    planned = made.run.plan.repeat
    return str(row["n"]) if row["n"] == planned else f"{row['n']} of {planned}"


def _p_value(row: Any) -> str:
    return "-" if isnan(row["p_permutation"]) else decimal(row["p_permutation"], 3)


def _mean(row: Any) -> str:
    if not row["n"]:
        return "-"
    interval = f" [{decimal(row['low'])}, {decimal(row['high'])}]" if row["n"] > 1 else ""
    return f"{decimal(row['mean'])}{interval}"
