"""What a shell offers when someone presses the tab key: names of experiments, runs and topologies, and paths.

Nothing here may fail or print: the shell would show it in the middle of a command line.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, TypeAlias

import typer

Complete: TypeAlias = Callable[[typer.Context, str], list[str]]
Offer: TypeAlias = Callable[[typer.Context, str], Iterator[str]]

_EXPERIMENTS: Final = (".yaml", ".yml")
_TOPOLOGIES: Final = (".py",)


def _of(*offers: Offer) -> Complete:
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        with suppress(Exception):
            return sorted({word for offer in offers for word in offer(ctx, incomplete)})
        return []

    return complete


def _shipped(_ctx: typer.Context, _incomplete: str) -> Iterator[str]:
    from testbed.cli.experiments import shipped_experiments

    yield from shipped_experiments()


def _built_in(_ctx: typer.Context, _incomplete: str) -> Iterator[str]:
    from testbed.topology.finder import BUILT_IN

    yield from BUILT_IN


def _runs(ctx: typer.Context, _incomplete: str) -> Iterator[str]:
    """Yield the names of runs, and those of their experiments."""
    from testbed.runfolder.overview import find_runs

    for path, name in find_runs(Path(ctx.params.get("runs") or "runs")):
        yield from (path.name, name.experiment)


def _paths(*suffixes: str) -> Offer:
    """Offer folders, and files with one of these suffixes; hidden ones only to a word that begins with a dot."""

    def offer(_ctx: typer.Context, incomplete: str) -> Iterator[str]:
        written, slash, beginning = incomplete.rpartition("/")
        for path in Path(f"{written}{slash}" or ".").expanduser().iterdir():
            is_hidden = path.name.startswith(".") and not beginning.startswith(".")
            if path.name.startswith(beginning) and not is_hidden and (path.is_dir() or path.suffix in suffixes):
                yield f"{written}{slash}{path.name}{'/' if path.is_dir() else ''}"

    return offer


experiments = _of(_shipped, _paths(*_EXPERIMENTS))
shipped = _of(_shipped)
runs = _of(_runs, _paths())
topologies = _of(_built_in, _paths(*_TOPOLOGIES))
targets = _of(_built_in, _shipped, _paths(*_TOPOLOGIES, *_EXPERIMENTS))
