"""Real trials with captures, and copies of them with one lie."""

import gzip
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from testbed.audit.findings import Findings
from testbed.audit.trials import audit_trial
from testbed.runfolder.record import RECORD, TrialRecord
from testbed.runfolder.trial_folder import write_json
from testbed.wiretap import read_capture
from testbed.wiretap.messages import Message
from tests.trial.plans import perform, plan_of

USUAL = {"trace_level": "full", "capture": "{hosts: all, snaplen: full}"}
Line = dict[str, Any]


def performed(folder: Path, *, peers: str, more: str = "") -> Path:
    """Perform a trial that captures all packets of all hosts; returns its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    usual = "".join(f"{key}: {value}\n" for key, value in USUAL.items() if key not in more)
    plan = plan_of(folder, peers=peers, more=usual + more)
    _, left = perform(plan.trials[0], folder)
    return left


def audited(folder: Path) -> Findings:
    record = TrialRecord.model_validate_json((folder / RECORD).read_bytes())
    return audit_trial(folder, record)


def copied(folder: Path, to: Path) -> Path:
    """Copy a trial, to be changed."""
    shutil.copytree(folder, to)
    return to


def lines_of(folder: Path, host: str) -> list[Line]:
    return [json.loads(line) for line in gzip.open(folder / f"{host}.jsonl.gz")]


def rewrite(folder: Path, host: str, change: Callable[[list[Line]], list[Line]]) -> None:
    """Change the lines of a trace."""
    text = "".join(json.dumps(line) + "\n" for line in change(lines_of(folder, host)))
    (folder / f"{host}.jsonl.gz").write_bytes(gzip.compress(text.encode()))


def messages_of(folder: Path, host: str) -> list[Message]:
    return list(read_capture(capture_file(folder, host)).messages())


def capture_file(folder: Path, host: str) -> Path:
    (file,) = folder.glob(f"{host}.pcap*")
    return file


def edit_capture(folder: Path, host: str, *arguments: str) -> None:
    """Change a capture with editcap: `-t SECONDS`, or a packet's number to drop it."""
    file = capture_file(folder, host)
    plain, changed = folder / "plain.pcapng", folder / "changed.pcapng"
    plain.write_bytes(gzip.decompress(file.read_bytes()))
    options, packets = (
        [each for each in arguments if not each.isdecimal()],
        [each for each in arguments if each.isdecimal()],
    )
    subprocess.run(["editcap", *options, plain, changed, *packets], check=True, capture_output=True)
    file.write_bytes(gzip.compress(changed.read_bytes()))
    plain.unlink()
    changed.unlink()


def change_record(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    entries = json.loads((folder / RECORD).read_text())
    change(entries)
    write_json(folder / RECORD, entries)
