"""Whether what figures and expectations name will be measured: found out before a run, and not at its end."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, get_args

from pydantic import ValidationError

from contract.programs import ProfileName
from testbed.experiment.file.findings import Finding, did_you_mean
from testbed.experiment.language.cells import as_cell
from testbed.experiment.language.expressions import (
    Comparison,
    Condition,
    ExpressionError,
    Value,
    parse_condition,
    parse_expectation,
    read_value,
)
from testbed.experiment.plan.trials import Distribution, Term
from testbed.experiment.schema.experiment import Experiment
from testbed.experiment.schema.figures import USED_BY, Figure, rows_key
from testbed.experiment.schema.hosts import PeerGroup, Servers
from testbed.experiment.schema.keys import Key
from testbed.tasks.columns import Column
from testbed.tasks.distribute.columns import (
    COARSEST_FIRST,
    EXPECTED_OF,
    GROUP_MEASURES,
    TABLE_OF,
    TABLES,
    TIMELINE,
    TRIAL_MEASURES,
    columns_of,
    table_having,
)

_DEFAULT_Y: Final = "distribution_s"
_RATIOS: Final = ("ratio", "payload_ratio")
_OF_PAIRS: Final = ("compared", "against")
_NO_PAIRS: Final = "compares within pairs: write `pair:` and a swept key too"
_ELSEWHERE: Final = "the swept keys are columns, and those in docs/results.md"


@dataclass(frozen=True)
class Words:
    """What a column of words can hold: in this experiment, and in any."""

    here: frozenset[str]
    anywhere: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Subject:
    """What the experiment varies, as far as it can be read: a file that has mistakes may have no points."""

    swept: Mapping[str, Sequence[Any] | None]
    """The values of each swept key; None where they are not in order."""
    points: tuple[Experiment, ...]
    pair: str | None

    def column(self, name: str) -> Column | None:
        """Return a column of any table, or None."""
        return next((columns[name] for table in EXPECTED_OF if name in (columns := self.columns(table))), None)

    def columns(self, table: str) -> dict[str, Column]:
        """Return what can be named where rows are those of a table."""
        return columns_of(table, self.swept)

    def words(self) -> dict[str, Words]:
        """Return what columns of words hold."""
        hosts = [group for point in self.points for group in _groups(point)]
        profiles = {*(point.profile for point in self.points), *(each.profile for each in hosts if each.profile)}
        return {
            "verdict": Words(frozenset({"valid", "suspect"})),
            "limited_by": Words(frozenset(get_args(Term))),
            "distribution": Words(
                frozenset(point.distribution for point in self.points), frozenset(get_args(Distribution))
            ),
            "profile": Words(frozenset(profiles), frozenset(get_args(ProfileName))),
            "group": Words(frozenset(name for point in self.points for name in point.peers)),
            "strategy": Words(frozenset(each.strategy.reference for each in hosts)),
            "application": Words(frozenset(each.application for each in hosts)),
            "measure": Words(frozenset({*TRIAL_MEASURES, *GROUP_MEASURES})),
            "compared": Words(frozenset({"difference", "gain"})),
        }


def _groups(experiment: Experiment) -> Iterator[PeerGroup | Servers]:
    yield from experiment.peers.values()
    if experiment.servers is not None:
        yield experiment.servers


def check_references(document: Mapping[str, Any], subject: Subject) -> Iterator[Finding]:
    """Yield what figures and expectations name and nobody will measure; what cannot be read is told elsewhere."""
    figures, expectations = document.get("figures"), document.get("expect")
    for name, written in figures.items() if isinstance(figures, Mapping) else ():
        try:
            figure = Figure.model_validate(written)
        except ValidationError:
            continue
        yield from _Naming(("figures", name), subject).of_figure(figure)
    for index, text in enumerate(expectations if isinstance(expectations, list) else ()):
        yield from _Naming(("expect", index), subject).of_expectation(text)


def refused_value(comparison: Comparison, here: Iterable[object], anywhere: Iterable[object] = ()) -> str:
    """Return why no row is equal to a value, as it is none of those that there are; nothing where one may be."""
    values = [value for value in map(read_value, here) if value is not None]
    known = [*values, *(anywhere if comparison.sign == "!=" else ())]
    if comparison.sign not in {"=", "==", "!="} or comparison.value in known:
        return ""
    hint = did_you_mean(comparison.value, [value for value in known if isinstance(value, str)])
    found = _shown(comparison.value)
    return f"{comparison.name} is never {found} here{hint}: it is {', '.join(dict.fromkeys(map(_shown, values)))}"


def _shown(value: Value) -> str:
    return repr(value) if isinstance(value, str) else f"{value:.10g}"


@dataclass(frozen=True)
class _Naming:
    """One figure or expectation, and where it stands."""

    path: tuple[Key, ...]
    subject: Subject

    def of_expectation(self, text: object) -> Iterator[Finding]:
        try:
            expectation = parse_expectation(text if isinstance(text, str) else "")
        except ExpressionError:
            return
        findings: list[Finding] = []
        for aggregate in expectation.aggregates:
            if aggregate.column:
                is_number = aggregate.name != "count"
                findings += self._column(self.path, aggregate.column, aggregate.offset, is_number=is_number)
        if expectation.where is not None:
            findings += self._condition(self.path, expectation.where)
        yield from findings or self._together(expectation.columns, EXPECTED_OF)

    def of_figure(self, figure: Figure) -> Iterator[Finding]:
        findings = [*self._unused(figure), *self._names(figure), *self._theory(figure), *self._pairs(figure)]
        if figure.kind == "timeline" and not findings:
            findings += self._copies(figure)
        yield from findings or self._one_table(figure)

    def _unused(self, figure: Figure) -> Iterator[Finding]:
        used = USED_BY[figure.kind]
        for key in sorted(figure.model_fields_set - used):
            yield Finding((*self.path, key), f"means nothing to a figure of kind {figure.kind}: leave it out")

    def _names(self, figure: Figure) -> Iterator[Finding]:
        table = TABLE_OF.get(figure.kind)
        for key in ("x", "y", "series", "panels"):
            name = getattr(figure, key)
            if name is not None and key in USED_BY[figure.kind]:
                is_number = key == "y" or (key == "x" and figure.kind == "cdf")
                yield from self._column((*self.path, key), name, table=table, is_number=is_number)
        if figure.kind == "timeline" and figure.y is not None and figure.y not in TIMELINE:
            possible = [name for name, column in TIMELINE.items() if column.label and name != "t"]
            hint = did_you_mean(figure.y, possible)
            yield Finding((*self.path, "y"), f"{figure.y!r} is nothing second by second{hint}: {', '.join(possible)}")
        if figure.where is not None:
            yield from self._condition((*self.path, "where"), parse_condition(figure.where), table)

    def _one_table(self, figure: Figure) -> Iterator[Finding]:
        """A curve's columns must be found in one table, and those of a matrix."""
        if figure.kind not in {"curve", "heatmap"}:
            return
        series = figure.series
        if figure.kind == "heatmap":
            series = rows_key(series or self.subject.pair, figure.x, self.subject.swept)
        x = figure.x or next((key for key in self.subject.swept if key != series), None)
        if x is None:
            yield Finding(self.path, "has no x, and nothing is swept: write `x:` and a column")
            return
        if figure.kind == "heatmap" and series is None:
            yield Finding(self.path, "has no rows, and nothing else is swept: write `series:` and a column")
            return
        yield from self._together(figure.columns(x, figure.y or _DEFAULT_Y), COARSEST_FIRST)

    def _together(self, names: Iterable[str], tables: Sequence[str]) -> Iterator[Finding]:
        wanted = tuple(dict.fromkeys(names))
        if table_having(wanted, self.subject.swept, tables) is None:
            places = [f"{name} is in {', '.join(self._tables(name))}" for name in wanted]
            yield Finding(self.path, f"names columns that no table has together: {'; '.join(places)}")

    def _tables(self, name: str) -> list[str]:
        own = [table for table in EXPECTED_OF if name in TABLES[table]]
        return [f"{table}.csv" for table in own] or ["all"]

    def _theory(self, figure: Figure) -> Iterator[Finding]:
        y = figure.y or _DEFAULT_Y
        column = self.subject.column(y)
        if figure.theory and column is not None and column.unit != "s" and y not in _RATIOS:
            problem = f"bounds are times: y can be {_DEFAULT_Y}, or a ratio, not {y}"
            yield Finding((*self.path, "theory"), problem)
        if "pieces" in figure.theory and not all(map(has_equal_uploads, self.subject.points)):
            needs = "one server and all peers with the same constant `up:`, no `down:`, and all from t = 0 with nothing"
            yield Finding((*self.path, "theory"), f"pieces: that formula holds for {needs}")

    def _pairs(self, figure: Figure) -> Iterator[Finding]:
        if figure.compared is not None and self.subject.pair is None:
            yield Finding((*self.path, "compared"), _NO_PAIRS)
        if figure.compared is not None and figure.theory:
            yield Finding((*self.path, "theory"), "there are no bounds on what is compared: leave it out")

    def _copies(self, figure: Figure) -> Iterator[Finding]:
        is_traced = any(point.trace != "summary" for point in self.subject.points)
        if (figure.y or "").startswith("copies") and self.subject.points and not is_traced:
            yield Finding((*self.path, "y"), f"{figure.y} is not known from a summary: write `trace: pieces` too")

    def _condition(self, path: tuple[Key, ...], condition: Condition, table: str | None = None) -> Iterator[Finding]:
        for comparison in condition.comparisons():
            unknown = list(self._column(path, comparison.name, comparison.offset, table=table))
            yield from unknown or self._value(path, comparison)

    def _column(
        self,
        path: tuple[Key, ...],
        name: str,
        offset: int | None = None,
        *,
        table: str | None = None,
        is_number: bool = False,
    ) -> Iterator[Finding]:
        column = self.subject.columns(table).get(name) if table else self.subject.column(name)
        if column is None:
            yield Finding(path, self._no_column(name, table), offset)
        elif is_number and column.is_words:
            yield Finding(path, f"{name} holds words: a column of numbers is needed", offset)

    def _no_column(self, name: str, table: str | None) -> str:
        if table and self.subject.column(name):
            return f"{name!r} is a column of {self._tables(name)[0]}, and this is made from {table}.csv"
        tables = [table] if table else COARSEST_FIRST
        known = dict.fromkeys(column for each in tables for column in self.subject.columns(each))
        return f"there is no column {name!r}{did_you_mean(name, known)}: {_ELSEWHERE}"

    def _value(self, path: tuple[Key, ...], comparison: Comparison) -> Iterator[Finding]:
        name, column = comparison.name, self.subject.column(comparison.name)
        reason = ""
        if name in self.subject.swept:
            values = self.subject.swept[name]
            words = self.subject.words().get(name, Words(frozenset()))
            reason = refused_value(comparison, map(as_cell, values), words.anywhere) if values else ""
        elif column is not None and column.is_words:
            words = self.subject.words().get(name, Words(frozenset()))
            reason = refused_value(comparison, sorted(words.here), words.anywhere) if words.here else ""
            if name in _OF_PAIRS and self.subject.pair is None:
                reason = _NO_PAIRS
        elif isinstance(comparison.value, str):
            reason = f"{name} holds numbers, and {comparison.value!r} is none"
        if reason:
            yield Finding(path, reason, comparison.value_offset)


def has_equal_uploads(experiment: Experiment) -> bool:
    """Whether one server and all peers have the same upload, no other limit, and begin together with nothing."""
    server = experiment.servers
    groups = experiment.peers.values()
    if server is None or server.count > 1 or server.down is not None:
        return False
    is_even = all(isinstance(group.up, int) and group.up == server.up and group.down is None for group in groups)
    return is_even and all(group.arrival == "flash" and group.start is None for group in groups)
