"""Small experiments for tests, as plans."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from textwrap import dedent, indent

from testbed.experiment import Plan, Trial, make_plan, read_experiment
from testbed.trial.engine import EMULATED, ENGINES
from testbed.trial.events import Event, Progress, TrialEnded, TrialOrder

BASE = """\
file: {size: 1 MiB, piece_length: 32 KiB}
servers: {up: 16 Mbit/s}
time_limit: 30 s
time_scale: 10
"""
HOMES = "homes: {count: 3, up: 8 Mbit/s, down: 32 Mbit/s}"


def written(folder: Path, *, peers: str = HOMES, more: str = "", base: str = BASE) -> Path:
    """Write an experiment file with these groups of peers and more keys."""
    file = folder / "small.yaml"
    file.write_text(f"{base}peers:\n{indent(dedent(peers).strip(), '  ')}\n{dedent(more)}")
    return file


def plan_of(folder: Path, **parts: str) -> Plan:
    """Return the plan of such a file."""
    return make_plan(read_experiment(written(folder, **parts)))


def perform(
    trial: Trial, folder: Path, notify: Callable[[Event], None] = lambda _event: None
) -> tuple[TrialEnded, Path]:
    """Perform a trial on emulated links; returns its outcome and the folder that it left."""
    folder.mkdir(exist_ok=True)
    order = TrialOrder(1, trial, folder / "trials", shared_folder=folder / "work", experiment_seed=1)
    return ENGINES[EMULATED](order, notify), order.trials / trial.id


class Once:
    """Calls a function once, at the first progress from some second on; in the sandbox, where progress is reported."""

    def __init__(self, second: float, act: Callable[[], None]) -> None:
        self._second, self._act, self._is_done = second, act, False

    def __call__(self, event: Event) -> None:
        if isinstance(event, Progress) and event.seconds >= self._second and not self._is_done:
            self._is_done = True
            self._act()


def program_on(host: str) -> int:
    """Return the pid of the program that writes the trace of a host."""
    return program_with_file(f"{host}.jsonl")


def program_with_file(name: str) -> int:
    """Return the pid of the program that has a file of this name open."""
    return next(pid for pid in _pids() if any(path.endswith(f"/{name}") for path in _open_files(pid)))


def _pids() -> Iterator[int]:
    names = (path.name for path in Path("/proc").iterdir())
    return (int(name) for name in names if name.isdecimal() and int(name) != os.getpid())


def _open_files(pid: int) -> Iterator[str]:
    with suppress(OSError):
        for link in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(OSError):
                yield str(link.readlink())
