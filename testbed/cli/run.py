"""`testbed run`: an experiment, and what is kept of it."""

import csv
import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from testbed.cli.links import all_within, measure_target, print_reports
from testbed.cli.output import progress
from testbed.cli.targets import target_of
from testbed.doctor.tools import versions
from testbed.network import sandbox

_SECONDS = 2.0
_TOLERANCE = 0.02


def run_experiment(experiment: Path, runs: Path, *, quiet: bool) -> int:
    """Build the experiment's network, check all its links, and write a run folder; 1 if a link is not as asked."""
    target, tell = target_of(experiment), progress(quiet=quiet)
    started = datetime.now(UTC)
    rates, paths = sandbox.run(lambda: measure_target(target, _SECONDS, "kinds", 1, tell))
    folder = runs / f"{experiment.stem}-{started:%Y%m%dT%H%M%SZ}"
    building = folder.with_name(f".{folder.name}")
    building.mkdir(parents=True)
    shutil.copyfile(experiment, building / "experiment.yaml")
    _write_csv(building / "links.csv", [report.row() for report in rates])
    _write_csv(building / "paths.csv", [report.row() for report in paths])
    (building / "provenance.json").write_text(json.dumps(_provenance(started), indent=2) + "\n")
    building.rename(folder)
    print_reports(rates, paths, _TOLERANCE)
    print(f"kept in {folder}")
    return 0 if all_within(rates, paths, _TOLERANCE) else 1


def _provenance(started: datetime) -> dict[str, object]:
    return {
        "command": sys.argv,
        "started": started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": versions(),
    }


def _write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
