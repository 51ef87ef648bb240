"""experiments/own-strategy.yaml: a strategy in a short file beside the experiment, on emulated links."""

import gzip
import json
from pathlib import Path

import pytest

from testbed.experiment import read_experiment
from testbed.experiment.plan.plan import make_plan
from tests.trial.plans import perform, plan_of

REPOSITORY = Path(__file__).parents[2]
EXPERIMENT = REPOSITORY / "experiments" / "own-strategy.yaml"
MODULE = REPOSITORY / "experiments" / "own_strategy.py"


def test_own_strategy_file_is_short_and_named() -> None:
    assert len(MODULE.read_text().splitlines()) <= 40
    strategies = {
        peer.strategy.name for trial in make_plan(read_experiment(EXPERIMENT)).trials for peer in trial.hosts.peers
    }
    assert strategies == {"tit-for-tat", "own_strategy:equal_shares"}


@pytest.mark.kernel
def test_own_strategy_shares_upload_equally(tmp_path: Path) -> None:
    peers = """
        one: {count: 1, up: 8 Mbit/s, strategy: {class: "own_strategy:equal_shares", most: 2}}
        others: {count: 4, up: 4 Mbit/s}
    """
    (tmp_path / MODULE.name).write_text(MODULE.read_text())
    trial = plan_of(tmp_path, peers=peers).trials[0]
    (tmp_path / MODULE.name).unlink()
    ended, folder = perform(trial, tmp_path)
    assert (ended.stopped, ended.completed) == ("complete", 5)
    with gzip.open(folder / "p1.jsonl.gz", "rt") as lines:
        header, *events = [json.loads(line) for line in lines]
    given = [event for event in events if event["event"] == "unchoked" and event["by_us"]]
    assert header["strategy"] == "own_strategy:equal_shares"
    assert given
    assert {event["reason"] for event in given} == {"equal share"}
    assert min(event["rate"] for event in given) == 8e6 / 8 / 2
