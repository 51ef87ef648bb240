"""Read an experiment file, and say everything that is wrong with it at once."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from testbed.experiment.file.checks import check_experiment, missing_parts
from testbed.experiment.file.csv_columns import (
    Column,
    TraceError,
    parse_link_rate,
    read_column,
)
from testbed.experiment.file.errors import ExperimentError, Problem
from testbed.experiment.file.findings import Finding, did_you_mean, findings_of
from testbed.experiment.file.modules import ModuleError, read_module
from testbed.experiment.file.references import Subject, check_references
from testbed.experiment.file.source import Source, read_source
from testbed.experiment.plan.sweep import (
    Point,
    check_keys,
    check_sweep,
    swept_keys,
    wanted_points,
)
from testbed.experiment.schema.experiment import Experiment, Sweep
from testbed.experiment.schema.hosts import CsvColumn, Hosts
from testbed.units import parse_duration


@dataclass(frozen=True)
class Variant:
    """One point of an experiment, and what the file says at it."""

    point: Point
    experiment: Experiment


@dataclass(frozen=True)
class ExperimentFile:
    """An experiment file, read once and whole: whatever needs its text or its places takes them from here."""

    source: Source
    variants: tuple[Variant, ...]
    """In the order of the sweep; one where nothing is swept."""
    sweep: Sweep | None
    columns: Mapping[Column, tuple[float, ...]]
    """What was read of other files."""
    modules: Mapping[str, str]
    """Strategies of one's own that are beside the file: by the module's name, its text."""

    @property
    def path(self) -> Path:
        """Where it was read."""
        return self.source.file

    @property
    def text(self) -> str:
        """Its text when it was read."""
        return self.source.text

    @property
    def hints(self) -> list[str]:
        """What to change in the file, although it can be used as it is."""
        return [
            f"{self.path}:{key.line}:{key.column}: `{key.old}:` is now `{key.new}:`; write the new key, as the next"
            " version will refuse the old one"
            for key in self.source.renamed
        ]

    @property
    def paired_keys(self) -> frozenset[str]:
        """The keys in which the trials of a pair differ: the paired one, and those that go together with it."""
        pair = self.experiment.pair
        zipped = self.sweep.zipped if self.sweep else {}
        return frozenset(zipped) if pair in zipped else frozenset([pair] if pair else [])

    @property
    def experiment(self) -> Experiment:
        """What the file says at the first point: all that is not swept."""
        return self.variants[0].experiment


def load_experiment(path: Path | str) -> Experiment:
    """Read the experiment in a YAML file, at the first point of its sweep; see `read_experiment`."""
    return read_experiment(path).experiment


def read_experiment(path: Path | str) -> ExperimentFile:
    """Read an experiment file with all its points; an ExperimentError has all that must be mended in it."""
    return _Reading(read_source(Path(path))).result()


def refused_parameters(file: ExperimentFile, reasons: Mapping[str, str]) -> ExperimentError:
    """Return the error for parameters that the topology refused, each at its place in the file."""
    keys = {name: ("topology", name) for name in reasons}
    return ExperimentError(Problem(file.source.place(key), ".".join(key), reasons[name]) for name, key in keys.items())


@dataclass
class _Reading:
    """A file that is being read, and the problems found so far; each problem once, whatever points it is met at."""

    source: Source
    problems: dict[Problem, None] = field(default_factory=dict)
    columns: dict[Column, tuple[float, ...]] = field(default_factory=dict)
    modules: dict[str, str] = field(default_factory=dict)

    def result(self) -> ExperimentFile:
        sweep, points = self._read_sweep()
        variants = tuple(variant for point in points if (variant := self._read_point(point)))
        self._check_pair()
        self._check_references(sweep, variants)
        if self.problems:
            places = sorted(self.problems, key=lambda problem: (problem.place.line, problem.place.column))
            raise ExperimentError(places)
        return ExperimentFile(self.source, variants, sweep, self.columns, self.modules)

    def _read_sweep(self) -> tuple[Sweep | None, list[Point]]:
        """Return the sweep and its points; the file as it stands is the only point of a sweep that cannot be used."""
        document = self.source.plain
        if "sweep" not in document:
            return None, [Point()]
        try:
            sweep = Sweep.model_validate({} if document["sweep"] is None else document["sweep"])
        except ValidationError:
            self._add(check_keys(document), Point())
            return None, [Point()]
        findings = [*check_keys(document), *check_sweep(sweep, document)]
        self._add(findings, Point())
        if findings:
            return None, [Point()]
        points = wanted_points(sweep, document)
        if not points:
            self._add([Finding(("sweep", "when"), "leaves out every point of the sweep")], Point())
        return sweep, points or [Point()]

    def _read_point(self, point: Point) -> Variant | None:
        document = point.applied_to(self.source.plain) if point.settings else self.source.plain
        self._add(missing_parts(document), point)
        try:
            experiment = Experiment.model_validate(document)
        except ValidationError as error:
            self._add(self._but_swept(findings_of(error, document)), point)
            return None
        self._add(check_experiment(experiment), point)
        self._add(self._read_columns(experiment), point)
        self._add(self._read_modules(experiment), point)
        return Variant(point, experiment)

    def _but_swept(self, findings: Iterable[Finding]) -> Iterator[Finding]:
        """Leave out what is missing only because the sweep that would set it cannot be used."""
        swept = [place[-1] for place in swept_keys(self.source.plain)]
        for finding in findings:
            key = ".".join(map(str, finding.path))
            if not (finding.message.startswith("is required") and key in swept):
                yield finding

    def _read_columns(self, experiment: Experiment) -> Iterator[Finding]:
        for path, table in _csv_columns(experiment):
            try:
                values = self._read_column(table, path[-1])
            except TraceError as error:
                yield Finding((*path, "csv"), str(error))
                continue
            if path[-1] == "arrival" and len(values) < experiment.peers[path[1]].count:
                needs = f"{experiment.peers[path[1]].count} peers need a row each"
                yield Finding((*path, "csv"), f"{needs}, and {table.csv} has {len(values)}")

    def _read_column(self, table: CsvColumn, key: str) -> tuple[float, ...]:
        """Read what a key takes from a file, unless another key or point took it before."""
        column = (table.csv, table.column or key)
        parse: Callable[[str], float] = parse_duration if key == "arrival" else parse_link_rate
        if column not in self.columns:
            self.columns[column] = read_column(self.source.file.parent / table.csv, column[1], parse)
        return self.columns[column]

    def _read_modules(self, experiment: Experiment) -> Iterator[Finding]:
        for path, reference in strategies_in(experiment):
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
            possible = f"{did_you_mean(pair, swept)}: write {' or '.join(swept)}" if swept else ": write `sweep:` too"
            self._add([Finding(("pair",), f"{pair!r} is not swept{possible}")], Point())

    def _check_references(self, sweep: Sweep | None, variants: Sequence[Variant]) -> None:
        document = self.source.plain
        values = {**sweep.axes, **sweep.zipped} if sweep else {}
        subject = Subject(
            swept={key: values.get(key) for key in (place[-1] for place in swept_keys(document))},
            points=tuple(variant.experiment for variant in variants),
            pair=document.get("pair"),
        )
        self._add(check_references(document, subject), Point())

    def _add(self, findings: Iterable[Finding], point: Point) -> None:
        for finding in findings:
            path = point.place_of(finding.path)
            in_value = finding.offset is not None
            place = self.source.value_place(path, finding.offset or 0) if in_value else self.source.place(path)
            self.problems[Problem(place, ".".join(map(str, finding.path)), finding.message)] = None


def strategies_in(experiment: Experiment) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield where the experiment names a strategy, and its name."""
    for path, group in _hosts(experiment).items():
        yield (*path, "strategy"), group.strategy.reference


def _hosts(experiment: Experiment) -> dict[tuple[str, ...], Hosts]:
    hosts: dict[tuple[str, ...], Hosts] = {("peers", name): group for name, group in experiment.peers.items()}
    if experiment.servers is not None:
        hosts["servers",] = experiment.servers
    return hosts


def _csv_columns(experiment: Experiment) -> Iterator[tuple[tuple[str, ...], CsvColumn]]:
    """Yield where the experiment reads a column of another file."""
    for path, group in _hosts(experiment).items():
        for key in ("up", "down", "arrival"):
            value = getattr(group, key, None)
            if isinstance(value, CsvColumn):
                yield (*path, key), value
