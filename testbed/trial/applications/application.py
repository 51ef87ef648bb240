"""One application on its host, from its start to the reason why it ended."""

import signal
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from testbed.network import Network, Process, ProcessError
from testbed.tasks.launches import Assignment, Phase
from testbed.trial.applications.output import MOST_BYTES, NewLines, last_words
from testbed.trial.monitoring.traces import TraceEnd, await_event
from testbed.values.records import PlannedHost

START_SECONDS: Final = 60.0
"""How long an application may take to become ready: hundreds may start at the same time."""
_COMPLAINT_CHARACTERS: Final = 400


@dataclass(frozen=True)
class ExitReport:
    """How an application ended; `why` is empty unless something went wrong."""

    exit_code: int | None
    signal: str | None
    why: str
    has_failed: bool
    """Whether `why` is a fault of the program, and not the end of the trial or a departure."""


class Application:
    """An application on its host."""

    def __init__(self, assignment: Assignment, trace: Path) -> None:
        self._assignment = assignment
        self._launch = assignment.launch
        self.trace = trace
        self.has_completed = False
        self.steps_ended = 0
        self.began_at: float | None = None
        """When it was allowed to join."""
        self._process: Process | None = None
        self._new_lines = NewLines()
        self._problem = ""
        self._was_stopped = False
        self.was_killed = False
        """Whether it was killed, as its task had planned."""
        self.completed_at: float | None = None
        """When it was seen to have completed, by CLOCK_MONOTONIC."""

    @property
    def planned(self) -> PlannedHost:
        """Its host."""
        return self._assignment.host

    @property
    def name(self) -> str:
        """Its host's name."""
        return self.planned.name

    @property
    def role(self) -> str:
        """What it is in the task."""
        return self._assignment.role

    @property
    def group(self) -> str:
        """What the experiment file calls its host and others like it."""
        return self._assignment.group

    @property
    def details(self) -> Mapping[str, Any]:
        """What its task has to say about it in the record."""
        return self._assignment.details

    @property
    def phase(self) -> Phase:
        """When it starts."""
        return self._assignment.phase

    @property
    def arrival(self) -> float:
        """When it joins, in seconds after t = 0."""
        return self._assignment.arrival

    @property
    def steps(self) -> int:
        """How many steps its part has, if these are counted."""
        return self._assignment.steps

    @property
    def killed_at(self) -> float | None:
        """When it is to be killed, in seconds after t = 0."""
        return self._assignment.killed_at

    @property
    def pid(self) -> int | None:
        """The process, if there is one."""
        return None if self._process is None else self._process.pid

    @property
    def has_ended(self) -> bool:
        """Whether it no longer runs, or never did."""
        return self._process is None or self._process.poll() is not None

    @property
    def is_done(self) -> bool:
        """Whether waiting for it is pointless."""
        return self.has_completed or self.has_ended

    @property
    def processor_seconds(self) -> float | None:
        """The processor time that it took from its start to its end, if that is known."""
        return None if self._process is None else self._process.processor_seconds

    @property
    def complaint(self) -> str:
        """The end of what it printed on standard error."""
        if self._process is None:
            return ""
        with suppress(OSError):
            return self._process.stderr.strip()[-_COMPLAINT_CHARACTERS:]
        return ""

    def start(self, network: Network, folder: Path) -> None:
        """Start the program; its output goes to the folder."""
        host, argv, output = network.host(self.name), self._launch.argv, folder / self.name
        if self._launch.is_python:
            self._process = host.start_python(str(argv[0]), argv[1:], output=output, isolated=True)
        else:
            self._process = host.start(argv, output=output)

    def wait_ready(self) -> None:
        """Wait until it is ready; raises ProcessError if it ends first or takes too long."""
        if self._process is None:
            raise ProcessError(f"{self.name} was not started")
        self._process.wait_ready(self._launch.ready, timeout=START_SECONDS)
        if self._launch.settled is not None:
            await_event(self.trace, self._launch.settled, START_SECONDS, self._process)

    def fail_start(self, error: ProcessError) -> None:
        """Record that it did not become ready."""
        self._problem = f"did not start: {self._last_words or error}"

    def begin(self, now: float) -> None:
        """Record the time, and send the start signal to a program that waits for it."""
        self.began_at = now
        if self._process is not None and self._launch.waits_for_start:
            self._process.send_signal(signal.SIGUSR1)

    def kill(self) -> None:
        """Kill it as planned, if it still runs."""
        if self._process is not None and not self.has_ended:
            self.was_killed = True
            self._process.send_signal(signal.SIGKILL)

    def update(self) -> None:
        """Check whether it has completed. Only new output is read, and a program with too much of it is stopped."""
        if self._process is None:
            return
        lines = self._new_lines(self._process.stdout_path)
        if self._launch.step is not None:
            self.steps_ended += lines.count(self._launch.step.encode())
        if self._launch.completed.encode() in lines:
            self.has_completed = True
            self.completed_at = self.completed_at or time.monotonic()
        printed = self._process.stdout_path.stat().st_size + self._process.stderr_path.stat().st_size
        if printed > MOST_BYTES and not self._problem:
            self._problem = f"printed more than {MOST_BYTES >> 20} MiB, and was stopped"
            self._process.send_signal(signal.SIGKILL)

    def prepare_stop(self) -> Process | None:
        """Return the process to stop. If it still runs, its end is recorded as ours."""
        self.update()
        self._was_stopped = not self.has_ended
        return self._process

    def exit_report(self, seconds: float, end: TraceEnd) -> ExitReport:
        """Report how it ended in a trial that lasted this many seconds, given the end of its trace."""
        status = None if self._process is None else self._process.poll()
        if self.was_killed:
            return ExitReport(None, signal.SIGKILL.name, f"was killed at {self.killed_at:g} s, as planned", False)
        exit_code = status if status is not None and status >= 0 else None
        name = signal.Signals(-status).name if status is not None and status < 0 else None
        fault = self._problem or self._fault(exit_code, name) or end.damage or self._silence(end)
        return ExitReport(exit_code, name, fault or self._unfinished(seconds), has_failed=bool(fault))

    def _fault(self, exit_code: int | None, signal_name: str | None) -> str:
        """Return what its exit status says was wrong."""
        if signal_name is not None:
            return f"did not end on SIGTERM: {signal_name}" if self._was_stopped else f"was killed: {signal_name}"
        if exit_code:
            last = self._last_words
            return f"ended with exit status {exit_code}" + (f": {last}" if last else "")
        return ""

    def _silence(self, end: TraceEnd) -> str:
        """Return whether it ended by itself without an error and when it should not have."""
        if self._was_stopped:
            return ""
        if self.phase is not Phase.PARTICIPANT:
            return "" if self._launch.may_end else "ended before the trial"
        return "" if self.has_completed or end.has_left else "ended before completion, without leaving"

    def _unfinished(self, seconds: float) -> str:
        """Return why a participant that works as it should has not completed."""
        if self.phase is not Phase.PARTICIPANT or self.has_completed:
            return ""
        if self.began_at is None:
            return f"the trial ended before it was due to join, at {self.arrival:g} s"
        return f"did not complete within {seconds:.0f} s" if self._was_stopped else "left before completion"

    @property
    def _last_words(self) -> str:
        """The end of its standard error in a line."""
        return "" if self._process is None else last_words(self._process.stderr, self.trace.parent)
