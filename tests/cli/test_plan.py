"""`testbed plan`: the trials as a table or as JSON, and warnings about the fidelity on this machine."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.doctor.capacity import Capacity, machine_key, save_capacity
from testbed.experiment import read_experiment
from testbed.experiment.plan.plan import Plan, make_plan

Run = Callable[..., subprocess.CompletedProcess[str]]
SCALING = Path(__file__).parents[2] / "experiments" / "scaling.yaml"
SWARM = """\
title: Two sizes
file: {size: 8 MiB}
servers: {up: 8 Mbit/s}
peers:
  homes: {count: 4, up: 1 Mbit/s, down: 100 Mbit/s}
sweep:
  file.size: [8 MiB, 16 MiB]
  distribution: [bittorrent, client-server]
"""


@pytest.fixture
def swarm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an experiment file, on a machine without a measured capacity."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    file = tmp_path / "swarm.yaml"
    file.write_text(SWARM)
    return file


def test_each_trial_has_a_row(call: Run, swarm: Path) -> None:
    result = call("plan", swarm)
    assert (result.returncode, result.stderr) == (0, "")
    lines = [line.split() for line in result.stdout.splitlines()]
    assert lines[0] == ["Two", "sizes"]
    assert "\nin all trials: repetition 1, N 4, servers 8 Mbit/s, peers' up 4 Mbit/s\n" in result.stdout
    assert [line[:4] for line in lines if line and line[0].isdigit()][:4] == [
        ["1", "8", "MiB", "bittorrent"],
        ["2", "8", "MiB", "client-server"],
        ["3", "16", "MiB", "bittorrent"],
        ["4", "16", "MiB", "client-server"],
    ]
    assert "22.37" in result.stdout
    assert "4 trials, about 3 min; at most 12 Mbit/s, 991 packets/s through the core" in result.stdout


def test_json_has_the_whole_plan(call: Run, swarm: Path) -> None:
    result = call("plan", swarm, "--json")
    assert Plan.from_json(result.stdout) == make_plan(read_experiment(swarm))
    assert result.stderr == "testbed: the capacity of this machine is unknown: run `testbed doctor` to measure it\n"


def test_load_beyond_capacity_is_warned_about(call: Run, swarm: Path) -> None:
    save_capacity(Capacity({10: 30_000_000}, "today", machine_key()))
    result = call("plan", swarm)
    assert result.returncode == 0
    warning = "warning: 2 of 4 trials (1, 3), in the worst case: 12 Mbit/s through the core, but with programs on 6"
    assert warning in result.stdout
    assert "unknown" not in result.stdout


def test_network_without_peers_has_no_plan(call: Run, tmp_path: Path) -> None:
    file = tmp_path / "network.yaml"
    file.write_text("topology: {class: star}\n")
    result = call("plan", file)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"testbed: {file}: peers: there are none, so there are no trials to plan\n"


def test_markup_in_title_is_plain_text(call: Run, swarm: Path) -> None:
    swarm.write_text(SWARM.replace("Two sizes", '"[red]Two[/blue] sizes"'))
    result = call("plan", swarm)
    assert result.stdout.splitlines()[0] == "[red]Two[/blue] sizes"


def test_textbook_figure_can_be_planned(call: Run) -> None:
    result = call("plan", SCALING, "--json")
    plan = Plan.from_json(result.stdout)
    assert {trial.settings.distribution for trial in plan.trials} == {"client-server", "bittorrent", "fluid"}
