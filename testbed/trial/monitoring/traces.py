"""What is read of the programs' traces while a trial runs, and when it is over; the tables read the rest."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from testbed.network import Process, ProcessError

_LOOK_AGAIN_SECONDS: Final = 0.02


def await_event(trace: Path, event: str, patience: float, process: Process) -> None:
    """Wait until a trace tells of an event; raises ProcessError if its program ends before, or time does."""
    deadline = time.monotonic() + patience
    while not any(True for _ in events(trace, event)):
        if process.wait(_LOOK_AGAIN_SECONDS) is not None:
            raise ProcessError(f"{process} ended with {process.returncode} before its trace told of {event!r}")
        if time.monotonic() > deadline:
            raise ProcessError(f"the trace of {process} told nothing of {event!r} in {patience:g} s")


def events(trace: Path, event: str) -> Iterator[dict[str, Any]]:
    """Yield the lines of one kind; other lines are not parsed, and a last one without its end does not count."""
    wanted = f'"event":"{event}"'.encode()
    if not trace.exists():
        return
    with trace.open("rb") as lines:
        for line in lines:
            if wanted in line and line.endswith(b"\n"):
                yield json.loads(line)


def completion(trace: Path) -> float | None:
    """Return when a program had everything, on CLOCK_MONOTONIC; None if it never did."""
    return next((float(line["t"]) for line in events(trace, "completed")), None)


def worst_lag(trace: Path, begin: float, end: float) -> float:
    """Return by how many seconds the program's event loop was late at worst, between two moments."""
    return max((float(line["seconds"]) for line in events(trace, "lagged") if begin <= line["t"] <= end), default=0.0)
