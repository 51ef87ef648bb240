"""The record of a trial: written and read by one model."""

import json
from pathlib import Path

import pytest

from testbed.experiment import Plan
from testbed.runfolder.damage import DamageError
from testbed.runfolder.folder import RunFolder
from testbed.runfolder.record import (
    CaptureRecord,
    Fidelity,
    HostRecord,
    LinkRecord,
    TrialRecord,
    read_record,
    write_record,
)
from tests.runfolder.runs import DISTURBED, GOLDEN, golden, write_run, write_trial


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return write_run(tmp_path, GOLDEN + "repeat: 2\n")


def record_of(plan: Plan) -> TrialRecord:
    trial = plan.trials[0]
    link = LinkRecord(host="p1", direction="up", asked=8_000_000, measured=7.5e6, fastest=7_900_000, busy_s=6.0)
    return TrialRecord(
        version=1,
        id=trial.id,
        trial=trial,
        t0=5000.25,
        end=5008.0,
        stopped="complete",
        hosts=tuple(
            HostRecord(name=host.name, role="peer", address="198.18.0.1", up=host.up) for host in trial.hosts.all
        ),
        links=(link,),
        fidelity=Fidelity(verdict="suspect", reasons=("late",), limits=("memory",)),
        captures=(
            CaptureRecord(host="p1", file="p1.pcap.gz"),
            CaptureRecord(
                host="s1", place="core", file="b.pcapng.gz", files=("a.pcapng.gz", "b.pcapng.gz"), snaplen=192
            ),
        ),
    )


def test_record_survives_the_round_trip(tmp_path: Path, plan: Plan) -> None:
    record = record_of(plan)
    write_record(tmp_path, record)
    assert read_record(tmp_path, plan.trials[0]) == record


def test_files_of_a_capture_are_found_in_old_and_new_records(plan: Plan) -> None:
    old, new = record_of(plan).captures
    assert old.all_files == ("p1.pcap.gz",)
    assert new.all_files == ("a.pcapng.gz", "b.pcapng.gz")


def test_record_without_a_planned_host_is_damage(tmp_path: Path, plan: Plan) -> None:
    record = record_of(plan)
    write_record(tmp_path, record.model_copy(update={"hosts": record.hosts[1:]}))
    with pytest.raises(DamageError, match=f"has other hosts than plan.json: {record.hosts[0].name}"):
        read_record(tmp_path, plan.trials[0])


def test_whole_numbers_are_written_as_integers(tmp_path: Path, plan: Plan) -> None:
    write_record(tmp_path, record_of(plan))
    written = json.loads((tmp_path / "trial.json").read_text())
    assert '"asked": 8000000,' in json.dumps(written["links"][0])
    assert written["trial"] == plan.trials[0].model_dump(mode="json")


def test_keys_of_a_later_version_are_ignored(tmp_path: Path, plan: Plan) -> None:
    folder = write_trial(tmp_path, plan.trials[0], golden())
    written = json.loads((folder / "trial.json").read_text())
    (folder / "trial.json").write_text(json.dumps({**written, "mood": "good"}))
    assert read_record(folder, plan.trials[0]).stopped == "complete"


def test_suspect_trials_are_found_by_their_records(tmp_path: Path, plan: Plan) -> None:
    first, second = plan.trials
    write_trial(tmp_path, first, golden())
    write_trial(tmp_path, second, golden(fidelity=DISTURBED))
    assert RunFolder.open(tmp_path).judged("suspect") == [second.id]


def test_invalid_verdict_is_damage(tmp_path: Path, plan: Plan) -> None:
    folder = write_trial(tmp_path, plan.trials[0], golden(fidelity={"verdict": "perfect"}))
    with pytest.raises(DamageError, match=r"fidelity\.verdict"):
        RunFolder.open(tmp_path).judged("suspect")
    assert folder.exists()
