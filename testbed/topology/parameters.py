"""Read a topology's parameters with their units.

The parameters are those of the class's `build` (and `__init__`). Annotated parameters are checked and converted, and an
annotation can carry a unit: `up: Annotated[int, "bit/s"]` takes "8 Mbit/s" and `build` gets 8_000_000. Others are
passed on as `mn` does it: as numbers if they look like numbers.
"""

import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from inspect import getattr_static
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, get_args, get_origin, get_type_hints

from mininet.topo import Topo

from testbed.errors import ExplainedError
from testbed.values import units
from testbed.values.findings import did_you_mean

# A Topo class, or a function that returns a Topo: Mininet's `topos` may hold either.
TopologyMaker: TypeAlias = Callable[..., Topo]


class TopologyError(ExplainedError, ValueError):
    """A topology cannot be found or made."""


class ParameterError(TopologyError):
    """A topology refuses parameters; `problems` has the reason for each."""

    def __init__(self, problems: Mapping[str, str], parameters: Iterable["Parameter"] = ()) -> None:
        self.problems = dict(problems)
        lines = [f"{name}: {problem}" for name, problem in problems.items()]
        listing = [f"  {parameter}" for parameter in parameters]
        super().__init__("\n".join([*lines, *(["the parameters are:"] if listing else []), *listing]))


@dataclass(frozen=True)
class Parameter:
    """One parameter of a topology, as help and errors show it."""

    name: str
    annotation: Any = Any
    default: Any = inspect.Parameter.empty

    @property
    def required(self) -> bool:
        """Whether the topology cannot be made without it."""
        return self.default is inspect.Parameter.empty

    @property
    def accepts(self) -> str:
        """The possible values in words: "a rate such as 8 Mbit/s, or a list"."""
        return _accepts(self.annotation)

    def __str__(self) -> str:
        default = "required" if self.required else f"default: {_shown(self.annotation, self.default)}"
        return f"{self.name}: {self.accepts} ({default})"


def describe_parameters(maker: TopologyMaker) -> tuple[Parameter, ...]:
    """Return the parameters of a topology, in the order of their definition."""
    return tuple({parameter.name: parameter for builder in _builders(maker) for parameter in _named(builder)}.values())


def resolve_parameters(maker: TopologyMaker, given: Mapping[str, object]) -> dict[str, Any]:
    """Convert written parameters into those that `build` takes; report all problems at once."""
    parameters = {parameter.name: parameter for parameter in describe_parameters(maker)}
    takes_any = _takes_any_name(maker)
    resolved: dict[str, Any] = {}
    problems = {name: f"is required: {p.accepts}" for name, p in parameters.items() if p.required and name not in given}
    for name, value in given.items():
        if name not in parameters and not takes_any:
            problems[name] = f"unknown parameter{did_you_mean(name, parameters)}"
            continue
        try:
            resolved[name] = _read(parameters.get(name, Parameter(name)).annotation, value)
        except ValueError as error:
            problems[name] = str(error)
    if problems:
        unknown = any(name not in parameters for name in problems)
        raise ParameterError(problems, parameters.values() if unknown else ())
    return resolved


def _builders(maker: TopologyMaker) -> list[Callable[..., Any]]:
    """Return the functions that receive the parameters, in the order of the calls; empty if `build` is Topo's own."""
    if not isinstance(maker, type):
        return [maker]
    init, build = (getattr_static(maker, name) for name in ("__init__", "build"))
    builders = [] if init is getattr_static(Topo, "__init__") else [init]
    if builders and not _open_name(init):
        return builders
    return builders if build is Topo.build else [*builders, build]


def _named(builder: Callable[..., Any]) -> list[Parameter]:
    try:
        hints = get_type_hints(builder, include_extras=True)
    except Exception:  # annotations of a foreign class may not be resolvable here
        hints = {}
    signature = inspect.signature(builder).parameters.values()
    by_name = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    return [
        Parameter(p.name, hints.get(p.name, Any), p.default)
        for p in signature
        if p.kind in by_name and p.name != "self"
    ]


def _takes_any_name(maker: TopologyMaker) -> bool:
    """Whether parameters without a name of their own are used; Mininet calls them _opts if they are not."""
    builders = _builders(maker)
    name = _open_name(builders[-1]) if builders else ""
    return bool(name) and not name.startswith("_")


def _open_name(builder: Callable[..., Any]) -> str:
    """Return the name of the function's ** parameter; empty if it has none."""
    parameters = inspect.signature(builder).parameters.values()
    return next((p.name for p in parameters if p.kind is inspect.Parameter.VAR_KEYWORD), "")


def _read(annotation: Any, value: object) -> Any:
    """Convert a written value to the annotated type; a ValueError says what is possible."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        return _read_union(arguments, value)
    if origin is Annotated:
        return _read_quantity(arguments, value)
    if origin is Literal:
        return _read_choice(arguments, value)
    if _is_sequence(annotation):
        return [_read(arguments[0], item) for item in _items(value)]
    return _READERS.get(annotation, _read_untyped)(value)


def _read_union(members: Iterable[Any], value: object) -> Any:
    if NoneType in members and (value is None or value == "none"):
        return None
    possible = [member for member in members if member is not NoneType]
    alike = [member for member in possible if _is_sequence(member) == _is_list(value)]
    *others, last = alike or possible
    for member in others:
        try:
            return _read(member, value)
        except ValueError:
            continue
    return _read(last, value)


def _is_sequence(annotation: Any) -> bool:
    return get_origin(annotation) in {list, tuple, Sequence}


def _is_list(value: object) -> bool:
    return isinstance(value, list | tuple) or (isinstance(value, str) and "," in value)


def _items(value: object) -> list[object]:
    if isinstance(value, str):
        return [item.strip() for item in value.split(",")]
    return list(value) if isinstance(value, list | tuple) else [value]


def _read_quantity(arguments: tuple[Any, ...], value: object) -> Any:
    base, unit = arguments[:2]
    if not isinstance(unit, str) or units.kind_of(unit) is None:
        return _read(base, value)
    number = units.parse_in(unit, str(value))
    if base is int and not isinstance(number, int):
        raise ValueError(f"expected a whole number of {unit}, found {value!r}")
    return number


def _read_choice(choices: tuple[Any, ...], value: object) -> Any:
    by_text = {str(choice): choice for choice in choices}
    if str(value) not in by_text:
        raise ValueError(f"{value!r} is not {either(by_text)}{did_you_mean(str(value), by_text)}")
    return by_text[str(value)]


def _read_int(value: object) -> int:
    try:
        if isinstance(value, int | str) and not isinstance(value, bool):
            return int(value)
    except ValueError:
        pass
    raise ValueError(f"{value!r} is not a whole number")


def _read_float(value: object) -> float:
    try:
        if isinstance(value, int | float | str) and math.isfinite(float(value)):
            return float(value)
    except ValueError:
        pass
    raise ValueError(f"{value!r} is not a number")


def _read_bool(value: object) -> bool:
    if str(value).lower() not in {"true", "false"}:
        raise ValueError(f"{value!r} is not true or false")
    return str(value).lower() == "true"


def _read_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not text: write it in quotes")
    return value


def _read_untyped(value: object) -> object:
    """Read text as `mn` does: as a number if it looks like one."""
    for number in (int, float):
        try:
            return number(value) if isinstance(value, str) else value
        except ValueError:
            continue
    return value


_READERS: dict[Any, Callable[[object], object]] = {
    int: _read_int,
    float: _read_float,
    bool: _read_bool,
    str: _read_text,
}
_NAMES = {int: "whole number", float: "number", bool: "true or false", str: "text"}


def _accepts(annotation: Any) -> str:
    """Describe the values that an annotation allows."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        single = [_accepts(member) for member in arguments if member is not NoneType and not _is_sequence(member)]
        several = [f"list of {_accepts(get_args(member)[0])}" for member in arguments if _is_sequence(member)]
        return ", or ".join([*single, *(["a list of them"] if single and several else several)])
    if origin is Annotated:
        kind = units.kind_of(str(arguments[1]))
        return f"{kind.name} such as {kind.example}" if kind else _accepts(arguments[0])
    if origin is Literal:
        return either(map(str, arguments))
    if _is_sequence(annotation):
        return f"list of {_accepts(arguments[0])}"
    return _NAMES.get(annotation, "number or text")


def _shown(annotation: Any, default: object) -> str:
    if default is None:
        return "none"
    carries_unit = get_origin(annotation) is Annotated
    return f"{default} {annotation.__metadata__[0]}" if carries_unit else str(default)


def either(words: Iterable[str]) -> str:
    """Join words with commas and `or`."""
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last
