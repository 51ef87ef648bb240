"""The trial folder of the emulated engine: counters, traces, captures, and the record of all."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from testbed.runfolder.record import CaptureRecord, HostRecord, LinkRecord
from testbed.runfolder.trial_folder import COUNTERS, MACHINE, compress, write_table
from testbed.trial.applications.application import Application
from testbed.trial.monitoring import links, machine
from testbed.wiretap.capture import Capture


def write_counters(folder: Path, watched: links.LinkMonitor, samples: Sequence[machine.MachineSample]) -> None:
    """Write the counters of the links, and the samples of the machine: a row for each second."""
    write_table(folder / COUNTERS, links.COLUMNS, watched.rows)
    write_table(folder / MACHINE, machine.COLUMNS, map(machine.row, samples))


def link_records(uses: Iterable[links.LinkUse]) -> tuple[LinkRecord, ...]:
    """Return the records of some links."""
    return tuple(LinkRecord.model_validate(use.row()) for use in uses)


def host_record(application: Application, address: str, seconds: float, trace: str | None) -> HostRecord:
    """Return the record of a host, whose trial took so many seconds."""
    planned, report = application.planned, application.exit_report(seconds)
    return HostRecord(
        name=application.name,
        role=application.role,
        address=address,
        up=planned.up,
        down=planned.down,
        exit_code=report.exit_code,
        signal=report.signal,
        why=report.why or None,
        complaint=application.complaint or None,
        trace=trace,
        **application.details,
    )


def capture_record(capture: Capture, folder: Path) -> CaptureRecord:
    """Compress a capture where it is, and return its record."""
    name = compress(capture.file, folder)
    capture.file.unlink()
    return CaptureRecord(host=capture.host, file=name, missed=capture.missed)
