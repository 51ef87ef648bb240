"""What the programs of this package have in common: a trace with connections, and an end that it records."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from peer import OUR_VERSION
from peer.process.exit_status import ExitStatus, ProgramError
from peer.process.signals import EndSignals, until_asked_to_end
from peer.process.ticker import ticks
from peer.trace.file import TraceError, TraceFile
from peer.trace.recorder import TraceRecorder

_PERIOD: Final = 1.0


@contextmanager
def open_recorder(path: Path | None, distribution: str) -> Iterator[TraceRecorder]:
    """Open the trace; without a path nothing is written."""
    try:
        trace = TraceFile(path, {"program": OUR_VERSION, "distribution": distribution})
    except TraceError as error:
        raise ProgramError(ExitStatus.NO_TRACE, str(error)) from error
    with trace:
        yield TraceRecorder(trace)


async def work_until_end(
    work: Coroutine[Any, Any, None],
    signals: EndSignals,
    recorder: TraceRecorder,
    have_count: Callable[[], int],
    *jobs: Callable[[], None],
) -> ExitStatus:
    """Do the work until it is done or a signal arrives, do the jobs once a second, and record why the program ended."""
    recorder.flush()
    ticking = asyncio.ensure_future(_tick(recorder, *jobs))
    try:
        is_done = await until_asked_to_end(work, signals)
    except ProgramError as error:
        recorder.failed(str(error))
        recorder.left("failed", have_count())
        raise
    finally:
        ticking.cancel()
    recorder.left("done" if is_done else signals.name, have_count())
    return ExitStatus.OK


async def _tick(recorder: TraceRecorder, *jobs: Callable[[], None]) -> None:
    async for _ in ticks(_PERIOD, recorder.record):
        recorder.flush()
        for job in jobs:
            job()
