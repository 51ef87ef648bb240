"""The wall clock at t = 0 of a trial: packets have its time, and traces that of CLOCK_MONOTONIC.

The header of each trace has both, read one after the other. A program can lose the processor in between, so the middle
one of all traces is taken.
"""

from collections.abc import Iterator
from pathlib import Path
from statistics import median

from contract.encoding import decode_header
from testbed.runfolder.record import TrialRecord
from testbed.runfolder.trace_lines import trace_lines


def wall_clock_at_start(folder: Path, record: TrialRecord) -> float | None:
    """Return t = 0 in seconds since 1970; None if neither the record nor a trace says it."""
    found = list(_offsets(folder, record))
    if found:
        return record.t0 + median(found)
    return record.t0_unix


def _offsets(folder: Path, record: TrialRecord) -> Iterator[float]:
    """Yield by how much the wall clock is ahead of CLOCK_MONOTONIC, as each trace has it."""
    for host in record.hosts:
        if host.trace is None or host.role == "tracker":  # a tracker's log has no header
            continue
        header = next(trace_lines(folder / host.trace), b"")
        try:
            entries = decode_header(header)
        except ValueError:
            continue  # the trace of a program that was killed can be empty; damage is told where traces are read
        if isinstance(unix := entries.get("unix"), int | float):
            yield unix - entries["t"]
