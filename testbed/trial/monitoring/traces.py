"""What a trial reads from the traces of its applications; the tables read the rest."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from contract.encoding import HEADER
from contract.events import Completed, Joined, Lagged, Left
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
    """Yield the lines of one event. A last line without its end, and a damaged line, are ignored."""
    for line in _lines_with(trace, event):
        with suppress(ValueError, TypeError, KeyError):
            if (entry := json.loads(line))["event"] == event:
                yield entry


def _lines_with(trace: Path, *words: str) -> Iterator[bytes]:
    """Yield the complete lines that have one of these words in quotes. Most others need not be parsed."""
    if not trace.exists():
        return
    wanted = tuple(f'"{word}"'.encode() for word in words)
    with trace.open("rb") as lines:
        for line in lines:
            if any(word in line for word in wanted) and line.endswith(b"\n"):
                yield line


@dataclass
class TraceEnd:
    """What the trace of a program that has ended says. Times are of CLOCK_MONOTONIC."""

    program: str = ""
    """The name and version of what wrote it."""
    completed_at: float | None = None
    has_left: bool = False
    """Whether its last life ended in order."""
    worst_lag: float = 0.0
    """By how many seconds its event loop was late at worst during the trial."""
    damage: str = ""
    """What is wrong with the trace, if it was noticed here; making tables checks every line."""


def read_end(trace: Path, begin: float, end: float) -> TraceEnd:
    """Read the trace of a program in a trial between two moments."""
    found = TraceEnd()
    for line in _lines_with(trace, HEADER, Completed.event, Joined.event, Left.event, Lagged.event):
        try:
            _take(found, json.loads(line), begin, end)
        except (ValueError, TypeError, KeyError) as error:
            found.damage = f"wrote a trace that cannot be read ({line[:60]!r}: {error})"
            break
    return found


def _take(found: TraceEnd, entry: Mapping[str, Any], begin: float, end: float) -> None:
    match entry["event"]:
        case header if header == HEADER:
            found.program = str(entry.get("program", ""))
        case Completed.event if found.completed_at is None:
            found.completed_at = float(entry["t"])
        case Joined.event:
            found.has_left = False
        case Left.event:
            found.has_left = True
        case Lagged.event if begin <= entry["t"] <= end:
            found.worst_lag = max(found.worst_lag, float(entry["seconds"]))
