"""Check before a run that the columns and values in figures and expectations will exist."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from contract.events import Level
from testbed.experiment.file.appearance import check_appearance
from testbed.experiment.file.swept import SweptExperiment
from testbed.experiment.file.units_of_columns import compared_quantities, refused_unit
from testbed.experiment.language.aggregates import COUNT, Aggregate, Expectation
from testbed.experiment.language.cells import as_cell
from testbed.experiment.language.conditions import Comparison, Condition
from testbed.experiment.language.expressions import parse_condition, parse_expectation
from testbed.experiment.language.tokens import ExpressionError, Value, read_value
from testbed.experiment.schema.captures import captures_all_hosts
from testbed.experiment.schema.figures import FROM_ONE_TABLE, USED_BY, Figure, rows_key
from testbed.tasks.task import ColumnWords
from testbed.values.findings import Finding, KeyPath, did_you_mean

_OF_PAIRS: Final = ("compared", "against")
_NO_PAIRS: Final = "comparisons need pairs: add `pair:` with a swept key"
_ELSEWHERE: Final = "the columns are the swept keys and those in docs/results.md"


def check_references(document: Mapping[str, Any], experiment: SweptExperiment) -> Iterator[Finding]:
    """Yield references to values that will not be measured. Syntax errors are reported elsewhere."""
    figures, expectations = document.get("figures"), document.get("expect")
    for name, written in figures.items() if isinstance(figures, Mapping) else ():
        try:
            figure = Figure.model_validate(written)
        except ValidationError:
            continue
        yield from _References(("figures", name), experiment).of_figure(figure)
    for index, text in enumerate(expectations if isinstance(expectations, list) else ()):
        yield from _References(("expect", index), experiment).of_expectation(text)


def refused_value(comparison: Comparison, here: Iterable[object], anywhere: Iterable[object] = ()) -> str:
    """Return why no row can equal the value of a comparison; empty if one can."""
    values = [value for value in map(read_value, here) if value is not None]
    known = [*values, *(anywhere if comparison.sign == "!=" else ())]
    if comparison.sign not in {"=", "==", "!="} or comparison.value in known:
        return ""
    hint = did_you_mean(comparison.value, [value for value in known if isinstance(value, str)])
    found = _shown(comparison.value)
    return (
        f"{comparison.name} is never {found} here{hint}: its values are {', '.join(dict.fromkeys(map(_shown, values)))}"
    )


def _shown(value: Value) -> str:
    return repr(value) if isinstance(value, str) else f"{value:.10g}"


@dataclass(frozen=True)
class _References:
    """Checks of one figure or expectation."""

    path: KeyPath
    experiment: SweptExperiment

    def of_expectation(self, text: object) -> Iterator[Finding]:
        try:
            expectation = parse_expectation(text if isinstance(text, str) else "")
        except ExpressionError:
            return
        findings: list[Finding] = []
        for aggregate in expectation.aggregates:
            findings += self._aggregate(aggregate)
        if expectation.where is not None:
            findings += self._condition(self.path, expectation.where)
        findings = findings or list(self._quantities(expectation))
        yield from findings or self._together(expectation.columns, self.experiment.tables.expected_of)

    def _aggregate(self, aggregate: Aggregate) -> Iterator[Finding]:
        whole = f"{aggregate.column}.{aggregate.name}"
        if aggregate.column and self.experiment.column(aggregate.column) is None and whole in self.experiment.swept:
            yield Finding(
                self.path, f"{whole} is a column: write an aggregate behind it, as {whole}.mean", aggregate.offset
            )
        elif aggregate.column:
            is_number = aggregate.name != COUNT
            yield from self._column(self.path, aggregate.column, aggregate.offset, is_number=is_number)
        if aggregate.where is not None:
            yield from self._condition(self.path, aggregate.where)

    def _quantities(self, expectation: Expectation) -> Iterator[Finding]:
        for aggregate, constant in compared_quantities(expectation):
            if reason := self._refused_unit(aggregate.column, constant.unit):
                yield Finding(self.path, reason, constant.offset)

    def _refused_unit(self, name: str, unit: str) -> str:
        """Return why a column cannot be compared with a quantity; a swept key has whatever the file writes."""
        column = self.experiment.column(name)
        return "" if column is None or name in self.experiment.swept else refused_unit(name, column, unit)

    def of_figure(self, figure: Figure) -> Iterator[Finding]:
        if figure.kind in FROM_ONE_TABLE and figure.kind not in self.experiment.tables.table_of:
            yield Finding((*self.path, "kind"), f"this task has nothing to draw as {figure.kind}: choose another kind")
            return
        findings = [*self._unused(figure), *self._names(figure), *self._theory(figure), *self._pairs(figure)]
        findings += self._source(figure)
        if figure.kind == "timeline" and figure.source == "traces" and not findings:
            findings += self._trace_level(figure)
        findings = findings or list(self._one_table(figure))
        yield from findings or check_appearance(self.path, figure, self.experiment)

    def _unused(self, figure: Figure) -> Iterator[Finding]:
        used = USED_BY[figure.kind]
        for key in sorted(figure.model_fields_set - used):
            yield Finding((*self.path, key), f"is not used by a figure of kind {figure.kind}: leave it out")
        if figure.kind != "timeline" and len(figure.ys) > 1:
            yield Finding((*self.path, "y"), "only a timeline can have several columns: draw a figure for each")

    def _names(self, figure: Figure) -> Iterator[Finding]:
        table = self.experiment.tables.table_of.get(figure.kind)
        for key in ("x", "series", "panels"):
            name = getattr(figure, key)
            if name is not None and key in USED_BY[figure.kind]:
                is_number = key == "x" and figure.kind == "cdf"
                yield from self._column((*self.path, key), name, table=table, is_number=is_number)
        for path, y in self._ys(figure):
            yield from self._column(path, y, table=table, is_number=True)
        if figure.kind == "timeline":
            yield from self._measured_by_second(figure)
        if figure.where is not None:
            yield from self._condition((*self.path, "where"), parse_condition(figure.where), table)

    def _ys(self, figure: Figure) -> Iterator[tuple[KeyPath, str]]:
        """Yield each column of y that the figure uses, with its place."""
        path = (*self.path, "y")
        if "y" in USED_BY[figure.kind]:
            for index, y in enumerate(figure.ys):
                yield (path if isinstance(figure.y, str) else (*path, index)), y

    def _measured_by_second(self, figure: Figure) -> Iterator[Finding]:
        """The columns of a timeline are those of the timeline's table, and have one axis."""
        seconds = self.experiment.tables.by_second
        for path, y in self._ys(figure):
            if y not in seconds and self.experiment.column(y) is not None:
                possible = [name for name, column in seconds.items() if column.label and name != "t"]
                hint = did_you_mean(y, possible)
                yield Finding(path, f"{y!r} is not measured second by second{hint}: {', '.join(possible)}")
        known = [(y, seconds[y]) for y in figure.ys if y in seconds]
        for y, column in known[1:]:
            first, one = known[0]
            if (column.unit, column.is_share) != (one.unit, one.is_share):
                problem = f"{first} and {y} have no common axis: draw a figure for each"
                yield Finding((*self.path, "y"), problem)

    def _one_table(self, figure: Figure) -> Iterator[Finding]:
        """All columns of a curve or a heat map must be in one table."""
        if figure.kind not in {"curve", "heatmap"}:
            return
        series = figure.series
        if figure.kind == "heatmap":
            series = rows_key(series or self.experiment.pair, figure.x, self.experiment.swept)
        x = figure.x or next((key for key in self.experiment.swept if key != series), None)
        if x is None:
            yield Finding(self.path, "has no x, and nothing is swept: write `x:` and a column")
            return
        if figure.kind == "heatmap" and series is None:
            yield Finding(self.path, "has no rows, and nothing else is swept: write `series:` and a column")
            return
        (y,) = figure.ys or (self.experiment.tables.defaults[figure.kind],)
        yield from self._together(figure.columns(x, y), self.experiment.tables.coarsest_first)

    def _together(self, names: Iterable[str], tables: Sequence[str]) -> Iterator[Finding]:
        wanted = tuple(dict.fromkeys(names))
        if self.experiment.tables.table_having(wanted, self.experiment.swept, tables) is None:
            places = [f"{name} is in {', '.join(self._tables(name))}" for name in wanted]
            yield Finding(self.path, f"no table has all of these columns: {'; '.join(places)}")

    def _tables(self, name: str) -> list[str]:
        own = [table for table in self.experiment.tables.expected_of if name in self.experiment.tables.tables[table]]
        return [f"{table}.csv" for table in own] or ["all"]

    def _theory(self, figure: Figure) -> Iterator[Finding]:
        tables, y = self.experiment.tables, next(iter(figure.ys), None)
        if figure.theory and y is not None and self.experiment.column(y) is not None and not tables.has_bounds(y):
            yield Finding((*self.path, "theory"), f"{tables.needed_beside_bounds(figure.kind)}, not {y}")
        for model in figure.theory:
            if model not in tables.curves:
                known = ", ".join(tables.curves)
                yield Finding((*self.path, "theory"), f"{model} is of another task: here there is {known}")
            elif refusal := self.experiment.task.refused_theory(model, self.experiment.points):
                yield Finding((*self.path, "theory"), refusal)

    def _pairs(self, figure: Figure) -> Iterator[Finding]:
        if figure.compared is not None and self.experiment.pair is None:
            yield Finding((*self.path, "compared"), _NO_PAIRS)
        if figure.compared is not None and figure.theory:
            yield Finding((*self.path, "theory"), "compared values have no bounds: leave it out")

    def _source(self, figure: Figure) -> Iterator[Finding]:
        """A figure from captures needs those of all hosts: what one host is missing would look like idleness."""
        points = self.experiment.points
        if figure.source == "captures" and not self.experiment.tables.can_be_captured:
            yield Finding((*self.path, "source"), "captures do not tell what this task measures: leave this key out")
        elif figure.source == "captures" and not all(captures_all_hosts(point.capture) for point in points):
            problem = "needs the packets of all hosts: add `capture: all` to the experiment"
            yield Finding((*self.path, "source"), problem)

    def _trace_level(self, figure: Figure) -> Iterator[Finding]:
        """Find a column that needs more detailed traces than any point has."""
        if not self.experiment.points:
            return
        highest = max(Level[point.trace_level.upper()] for point in self.experiment.points)
        for path, y in self._ys(figure):
            column = self.experiment.tables.column(y)
            if column is not None and highest < column.trace_level:
                needed = f"add `trace_level: {column.trace_level.name.lower()}`"
                problem = f"{y} is not recorded at `trace_level: {highest.name.lower()}`: {needed}"
                yield Finding(path, problem)

    def _condition(self, path: KeyPath, condition: Condition, table: str | None = None) -> Iterator[Finding]:
        for comparison in condition.comparisons():
            unknown = list(self._column(path, comparison.name, comparison.offset, table=table))
            yield from unknown or self._value(path, comparison)

    def _column(
        self,
        path: KeyPath,
        name: str,
        offset: int | None = None,
        *,
        table: str | None = None,
        is_number: bool = False,
    ) -> Iterator[Finding]:
        column = self.experiment.columns(table).get(name) if table else self.experiment.column(name)
        if column is None:
            yield Finding(path, self._no_column(name, table), offset)
        elif is_number and column.is_words:
            yield Finding(path, f"{name} contains words: write a column of numbers", offset)

    def _no_column(self, name: str, table: str | None) -> str:
        if table and self.experiment.column(name):
            return f"{name!r} is a column of {self._tables(name)[0]}, but this figure is made from {table}.csv"
        tables = [table] if table else self.experiment.tables.coarsest_first
        known = dict.fromkeys(column for each in tables for column in self.experiment.columns(each))
        return f"there is no column {name!r}{did_you_mean(name, known)}: {_ELSEWHERE}"

    def _value(self, path: KeyPath, comparison: Comparison) -> Iterator[Finding]:
        name, column = comparison.name, self.experiment.column(comparison.name)
        reason = ""
        if name in self.experiment.swept:
            values = self.experiment.swept[name]
            words = self.experiment.words().get(name, ColumnWords(frozenset()))
            reason = refused_value(comparison, map(as_cell, values), words.anywhere) if values else ""
        elif column is not None and column.is_words:
            words = self.experiment.words().get(name, ColumnWords(frozenset()))
            reason = refused_value(comparison, sorted(words.here), words.anywhere) if words.here else ""
            if name in _OF_PAIRS and self.experiment.pair is None:
                reason = _NO_PAIRS
        elif isinstance(comparison.value, str):
            reason = f"{name} contains numbers, but {comparison.value!r} is not a number"
        else:
            reason = self._refused_unit(name, comparison.unit)
        if reason:
            yield Finding(path, reason, comparison.value_offset)
