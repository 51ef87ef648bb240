"""The trial folder of the emulated engine: counters, traces, captures, and the record of all."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path

from testbed.runfolder.record import (
    VERSION,
    Fidelity,
    HostRecord,
    LinkRecord,
    TrialRecord,
    write_record,
)
from testbed.runfolder.trial_folder import COUNTERS, MACHINE, compress, write_table
from testbed.tasks.launches import Phase, TrialContext
from testbed.trial.applications.application import Application
from testbed.trial.applications.applications import Applications
from testbed.trial.auditing import audited
from testbed.trial.capture.capture import Capture
from testbed.trial.monitoring import links, machine
from testbed.trial.monitoring.links import LinkMonitor, LinkUse
from testbed.trial.monitoring.machine import MachineMonitor
from testbed.trial.monitoring.traces import TraceEnd, read_end


@dataclass(frozen=True)
class Performance:
    """What a trial left behind, before it is judged and written. Times are of CLOCK_MONOTONIC."""

    context: TrialContext
    applications: Applications
    captures: Sequence[Capture]
    links: LinkMonitor
    machine: MachineMonitor
    t0: float
    end: float
    stopped: str
    settings: dict[str, str]
    delay_faults: Sequence[str] = ()

    @cached_property
    def trace_ends(self) -> Mapping[str, TraceEnd]:
        """What each application's trace says at its end. What infrastructure writes there is its own affair."""
        return {
            each.name: TraceEnd() if each.phase is Phase.INFRASTRUCTURE else read_end(each.trace, self.t0, self.end)
            for each in self.applications
        }


def write_trial(performance: Performance, fidelity: Fidelity, folder: Path) -> TrialRecord:
    """Write everything into the trial's folder; the record comes last, and is returned."""
    trial, applications, uses = performance.context.trial, performance.applications, performance.links.uses
    write_table(folder / COUNTERS, links.COLUMNS, performance.links.rows)
    write_table(folder / MACHINE, machine.COLUMNS, map(astuple, performance.machine.samples))
    traces = {each.name: compress(each.trace, folder) for each in applications if each.trace.exists()}
    record = TrialRecord(
        version=VERSION,
        id=trial.id,
        trial=trial,
        t0=performance.t0,
        end=performance.end,
        t0_unix=round(performance.t0 + time.time() - time.monotonic(), 6),
        stopped=performance.stopped,
        hosts=tuple(_host_record(performance, each, traces.get(each.name)) for each in applications),
        links=_link_records(use for use in uses if use.direction != "trunk"),
        trunks=_link_records(use for use in uses if use.direction == "trunk"),
        fidelity=fidelity,
        captures=tuple(capture.keep(folder) for capture in performance.captures),
    )
    write_record(folder, record)
    if trial.settings.audit:
        record = record.model_copy(update={"audit": audited(folder)})
        write_record(folder, record)
    return record


def _link_records(uses: Iterable[LinkUse]) -> tuple[LinkRecord, ...]:
    return tuple(LinkRecord.model_validate(use.row()) for use in uses)


def _host_record(performance: Performance, application: Application, trace: str | None) -> HostRecord:
    planned, end = application.planned, performance.trace_ends[application.name]
    report = application.exit_report(performance.end - performance.t0, end)
    return HostRecord(
        name=application.name,
        role=application.role,
        address=performance.context.addresses[application.name],
        up=planned.up,
        down=planned.down,
        exit_code=report.exit_code,
        signal=report.signal,
        why=report.why or None,
        failed=report.has_failed,
        cpu_s=application.processor_seconds,
        complaint=application.complaint or None,
        trace=trace,
        program=end.program or None,
        **application.details,
    )
