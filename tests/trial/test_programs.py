"""The programs of the task `distribute`: command lines, files, and what is refused."""

import importlib
import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

from testbed.errors import TrialError
from testbed.experiment import Trial
from testbed.tasks.distribute.plan.records import PlannedDeparture, PlannedStrategy
from testbed.tasks.distribute.programs.bittorrent import leech, other_leech, seed, tracker
from testbed.tasks.distribute.programs.client_server import client
from testbed.tasks.distribute.programs.fluid import write_plan
from testbed.tasks.distribute.programs.payload_file import make_payload_file
from testbed.tasks.distribute.programs.schemes import SCHEMES
from testbed.tasks.launches import Phase, TrialContext
from testbed.tasks.programs import programs_of
from tests.trial.plans import plan_of

UP = "up: 8 Mbit/s"


def trial_of(folder: Path, peers: str, more: str = "") -> Trial:
    return plan_of(folder, peers=peers, more=more).trials[0]


def context_of(trial: Trial, folder: Path) -> TrialContext:
    addresses = {host.name: f"198.18.0.{k}" for k, host in enumerate(trial.hosts.all, start=1)}
    return TrialContext(trial, addresses, {"p1": "198.19.0.3"}, folder, Path("/files"), experiment_seed=1)


def check(trial: Trial) -> None:
    programs_of(trial).check(trial)


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
def test_departure_becomes_an_option(tmp_path: Path, departure: str, expected: str | None) -> None:
    trial = trial_of(tmp_path, f"homes: {{count: 1, {UP}, departure: {departure}}}")
    words = leech(context_of(trial, tmp_path), trial.hosts.peers[0]).argv
    assert option(words, "--departure") == expected


def test_leech_gets_every_planned_option(tmp_path: Path) -> None:
    peers = f"""
        homes:
          count: 1
          {UP}
          profile: mainline
          strategy: {{class: my:Own, slots: 3, name: fast, on: true, off: null}}
          start: {{peers: 1, with: 25 %}}
    """
    trial = trial_of(tmp_path, peers, "trace_level: pieces\n")
    planned = trial.hosts.peers[0]
    launch = leech(context_of(trial, tmp_path), planned)
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
        "--original": "/files/1048576.bin",
    }
    assert {name: option(words, name) for name in wanted} == wanted
    assert [words[k + 1] for k, word in enumerate(words) if word == "--set"] == [
        "slots=3",
        "name=fast",
        "on=true",
        "off=none",
    ]
    assert launch.waits_for_start
    assert words[-1] == "--wait-for-start"


@pytest.mark.parametrize("application", ["ours", "libtorrent"])
def test_encryption_becomes_an_option_of_all_or_of_a_group(tmp_path: Path, application: str) -> None:
    peers = f"{{a: {{count: 1, {UP}, application: {application}}}, b: {{count: 1, {UP}, encryption: require}}}}"
    trial = plan_of(tmp_path, peers=peers, more="encryption: prefer\n").trials[0]
    context = context_of(trial, tmp_path)
    server, (one, other) = trial.hosts.servers[0], trial.hosts.peers
    launch = leech if application == "ours" else other_leech
    assert option(seed(context, server).argv, "--encryption") == "prefer"
    assert option(launch(context, one).argv, "--encryption") == "prefer"
    assert option(leech(context, other).argv, "--encryption") == "require"


def test_without_the_key_clients_are_told_nothing_of_encryption(tmp_path: Path) -> None:
    trial = trial_of(tmp_path, f"homes: {{count: 1, {UP}}}")
    assert option(leech(context_of(trial, tmp_path), trial.hosts.peers[0]).argv, "--encryption") is None
    assert "encryption" not in trial.hosts.peers[0].model_dump(), "plans without it are as they were"


def test_seed_is_ready_when_it_has_announced(tmp_path: Path) -> None:
    trial = trial_of(tmp_path, f"homes: {{count: 1, {UP}}}")
    assert seed(context_of(trial, tmp_path), trial.hosts.servers[0]).settled == "announced"


def test_tracker_interval_is_divided_by_time_scale(tmp_path: Path) -> None:
    trial = trial_of(tmp_path, f"homes: {{count: 1, {UP}}}", "tracker: {kind: udp, numwant: 7}\n")
    assert trial.hosts.tracker is not None
    words = tracker(context_of(trial, tmp_path), trial.hosts.tracker).argv
    assert (option(words, "--interval"), option(words, "--numwant")) == ("180", "7")


def test_clients_use_several_servers_in_turn(tmp_path: Path) -> None:
    base = f"file: {{size: 1 MiB}}\nservers: {{count: 2, {UP}}}\n"
    trial = plan_of(tmp_path, base=base, more="distribution: client-server\n").trials[0]
    context = context_of(trial, tmp_path)
    urls = [str(client(context, peer).argv[2]) for peer in trial.hosts.peers]
    assert urls == [f"http://198.18.0.{k}:8080/1048576.bin" for k in (1, 2, 1)]


def test_fluid_streams_are_in_bytes_of_payload(tmp_path: Path) -> None:
    trial = trial_of(tmp_path, f"homes: {{count: 3, {UP}}}", "distribution: fluid\n")
    write_plan(context_of(trial, tmp_path))
    streams = json.loads((tmp_path / "streams.json").read_text())
    assert streams["peers"] == ["198.18.0.2:7000", "198.18.0.3:7000", "198.18.0.4:7000"]
    everyone = sum(streams["relayed"]) + streams["direct"]
    assert streams["length"] / everyone == pytest.approx(trial.theory.p2p.payload_seconds)


@pytest.mark.parametrize(
    ("changes", "more", "complaint"),
    [
        ({"application": "other"}, "", "unknown application 'other' for bittorrent: write ours"),
        ({"strategy": PlannedStrategy(name="tit-for-tat", parameters={"a": [1, 2]})}, "", "'a' is a list"),
        ({"departure": PlannedDeparture(kind="after", seconds=5)}, "distribution: client-server\n", "group homes"),
        ({"held": 0.05}, "distribution: client-server\n", "group homes"),
    ],
)
def test_planned_options_that_no_program_has_are_refused(
    tmp_path: Path, changes: dict[str, object], more: str, complaint: str
) -> None:
    """A file with them is refused when it is read; a plan can come from elsewhere."""
    trial = trial_of(tmp_path, f"homes: {{count: 1, {UP}}}", more)
    peers = tuple(peer.model_copy(update=changes) for peer in trial.hosts.peers)
    changed = trial.model_copy(update={"hosts": trial.hosts.model_copy(update={"peers": peers})})
    with pytest.raises(TrialError, match=complaint):
        check(changed)


def test_fluid_scheme_refuses_two_servers(tmp_path: Path) -> None:
    base = f"file: {{size: 1 MiB}}\nservers: {{count: 2, {UP}}}\n"
    trial = plan_of(tmp_path, base=base, more="").trials[0]
    fluid = trial.settings.model_copy(update={"distribution": "fluid"})
    with pytest.raises(TrialError, match="one server, not 2"):
        check(trial.model_copy(update={"settings": fluid}))


@pytest.mark.parametrize("distribution", list(SCHEMES))
def test_preloaded_modules_exist(tmp_path: Path, distribution: str) -> None:
    trial = trial_of(tmp_path, f"homes: {{count: 1, {UP}}}", f"distribution: {distribution}\n")
    for module in programs_of(trial).preload(trial):
        importlib.import_module(module)


def test_peers_know_their_uplink_rate(tmp_path: Path) -> None:
    trial = trial_of(tmp_path, "{homes: {count: 1, up: 8 Mbit/s}}")
    context = context_of(trial, tmp_path)
    assert option(leech(context, trial.hosts.peers[0]).argv, "--upload-limit") == "8000000bit/s"
    assert option(seed(context, trial.hosts.servers[0]).argv, "--upload-limit") == f"{trial.hosts.servers[0].up}bit/s"


def test_payload_is_reproducible_and_incompressible(tmp_path: Path) -> None:
    size = (1 << 20) + 7
    file = make_payload_file(tmp_path / "a", 1, size)
    content = file.read_bytes()
    assert len(content) == size
    assert make_payload_file(tmp_path / "b", 1, size).read_bytes() == content
    assert make_payload_file(tmp_path / "c", 2, size).read_bytes() != content
    assert len(zlib.compress(content)) > size


def test_existing_payload_file_is_kept(tmp_path: Path) -> None:
    file = make_payload_file(tmp_path, 1, 1000)
    before = file.stat()
    assert make_payload_file(tmp_path, 1, 1000).stat().st_mtime_ns == before.st_mtime_ns
    assert [path.name for path in tmp_path.iterdir()] == ["1000.bin"]


def test_tracker_starts_first_and_peers_participate(tmp_path: Path) -> None:
    trial = trial_of(tmp_path, f"homes: {{count: 1, {UP}, arrival: {{at: [2 s]}}}}")
    found = programs_of(trial).assignments(context_of(trial, tmp_path))
    assert [(each.host.name, each.role, each.group, each.phase, each.arrival) for each in found] == [
        ("tracker", "tracker", "tracker", Phase.INFRASTRUCTURE, 0.0),
        ("server", "server", "servers", Phase.SERVICE, 0.0),
        ("p1", "peer", "homes", Phase.PARTICIPANT, 2.0),
    ]


def test_peers_that_leave_mid_way_return(tmp_path: Path) -> None:
    departure = "{mid_way: {at: 50 %, back_after: 1 s}}"
    peers = f"stay: {{count: 1, {UP}}}\naway: {{count: 1, {UP}, departure: {departure}}}"
    trial = trial_of(tmp_path, peers)
    assert programs_of(trial).returning_hosts(trial) == ["p2"]


def test_progress_is_estimated_from_received_bytes(tmp_path: Path) -> None:
    trial = trial_of(tmp_path, f"homes: {{count: 3, {UP}, start: {{peers: 1, with: 50 %}}}}")
    held = next(peer.name for peer in trial.hosts.peers if peer.held)
    received = dict.fromkeys((peer.name for peer in trial.hosts.peers), trial.settings.file_size // 4)
    progress = programs_of(trial).progress(trial, received)
    assert progress[held] == pytest.approx(0.75, abs=0.02)
    assert max(programs_of(trial).progress(trial, dict.fromkeys(received, 1 << 30)).values()) < 1.0
