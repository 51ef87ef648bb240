"""Timeline and flows, drawn from captures as from traces."""

from pathlib import Path

import pandas as pd
import pytest

from testbed.cli.experiment.run import RunOptions, run_experiment
from testbed.errors import ExplainedError
from testbed.experiment import read_experiment
from testbed.notebook import Run
from tests.trial.plans import written

FIGURES = """
trace_level: pieces
capture: {hosts: all, snaplen: full}
figures:
  payload: {kind: timeline, y: [payload_rate]}
  payload_seen: {kind: timeline, y: [payload_rate], source: captures}
  copies_seen: {kind: timeline, y: copies_mean, source: captures}
  who: {kind: flows}
  who_seen: {kind: flows, source: captures}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("figures")
    options = RunOptions([], [], False, [], True, True, json_lines=False)
    run_experiment(written(place, more=FIGURES), place / "runs", options)
    (folder,) = (place / "runs").iterdir()
    return folder


def numbers(run: Path, name: str) -> pd.DataFrame:
    return pd.read_csv(run / "figures" / f"{name}.csv")


@pytest.mark.kernel
def test_flows_of_captures_are_those_of_traces(run: Path) -> None:
    told, seen = (numbers(run, name).set_index(["giver", "receiver"])["value"] for name in ("who", "who_seen"))
    assert set(told.index) == set(seen.index)
    assert (told - seen).abs().max() <= 4 * 16384
    assert seen.sum() > 3 * (1 << 20) * 0.9


@pytest.mark.kernel
def test_timeline_of_captures_adds_up_to_that_of_traces(run: Path) -> None:
    told, seen = (numbers(run, name)["value"].sum() for name in ("payload", "payload_seen"))
    assert seen == pytest.approx(told, rel=0.05)
    assert numbers(run, "copies_seen")["value"].iloc[-1] > 1


@pytest.mark.kernel
def test_notebook_draws_from_captures_too(run: Path) -> None:
    assert Run.open(run, with_suspect=True).figure("who_seen").axes


@pytest.mark.parametrize("capture", ["none", "[homes]", "{core: true}"])
def test_figure_from_captures_without_them_is_refused(tmp_path: Path, capture: str) -> None:
    more = f"capture: {capture}\nfigures:\n  who: {{kind: flows, source: captures}}\n"
    with pytest.raises(ExplainedError, match=r"who\.source: needs the packets of all hosts: add `capture: all`"):
        read_experiment(written(tmp_path, more=more))


def test_curve_has_no_source(tmp_path: Path) -> None:
    more = "capture: all\nfigures:\n  time: {x: N, y: distribution_s, source: captures}\n"
    with pytest.raises(ExplainedError, match="is not used by a figure of kind curve"):
        read_experiment(written(tmp_path, more=more))
