"""What a trial leaves in its folder, as values of the record."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from testbed.experiment.plan.trials import PlannedPeer, PlannedServer, PlannedTracker
from testbed.runfolder.record import CaptureRecord, HostRecord, LinkRecord
from testbed.runfolder.trial_folder import COUNTERS, MACHINE, compress, write_table
from testbed.trial.applications.applications import Player
from testbed.trial.monitoring import links, machine
from testbed.wiretap.capture import Capture


def write_counters(folder: Path, watched: links.LinkWatch, samples: Sequence[machine.MachineSample]) -> None:
    """Write the counters of the links, and the samples of the machine: a row for each second."""
    write_table(folder / COUNTERS, links.COLUMNS, watched.rows)
    write_table(folder / MACHINE, machine.COLUMNS, map(machine.row, samples))


def link_records(uses: Iterable[links.LinkUse]) -> tuple[LinkRecord, ...]:
    """Return the records of some links."""
    return tuple(LinkRecord.model_validate(use.row()) for use in uses)


def host_record(player: Player, address: str, seconds: float, trace: str | None) -> HostRecord:
    """Return the record of a host, whose trial took so many seconds."""
    planned, ending = player.planned, player.ending(seconds)
    return HostRecord(
        name=player.name,
        role=player.role,
        address=address,
        up=planned.up,
        down=planned.down,
        exit_code=ending.exit_code,
        signal=ending.signal,
        why=ending.why or None,
        complaint=player.complaint or None,
        trace=trace,
        **_part_of(planned),
    )


def _part_of(planned: object) -> dict[str, Any]:
    match planned:
        case PlannedPeer():
            return {**_behaviour(planned), "group": planned.group, "arrival_s": planned.arrival}
        case PlannedServer():
            return _behaviour(planned)
        case PlannedTracker():
            return {"application": planned.kind}
        case _:
            return {}


def _behaviour(planned: PlannedServer) -> dict[str, Any]:
    return {
        "strategy": planned.strategy.model_dump(mode="json"),
        "profile": planned.profile,
        "application": planned.application,
    }


def capture_record(capture: Capture, folder: Path) -> CaptureRecord:
    """Compress a capture where it is, and return its record."""
    name = compress(capture.file, folder)
    capture.file.unlink()
    return CaptureRecord(host=capture.host, file=name, missed=capture.missed)
