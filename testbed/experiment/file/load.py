"""Read an experiment file, and report all its problems at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from contract.wording import counted, one_or_many
from testbed.experiment.file.attached_files import CsvError, ModuleError, parse_link_rate, read_column, read_module
from testbed.experiment.file.errors import ExperimentError, Problem
from testbed.experiment.file.findings import findings_of
from testbed.experiment.file.overrides import overridden
from testbed.experiment.file.references import check_references
from testbed.experiment.file.source import Source, read_source
from testbed.experiment.file.sweep import (
    Point,
    check_keys,
    check_sweep,
    swept_keys,
    wanted_points,
)
from testbed.experiment.file.swept import SweptExperiment
from testbed.experiment.schema.captures import captures_hosts, named_hosts
from testbed.experiment.schema.experiment import MODELS, Experiment, Sweep, task_named
from testbed.tasks.planning import TASKS
from testbed.tasks.task import Task
from testbed.values.costs import ADDRESSES, MOST_HOSTS, MOST_TESTED
from testbed.values.draws import ColumnName, Columns
from testbed.values.findings import Finding, did_you_mean
from testbed.values.hosts import OF_RATES, CsvColumn, Group
from testbed.values.units import parse_duration

MOST_TRIALS: Final = 10_000
MOST_HOSTS_OF_ALL: Final = 300_000
"""In all trials together. Planning takes about 0.5 ms for a trial, and 0.05 ms for a host."""

FROM_GROUPS: Final = ("n", "names", "up", "down", "delay", "jitter", "loss")
"""Parameters of a topology that are set from the groups of hosts, if there are any."""


@dataclass(frozen=True)
class Variant:
    """One point of a sweep, and the experiment with the values of that point."""

    point: Point
    experiment: Experiment


@dataclass(frozen=True)
class ExperimentFile:
    """An experiment file, read once: its text, the places of its keys, and files beside it are taken from here."""

    source: Source
    variants: tuple[Variant, ...]
    """In the order of the sweep; a single one if nothing is swept."""
    sweep: Sweep | None
    columns: Columns
    """Columns of CSV files that it names."""
    modules: Mapping[str, str]
    """The text of each strategy module beside the file, by name."""

    @property
    def path(self) -> Path:
        return self.source.file

    @property
    def text(self) -> str:
        return self.source.text

    @property
    def hints(self) -> list[str]:
        """Keys to rename in the file, although it can be used as it is."""
        return [
            f"{self.path}:{key.line}:{key.column}: `{key.old}:` is now `{key.new}:`; write the new key, because the"
            " next version will refuse the old one"
            for key in self.source.renamed
        ]

    @property
    def task(self) -> Task[Any]:
        """The task of its hosts."""
        return TASKS[self.experiment.task]

    @property
    def has_trials(self) -> bool:
        """Whether there are trials to plan; otherwise the file describes a network alone."""
        return self.task.has_trials(self.experiment)

    @property
    def paired_keys(self) -> frozenset[str]:
        """The keys in which the trials of a pair differ: the paired one, and those zipped with it."""
        pair = self.experiment.pair
        zipped = self.sweep.zipped if self.sweep else {}
        return frozenset(zipped) if pair in zipped else frozenset([pair] if pair else [])

    @property
    def experiment(self) -> Experiment:
        """The experiment at the first point of the sweep."""
        return self.variants[0].experiment


def load_experiment(path: Path | str) -> Experiment:
    """Read the experiment in a YAML file, at the first point of its sweep; see `read_experiment`."""
    return read_experiment(path).experiment


def read_experiment(path: Path | str, *, settings: Sequence[str] = (), content: bytes | None = None) -> ExperimentFile:
    """Read an experiment file with all its points; an ExperimentError lists everything to correct.

    `settings` are `key=value`, and take the place of values in the file; `content` is the file, if it was read already.
    """
    return _Reading(overridden(read_source(Path(path), content), settings)).result()


def refused_parameters(file: ExperimentFile, reasons: Mapping[str, str]) -> ExperimentError:
    """Return the error for parameters that the topology refused, each at its place in the file."""
    keys = {name: ("topology", name) for name in reasons}
    return ExperimentError(Problem(file.source.place(key), ".".join(key), reasons[name]) for name, key in keys.items())


def refused_values(file: ExperimentFile, findings: Iterable[tuple[Point, Finding]]) -> ExperimentError:
    """Return the error for values of some points that other parts of the testbed refused, each at its place."""
    problems: dict[Problem, None] = {}
    for point, finding in findings:
        place = file.source.place(point.place_of(finding.path))
        problems[Problem(place, ".".join(map(str, finding.path)), finding.message)] = None
    return ExperimentError(_in_order(problems))


def _in_order(problems: Iterable[Problem]) -> list[Problem]:
    return sorted(problems, key=lambda problem: (problem.place.line, problem.place.column))


@dataclass
class _Reading:
    """A file that is being read, and the problems found so far; a problem of several points is listed once."""

    source: Source
    problems: dict[Problem, None] = field(default_factory=dict)
    columns: dict[ColumnName, tuple[float, ...]] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        name = task_named(self.source.plain)
        self.task, self.model = TASKS[name], MODELS[name]

    def result(self) -> ExperimentFile:
        sweep, points = self._read_sweep()
        variants = tuple(variant for point in points if (variant := self._read_point(point)))
        self._check_pair()
        self._check_references(sweep, variants)
        self._add(_check_total(variants, self.task), Point())
        if self.problems:
            raise ExperimentError(_in_order(self.problems))
        return ExperimentFile(self.source, variants, sweep, self.columns, self.modules)

    def _read_sweep(self) -> tuple[Sweep | None, list[Point]]:
        """Return the sweep and its points. If it cannot be used, the file without it is the only point."""
        document = self.source.plain
        if "sweep" not in document:
            return None, [Point()]
        try:
            sweep = Sweep.model_validate({} if document["sweep"] is None else document["sweep"])
        except ValidationError:
            self._add(check_keys(document, self.model), Point())
            return None, [Point()]
        findings = [*check_keys(document, self.model), *check_sweep(sweep, document)]
        self._add(findings, Point())
        if findings:
            return None, [Point()]
        points = wanted_points(sweep, document)
        if not points:
            self._add([Finding(("sweep", "when"), "leaves out every point of the sweep")], Point())
        return sweep, points or [Point()]

    def _read_point(self, point: Point) -> Variant | None:
        document = point.applied_to(self.source.plain) if point.settings else self.source.plain
        self._add(self.task.missing(document), point)
        try:
            experiment = self.model.model_validate(document)
        except ValidationError as error:
            self._add(self._but_swept(findings_of(error, document, self.model, tuple(point.values))), point)
            return None
        self._add(_check_values(experiment, self.task), point)
        self._add(self._read_columns(experiment), point)
        self._add(self._read_modules(experiment), point)
        return Variant(point, experiment)

    def _but_swept(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Drop complaints about missing keys that an unusable sweep would have set."""
        swept = [place[-1] for place in swept_keys(self.source.plain)]
        for finding in findings:
            key = ".".join(map(str, finding.path))
            if not (finding.message.startswith("is required") and key in swept):
                yield finding

    def _read_columns(self, experiment: Experiment) -> Iterator[Finding]:
        for group in self.task.groups(experiment):
            for keys, table in group.csv_columns():
                path, key = (*group.path, *keys, "csv"), keys[-1]
                try:
                    values = self._read_column(table, key)
                except CsvError as error:
                    yield Finding(path, str(error))
                    continue
                if key == "arrival" and len(values) < group.count:
                    noun = counted(group.count, self.task.participants.removesuffix("s"))
                    need = one_or_many(group.count, "needs", "need")
                    yield Finding(path, f"{noun} {need} a row each, but {table.csv} has {len(values)}")

    def _read_column(self, table: CsvColumn, key: str) -> tuple[float, ...]:
        """Read a column, unless it was read for another key or point before."""
        column = (table.csv, table.column or key)
        parse: Callable[[str], float] = parse_link_rate if key in OF_RATES else parse_duration
        if column not in self.columns:
            self.columns[column] = read_column(self.source.file.parent / table.csv, column[1], parse)
        return self.columns[column]

    def _read_modules(self, experiment: Experiment) -> Iterator[Finding]:
        for path, reference in self.task.modules(experiment):
            try:
                found = read_module(self.source.file.parent, reference)
            except ModuleError as error:
                yield Finding(path, str(error))
                continue
            if found is not None:
                self.modules.update([found])

    def _check_pair(self) -> None:
        pair = self.source.plain.get("pair")
        swept = [place[-1] for place in swept_keys(self.source.plain)]
        if isinstance(pair, str) and pair not in swept:
            possible = f"{did_you_mean(pair, swept)}: write {' or '.join(swept)}" if swept else ": add `sweep:`"
            self._add([Finding(("pair",), f"{pair!r} is not swept{possible}")], Point())

    def _check_references(self, sweep: Sweep | None, variants: Sequence[Variant]) -> None:
        document = self.source.plain
        values = {**sweep.axes, **sweep.zipped} if sweep else {}
        swept_experiment = SweptExperiment(
            swept={key: values.get(key) for key in (place[-1] for place in swept_keys(document))},
            points=tuple(variant.experiment for variant in variants),
            pair=document.get("pair"),
            task=self.task,
        )
        self._add(check_references(document, swept_experiment), Point())

    def _add(self, findings: Iterable[Finding], point: Point) -> None:
        for finding in findings:
            path = point.place_of(finding.path)
            in_value = finding.offset is not None
            place = self.source.value_place(path, finding.offset or 0) if in_value else self.source.place(path)
            self.problems[Problem(place, ".".join(map(str, finding.path)), finding.message)] = None


def _check_total(variants: Sequence[Variant], task: Task[Any]) -> Iterator[Finding]:
    """Refuse what would take too long only to plan."""
    if not variants:
        return
    points, repeat = len(variants), variants[0].experiment.repeat
    place = ("repeat",) if repeat > 1 else ("sweep",)
    trials = points * repeat
    hosts = repeat * sum(group.count for variant in variants for group in task.groups(variant.experiment))
    size = f"{counted(points, 'point')}, each {counted(repeat, 'time')}, are {counted(trials, 'trial')}"
    if trials > MOST_TRIALS:
        yield Finding(place, f"{size}: the limit is {MOST_TRIALS}")
    elif trials > 1 and hosts > MOST_HOSTS_OF_ALL:
        yield Finding(place, f"{size} with {hosts} hosts in all: the limit is {MOST_HOSTS_OF_ALL}")


def _check_values(experiment: Experiment, task: Task[Any]) -> Iterator[Finding]:
    """Yield contradictions between values that are valid separately."""
    groups = list(task.groups(experiment))
    for group in groups:
        yield from group.check()
    yield from _check_addresses(groups)
    yield from task.check(experiment)
    if task.has_trials(experiment):
        yield from _check_topology(experiment, task)
    if sum(group.count for group in groups) <= MOST_HOSTS:
        yield from _check_capture(experiment, task)


def _check_addresses(groups: Sequence[Group]) -> Iterator[Finding]:
    """Refuse more hosts than there are addresses, before any value is drawn for them."""
    hosts = sum(group.count for group in groups)
    if hosts > MOST_HOSTS:
        largest = max(groups, key=lambda group: group.count)
        yield Finding(
            (*largest.path, "count"),
            f"{hosts} hosts are impossible: {ADDRESSES} has addresses for {MOST_HOSTS}, and at most {MOST_TESTED} hosts"
            " have been tested",
        )


def _check_topology(experiment: Experiment, task: Task[Any]) -> Iterator[Finding]:
    groups = " and ".join(f"`{key}:`" for key in task.group_keys)
    for key in FROM_GROUPS:
        if key in experiment.topology.parameters:
            yield Finding(("topology", key), f"is set from {groups}: leave it out")


def _check_capture(experiment: Experiment, task: Task[Any]) -> Iterator[Finding]:
    path, words = named_hosts(experiment.capture)
    groups, names = task.capturable(experiment), task.host_names(experiment) if words else ()
    known = frozenset([*groups, *names])
    for index, name in enumerate(words):
        if name not in known:
            hint = did_you_mean(name, sorted(known))
            possible = f"write {', '.join(groups)}, or the name of a host"
            yield Finding(("capture", *path, index), f"unknown name {name!r}{hint}: {possible}")
    if experiment.audit and not captures_hosts(experiment.capture):
        what = "the core is" if experiment.capture != "none" else "no packets are"
        yield Finding(
            ("audit",),
            f"compares each host's trace with the packets at its interface, and {what} captured: add `capture: all`, or"
            " a list of hosts",
        )
