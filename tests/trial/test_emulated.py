"""Whole trials on emulated links: every scheme, arrivals and departures, programs that die, captures."""

import csv
import gzip
import json
import os
import signal
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testbed.errors import TrialError
from testbed.trial.events import Event, Preparing
from tests.network.users import User
from tests.trial.plans import Once, perform, plan_of, program_on

pytestmark = pytest.mark.kernel

AsUser = Callable[[Callable[[], Any]], Any]


def record_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "trial.json").read_text())
    return found


def by_name(record: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {host["name"]: host for host in record["hosts"]}


def events(folder: Path, host: str, *wanted: str) -> list[dict[str, Any]]:
    with gzip.open(folder / f"{host}.jsonl.gz", "rt") as lines:
        return [event for line in lines if (event := json.loads(line))["event"] in wanted]


def rows(file: Path) -> list[dict[str, str]]:
    with gzip.open(file, "rt", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.mark.parametrize("distribution", ["client-server", "fluid", "bittorrent"])
def test_trial_leaves_all_files_and_hosts(as_user: AsUser, user: User, distribution: str) -> None:
    def body() -> tuple[Any, dict[str, Any], set[str], list[dict[str, str]], list[dict[str, str]]]:
        with tempfile.TemporaryDirectory() as name:
            trial = plan_of(Path(name), more=f"distribution: {distribution}\n").trials[0]
            ended, folder = perform(trial, Path(name))
            files = {file.name for file in folder.iterdir()}
            assert [path.name for path in folder.parent.iterdir()] == [trial.id]
            return ended, record_of(folder), files, rows(folder / "counters.csv.gz"), rows(folder / "machine.csv.gz")

    ended, record, files, counters, machine = as_user(body)
    assert (ended.stopped, ended.completed) == ("complete", 3)
    hosts = by_name(record)
    names = {"server", "p1", "p2", "p3"} | ({"tracker"} if distribution == "bittorrent" else set())
    assert set(hosts) == names
    assert files == {"trial.json", "counters.csv.gz", "machine.csv.gz", *(f"{name}.jsonl.gz" for name in names)}
    assert [(host["exit_code"], host["why"]) for host in hosts.values()] == [(0, None)] * len(names)
    assert ended.completion_s > 0.95 * record["trial"]["theory"][theory_of(distribution)]["payload_seconds"]
    assert {row["host"] for row in counters} == names
    last = {row["host"]: row for row in counters}
    assert int(last["p1"]["down_bytes"]) > 1 << 20
    assert float(machine[0]["t"]) == pytest.approx(1.0, abs=0.5)


def theory_of(distribution: str) -> str:
    return "client_server" if distribution == "client-server" else "p2p"


def test_steps_before_the_start_are_reported(tmp_path: Path) -> None:
    """Events come from the sandbox, so they are kept in a file."""
    said = tmp_path / "events"

    def keep(event: Event) -> None:
        with said.open("a") as file:
            print(f"{event.step} of {event.total}" if isinstance(event, Preparing) else event.event, file=file)

    perform(plan_of(tmp_path, more="distribution: fluid\n").trials[0], tmp_path, keep)
    lines = list(dict.fromkeys(said.read_text().splitlines()))
    assert lines == [
        "creating hosts of 4",
        "connecting hosts of 4",
        "preparing files of 0",
        "starting programs of 4",
        "waiting for programs of 4",
        "progress",
        "collecting",
    ]


def test_peers_join_at_their_arrival(tmp_path: Path) -> None:
    peers = """
        early: {count: 2, up: 8 Mbit/s}
        late: {count: 2, up: 8 Mbit/s, arrival: {at: [0.5 s, 1.2 s]}}
    """
    trial = plan_of(tmp_path, peers=peers).trials[0]
    _, folder = perform(trial, tmp_path)
    record = record_of(folder)
    joined = {name: events(folder, name, "joined")[0]["t"] - record["t0"] for name in ("p1", "p2", "p3", "p4")}
    for name, planned in {"p1": 0.0, "p2": 0.0, "p3": 0.5, "p4": 1.2}.items():
        assert planned <= joined[name] < planned + 2.0
    assert events(folder, "server", "announced")[0]["t"] < record["t0"]


def test_peers_leave_and_return_with_another_identity(tmp_path: Path) -> None:
    peers = """
        staying: {count: 1, up: 8 Mbit/s}
        quick: {count: 1, up: 8 Mbit/s, departure: at-completion}
        away: {count: 1, up: 8 Mbit/s, departure: {mid_way: {at: 50 %, back_after: 0.5 s}}}
        gone: {count: 1, up: 8 Mbit/s, departure: {after: 0.3 s}}
        rich: {count: 1, up: 8 Mbit/s, start: {peers: 1, with: 50 %}}
    """
    trial = plan_of(tmp_path, peers=peers).trials[0]
    ended, folder = perform(trial, tmp_path)
    hosts = by_name(record_of(folder))
    assert ended.stopped == "all ended"
    assert {name: hosts[name]["why"] for name in ("p1", "p2", "p3", "p4", "p5")} == {
        "p1": None,
        "p2": None,
        "p3": None,
        "p4": "left before completion",
        "p5": None,
    }
    lives = events(folder, "p3", "joined")
    assert len(lives) == 2
    assert lives[0]["peer_id"] != lives[1]["peer_id"]
    assert events(folder, "p5", "opened")[0]["have_count"] == 16
    seen = {event["address"].rpartition(":")[0] for event in events(folder, "p1", "connected")}
    first = hosts["p3"]["address"]
    assert {first, first.replace("198.18.", "198.19.")} <= seen


def test_killed_peer_is_recorded_with_its_signal(tmp_path: Path) -> None:
    trial = plan_of(tmp_path, base=_slow()).trials[0]
    ended, folder = perform(trial, tmp_path, Once(1.0, lambda: os.kill(program_on("p2"), signal.SIGKILL)))
    assert (ended.stopped, ended.completed, ended.completion_s) == ("all ended", 2, None)
    dead = by_name(record_of(folder))["p2"]
    assert (dead["exit_code"], dead["signal"], dead["why"]) == (None, "SIGKILL", "was killed: SIGKILL")
    assert dead["trace"] == "p2.jsonl.gz"


def _slow() -> str:
    return "file: {size: 1 MiB, piece_length: 32 KiB}\nservers: {up: 4 Mbit/s}\ntime_limit: 30 s\ntime_scale: 10\n"


def test_killed_tracker_is_recorded_and_peers_complete(tmp_path: Path) -> None:
    trial = plan_of(tmp_path, base=_slow()).trials[0]
    ended, folder = perform(trial, tmp_path, Once(1.0, lambda: os.kill(program_on("tracker"), signal.SIGKILL)))
    assert (ended.stopped, ended.completed) == ("complete", 3)
    assert by_name(record_of(folder))["tracker"]["why"] == "was killed: SIGKILL"


def test_unfinished_and_absent_peers_are_recorded(tmp_path: Path) -> None:
    peers = """
        slow: {count: 1, up: 1 Mbit/s, down: 1 Mbit/s}
        late: {count: 1, up: 1 Mbit/s, arrival: {at: 1 min}}
    """
    base = _slow().replace("30 s", "1.5 s")
    ended, folder = perform(plan_of(tmp_path, peers=peers, base=base).trials[0], tmp_path)
    assert (ended.stopped, ended.completed) == ("time limit", 0)
    hosts = by_name(record_of(folder))
    assert hosts["p1"]["why"].startswith("did not complete within ")
    assert hosts["p2"]["why"] == "the trial ended before it was due to join, at 60 s"
    assert events(folder, "p2", "joined") == []


def test_trial_fails_with_the_complaint_of_its_programs(tmp_path: Path) -> None:
    peers = "homes: {count: 2, up: 8 Mbit/s, strategy: 'no:such'}"
    trial = plan_of(tmp_path, peers=peers).trials[0]
    with pytest.raises(TrialError, match=r"no peer started; p1: .* strategy no:such: module no cannot be imported"):
        perform(trial, tmp_path)
    assert list((tmp_path / "trials").iterdir()) == []
