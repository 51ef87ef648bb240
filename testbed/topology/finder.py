"""Find a topology and make it.

A reference is `star`, `two-isps` or `tree` (the testbed's own), `my.py` or `my.py:name` (a file as
`mn --custom` reads it, and one of its `topos` or of its classes), or `module:name`.
"""

import importlib
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import CodeType, ModuleType
from typing import cast

from mininet.topo import Topo

from testbed.topology.parameters import TopologyError, TopologyMaker, either, resolve_parameters
from testbed.values.findings import did_you_mean

BUILT_IN = {"star": "topologies.star", "two-isps": "topologies.two_isps", "tree": "topologies.tree"}


def make_topology(reference: str, parameters: Mapping[str, object]) -> Topo:
    """Make the topology that `reference` names, from parameters as a command line or a YAML file has them."""
    maker = load_topology(reference)
    return call_maker(reference, maker, resolve_parameters(maker, parameters))


def call_maker(reference: str, maker: TopologyMaker, arguments: Mapping[str, object]) -> Topo:
    """Call what `load_topology` returned; it may be a user's, and raise or return anything."""
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
    """Return the class (or function) that `reference` names; if it names a file, the file is run."""
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
        f"unknown topology {reference!r}{did_you_mean(reference, BUILT_IN)}: write {', '.join(BUILT_IN)},"
        " a file such as my.py or my.py:name, or module:name"
    )


def _run_file(path: Path) -> ModuleType:
    """Run a file as a module, as `mn --custom` does, without leaving bytecode beside it."""
    code = _compiled(path)
    module = ModuleType(str(path.resolve()))
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses and type hints look up their module here
    try:
        exec(code, vars(module))  # noqa: S102 - the user asked to run it
    except (Exception, SystemExit) as error:
        raise TopologyError(f"{_place(path, error)}: {type(error).__name__}: {error}") from error
    return module


def _compiled(path: Path) -> CodeType:
    try:
        text = path.read_bytes()
    except OSError as error:
        raise TopologyError(f"{path}: {error.strerror or error}") from error
    if b"\0" in text:  # which Python 3.11 and 3.12 refuse differently, and without a line
        raise TopologyError(f"{path}: not Python: it contains NUL bytes")
    try:
        return compile(text, path, "exec")
    except SyntaxError as error:
        raise TopologyError(f"{path}:{error.lineno}: {error.msg}") from error


def _place(path: Path, error: BaseException) -> str:
    """Return the last line of the file in the traceback."""
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
    """Return the topology `name`, or the only one if the name is empty. A function counts only in `topos`."""
    offered = _offered(module)
    name = name or _only(offered, place)
    if name not in offered and not hasattr(module, name):
        possible = f": write {either(offered)}" if offered else ""
        raise TopologyError(f"{place} has no topology {name!r}{did_you_mean(name, offered)}{possible}")
    maker = offered.get(name, getattr(module, name, None))
    is_topology = issubclass(maker, Topo) if isinstance(maker, type) else callable(maker) and name in offered
    if not is_topology:
        raise TopologyError(f"{place}:{name} is not a Mininet Topo")
    return cast(TopologyMaker, maker)


def _only(offered: Mapping[str, object], place: str) -> str:
    if not offered:
        raise TopologyError(f"{place} has neither a `topos` dictionary nor a Topo class")
    if len(offered) > 1:
        raise TopologyError(
            f"{place} has {len(offered)} topologies: write {either(f'{place}:{key}' for key in offered)}"
        )
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
