"""Hosts that are killed as planned: whom it can be, what the plan says of it, and what tables say."""

import signal
from pathlib import Path

import pytest

from testbed.experiment import ExperimentError, Plan
from testbed.results.report import report
from testbed.tasks.distribute.plan.records import TrialHosts
from testbed.tasks.distribute.trials import hosts_of, theory_of
from testbed.tasks.planning import TASKS
from testbed.tasks.programs import programs_of
from tests.experiment.files import SMALL, planned, written
from tests.runfolder.runs import GOLDEN, Happened, event, golden, write_run, write_trial
from tests.tasks.distribute.test_discovery import context_of, trial_of

BITS = 8 * (4 << 20)


def hosts(folder: Path, more: str) -> TrialHosts:
    return hosts_of(trial_of(folder, more))


def killed(folder: Path, more: str) -> dict[str, float]:
    return {host.name: host.killed_at for host in hosts(folder, more).all if host.killed_at is not None}


def test_hosts_are_killed_by_word_by_group_and_by_share(tmp_path: Path) -> None:
    both = "discovery: both\nfailures:\n"
    assert killed(tmp_path, f"{both}  - {{at: 5 s, kill: tracker}}\n") == {"tracker": 5}
    assert killed(tmp_path, f"{both}  - {{at: 5 s, kill: bootstrap}}\n") == {"bootstrap": 5}
    assert killed(tmp_path, f"{both}  - {{at: 5 s, kill: servers}}\n") == {"server": 5}
    assert set(killed(tmp_path, f"{both}  - {{at: 5 s, kill: 100 %}}\n")) == {"p1", "p2", "p3", "p4"}
    half = killed(tmp_path, f"{both}  - {{at: 5 s, kill: {{homes: 50 %}}}}\n")
    assert len(half) == 2
    assert set(half) <= {"p1", "p2", "p3", "p4"}


def test_plan_survives_json_and_counts_the_killed(tmp_path: Path) -> None:
    plan = planned(tmp_path, SMALL + "failures: [{at: 9 s, kill: tracker}, {at: 5 s, kill: 50 %}]\n")
    assert Plan.from_json(plan.to_json()) == plan
    (trial,) = plan.trials
    assert TASKS["distribute"].overview(trial.settings, trial.hosts, trial.theory)["killed"] == "3"


def test_programs_get_their_ends(tmp_path: Path) -> None:
    more = "discovery: both\nfailures: [{at: 9 s, kill: tracker}, {at: 5 s, kill: servers}, {at: 7 s, kill: 100 %}]\n"
    trial = trial_of(tmp_path, more)
    programs_of(trial).prepare(context_of(trial, tmp_path))
    found = {each.host.name: each.killed_at for each in programs_of(trial).assignments(context_of(trial, tmp_path))}
    assert found == {"tracker": 9, "bootstrap": None, "server": 5, "p1": 7, "p2": 7, "p3": 7, "p4": 7}


def test_bounds_ask_nothing_for_the_dead(tmp_path: Path) -> None:
    """Two of four are left, but all four can upload."""
    theory = theory_of(trial_of(tmp_path, "failures: [{at: 5 s, kill: 50 %}]\n"))
    assert theory.client_server.seconds == pytest.approx(2 * BITS / 8e6)
    assert theory.p2p.seconds == pytest.approx(max(2 * BITS / 12e6, BITS / 8e6))


def test_if_nobody_is_left_the_bounds_are_those_of_all(tmp_path: Path) -> None:
    theory = theory_of(trial_of(tmp_path, "failures: [{at: 5 s, kill: 100 %}]\n"))
    assert theory == theory_of(trial_of(tmp_path, ""))


@pytest.mark.parametrize(
    ("more", "waits"),
    [
        ("failures: [{at: 5 s, kill: tracker}]\n", True),
        ("failures: [{at: 15 s, kill: tracker}]\n", False),
        ("discovery: both\nfailures: [{at: 5 s, kill: tracker}]\n", False),
        ("discovery: both\nfailures: [{at: 5 s, kill: tracker}, {at: 6 s, kill: bootstrap}]\n", True),
        ("discovery: dht\nfailures: [{at: 5 s, kill: bootstrap}]\n", True),
        ("failures: [{at: 5 s, kill: servers}]\n", False),
    ],
)
def test_trial_that_shuts_newcomers_out_is_expected_to_last_until_its_limit(
    tmp_path: Path, more: str, waits: bool
) -> None:
    text = SMALL.replace("count: 4,", "count: 4, arrival: {at: [0 s, 1 s, 2 s, 10 s]},") + "time_limit: 8 min\n"
    (trial,) = planned(tmp_path, text + more).trials
    assert (trial.estimate.seconds > 480) == waits


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("failures: [{at: 5 s, kill: bootstrap}]\n", "failures.0.kill: there is no DHT to join: write another host"),
        ("discovery: dht\nfailures: [{at: 5 s, kill: tracker}]\n", "failures.0.kill: there is no tracker: write"),
        (
            "failures: [{at: 5 s, kill: {home: 5 %}}]\n",
            "failures.0.kill.home: unknown group 'home' (did you",
        ),
        ("failures: [{at: 5 s, kill: {}}]\n", "failures.0.kill: names no group: write one with its share, such as"),
        ("failures: [{at: 5 s, kill: half}]\n", "failures.0.kill: expected tracker, bootstrap, servers, a percentage"),
        ("failures: [{at: 5 s, kill: 50}]\n", "failures.0.kill: '50' has no unit: write 50 %"),
        ("failures: [{at: 5 min, kill: tracker}]\ntime_limit: 5 min\n", "failures.0.at: the trial ends before, at"),
        (
            "distribution: fluid\nfailures: [{at: 5 s, kill: servers}]\n",
            "failures.0: programs of fluid do not go on without each other",
        ),
        (
            "tracker: {application: opentracker}\nfailures: [{at: 5 s, kill: tracker}]\n",
            "failures.0.kill: only our programs can be killed: opentracker would go on without the program that",
        ),
        ("discovery: gossip\n", "discovery: expected 'tracker', 'dht' or 'both', found 'gossip'"),
    ],
)
def test_what_cannot_be_killed_is_refused(tmp_path: Path, more: str, says: str) -> None:
    with pytest.raises(ExperimentError) as error:
        written(tmp_path, SMALL + more)
    (problem,) = error.value.problems
    assert f"{problem.key}: {problem.message}".startswith(says)


def test_other_clients_cannot_be_killed(tmp_path: Path) -> None:
    text = SMALL + "  theirs: {count: 1, up: 1 Mbit/s, application: aria2}\n"
    assert written(tmp_path, text + "failures: [{at: 5 s, kill: {homes: 50 %}}]\n")
    for kill in ("50 %", "{theirs: 100 %}"):
        with pytest.raises(ExperimentError, match="aria2 would go on without the program that watches it"):
            written(tmp_path, f"{text}failures: [{{at: 5 s, kill: {kill}}}]\n")


KILLED = GOLDEN + "failures: [{at: 4.5 s, kill: {slow: 100 %}}]\n"


def as_killed(happened: Happened) -> Happened:
    """Cut p2 off at its death; p1, and not the server, has a node of the DHT."""
    traces = {name: list(events) for name, events in happened.traces.items()}
    traces["p2"] = [each for each in traces["p2"] if each["t"] < traces["p2"][0]["t"] + 5.0]
    spent = [
        event(t, "spent", sent=[["", 2, bytes_sent]], messages_received=1, bytes_received=9)
        for t, bytes_sent in ((0.1, 100), (1.1, 40))
    ]
    traces["p1"][3:3] = spent[:1]
    traces["p1"].insert(-1, spent[1] | {"t": traces["p1"][-1]["t"]})
    dead = {"exit_code": None, "signal": signal.SIGKILL.name, "why": "was killed at 4.5 s, as planned", "failed": False}
    return Happened(
        traces, happened.counters, happened.end, hosts={"p2": dead}, links=happened.links, fidelity=happened.fidelity
    )


def test_killed_peer_does_not_count_and_is_named(tmp_path: Path) -> None:
    plan = write_run(tmp_path, KILLED)
    write_trial(tmp_path, plan.trials[0], as_killed(golden()))
    tables = report(tmp_path).tables
    row = tables.trials.iloc[0]
    assert (row["verdict"], row["killed"], row["completed"], row["distribution_s"]) == ("valid", 1, 1, 4.0)
    peers = tables.peers.set_index("peer")
    assert peers["killed_s"].dropna().to_dict() == {"p2": 4.5}
    assert peers.loc["p2", "why_ended"] == "was killed at 4.5 s, as planned"


def test_bytes_of_the_dht_are_those_of_the_nodes_that_tell_them(tmp_path: Path) -> None:
    plan = write_run(tmp_path, KILLED)
    write_trial(tmp_path, plan.trials[0], as_killed(golden()))
    tables = report(tmp_path).tables
    assert tables.peers.set_index("peer")["dht_bytes"].dropna().to_dict() == {"p1": 140}
    assert tables.trials.iloc[0]["dht_bytes"] == 140


def test_time_to_the_first_neighbour_begins_with_joining(tmp_path: Path) -> None:
    """Both joined before t = 0, which counts as t = 0; p2's handshakes are taken away."""
    plan = write_run(tmp_path, GOLDEN)
    happened = golden()
    alone = [each for each in happened.traces["p2"] if each["event"] != "handshaken"]
    happened.traces = {**happened.traces, "p2": alone}
    write_trial(tmp_path, plan.trials[0], happened)
    tables = report(tmp_path).tables
    assert tables.peers.set_index("peer")["first_neighbour_s"].dropna().to_dict() == {"p1": pytest.approx(0.2)}
    row = tables.trials.iloc[0]
    times = [row[f"first_neighbour_{kind}_s"] for kind in ("mean", "median", "max")]
    assert times == [pytest.approx(0.2)] * 3
    assert (row["isolated"], row["killed"]) == (1, 0)
    assert row.isna()["dht_bytes"]
