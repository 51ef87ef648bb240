"""What a shell offers when someone presses the tab key: names of experiments, runs and topologies, and files here.

To a word that begins differently, such as a path, the shell itself offers files. Nothing here may fail or print: it
would appear in the middle of a command line.
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
_CAPTURES: Final = (".pcap", ".pcapng", ".gz")


def _of(*offers: Offer) -> Complete:
    def complete(ctx: typer.Context, incomplete: str) -> list[str]:
        with suppress(Exception):
            return sorted({word for offer in offers for word in offer(ctx, incomplete)})
        return []

    return complete


def _shipped(_ctx: typer.Context, _incomplete: str) -> Iterator[str]:
    from testbed.cli.experiment.files import shipped_experiments

    yield from shipped_experiments()


def _built_in(_ctx: typer.Context, _incomplete: str) -> Iterator[str]:
    from testbed.topology.finder import BUILT_IN

    yield from BUILT_IN


def _runs(ctx: typer.Context, _incomplete: str) -> Iterator[str]:
    """Yield the names of runs, and those of their experiments."""
    from testbed.runfolder.overview import find_runs

    for path, name in find_runs(Path(ctx.params.get("runs") or "runs")):
        yield from (path.name, name.experiment)


def _files(*suffixes: str) -> Offer:
    """Offer the files of the present folder that have one of these suffixes."""

    def offer(_ctx: typer.Context, _incomplete: str) -> Iterator[str]:
        yield from (path.name for path in Path().iterdir() if path.suffix in suffixes)

    return offer


experiments = _of(_shipped, _files(*_EXPERIMENTS))
shipped = _of(_shipped)
runs = _of(_runs)
captures = _of(_runs, _files(*_CAPTURES))
topologies = _of(_built_in, _files(*_TOPOLOGIES))
targets = _of(_built_in, _shipped, _files(*_TOPOLOGIES, *_EXPERIMENTS))
