"""`testbed check`: a summary of a valid file, or all its mistakes."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.experiment import read_experiment
from testbed.experiment.plan.plan import make_plan
from testbed.topology.planned import topology_of

Run = Callable[..., subprocess.CompletedProcess[str]]
EXPERIMENTS = Path(__file__).parents[2] / "experiments"
SWARM = """\
file: {size: 4 MiB}
servers: {up: 8 Mbit/s}
peers:
  homes: {count: 4, up: 1 Mbit/s, delay: 5 ms}
"""


@pytest.fixture
def swarm(tmp_path: Path) -> Path:
    file = tmp_path / "swarm.yaml"
    file.write_text(SWARM)
    return file


def test_valid_file_is_summarised(call: Run, swarm: Path) -> None:
    result = call("check", swarm)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{swarm} is valid: 1 trial, about 16 s\n"


def test_too_short_trials_are_warned_about(call: Run, swarm: Path) -> None:
    swarm.write_text(SWARM.replace("4 MiB", "64 KiB"))
    result = call("check", swarm)
    assert (result.returncode, result.stderr) == (0, "")
    _, warned = result.stdout.splitlines()
    assert warned.startswith("warning: trial 1: the bound is only 200 ms, too short to judge")


def test_unknown_application_is_refused(call: Run, swarm: Path) -> None:
    swarm.write_text(SWARM.replace("delay: 5 ms", "application: torrentia"))
    result = call("check", swarm)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"testbed: {swarm}:4:35: peers.homes.application: unknown application 'torrentia'")


def test_network_without_peers_is_valid(call: Run, tmp_path: Path) -> None:
    file = tmp_path / "network.yaml"
    file.write_text("topology: {class: star, n: 5, up: 8 Mbit/s}\n")
    result = call("check", file)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"{file} is valid: a network without peers\n"


def test_each_file_is_checked_and_one_bad_file_sets_the_status(call: Run, swarm: Path) -> None:
    bad, nowhere = swarm.with_name("bad.yaml"), swarm.with_name("nowhere.yaml")
    bad.write_text(SWARM.replace("count", "cuont"))
    result = call("check", bad, swarm, nowhere)
    assert result.returncode == 2
    assert result.stdout == f"{swarm} is valid: 1 trial, about 16 s\n"
    assert {line.split(":")[1].strip() for line in result.stderr.splitlines()} == {str(bad), str(nowhere)}
    assert call("check", swarm, swarm).stdout.count("is valid") == 2


def test_standard_input_is_checked(testbed: Run) -> None:
    result = testbed("check", "-", stdin=SWARM)
    assert (result.returncode, result.stdout) == (0, "<stdin> is valid: 1 trial, about 16 s\n")
    result = testbed("check", "-", stdin=SWARM.replace("count", "cuont"))
    assert result.returncode == 2
    assert result.stderr.startswith("testbed: <stdin>:4:")


def test_json_has_every_file_with_its_problems(call: Run, swarm: Path) -> None:
    bad = swarm.with_name("bad.yaml")
    bad.write_text(SWARM.replace("4 MiB", "64 KiB") + "seed: x\n")
    swarm.write_text(SWARM.replace("4 MiB", "64 KiB"))
    result = call("check", swarm, bad, "--json")
    assert (result.returncode, result.stderr) == (2, "")
    good, refused = json.loads(result.stdout)
    assert (good["file"], good["valid"], good["trials"], good["problems"]) == (str(swarm), True, 1, [])
    assert "the bound is only 200 ms" in good["warnings"][0]
    (problem,) = refused["problems"]
    assert (refused["valid"], refused["trials"]) == (False, 0)
    assert problem == {"place": str(bad), "line": 5, "column": 1, "key": "seed", "message": problem["message"]}


def test_json_has_problems_that_have_no_line(call: Run, swarm: Path) -> None:
    missing = swarm.with_name("none.yaml")
    ((problem,),) = [each["problems"] for each in json.loads(call("check", missing, "--json").stdout)]
    assert problem["line"] == 0
    assert "none.yaml" in problem["message"] + problem["place"]


def test_set_values_are_checked(call: Run, swarm: Path) -> None:
    assert call("check", swarm, "--set", "repeat=3").stdout.startswith(f"{swarm} is valid: 3 trials")
    result = call("check", swarm, "--set", "repeat=none")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("testbed: --set repeat=none: repeat: ")


@pytest.mark.parametrize("file", sorted(EXPERIMENTS.glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_experiments_are_valid(call: Run, file: Path) -> None:
    result = call("check", file)
    assert (result.returncode, result.stderr) == (0, "")


def test_every_mistake_has_a_line(call: Run, swarm: Path) -> None:
    swarm.write_text(SWARM.replace("4 MiB", "4").replace("count", "cuont") + "seed: x\n")
    result = call("check", swarm)
    assert (result.returncode, result.stdout) == (2, "")
    assert [line.split(": ")[2] for line in result.stderr.splitlines()] == [
        "file.size",
        "peers.homes.count",
        "peers.homes.cuont",
        "seed",
    ]
    assert all(line.startswith(f"testbed: {swarm}:") for line in result.stderr.splitlines())


@pytest.mark.parametrize(
    ("topology", "message"),
    [
        ("{class: galaxy}", "5:12: topology.class: unknown topology 'galaxy'"),
        ("{class: star, acks: sometimes}", "5:25: topology.acks: 'sometimes' is not priority or shared"),
        ("{class: star, queue: 5}", "topology.queue: '5' has no unit: write 5 us, 5 ms"),
        ("{class: star, colour: red}", "topology.colour: unknown parameter"),
        ("{class: tree}", "5:12: topology.class: tree: names: expected a different name for each of 4 hosts"),
        ("{class: 'mininet.topo:SingleSwitchTopo'}", "cannot have peers: its `build` does not take down, names, up"),
    ],
)
def test_impossible_topology_is_reported_at_its_place(call: Run, swarm: Path, topology: str, message: str) -> None:
    swarm.write_text(f"{SWARM}topology: {topology}\n")
    result = call("check", swarm)
    assert result.returncode == 2
    assert message in result.stderr


def test_hosts_keep_names_and_links_in_topology(swarm: Path) -> None:
    topology = topology_of(make_plan(read_experiment(swarm)).trials[0])
    assert [host for host, _ in topology.links()] == ["server", "tracker", "p1", "p2", "p3", "p4"]
    links = {first: parameters for first, _, parameters in topology.links(withInfo=True)}
    assert links["server"]["params1"] == {"bw": 8.0}
    assert links["tracker"]["params1"] == {}
    assert links["p1"]["params1"] == {"bw": 1.0, "delay": "5.0ms"}
    assert links["p1"]["params2"] == {"delay": "5.0ms"}


@pytest.mark.parametrize(("extra", "first"), [("", 3), ("n1: 1, ", 1)])
def test_two_providers_share_the_hosts(swarm: Path, extra: str, first: int) -> None:
    swarm.write_text(f"{SWARM}topology: {{class: two-isps, {extra}bottleneck: 10 Mbit/s}}\n")
    topology = topology_of(make_plan(read_experiment(swarm)).trials[0])
    cores = [core for host, core in topology.links() if host in topology.hosts()]
    assert (cores.count("s1"), cores.count("s2")) == (first, 6 - first)


def test_old_keys_work_and_are_hinted_at(call: Run, swarm: Path) -> None:
    swarm.with_name("rates.csv").write_text("up\n1 Mbit/s\n")
    swarm.write_text(SWARM.replace("1 Mbit/s,", "{trace: rates.csv},") + "trace: pieces\n")
    result = call("check", swarm)
    assert result.returncode == 0
    later = "write the new key, because the next version will refuse the old one"
    assert result.stderr.splitlines() == [
        f"testbed: {swarm}:5:1: `trace:` is now `trace_level:`; {later}",
        f"testbed: {swarm}:4:26: `trace:` is now `csv:`; {later}",
    ]


@pytest.mark.parametrize("name", ["quickstart", "quickstart.yaml"])
def test_shipped_experiment_is_found_by_name(
    call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(tmp_path)
    result = call("check", name)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(f"{EXPERIMENTS / 'quickstart.yaml'} is valid")


def test_existing_file_goes_before_shipped_experiment(
    call: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("quickstart").write_text(SWARM)
    assert call("check", "quickstart").stdout == "quickstart is valid: 1 trial, about 16 s\n"
