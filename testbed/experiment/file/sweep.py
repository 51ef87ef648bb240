"""The points of a sweep, each a document of its own."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final, TypeAlias

from testbed.experiment.file.references import refused_value
from testbed.experiment.file.source import lookup
from testbed.experiment.language.expressions import names_in, parse_condition
from testbed.experiment.schema.experiment import Experiment, Sweep
from testbed.experiment.schema.keys import NAME, is_open, key_paths, keys_of, keys_of_member, step
from testbed.values.findings import Finding, KeyPath, did_you_mean

Document: TypeAlias = dict[str, Any]

MOST_POINTS: Final = 10_000
NOT_SWEPT: Final = ("task", "sweep", "repeat", "seed", "pair", "figures", "expect", "title", "question")


@dataclass(frozen=True, slots=True)
class Setting:
    """The value of one key at one point, and the path where the file writes that value."""

    path: tuple[str, ...]
    value: Any
    place: KeyPath


@dataclass(frozen=True, slots=True)
class Point:
    """One combination of swept values."""

    settings: tuple[Setting, ...] = ()

    @property
    def values(self) -> dict[str, Any]:
        return {".".join(setting.path): setting.value for setting in self.settings}

    def applied_to(self, document: Mapping[str, Any]) -> Document:
        """Return a copy of the document with the values of this point."""
        changed = {key: value for key, value in document.items() if key != "sweep"}
        for setting in self.settings:
            changed = with_value(changed, setting.path, setting.value)
        return changed

    def place_of(self, path: KeyPath) -> KeyPath:
        """Return the path in the file of the value at `path`: in the sweep, if it is swept."""
        for setting in self.settings:
            if path[: len(setting.path)] == setting.path:
                return (*setting.place, *path[len(setting.path) :])
        return path


def with_value(document: Mapping[str, Any], path: Sequence[str], value: Any) -> Document:
    """Return a copy with a value at `path`; only mappings on the path are copied."""
    key, *rest = path
    if not rest:
        return {**document, key: value}
    inner = document.get(key)
    if isinstance(inner, str):  # a name is short for a mapping with a class
        inner = {"class": inner}
    return {**document, key: with_value(inner if isinstance(inner, Mapping) else {}, rest, value)}


def points_of(sweep: Sweep | None) -> list[Point]:
    """Return every combination. The last key of the file changes fastest; zipped keys change together."""
    if sweep is None:
        return [Point()]
    axes = [list(_settings(("sweep", key), key, values)) for key, values in sweep.axes.items()]
    zipped = [_settings(("sweep", "zip", key), key, values) for key, values in sweep.zipped.items()]
    together = [list(zip(*zipped, strict=True))] if zipped else []
    combined = product(*[[(setting,) for setting in axis] for axis in axes], *together)
    return [Point(tuple(setting for settings in each for setting in settings)) for each in combined]


def _settings(place: KeyPath, key: str, values: Sequence[Any]) -> Iterator[Setting]:
    for index, value in enumerate(values):
        yield Setting(tuple(key.split(".")), value, (*place, index))


def wanted_points(sweep: Sweep | None, document: Mapping[str, Any]) -> list[Point]:
    """Return the points for which `when:` holds."""
    points = points_of(sweep)
    if sweep is None or sweep.when is None:
        return points
    condition = parse_condition(sweep.when)
    names = names_in(condition)
    return [point for point in points if condition.holds(_row(point.applied_to(document), names))]


def _row(document: Document, names: Sequence[str]) -> dict[str, object]:
    """Return the values that a condition reads; None for a key that this point does not write."""
    return {name: _written(document, name) for name in names}


def _written(document: Mapping[str, Any], name: str) -> object:
    try:
        return lookup(document, name.split("."))
    except LookupError:
        return None


def swept_keys(document: Mapping[str, Any]) -> list[tuple[str, ...]]:
    """Return the paths of all swept keys, even if their values are invalid."""
    sweep = document.get("sweep")
    if not isinstance(sweep, Mapping):
        return []
    places: list[tuple[str, ...]] = [("sweep", str(key)) for key in sweep if key not in {"zip", "when"}]
    zipped = sweep.get("zip")
    if isinstance(zipped, Mapping):
        places += [("sweep", "zip", str(key)) for key in zipped]
    return places


def check_keys(document: Mapping[str, Any], model: type[Experiment]) -> Iterator[Finding]:
    """Yield swept keys that a file cannot have or sweep."""
    for place in swept_keys(document):
        yield from _check_key(place, document, model)


def check_sweep(sweep: Sweep, document: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the errors of a sweep whose keys and values are valid separately."""
    axes: dict[KeyPath, tuple[Any, ...]] = {("sweep", key): values for key, values in sweep.axes.items()}
    if not axes and not sweep.zipped:
        yield Finding(("sweep",), "has no keys: write a key and its values, such as `peers.homes.count: [5, 10]`")
        return
    for place, values in axes.items():
        yield from _check_repetition(place, values)
    yield from _check_zip(sweep)
    yield from _check_size(sweep)
    yield from _check_when(sweep, document)


def _check_key(place: KeyPath, document: Mapping[str, Any], model: type[Experiment]) -> Iterator[Finding]:
    keys = str(place[-1]).split(".")
    if reason := unknown_key(keys, document, model):
        yield Finding(place, reason)
    elif keys[0] in NOT_SWEPT:
        yield Finding(place, f"{keys[0]!r} applies to the whole experiment and cannot be swept")


def unknown_key(keys: Sequence[str], document: Mapping[str, Any], model: type[Experiment]) -> str:
    """Say why the file cannot have a key: it must be in the schema, and a name that authors choose in the document."""
    here: object = model
    written: object = document
    for depth, key in enumerate(keys):
        before = ".".join(keys[:depth]) or "the file"
        known = keys_of(here)
        if key not in known and is_open(here):
            known = tuple(written) if isinstance(written, Mapping) else ()
            is_new = depth + 1 == len(keys) and key not in keys_of_member(here)
            if key not in known and not is_new:
                paths = [*known, *possible_keys(document, model)]
                return f"there is no {key!r} in {before}{did_you_mean(key, paths)}"
        try:
            here = step(here, key)
        except LookupError:
            near = did_you_mean(".".join(keys[depth:]), [*known, *possible_keys(document, model)])
            possible = f": its keys are {', '.join(known)}" if known and not near else ""
            return f"{before} has no key {key!r}{near}{possible}"
        written = written.get(key, {}) if isinstance(written, Mapping) else {}
    return ""


def possible_keys(document: Mapping[str, Any], model: type[Experiment]) -> Iterator[str]:
    """Yield the paths of keys that a sweep can have, with the names that the document has for what authors name."""
    for path, _ in key_paths(model):
        if path.partition(".")[0] not in NOT_SWEPT:
            yield from _with_names(path.split("."), document)


def _with_names(keys: Sequence[str], written: object, before: str = "") -> Iterator[str]:
    if not keys:
        yield before.removesuffix(".")
        return
    inner = written if isinstance(written, Mapping) else {}
    for name in inner if keys[0] == NAME else keys[:1]:
        yield from _with_names(keys[1:], inner.get(name), f"{before}{name}.")


def _check_repetition(place: KeyPath, values: Sequence[Any]) -> Iterator[Finding]:
    for index, value in enumerate(values):
        if any(type(value) is type(earlier) and value == earlier for earlier in values[:index]):
            yield Finding((*place, index), f"has the value {value!r} twice: use `repeat:` to repeat trials")


def _check_zip(sweep: Sweep) -> Iterator[Finding]:
    lengths = {key: len(values) for key, values in sweep.zipped.items()}
    if len(set(lengths.values())) > 1:
        found = ", ".join(f"{key} has {length}" for key, length in lengths.items())
        yield Finding(("sweep", "zip"), f"zipped keys need the same number of values: {found}")
    rows = list(zip(*sweep.zipped.values(), strict=False))
    for index, row in enumerate(rows):
        if row in rows[:index]:
            found = "the same values as an earlier one: use `repeat:` to repeat trials"
            yield Finding(("sweep", "zip"), f"combination {index + 1} of the zipped keys has {found}")
    for key in sweep.zip.keys() & sweep.axes.keys():
        yield Finding(("sweep", "zip", key), "is swept twice: here and outside `zip:`")


def _check_size(sweep: Sweep) -> Iterator[Finding]:
    size = max((len(values) for values in sweep.zipped.values()), default=1)
    for values in sweep.axes.values():
        size *= len(values)
    if size > MOST_POINTS:
        yield Finding(("sweep",), f"has {size} points: the limit is {MOST_POINTS}")


def _check_when(sweep: Sweep, document: Mapping[str, Any]) -> Iterator[Finding]:
    known = {**sweep.axes, **sweep.zipped}
    for comparison in parse_condition(sweep.when).comparisons() if sweep.when else ():
        if comparison.name in known:
            reason, offset = refused_value(comparison, known[comparison.name]), comparison.value_offset
        elif (written := _written(document, comparison.name)) is not None:
            is_fixed = not any(comparison.name.startswith(f"{key}.") for key in known)
            reason, offset = refused_value(comparison, [written]) if is_fixed else "", comparison.value_offset
        else:
            hint, offset = did_you_mean(comparison.name, known), comparison.offset
            reason = f"{comparison.name!r} is not in this file{hint}: use a key that is written here or swept"
        if reason:
            yield Finding(("sweep", "when"), reason, offset)
