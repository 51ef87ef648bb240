"""What a trial reads from the traces of its applications; the tables read the rest."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from contract.events import Completed, Lagged
from testbed.network import Process, ProcessError

_LOOK_AGAIN_SECONDS: Final = 0.02


def await_event(trace: Path, event: str, patience: float, process: Process) -> None:
    """Wait until an event is in a trace; raises ProcessError if its program ends first or the patience does."""
    deadline = time.monotonic() + patience
    while not any(True for _ in events(trace, event)):
        if process.wait(_LOOK_AGAIN_SECONDS) is not None:
            raise ProcessError(f"{process} ended with {process.returncode} before {event!r} was in its trace")
        if time.monotonic() > deadline:
            raise ProcessError(f"{event!r} was not in the trace of {process} after {patience:g} s")


def events(trace: Path, event: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of one event, however they are spaced. A last line without its end is ignored."""
    wanted = f'"{event}"'.encode()
    if not trace.exists():
        return
    with trace.open("rb") as lines:
        for line in lines:
            # Most lines are of other events, and need not be parsed.
            if wanted in line and line.endswith(b"\n") and (entry := json.loads(line))["event"] == event:
                yield entry


def completion(trace: Path) -> float | None:
    """Return when a program completed, on CLOCK_MONOTONIC; None if it did not."""
    return next((float(line["t"]) for line in events(trace, Completed.event)), None)


def worst_lag(trace: Path, begin: float, end: float) -> float:
    """Return by how many seconds the program's event loop was late at worst between two moments."""
    return max(
        (float(line["seconds"]) for line in events(trace, Lagged.event) if begin <= line["t"] <= end), default=0.0
    )
