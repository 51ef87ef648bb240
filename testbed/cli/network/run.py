"""`testbed run` of an experiment without peers: build the network, measure its links, and keep the result."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from testbed.cli.network.links import measure_target, print_findings
from testbed.cli.network.targets import target_of
from testbed.cli.terminal.output import progress
from testbed.doctor.resources import find_resources
from testbed.errors import ExplainedError
from testbed.experiment import ExperimentFile
from testbed.experiment.plan.refusals import refused_network
from testbed.network import sandbox
from testbed.runfolder.collection import timestamped, unfinished_run_folder
from testbed.runs.commit import commit_of
from testbed.runs.versions import versions

_SECONDS = 2.0
_TOLERANCE = 0.02


def run_network(file: ExperimentFile, runs: Path, *, force: bool, quiet: bool) -> int:
    """Build the network, check all its links, and write a run folder; returns 1 if a link is out of tolerance."""
    target, tell = target_of(file), progress(quiet=quiet)
    if not force and (refused := refused_network(len(target.topology.hosts()), find_resources(runs))):
        raise ExplainedError(f"this machine cannot run it: {refused}; --force runs it all the same")
    started = datetime.now(UTC)
    with unfinished_run_folder(runs, timestamped(file.path.stem)) as new:
        (new.inside / "experiment.yaml").write_text(file.text, encoding="utf-8")
        found = sandbox.run(lambda: measure_target(target, _SECONDS, "kinds", 1, tell))
        _write_csv(new.inside / "links.csv", [report.row() for report in found.rates])
        _write_csv(new.inside / "paths.csv", [report.row() for report in found.paths])
        provenance = {**_provenance(started), "host_settings": dict(found.settings)}
        (new.inside / "provenance.json").write_text(json.dumps(provenance, indent=2) + "\n")
    print_findings(found, _TOLERANCE)
    print(f"results in {new.path}")
    return 0 if found.within(_TOLERANCE) else 1


def _provenance(started: datetime) -> dict[str, object]:
    return {
        "command": sys.argv,
        "started": started.isoformat(timespec="seconds"),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        **commit_of()._asdict(),
        "versions": versions(),
    }


def _write_csv(path: Path, rows: Sequence[Mapping[str, object]]) -> None:
    if rows:
        with path.open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
