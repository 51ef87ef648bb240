"""What is kept of a trial: written into a hidden folder beside its final name, and renamed when it is whole.

docs/runs.md lists the files.
"""

import csv
import gzip
import io
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from testbed.experiment.plan.trials import (
    PlannedPeer,
    PlannedServer,
    PlannedTracker,
    Trial,
)
from testbed.trial.applications.application import Application
from testbed.trial.fidelity import Fidelity
from testbed.trial.monitoring import links, machine
from testbed.wiretap.capture import Capture

VERSION: Final = 1
RECORD: Final = "trial.json"
_LEVEL: Final = 5
_COPIED_AT_A_TIME: Final = 1 << 20


def unfinished(trials: Path, trial_id: str) -> Path:
    """Return where a trial is written before it is whole."""
    return trials / f".{trial_id}.part"


@contextmanager
def unfinished_folder(trials: Path, trial_id: str) -> Iterator[Path]:
    """A hidden folder for a trial, empty at first: at the end it gets the trial's name; on an error it is removed."""
    folder = unfinished(trials, trial_id)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
        folder.rename(trials / trial_id)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def write_json(path: Path, content: object) -> None:
    """Write a file of JSON, for people too."""
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a compressed CSV file."""
    with _compressed(path) as packed, io.TextIOWrapper(packed, encoding="utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def compress(source: Path, folder: Path) -> str:
    """Compress a file into a folder, and return its name there."""
    target = folder / f"{source.name}.gz"
    with source.open("rb") as plain, _compressed(target) as packed:
        shutil.copyfileobj(plain, packed, _COPIED_AT_A_TIME)
    return target.name


@contextmanager
def _compressed(path: Path) -> Iterator[gzip.GzipFile]:
    """A compressed file whose bytes depend on its content alone."""
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=_LEVEL, mtime=0) as packed,
    ):
        yield packed


def write_counters(folder: Path, watched: links.LinkMonitor, samples: Sequence[machine.MachineSample]) -> None:
    """Write what was seen once a second of the links, and of the machine."""
    write_table(folder / "counters.csv.gz", links.COLUMNS, watched.rows)
    write_table(folder / "machine.csv.gz", machine.COLUMNS, map(machine.row, samples))


def trial_record(
    trial: Trial,
    *,
    t0: float,
    end: float,
    stopped: str,
    hosts: Sequence[dict[str, Any]],
    uses: Iterable[links.LinkUse],
    fidelity: Fidelity,
) -> dict[str, Any]:
    """Return the record of a trial."""
    rows = [use.row() for use in uses]
    return {
        "version": VERSION,
        "id": trial.id,
        "trial": trial.model_dump(mode="json"),
        "t0": t0,
        "end": end,
        "stopped": stopped,
        "hosts": list(hosts),
        "links": [row for row in rows if row["direction"] != "trunk"],
        "trunks": [row for row in rows if row["direction"] == "trunk"],
        "fidelity": fidelity.row(),
    }


def host_record(player: Application, address: str, seconds: float, trace: str | None) -> dict[str, Any]:
    """Return what became of a host."""
    planned, ending = player.planned, player.exit_report(seconds)
    return {
        "name": player.name,
        "role": player.role,
        "address": address,
        "up": planned.up,
        "down": planned.down,
        **_part_of(planned),
        "exit_code": ending.exit_code,
        "signal": ending.signal,
        "why": ending.why or None,
        "complaint": player.complaint or None,
        "trace": trace,
    }


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


def capture_record(capture: Capture, folder: Path) -> dict[str, Any]:
    """Compress a capture where it is, and say what it is."""
    name = compress(capture.file, folder)
    capture.file.unlink()
    return {"host": capture.host, "file": name, "missed": capture.missed}
