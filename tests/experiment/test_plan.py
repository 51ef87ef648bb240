"""A plan has every value filled in, is the same every time, and survives JSON."""

import json
from math import log
from pathlib import Path
from statistics import median, pstdev
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from testbed.experiment import ExperimentError, read_experiment
from testbed.experiment.plan.doubts import (
    PROGRAMS_SHARE,
    Machine,
    doubts,
)
from testbed.experiment.plan.plan import Plan, make_plan
from testbed.experiment.plan.trials import Trial
from testbed.tasks.distribute.plan.records import PlannedBound, PlannedDeparture, PlannedPeer
from testbed.theory import payload_share
from testbed.values.captures import WHOLE, PlannedCapture
from testbed.values.costs import MOST_TESTED
from tests.experiment.files import SMALL, planned, written

QUICKSTART = Path(__file__).parents[2] / "experiments" / "quickstart.yaml"
QUICK_LINKS = {10: 1_000_000_000, 100: 500_000_000}


def one(folder: Path, text: str) -> Trial:
    (trial,) = planned(folder, text).trials
    return trial


def peers(folder: Path, group: str, rest: str = "") -> tuple[PlannedPeer, ...]:
    """Plan one group of peers, and return them."""
    text = f"file: {{size: 4 MiB}}\nservers: {{up: 8 Mbit/s}}\npeers:\n  homes: {{{group}}}\n{rest}\n"
    return planned(folder, text).trials[0].hosts.peers


def test_small_experiment_has_every_value_planned(tmp_path: Path) -> None:
    trial = one(tmp_path, SMALL)
    assert trial.hosts.positions == ("server", "tracker", "p1", "p2", "p3", "p4")
    assert [host.name for host in trial.hosts.all] == list(trial.hosts.positions)
    server, peer = trial.hosts.servers[0], trial.hosts.peers[0]
    assert (server.up, server.down, peer.up, peer.down) == (8_000_000, None, 1_000_000, 8_000_000)
    assert (peer.group, peer.profile, peer.strategy.name, peer.application) == (
        "homes",
        "course",
        "tit-for-tat",
        "ours",
    )
    assert (peer.arrival, peer.held, peer.departure) == (0.0, 0.0, PlannedDeparture(kind="stay"))
    assert len({peer.seed for peer in trial.hosts.peers}) == 4
    assert (trial.settings.file_size, trial.settings.piece_length) == (4 << 20, 256 << 10)
    assert trial.settings.topology.reference == "star"


def bound_of(trial: Trial) -> PlannedBound:
    return trial.settings.bound_in(trial.theory)


def test_bounds_are_those_of_theory(tmp_path: Path) -> None:
    trial = one(tmp_path, SMALL)
    bits = 8 * (4 << 20)
    assert trial.theory.client_server.seconds == pytest.approx(4 * bits / 8e6)
    assert (bound_of(trial).seconds, bound_of(trial).limit) == (pytest.approx(4 * bits / 12e6), "uploads")
    assert bound_of(trial).payload_seconds == pytest.approx(bound_of(trial).seconds / payload_share())


def test_servers_count_as_one_with_summed_uploads(tmp_path: Path) -> None:
    text = SMALL.replace("{up: 8 Mbit/s}", "{count: 2, up: [2 Mbit/s, 6 Mbit/s]}")
    trial = one(tmp_path, text)
    assert [server.name for server in trial.hosts.servers] == ["server1", "server2"]
    assert bound_of(trial) == bound_of(one(tmp_path, SMALL))


def test_tracker_and_streams_depend_on_scheme(tmp_path: Path) -> None:
    text = SMALL + "sweep: {distribution: [client-server, bittorrent, fluid]}\n"
    alone, torrent, fluid = planned(tmp_path, text).trials
    assert [trial.hosts.tracker is not None for trial in (alone, torrent, fluid)] == [False, True, False]
    assert [trial.theory.fluid is not None for trial in (alone, torrent, fluid)] == [False, False, True]
    assert bound_of(alone) == alone.theory.client_server
    assert fluid.theory.fluid is not None
    received = fluid.theory.fluid.direct + sum(fluid.theory.fluid.relayed)
    assert 8 * fluid.settings.file_size / received == pytest.approx(bound_of(fluid).seconds)


def test_choice_follows_its_weights(tmp_path: Path) -> None:
    ups = [peer.up for peer in peers(tmp_path, "count: 2000, up: {choice: {1 Mbit/s: 3, 2 Mbit/s: 1}}")]
    assert set(ups) == {1_000_000, 2_000_000}
    assert ups.count(1_000_000) / 2000 == pytest.approx(0.75, abs=0.04)


def test_uniform_is_between_its_ends(tmp_path: Path) -> None:
    ups = [peer.up or 0 for peer in peers(tmp_path, "count: 2000, up: {uniform: {from: 1 Mbit/s, to: 3 Mbit/s}}")]
    assert all(1_000_000 <= up <= 3_000_000 and up % 8 == 0 for up in ups)
    assert sum(ups) / 2000 == pytest.approx(2e6, rel=0.03)


def test_lognormal_has_median_spread_and_link_limits(tmp_path: Path) -> None:
    ups = [peer.up or 0 for peer in peers(tmp_path, "count: 2000, up: {lognormal: {median: 2 Mbit/s, sigma: 0.5}}")]
    assert median(ups) == pytest.approx(2e6, rel=0.06)
    assert pstdev([log(up) for up in ups]) == pytest.approx(0.5, rel=0.06)
    wide = [peer.up or 0 for peer in peers(tmp_path, "count: 500, up: {lognormal: {median: 2 Mbit/s, sigma: 5}}")]
    assert (min(wide), max(wide)) == (56_000, 1_000_000_000)


def test_rates_of_a_host_share_a_row(tmp_path: Path) -> None:
    (tmp_path / "speeds.csv").write_text("up,down\n1 Mbit/s,10 Mbit/s\n2 Mbit/s,20 Mbit/s\n3 Mbit/s,30 Mbit/s\n")
    drawn = peers(tmp_path, "count: 30, up: {csv: speeds.csv}, down: {csv: speeds.csv}")
    assert {peer.up for peer in drawn} == {1_000_000, 2_000_000, 3_000_000}
    assert all(peer.down == 10 * (peer.up or 0) for peer in drawn)


def test_csv_column_can_have_another_name(tmp_path: Path) -> None:
    (tmp_path / "speeds.csv").write_text("upload\n1 Mbit/s\n")
    assert peers(tmp_path, "count: 1, up: {csv: speeds.csv, column: upload}")[0].up == 1_000_000


def test_arrivals_are_drawn_as_described(tmp_path: Path) -> None:
    def arrivals(how: str, count: int = 3) -> list[float]:
        return [peer.arrival for peer in peers(tmp_path, f"count: {count}, up: 1 Mbit/s, arrival: {how}")]

    (tmp_path / "a.csv").write_text("arrival\n3 s\n1 s\n2 s\n9 s\n")
    assert arrivals("flash") == [0, 0, 0]
    assert arrivals("{at: 5 s}") == [5, 5, 5]
    assert arrivals("{at: [5 s, 1 min, 0 s]}") == [5, 60, 0]
    assert arrivals("{csv: a.csv}") == [3, 1, 2]
    poisson = arrivals("{poisson: 30 /min}", 2000)
    assert poisson == sorted(poisson)
    assert poisson[-1] == pytest.approx(4000, rel=0.08)
    uniform = arrivals("{uniform: 10 s}", 2000)
    assert 0 <= min(uniform) < 0.1
    assert 9.9 < max(uniform) <= 10


@pytest.mark.parametrize(
    ("written_as", "departure"),
    [
        ("stay", PlannedDeparture(kind="stay")),
        ("at-completion", PlannedDeparture(kind="at-completion")),
        ("{after: 1 min}", PlannedDeparture(kind="after", seconds=60)),
        ("{linger: 0 s}", PlannedDeparture(kind="linger", seconds=0)),
        ("{share_ratio: 1.5}", PlannedDeparture(kind="share_ratio", ratio=1.5)),
        ("{mid_way: {at: 50 %, back_after: 3 s}}", PlannedDeparture(kind="mid_way", share=0.5, seconds=3)),
    ],
)
def test_departures_are_planned_as_described(tmp_path: Path, written_as: str, departure: PlannedDeparture) -> None:
    assert peers(tmp_path, f"count: 1, up: 1 Mbit/s, departure: {written_as}")[0].departure == departure


def test_some_peers_start_with_part_of_file(tmp_path: Path) -> None:
    held = [peer.held for peer in peers(tmp_path, "count: 20, up: 1 Mbit/s, start: {peers: 5, with: 25 %}")]
    assert sorted(held) == [0.0] * 15 + [0.25] * 5
    assert held != sorted(held)


def test_planned_link_has_delay_jitter_and_loss(tmp_path: Path) -> None:
    (peer,) = peers(tmp_path, "count: 1, up: 1 Mbit/s, delay: 20 ms, jitter: 2 ms, loss: 1 %")
    assert (peer.delay, peer.jitter, peer.loss) == (0.02, 0.002, 0.01)


def test_peers_can_be_placed_at_random(tmp_path: Path) -> None:
    text = SMALL.replace("count: 4", "count: 30")
    in_order, drawn = (one(tmp_path, text + f"placement: {placement}\n").hosts for placement in ("in-order", "drawn"))
    assert in_order.positions[2:] == tuple(f"p{k}" for k in range(1, 31))
    assert drawn.positions[:2] == ("server", "tracker")
    assert drawn.positions != in_order.positions
    assert sorted(drawn.positions) == sorted(in_order.positions)


DRAWN = (
    "count: 10, up: {uniform: {from: 1 Mbit/s, to: 2 Mbit/s}}, arrival: {poisson: 5 /min}, start: {peers: 2, with: 5 %}"
)


def test_changed_value_leaves_other_draws(tmp_path: Path) -> None:
    before = peers(tmp_path, DRAWN)
    without = peers(tmp_path, DRAWN.replace("{poisson: 5 /min}", "flash"))
    assert [peer.model_copy(update={"arrival": 0.0}) for peer in before] == list(without)
    faster = peers(tmp_path, DRAWN.replace("2 Mbit/s", "4 Mbit/s"))
    assert [peer.arrival for peer in faster] == [peer.arrival for peer in before]
    assert [peer.up for peer in faster] != [peer.up for peer in before]


def test_growing_group_keeps_its_draws(tmp_path: Path) -> None:
    rest = "  farms: {count: 3, up: {uniform: {from: 1 Mbit/s, to: 9 Mbit/s}}}"
    small = peers(tmp_path, DRAWN, rest)
    large = peers(tmp_path, DRAWN.replace("count: 10", "count: 20"), rest)
    assert [(peer.up, peer.arrival, peer.seed) for peer in large[:10]] == [
        (peer.up, peer.arrival, peer.seed) for peer in small[:10]
    ]
    assert [(peer.up, peer.seed) for peer in large[20:]] == [(peer.up, peer.seed) for peer in small[10:]]


def test_empty_group_leaves_other_draws(tmp_path: Path) -> None:
    rest = "  farms: {count: 3, up: {uniform: {from: 1 Mbit/s, to: 9 Mbit/s}}}"
    none = peers(tmp_path, "count: 0, up: [], down: 9 Mbit/s, arrival: {at: []}", rest)
    some = peers(tmp_path, DRAWN, rest)
    assert [(peer.name, peer.group) for peer in none] == [("p1", "farms"), ("p2", "farms"), ("p3", "farms")]
    assert [peer.up for peer in none] == [peer.up for peer in some[10:]]


PAIRED = f"""\
file: {{size: 4 MiB}}
servers: {{up: 8 Mbit/s}}
peers:
  homes: {{{DRAWN}}}
sweep:
  profile: [course, bep3]
  peers.homes.count: [5, 10]
repeat: 2
"""


def test_paired_trials_share_all_draws(tmp_path: Path) -> None:
    plan = planned(tmp_path, PAIRED + "pair: profile\n")
    pairs: dict[str, list[Trial]] = {}
    for trial in plan.trials:
        pairs.setdefault(trial.pair or "", []).append(trial)
    assert len(pairs) == 4
    for first, second in pairs.values():
        assert (first.point["profile"], second.point["profile"]) == ("course", "bep3")
        assert (first.seed, first.repetition) == (second.seed, second.repetition)
        as_first = [peer.model_copy(update={"profile": "course"}) for peer in second.hosts.peers]
        assert as_first == list(first.hosts.peers)


def test_unpaired_trials_have_own_draws(tmp_path: Path) -> None:
    plan = planned(tmp_path, PAIRED)
    assert len({trial.seed for trial in plan.trials}) == len(plan.trials) == 8
    assert {trial.pair for trial in plan.trials} == {None}


def test_keys_zipped_with_paired_key_join_it(tmp_path: Path) -> None:
    sweep = "sweep: {zip: {profile: [course, bep3], tracker.numwant: [50, 20]}}\npair: profile\n"
    first, second = planned(tmp_path, SMALL + sweep).trials
    assert (first.seed, first.pair) == (second.seed, second.pair)


def test_repetition_covers_all_points_first(tmp_path: Path) -> None:
    trials = planned(tmp_path, PAIRED).trials
    assert [trial.repetition for trial in trials] == [1] * 4 + [2] * 4
    assert [trial.point for trial in trials[:4]] == [trial.point for trial in trials[4:]]


def test_trial_id_depends_on_its_own_values(tmp_path: Path) -> None:
    before = {trial.id: trial for trial in planned(tmp_path, PAIRED).trials}
    more = {trial.id: trial for trial in planned(tmp_path, PAIRED.replace("[5, 10]", "[5, 10, 15]")).trials}
    assert before.items() < more.items()
    assert len(more) == 12
    assert next(iter(before)).startswith("profile-course_count-5_r1_")
    other = planned(tmp_path, PAIRED.replace("4 MiB", "8 MiB"))
    assert not before.keys() & {trial.id for trial in other.trials}


def test_titles_and_figures_change_no_trial(tmp_path: Path) -> None:
    words = "title: x\nquestion: y\nexpect: [count > 3]\nfigures: {f: {x: N}}\n"
    assert planned(tmp_path, PAIRED).trials == planned(tmp_path, words + PAIRED).trials


def test_experiment_without_peers_has_no_plan(tmp_path: Path) -> None:
    with pytest.raises(ExperimentError, match="there are none, so there are no trials to plan"):
        planned(tmp_path, "topology: {class: star}")


RATE = st.sampled_from(["56 kbit/s", "1 Mbit/s", "20.5 Mbit/s", "1 Gbit/s"])
RATES = st.one_of(
    RATE,
    st.fixed_dictionaries({"choice": st.dictionaries(RATE, st.floats(0.1, 9), min_size=1)}),
    st.just({"uniform": {"from": "1 Mbit/s", "to": "2 Mbit/s"}}),
    st.just({"lognormal": {"median": "1 Mbit/s", "sigma": 1}}),
)
GROUP = st.fixed_dictionaries(
    {"count": st.integers(1, 12), "up": RATES},
    optional={
        "down": RATES,
        "delay": st.sampled_from(["0 ms", "20 ms"]),
        "loss": st.sampled_from(["0 %", "1.5 %"]),
        "profile": st.sampled_from(["course", "bep3", "mainline", "libtorrent"]),
        "strategy": st.sampled_from(["sequential", "my.module:Own", {"class": "a:b", "r": 3, "name": None}]),
        "arrival": st.sampled_from(["flash", {"poisson": "5 /min"}, {"uniform": "1 min"}, {"at": "3 s"}]),
        "departure": st.sampled_from(["stay", {"after": "1 s"}, {"mid_way": {"at": "50 %", "back_after": "1 s"}}]),
        "start": st.just({"peers": 1, "with": "50 %"}),
    },
)
EXPERIMENT = st.fixed_dictionaries(
    {
        "file": st.fixed_dictionaries({"size": st.sampled_from(["1 B", "4 MiB", "1 GB"])}),
        "servers": st.fixed_dictionaries({"up": RATES}, optional={"count": st.integers(1, 3), "down": RATES}),
        "peers": st.dictionaries(st.sampled_from(["homes", "farms", "a_1"]), GROUP, min_size=1),
        "sweep": st.fixed_dictionaries(
            {"distribution": st.sampled_from([["client-server"], ["bittorrent", "client-server"]])},
            optional={"file.piece_length": st.just({"from": "16 KiB", "to": "64 KiB", "factor": 2})},
        ),
    },
    optional={
        "seed": st.integers(0, 1 << 70),
        "repeat": st.integers(1, 3),
        "placement": st.sampled_from(["in-order", "drawn"]),
        "pair": st.just("distribution"),
        "time_scale": st.floats(0.1, 100),
        "capture": st.sampled_from(["all", "none", ["servers"], {"core": True, "snaplen": 128}]),
    },
)


def possible(document: dict[str, Any]) -> dict[str, Any]:
    """Leave client-server out where it cannot do what a group does."""
    if any(group.get("departure", "stay") != "stay" or "start" in group for group in document["peers"].values()):
        document["sweep"]["distribution"] = ["bittorrent"]
    return document


@given(EXPERIMENT.map(possible))
def test_plan_is_deterministic_and_survives_json(
    tmp_path_factory: pytest.TempPathFactory, document: dict[str, Any]
) -> None:
    file = tmp_path_factory.getbasetemp() / "drawn.yaml"
    with file.open("w") as stream:
        YAML().dump(document, stream)
    plan = make_plan(written(file.parent, file.read_text()))
    assert make_plan(written(file.parent, file.read_text())) == plan
    assert Plan.from_json(plan.to_json()) == plan
    assert "Infinity" not in json.dumps(json.loads(plan.to_json()))
    assert len({trial.id for trial in plan.trials}) == len(plan.trials)
    for trial in plan.trials:
        assert 0 < trial.theory.p2p.seconds <= trial.theory.client_server.seconds * (1 + 1e-9)
        assert trial.theory.p2p.seconds <= trial.theory.p2p.payload_seconds
        assert trial.estimate.seconds > 0 < trial.estimate.packets_per_second


@pytest.mark.parametrize(
    ("old", "read"),
    [
        ([], None),
        (["all"], PlannedCapture(hosts=("all",), snaplen=WHOLE)),
        (["servers", "homes"], PlannedCapture(hosts=("servers", "homes"), snaplen=WHOLE)),
    ],
)
def test_captures_in_plans_of_version_0_1_are_of_whole_packets(
    tmp_path: Path, old: list[str], read: PlannedCapture | None
) -> None:
    document = json.loads(planned(tmp_path, SMALL).to_json())
    document["trials"][0]["settings"]["capture"] = old
    assert Plan.from_json(json.dumps(document)).trials[0].settings.capture == read


def test_trial_without_captures_keeps_the_id_that_version_0_1_gave_it(tmp_path: Path) -> None:
    (trial,) = planned(tmp_path, SMALL).trials
    assert trial.settings.identity()["capture"] == []
    (captured,) = planned(tmp_path, SMALL + "capture: all\n").trials
    assert captured.id != trial.id


def test_word_for_a_group_means_the_group_and_others_are_names(tmp_path: Path) -> None:
    groups = {"server": "servers", "p1": "homes", "p2": "p1", "p3": "farms"}
    assert PlannedCapture(hosts=("p1", "p3")).chosen(groups) == ["p2", "p3"]
    assert PlannedCapture(hosts=("servers", "homes")).chosen(groups) == ["server", "p1"]
    assert PlannedCapture(hosts=("all",)).chosen(groups) == list(groups)
    assert PlannedCapture(core=True).chosen(groups) == []


TWO_AND_SIX_HOMES = """\
file: {size: 4 MiB, piece_length: 32 KiB}
servers: {up: 16 Mbit/s}
peers:
  homes: {count: 2, up: 8 Mbit/s, down: 24 Mbit/s}
profile: testbed
sweep:
  distribution: [client-server, bittorrent, fluid]
  peers.homes.count: [2, 6]
"""
MEASURED = (
    ("client-server", 2, 5.0),
    ("client-server", 6, 13.62),
    ("bittorrent", 2, 4.7),
    ("bittorrent", 6, 5.76),
    ("fluid", 2, 2.83),
    ("fluid", 6, 3.85),
)
"""The seconds that each of these trials took on 2 cores, from the end of the one before it."""


@pytest.mark.parametrize(("distribution", "count", "seconds"), MEASURED)
def test_estimates_match_measured_times(tmp_path: Path, distribution: str, count: int, seconds: float) -> None:
    point = {"distribution": distribution, "peers.homes.count": count}
    (trial,) = [trial for trial in planned(tmp_path, TWO_AND_SIX_HOMES).trials if trial.point == point]
    assert trial.estimate.seconds == pytest.approx(seconds, rel=0.15)


def test_quickstart_is_not_doubted_and_takes_less_than_a_minute() -> None:
    plan = make_plan(read_experiment(QUICKSTART))
    assert doubts(plan.trials, Machine()) == []
    assert plan.repeat == 3
    assert sum(trial.estimate.seconds for trial in plan.trials) < 55


@pytest.mark.parametrize(("hosts", "capacity"), [(2, 1e9), (10, 1e9), (32, 706e6), (100, 5e8), (1000, 5e8)])
def test_capacity_is_interpolated(hosts: int, capacity: float) -> None:
    assert Machine(QUICK_LINKS).capacity(hosts) == pytest.approx(capacity, rel=0.01)
    assert Machine().capacity(hosts) is None


@pytest.mark.parametrize(
    ("change", "machine", "says"),
    [
        (
            ("1 Mbit/s", "100 Mbit/s"),
            Machine({10: 100_000_000}),
            "32 Mbit/s through the core, but with programs on 6 hosts",
        ),
        (
            ("count: 4", f"count: {MOST_TESTED}"),
            Machine(),
            f"{MOST_TESTED + 2} hosts, but at most {MOST_TESTED} have been tested",
        ),
        (("count: 4", "count: 4, delay: 2 ms"), Machine(can_delay=False), "links delay or lose packets"),
        (("file", "time_limit: 5 s\nfile"), Machine(), "the bound is 11.7 s, but the time limit is 5 s: raise"),
        (("4 MiB", "1 MiB"), Machine(), "the bound is only 2.9 s, so start-up is a large part of the result"),
        (("4 MiB", "64 KiB"), Machine(), "the bound is only 200 ms, too short to judge the emulation"),
    ],
)
def test_unfaithful_trial_is_doubted(tmp_path: Path, change: tuple[str, str], machine: Machine, says: str) -> None:
    plan = planned(tmp_path, SMALL.replace(*change))
    (doubt,) = [doubt for doubt in doubts(plan.trials, machine) if doubt.text.startswith(says)]
    assert doubt.trials == (plan.trials[0].id,)


def test_modest_trial_is_not_doubted(tmp_path: Path) -> None:
    assert doubts(planned(tmp_path, SMALL).trials, Machine(QUICK_LINKS)) == []


def test_worst_trial_represents_all_doubted_ones(tmp_path: Path) -> None:
    text = SMALL + "sweep: {file.size: [4 MiB, 2 MiB, 1 MiB, 512 KiB]}\n"
    plan = planned(tmp_path, text)
    short, unjudged = doubts(plan.trials, Machine())
    assert short.text.startswith("the bound is only 2.9 s, so start-up")
    assert unjudged.text.startswith("the bound is only 1.5 s, too short to judge")
    assert (short.trials, unjudged.trials) == ((plan.trials[2].id,), (plan.trials[3].id,))


def test_load_is_doubted_just_beyond_programs_share(tmp_path: Path) -> None:
    trial = one(tmp_path, SMALL)
    enough = trial.estimate.bits_per_second / PROGRAMS_SHARE
    assert not doubts([trial], Machine({10: round(enough * 1.01)}))
    assert doubts([trial], Machine({10: round(enough * 0.99)}))
