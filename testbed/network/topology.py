"""Find a topology, read its parameters with their units, and make it.

A reference says which: `star`, `two-isps` or `tree` (the testbed's own), `my.py` or `my.py:name` (a file as
`mn --custom` reads it, and one of its `topos` or of its classes), or `module:name`.

The parameters are those of the class's `build` (and `__init__`). What is annotated is checked and converted, and an
annotation can carry a unit: `up: Annotated[int, "bit/s"]` takes "8 Mbit/s" and `build` gets 8_000_000. What is not
annotated is passed on as `mn` would, as a number where it looks like one.
"""

import importlib
import inspect
import math
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from inspect import getattr_static
from pathlib import Path
from types import CodeType, ModuleType, NoneType, UnionType
from typing import Annotated, Any, Literal, TypeAlias, Union, cast, get_args, get_origin, get_type_hints

from mininet.topo import Topo

from testbed import units
from testbed.errors import ExplainedError

# A Topo class, or a function that returns a Topo: Mininet's `topos` may hold either.
TopologyMaker: TypeAlias = Callable[..., Topo]

BUILT_IN = {"star": "topologies.star", "two-isps": "topologies.two_isps", "tree": "topologies.tree"}


class TopologyError(ExplainedError, ValueError):
    """A topology that cannot be found or made."""


class ParameterError(TopologyError):
    """Parameters that a topology cannot take: `problems` says for each of them why."""

    def __init__(self, problems: Mapping[str, str], parameters: Iterable["Parameter"] = ()) -> None:
        self.problems = dict(problems)
        lines = [f"{name}: {problem}" for name, problem in problems.items()]
        listing = [f"  {parameter}" for parameter in parameters]
        super().__init__("\n".join([*lines, *(["the parameters are"] if listing else []), *listing]))


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
        """What can be written for it: "a rate such as 8 Mbit/s, or a list"."""
        return _accepts(self.annotation)

    def __str__(self) -> str:
        default = "required" if self.required else f"default: {_shown(self.annotation, self.default)}"
        return f"{self.name}: {self.accepts} ({default})"


def make_topology(reference: str, parameters: Mapping[str, object]) -> Topo:
    """Make the topology that `reference` names, from parameters as a command line or a YAML file has them."""
    maker = load_topology(reference)
    arguments = resolve_parameters(maker, parameters)
    try:
        topology = maker(**arguments)
    except ValueError as error:
        raise TopologyError(f"{reference}: {error}") from error
    except Exception as error:
        raise TopologyError(f"{reference} failed: {type(error).__name__}: {error}") from error
    if not isinstance(topology, Topo):
        raise TopologyError(f"{reference} made {topology!r}, not a Mininet Topo")
    return topology


def load_topology(reference: str) -> TopologyMaker:
    """Return the class (or function) that `reference` names; a file that it names is run."""
    if reference in BUILT_IN:
        return _choose(importlib.import_module(BUILT_IN[reference]), reference, reference)
    place, colon, name = reference.rpartition(":")
    if not colon:
        place, name = reference, ""
    if place.endswith(".py"):
        return _choose(_run_file(Path(place)), place, name)
    if colon and place and name:
        return _choose(_import_module(place), place, name)
    raise TopologyError(
        f"there is no topology {reference!r}{_did_you_mean(reference, BUILT_IN)}: write {', '.join(BUILT_IN)},"
        " a file such as my.py or my.py:name, or module:name"
    )


def describe_parameters(maker: TopologyMaker) -> tuple[Parameter, ...]:
    """Return the parameters of a topology, in the order of their definition."""
    return tuple({parameter.name: parameter for builder in _builders(maker) for parameter in _named(builder)}.values())


def resolve_parameters(maker: TopologyMaker, given: Mapping[str, object]) -> dict[str, Any]:
    """Convert what was written for a topology's parameters into what its `build` takes; all problems at once."""
    parameters = {parameter.name: parameter for parameter in describe_parameters(maker)}
    takes_any = _takes_any_name(maker)
    resolved: dict[str, Any] = {}
    problems = {name: f"is required: {p.accepts}" for name, p in parameters.items() if p.required and name not in given}
    for name, value in given.items():
        if name not in parameters and not takes_any:
            problems[name] = f"is not a parameter{_did_you_mean(name, parameters)}"
            continue
        try:
            resolved[name] = _read(parameters.get(name, Parameter(name)).annotation, value)
        except ValueError as error:
            problems[name] = str(error)
    if problems:
        unknown = any(name not in parameters for name in problems)
        raise ParameterError(problems, parameters.values() if unknown else ())
    return resolved


def _run_file(path: Path) -> ModuleType:
    """Run a file as a module, as `mn --custom` does, without leaving bytecode beside it."""
    code = _compiled(path)
    module = ModuleType(str(path.resolve()))
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where dataclasses and type hints look their module up
    try:
        exec(code, vars(module))  # noqa: S102 - running it is what was asked for
    except (Exception, SystemExit) as error:
        raise TopologyError(f"{_place(path, error)}: {type(error).__name__}: {error}") from error
    return module


def _compiled(path: Path) -> CodeType:
    try:
        return compile(path.read_bytes(), path, "exec")
    except OSError as error:
        raise TopologyError(f"{path}: {error.strerror or error}") from error
    except SyntaxError as error:
        raise TopologyError(f"{path}:{error.lineno}: {error.msg}") from error
    except ValueError as error:  # a NUL among the bytes
        raise TopologyError(f"{path}: is not Python: {error}") from error


def _place(path: Path, error: BaseException) -> str:
    """Return the last line of the file itself that the error went through."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path}:{lines[-1]}" if lines else str(path)


def _import_module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        raise TopologyError(f"there is no module {error.name!r}; for a file, write its path: my.py:name") from error
    except Exception as error:
        raise TopologyError(f"module {name} cannot be imported: {type(error).__name__}: {error}") from error


def _choose(module: ModuleType, place: str, name: str) -> TopologyMaker:
    """Return the topology called `name`, the only one for an empty name; of functions, only `topos` may hold one."""
    offered = _offered(module)
    name = name or _only(offered, place)
    if name not in offered and not hasattr(module, name):
        possible = f": it has {_or(offered)}" if offered else ""
        raise TopologyError(f"{place} has no topology {name!r}{_did_you_mean(name, offered)}{possible}")
    maker = offered.get(name, getattr(module, name, None))
    is_topology = issubclass(maker, Topo) if isinstance(maker, type) else callable(maker) and name in offered
    if not is_topology:
        raise TopologyError(f"{place}:{name} is not a Mininet Topo")
    return cast(TopologyMaker, maker)


def _only(offered: Mapping[str, object], place: str) -> str:
    if not offered:
        raise TopologyError(f"{place} has neither a `topos` dictionary nor a Topo class")
    if len(offered) > 1:
        raise TopologyError(f"{place} has {len(offered)} topologies: write {_or(f'{place}:{key}' for key in offered)}")
    return next(iter(offered))


def _offered(module: ModuleType) -> dict[str, object]:
    """Return the module's `topos`; where it has none, the Topo classes that it defines."""
    topos = getattr(module, "topos", None)
    if isinstance(topos, Mapping) and topos:
        return dict(topos)
    return {
        name: value
        for name, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, Topo) and value.__module__ == module.__name__
    }


def _builders(maker: TopologyMaker) -> list[Callable[..., Any]]:
    """Return the functions that the parameters reach, the last one last; empty for a class that builds nothing."""
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
    except Exception:  # somebody else's annotations need not be readable here
        hints = {}
    signature = inspect.signature(builder).parameters.values()
    by_name = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    return [
        Parameter(p.name, hints.get(p.name, Any), p.default)
        for p in signature
        if p.kind in by_name and p.name != "self"
    ]


def _takes_any_name(maker: TopologyMaker) -> bool:
    """Whether parameters that have no name of their own are looked at; Mininet calls them _opts where they are not."""
    builders = _builders(maker)
    name = _open_name(builders[-1]) if builders else ""
    return bool(name) and not name.startswith("_")


def _open_name(builder: Callable[..., Any]) -> str:
    """Return the name of the function's ** parameter; empty if it has none."""
    parameters = inspect.signature(builder).parameters.values()
    return next((p.name for p in parameters if p.kind is inspect.Parameter.VAR_KEYWORD), "")


def _read(annotation: Any, value: object) -> Any:
    """Convert what was written into what the annotation asks for; a ValueError says what could have been written."""
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
        raise ValueError(f"{value!r} is {number} {unit}: a whole number of {unit} is needed")
    return number


def _read_choice(choices: tuple[Any, ...], value: object) -> Any:
    by_text = {str(choice): choice for choice in choices}
    if str(value) not in by_text:
        raise ValueError(f"{value!r} is not {_or(by_text)}{_did_you_mean(str(value), by_text)}")
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
    """Read text as `mn` reads it: a number where it looks like one."""
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
    """Say in words what an annotation takes."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in {Union, UnionType}:
        single = [_accepts(member) for member in arguments if member is not NoneType and not _is_sequence(member)]
        several = [f"list of {_accepts(get_args(member)[0])}" for member in arguments if _is_sequence(member)]
        return ", or ".join([*single, *(["a list of them"] if single and several else several)])
    if origin is Annotated:
        kind = units.kind_of(str(arguments[1]))
        return f"{kind.name} such as {kind.example}" if kind else _accepts(arguments[0])
    if origin is Literal:
        return _or(map(str, arguments))
    if _is_sequence(annotation):
        return f"list of {_accepts(arguments[0])}"
    return _NAMES.get(annotation, "number or text")


def _shown(annotation: Any, default: object) -> str:
    if default is None:
        return "none"
    carries_unit = get_origin(annotation) is Annotated
    return f"{default} {annotation.__metadata__[0]}" if carries_unit else str(default)


def _or(words: Iterable[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} or {last}" if others else last


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    close = get_close_matches(word, known, n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""
