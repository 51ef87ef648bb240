"""Command lines that programs are launched with."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from testbed.experiment import Trial
from testbed.tasks.distribute.programs import SCHEMES, check_programs, preload_of
from testbed.tasks.distribute.programs.bittorrent import leech, seed, tracker
from testbed.tasks.distribute.programs.client_server import client
from testbed.tasks.distribute.programs.fluid import write_plan
from testbed.trial.applications.launch import Stage
from testbed.trial.errors import TrialError
from tests.trial.plans import plan_of

UP = "up: 8 Mbit/s"


def trial_of(folder: Path, peers: str, more: str = "") -> Trial:
    return plan_of(folder, peers=peers, more=more).trials[0]


def stage_of(trial: Trial, folder: Path) -> Stage:
    addresses = {host.name: f"198.18.0.{k}" for k, host in enumerate(trial.hosts.all, start=1)}
    return Stage(trial, addresses, {"p1": "198.19.0.3"}, Path("/files/9.bin"), folder)


def option(words: Sequence[str | Path], name: str) -> str | None:
    texts = list(map(str, words))
    return texts[texts.index(name) + 1] if name in texts else None


@pytest.mark.parametrize(
    ("departure", "expected"),
    [
        ("stay", None),
        ("at-completion", "at-completion"),
        ("{after: 1 min}", "after 60.000000 s"),
        ("{linger: 100 ms}", "0.100000 s after completion"),
        ("{share_ratio: 1.5}", "at ratio 1.500000"),
        ("{mid_way: {at: 50 %, back_after: 30 s}}", "at 50.000000 % for 30.000000 s"),
    ],
)
def test_departures_are_said_in_the_words_of_the_peer(tmp_path: Path, departure: str, expected: str | None) -> None:
    trial = trial_of(tmp_path, f"homes: {{count: 1, {UP}, departure: {departure}}}")
    words = leech(stage_of(trial, tmp_path), trial.hosts.peers[0]).argv
    assert option(words, "--departure") == expected


def test_a_leech_is_told_all_that_was_planned_for_it(tmp_path: Path) -> None:
    peers = f"""
        homes:
          count: 1
          {UP}
          profile: mainline
          strategy: {{class: my:Own, slots: 3, name: fast, on: true, off: null}}
          start: {{peers: 1, with: 25 %}}
    """
    trial = trial_of(tmp_path, peers, "trace: pieces\n")
    planned = trial.hosts.peers[0]
    launch = leech(stage_of(trial, tmp_path), planned)
    words = list(map(str, launch.argv))
    wanted = {
        "--bind": "198.18.0.3",
        "--return-bind": "198.19.0.3",
        "--have": "0.25",
        "--profile": "mainline",
        "--time-scale": "10.0",
        "--strategy": "my:Own",
        "--level": "pieces",
        "--seed": str(planned.seed),
        "--trace": str(tmp_path / "p1.jsonl"),
        "--original": "/files/9.bin",
    }
    assert {name: option(words, name) for name in wanted} == wanted
    assert [words[k + 1] for k, word in enumerate(words) if word == "--set"] == [
        "slots=3",
        "name=fast",
        "on=true",
        "off=none",
    ]
    assert launch.is_held
    assert words[-1] == "--wait-for-start"


def test_a_seed_counts_as_ready_when_the_tracker_knows_it(tmp_path: Path) -> None:
    trial = trial_of(tmp_path, f"homes: {{count: 1, {UP}}}")
    assert seed(stage_of(trial, tmp_path), trial.hosts.servers[0]).settled == "announced"


def test_the_trackers_interval_is_a_period_of_the_protocol(tmp_path: Path) -> None:
    trial = trial_of(tmp_path, f"homes: {{count: 1, {UP}}}", "tracker: {kind: udp, numwant: 7}\n")
    assert trial.hosts.tracker is not None
    words = tracker(stage_of(trial, tmp_path), trial.hosts.tracker).argv
    assert (option(words, "--interval"), option(words, "--numwant")) == ("180", "7")


def test_clients_of_several_servers_take_them_in_turn(tmp_path: Path) -> None:
    base = f"file: {{size: 1 MiB}}\nservers: {{count: 2, {UP}}}\n"
    trial = plan_of(tmp_path, base=base, more="distribution: client-server\n").trials[0]
    stage = stage_of(trial, tmp_path)
    urls = [str(client(stage, peer).argv[2]) for peer in trial.hosts.peers]
    assert urls == [f"http://198.18.0.{k}:8080/9.bin" for k in (1, 2, 1)]


def test_the_fluid_schemes_streams_are_told_in_bytes_of_the_file(tmp_path: Path) -> None:
    import json

    trial = trial_of(tmp_path, f"homes: {{count: 3, {UP}}}", "distribution: fluid\n")
    write_plan(stage_of(trial, tmp_path))
    told = json.loads((tmp_path / "streams.json").read_text())
    assert told["peers"] == ["198.18.0.2:7000", "198.18.0.3:7000", "198.18.0.4:7000"]
    everyone = sum(told["relayed"]) + told["direct"]
    assert told["length"] / everyone == pytest.approx(trial.theory.p2p.payload_seconds)


@pytest.mark.parametrize(
    ("peers", "more", "complaint"),
    [
        (f"homes: {{count: 1, {UP}, application: other}}", "", "no application 'other' for bittorrent; write ours"),
        (f"homes: {{count: 1, {UP}, strategy: {{class: tit-for-tat, a: [1, 2]}}}}", "", "'a' is a list"),
        (f"homes: {{count: 1, {UP}, departure: {{after: 5 s}}}}", "distribution: client-server\n", "group homes"),
        (f"homes: {{count: 1, {UP}, start: {{peers: 1, with: 5 %}}}}", "distribution: client-server\n", "group homes"),
    ],
)
def test_what_no_program_can_do_is_refused_before_anything_runs(
    tmp_path: Path, peers: str, more: str, complaint: str
) -> None:
    with pytest.raises(TrialError, match=complaint):
        check_programs(trial_of(tmp_path, peers, more))


def test_the_fluid_scheme_has_one_server(tmp_path: Path) -> None:
    base = f"file: {{size: 1 MiB}}\nservers: {{count: 2, {UP}}}\n"
    with pytest.raises(TrialError, match="one server, not 2"):
        check_programs(plan_of(tmp_path, base=base, more="distribution: fluid\n").trials[0])


@pytest.mark.parametrize("distribution", list(SCHEMES))
def test_what_is_imported_beforehand_can_be(tmp_path: Path, distribution: str) -> None:
    import importlib

    trial = trial_of(tmp_path, f"homes: {{count: 1, {UP}}}", f"distribution: {distribution}\n")
    for module in preload_of(trial):
        importlib.import_module(module)


def test_peers_are_told_the_rate_of_their_uplink(tmp_path: Path) -> None:
    trial = trial_of(tmp_path, "{homes: {count: 1, up: 8 Mbit/s}}")
    stage = stage_of(trial, tmp_path)
    assert option(leech(stage, trial.hosts.peers[0]).argv, "--upload-limit") == "8000000bit/s"
    assert option(seed(stage, trial.hosts.servers[0]).argv, "--upload-limit") == f"{trial.hosts.servers[0].up}bit/s"
