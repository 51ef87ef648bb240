"""A whole trial with namespaces and sockets: a swarm finds itself by the DHT, though its tracker is killed."""

from pathlib import Path

import pytest

from testbed.results.report import report
from tests.runfolder.runs import write_run
from tests.trial.plans import perform

pytestmark = pytest.mark.kernel

SMALL = """\
file: {size: 256 KiB, piece_length: 32 KiB}
servers: {up: 16 Mbit/s}
discovery: both
peers:
  first: {count: 2, up: 8 Mbit/s}
  late: {count: 1, up: 8 Mbit/s, arrival: {at: [1.5 s]}}
failures: [{at: 1 s, kill: tracker}]
time_limit: 20 s
"""


def test_who_comes_when_the_tracker_is_dead_is_found_by_the_dht(tmp_path: Path) -> None:
    (trial,) = write_run(tmp_path, SMALL).trials
    ended, folder = perform(trial, tmp_path)
    assert ended.verdict != "failed", ended.reasons
    assert (ended.stopped, ended.completed) == ("complete", 3)
    tables = report(tmp_path, with_suspect=True).tables
    row, peers = tables.trials.iloc[0], tables.peers.set_index("peer")
    assert (row["killed"], row["isolated"], row["completed"]) == (1, 0, 3)
    assert row["dht_bytes"] > 0
    assert peers.loc["p3", "completed_s"] > 1.5
    assert (peers["first_neighbour_s"] < 5).all()
    assert (folder / "bootstrap.jsonl.gz").exists()
    assert "was killed at 1 s, as planned" in (folder / "trial.json").read_text()


def test_swarm_without_a_tracker_completes(tmp_path: Path) -> None:
    text = SMALL.replace("discovery: both", "discovery: dht").replace("failures: [{at: 1 s, kill: tracker}]\n", "")
    (trial,) = write_run(tmp_path, text).trials
    ended, folder = perform(trial, tmp_path)
    assert ended.verdict != "failed", ended.reasons
    assert (ended.stopped, ended.completed) == ("complete", 3)
    assert not (folder / "tracker.jsonl.gz").exists()
