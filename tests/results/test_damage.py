"""Damaged files are reported with file and line, and no number is made from them."""

import gzip
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from testbed.errors import ExplainedError
from testbed.results import Report, report
from testbed.runfolder.damage import DamageError
from testbed.runfolder.folder import RunFolder
from tests.runfolder.runs import (
    GOLDEN,
    event,
    golden,
    header,
    moved,
    write_lines,
    write_run,
    write_trial,
)

Corrupt = Callable[[Path], None]


def report_of_corrupted(folder: Path, corrupt: Corrupt) -> Report:
    """Report a run of two trials, the first of which is damaged."""
    plan = write_run(folder, GOLDEN + "repeat: 2\n")
    for trial in plan.trials:
        write_trial(folder, trial, golden())
    corrupt(folder / "trials" / plan.trials[0].id)
    made = report(folder)
    assert made.tables.trials["trial"].tolist() == [plan.trials[1].id]
    assert set(made.tables.peers["trial"]) == {plan.trials[1].id}
    assert not made.is_well
    return made


def rewrite(name: str, change: Callable[[list[str]], list[str]]) -> Corrupt:
    def corrupt(trial: Path) -> None:
        write_lines(trial / name, change(gzip.decompress((trial / name).read_bytes()).decode().splitlines()))

    return corrupt


def with_line(number: int, text: str) -> Callable[[list[str]], list[str]]:
    return lambda lines: [*lines[: number - 1], text, *lines[number:]]


def line(entry: dict[str, Any]) -> str:
    return json.dumps(entry)


CORRUPTIONS = {
    "trace is missing": (lambda trial: (trial / "p1.jsonl.gz").unlink(), "p1.jsonl.gz: is missing"),
    "trace is cut short": (
        lambda trial: (trial / "p1.jsonl.gz").write_bytes((trial / "p1.jsonl.gz").read_bytes()[:-20]),
        "p1.jsonl.gz: is cut short or corrupt",
    ),
    "trace is not compressed": (lambda trial: (trial / "p1.jsonl.gz").write_text("{}\n"), "p1.jsonl.gz: is cut short"),
    "trace is empty": (rewrite("p1.jsonl.gz", lambda _: []), "p1.jsonl.gz: is empty"),
    "line is torn": (
        rewrite("p1.jsonl.gz", with_line(9, '{"t":5001.0,"ev')),
        "p1.jsonl.gz:9: is not a line of a trace",
    ),
    "line is no object": (
        rewrite("p1.jsonl.gz", with_line(9, "7")),
        "p1.jsonl.gz:9: is not a line of a trace: expected an object, found b'7",
    ),
    "two lines are one": (
        rewrite("p1.jsonl.gz", with_line(9, '{"t":1,"event":"x"},{"t":1,"event":"x"}')),
        "p1.jsonl.gz:9: is not a line of a trace",
    ),
    "field is missing": (
        rewrite("p1.jsonl.gz", with_line(9, line(event(1, "choked", neighbour=1)))),
        "p1.jsonl.gz:9: is not a line of a trace: choked: unknown or missing by_us",
    ),
    "event is unknown": (
        rewrite("p1.jsonl.gz", with_line(9, line(event(1, "teleported", to="elsewhere")))),
        "p1.jsonl.gz:9: is not a line of a trace: version 1 has no event 'teleported'",
    ),
    "field is unknown": (
        rewrite("p1.jsonl.gz", with_line(9, line(event(1, "choked", neighbour=1, by_us=True, mood="bad")))),
        "p1.jsonl.gz:9: is not a line of a trace: choked: unknown or missing mood",
    ),
    "line without a time": (
        rewrite("p1.jsonl.gz", with_line(9, '{"event":"choked","neighbour":1,"by_us":true}')),
        "p1.jsonl.gz:9: is not a line of a trace: choked: expected the time 't', found None",
    ),
    "connection was never made": (
        rewrite("p1.jsonl.gz", with_line(9, line(moved(1, (77, 1, 1))))),
        "p1.jsonl.gz:9: is not a line of a trace: connection 77 was never made",
    ),
    "trace of another version": (
        rewrite("p1.jsonl.gz", with_line(1, line(header() | {"version": 2}))),
        "p1.jsonl.gz:1: is not a line of a trace: expected the header of version 1, found version 2",
    ),
    "trace without a header": (
        rewrite("p1.jsonl.gz", lambda lines: lines[1:]),
        "p1.jsonl.gz:1: is not a line of a trace: expected the header, found 'joined'",
    ),
    "counters are missing": (lambda trial: (trial / "counters.csv.gz").unlink(), "counters.csv.gz: is missing"),
    "counters lack a column": (
        rewrite("counters.csv.gz", lambda lines: [each.rpartition(",")[0] for each in lines]),
        "counters.csv.gz: has no column down_drops",
    ),
    "counters go back": (
        rewrite("counters.csv.gz", with_line(11, "4.0,server,5,1,0,0,0,0")),
        "counters.csv.gz:11: up_bytes of server goes back",
    ),
    "counters are words": (
        rewrite("counters.csv.gz", with_line(4, "2.0,p1,many,1,0,0,0,0")),
        "counters.csv.gz: is not the table of counters",
    ),
    "counters are empty": (rewrite("counters.csv.gz", lambda lines: lines[:1]), "counters.csv.gz: has no rows"),
    "record is missing": (lambda trial: (trial / "trial.json").unlink(), "trial.json: is missing"),
    "record is cut short": (
        lambda trial: (trial / "trial.json").write_bytes((trial / "trial.json").read_bytes()[:-20]),
        "trial.json: cannot be used: Invalid JSON",
    ),
    "record of another version": (
        lambda trial: change_record(trial, version=3),
        "trial.json: is of version 3, and this testbed reads version 1: report with the version of the testbed",
    ),
    "record without its hosts": (lambda trial: change_record(trial, hosts=[]), "trial.json: has other hosts than plan"),
}


def change_record(trial: Path, **changes: Any) -> None:
    record = json.loads((trial / "trial.json").read_text())
    (trial / "trial.json").write_text(json.dumps(record | changes))


@pytest.mark.parametrize("what", CORRUPTIONS)
def test_damaged_trial_is_reported_and_left_out(tmp_path: Path, what: str) -> None:
    corrupt, complaint = CORRUPTIONS[what]
    (damage,) = report_of_corrupted(tmp_path, corrupt).damages
    assert complaint in str(damage)


def test_trial_of_another_plan_is_left_out(tmp_path: Path) -> None:
    plan = write_run(tmp_path, GOLDEN + "repeat: 2\n")
    first, second = plan.trials
    write_trial(tmp_path, first, golden()).rename(tmp_path / "trials" / second.id)
    made = report(tmp_path)
    (damage,) = made.damages
    assert str(damage).endswith(f"is of another trial than {second.id} in plan.json")
    assert (made.tables.trials.empty, made.run.missing()) == (True, (first,))


def test_swapped_trial_folders_are_left_out(tmp_path: Path) -> None:
    plan = write_run(tmp_path, GOLDEN + "repeat: 2\n")
    one, other = (write_trial(tmp_path, trial, golden()) for trial in plan.trials)
    one.rename(tmp_path / "aside")
    other.rename(one)
    (tmp_path / "aside").rename(other)
    made = report(tmp_path)
    assert [damage.file.parent.name for damage in made.damages] == [trial.id for trial in plan.trials]
    assert (made.tables.trials.empty, made.is_well) == (True, False)


def test_unplanned_folder_is_reported(tmp_path: Path) -> None:
    plan = write_run(tmp_path, GOLDEN)
    write_trial(tmp_path, plan.trials[0], golden())
    (tmp_path / "trials" / "mine").mkdir()
    (tmp_path / "trials" / ".half.part").mkdir()
    made = report(tmp_path)
    assert [damage.file.name for damage in made.damages] == ["mine"]
    assert len(made.tables.trials) == 1


def test_half_written_trial_is_missing(tmp_path: Path) -> None:
    plan = write_run(tmp_path, GOLDEN)
    write_trial(tmp_path, plan.trials[0], golden()).rename(tmp_path / "trials" / f".{plan.trials[0].id}.part")
    made = report(tmp_path)
    assert (made.run.missing(), made.damages, made.is_well) == (plan.trials, (), False)
    assert made.tables.trials.empty


def test_killed_program_may_leave_torn_line(tmp_path: Path) -> None:
    plan = write_run(tmp_path, GOLDEN)
    killed = {"p2": {"signal": "SIGKILL", "why": "killed by SIGKILL"}}
    trial = write_trial(tmp_path, plan.trials[0], replace(golden(), hosts=killed))
    file = trial / "p2.jsonl.gz"
    file.write_bytes(gzip.compress(gzip.decompress(file.read_bytes()) + b'{"t":5007.0,"ev'))
    made = report(tmp_path)
    assert (made.damages, len(made.tables.trials)) == ((), 1)


def test_killed_program_may_leave_no_line(tmp_path: Path) -> None:
    plan = write_run(tmp_path, GOLDEN)
    killed = {"p2": {"signal": "SIGKILL", "why": "killed by SIGKILL"}}
    happened = golden()
    traces = {**happened.traces, "p2": []}
    write_trial(tmp_path, plan.trials[0], replace(happened, traces=traces, hosts=killed))
    made = report(tmp_path)
    row = made.tables.peers.set_index("peer").loc["p2"]
    assert (row["why_ended"], row["payload_received"], row["lives"]) == ("killed by SIGKILL", 0, 0)


def test_other_folders_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ExplainedError, match=r"has no plan\.json: name a run folder"):
        RunFolder.open(tmp_path)
    with pytest.raises(ExplainedError, match="is not a folder"):
        RunFolder.open(tmp_path / "nowhere")


def test_unreadable_plan_is_damage(tmp_path: Path) -> None:
    write_run(tmp_path, GOLDEN)
    (tmp_path / "plan.json").write_text((tmp_path / "plan.json").read_text()[:-10])
    with pytest.raises(DamageError, match=r"plan\.json: is not a plan of this version"):
        report(tmp_path)


def test_full_disk_leaves_old_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = write_run(tmp_path, GOLDEN)
    write_trial(tmp_path, plan.trials[0], golden())
    report(tmp_path)
    before = (tmp_path / "trials.csv").read_bytes()

    def fail(_table: object, file: BinaryIO, **_options: object) -> None:
        file.write(b"trial,rep")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pandas.DataFrame.to_csv", fail)
    with pytest.raises(ExplainedError, match=r"trials\.csv cannot be written \(no space left on device\): make room"):
        report(tmp_path)
    assert (tmp_path / "trials.csv").read_bytes() == before
    assert not list(tmp_path.glob(".*.part"))


KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
import pandas as pd
from testbed.results import report
def write_half(table, file, **_):
    if "why_ended" in table:  # of peers.csv
        file.write(b"trial,pe")
        os.kill(os.getpid(), signal.SIGKILL)
    to_csv(table, file, **_)
to_csv, pd.DataFrame.to_csv = pd.DataFrame.to_csv, write_half
report(Path(sys.argv[1]))
"""


def test_killed_report_leaves_whole_tables(tmp_path: Path) -> None:
    plan = write_run(tmp_path, GOLDEN)
    write_trial(tmp_path, plan.trials[0], golden())
    report(tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.glob("*.csv")}
    killed = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, tmp_path], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert {file.name: file.read_bytes() for file in tmp_path.glob("*.csv")} == before
    assert report(tmp_path).is_well
    assert not list(tmp_path.glob(".*.part"))
