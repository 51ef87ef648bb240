"""Every mistake in a file of a search is found before a run, at its line and column, with what to write instead."""

from pathlib import Path

import pytest

from testbed.experiment import ExperimentError
from tests.experiment.files import written
from tests.tasks.find.files import ATTACKED, DIRECTORY, RING


def refusals(folder: Path, text: str) -> list[str]:
    with pytest.raises(ExperimentError) as error:
        written(folder, text)
    return [f"{each.place.line}:{each.place.column} {each.key}: {each.message}" for each in error.value.problems]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (RING.replace("chord", "cord"), "2:1 overlay: unknown overlay 'cord' (did you mean chord?): write napster, g"),
        (RING.replace("overlay: chord\n", ""), "1:1 overlay: is required with `nodes:`: write napster, gnutella"),
        (RING.replace("chord", "napster"), "2:1 overlay: napster has a directory, and there is none: add `directory:"),
        (RING.replace("chord", "{class: chord, bits: [1, 2]}"), "2:25 overlay.bits: expected one value, found a list"),
        (RING.replace("rate: 20 /min, ", ""), "6:1 queries: needs either `rate:`, of each node, or `total_rate:`"),
        (RING.replace("rate:", "total_rate: 1 /s, rate:"), "6:1 queries: needs either `rate:`"),
        (RING.replace("20 /min", "20"), "6:11 queries.rate: '20' has no unit: write 20 /h, 20 /min or 20 /s"),
        (RING.replace("until: 30 s", "until: 5 s"), "6:37 queries.until: expected more than `from:`, which is 5 s"),
        (RING + "time_limit: 20 s\n", "6:37 queries.until: expected at most `time_limit:`, which is 20 s"),
        (RING.replace("until:", "what: words, until:"), "6:37 queries.what: chord finds exact names only"),
        (RING.replace("each: 2", "every: 2"), "5:22 content.copies: expected a mapping with each or total"),
        (
            RING.replace("count: 8", "count: 8, role: leaf"),
            "4:21 nodes.homes.role: chord has no role 'leaf': its nodes",
        ),
        (RING.replace("count: 8", "count: 8, asks: false"), "4:21 nodes.homes.asks: nobody looks for anything"),
        (RING.replace("count: 8", "count: 8, shares: 101 %"), "4:21 nodes.homes.shares: expected 0 % to 100 %"),
        (RING.replace("count: 8", "count: 0"), "4:11 nodes.homes.count: no group has any nodes"),
        (
            RING.replace("chord", "gnutella").replace("count: 8", "count: 8, role: leaf"),
            "4:21 nodes.homes.role: nobody",
        ),
        (
            RING.replace("count: 8", "count: 8, overlay: {class: chord}"),
            "4:31 nodes.homes.overlay.class: all nodes form the overlay of the key `overlay:` at the top",
        ),
        (RING.replace("count: 8", "count: 8, overlay: chord"), "4:21 nodes.homes.overlay: expected a mapping of the"),
        (
            RING.replace("count: 8", "count: 8, overlay: {successors: [1, 2]}"),
            "4:31 nodes.homes.overlay.successors: expected one value, found a list of 2: to vary it, write `nodes.",
        ),
        (
            RING.replace("chord", "gnutella").replace("count: 8", "count: 8, overlay: {role: leaf}"),
            "4:31 nodes.homes.overlay.role: is a key of the group: write it beside",
        ),
        (RING.replace("count: 8", "count: 8, targets: 1"), "4:21 nodes.homes.targets: these nodes attack nothing"),
        (ATTACKED.replace("asks: false", "asks: true"), "4:25 nodes.attackers.role: a sybil has nothing and asks"),
        (ATTACKED.replace("shares: 0 %, ", ""), "4:25 nodes.attackers.role: a sybil has nothing and asks nothing: add"),
        (ATTACKED.replace("targets: 3", "targets: 11"), "4:38 nodes.attackers.targets: expected at most 10, all items"),
        (
            ATTACKED.replace("targets: 3", "sessions: {length: 5 s, new_address: true}"),
            "4:62 nodes.attackers.sessions.new_address: a sybil stays where its accomplices",
        ),
        (ATTACKED.replace("homes: {count: 6", "homes: {count: 0"), "4:25 nodes.attackers.role: nobody can join"),
        (RING + "failures: [{at: 9 s, kill: half}]\n", "7:22 failures.0.kill: expected directory, a percentage"),
        (RING + "failures: [{at: 9 s, kill: 50}]\n", "7:22 failures.0.kill: '50' has no unit: write 50 %"),
        (RING + "failures: [{at: 9 s, kill: directory}]\n", "7:22 failures.0.kill: there is no directory"),
        (RING + "failures: [{at: 9 s, kill: {home: 5 %}}]\n", "7:29 failures.0.kill.home: unknown group 'home' (did"),
        (RING + "failures: [{at: 9 min, kill: 5 %}]\n", "7:13 failures.0.at: nothing is looked for after"),
        (RING + "time_scale: 20\n", "7:1 time_scale: overlays have no periods that it divides: give the overlay"),
        (RING + "capture: all\naudit: true\n", "8:1 audit: compares how a file was distributed with the packets"),
        (RING + "file: {size: 1 MiB}\n", "7:1 file: unknown key"),
        (RING + "figures: {f: {kind: flows}}\n", "7:15 figures.f.kind: this task has nothing to draw as flows"),
        (
            RING + "figures: {f: {x: N, y: recall, theory: [law]}}\n",
            "7:32 figures.f.theory: there are laws of hops_mean",
        ),
        (RING + "figures: {f: {x: N, y: hops_mean, theory: [p2p]}}\n", "7:35 figures.f.theory: p2p is of another task"),
        (
            RING + "capture: all\nfigures: {f: {kind: timeline, source: captures}}\n",
            "8:31 figures.f.source: captures do not tell what this task measures",
        ),
        (RING + "expect: [count = 0 where outcome = lost]\n", "7:36 expect.0: outcome is never 'lost' here"),
    ],
)
def test_mistake_is_found_at_its_place(tmp_path: Path, text: str, says: str) -> None:
    found = refusals(tmp_path, text)
    assert any(each.startswith(says) for each in found), found


@pytest.mark.parametrize(
    "sessions",
    [
        "{length: 1 min}",
        "{length: {exponential: 10 s}, pause: 5 s, by_word: true}",
        "{length: {pareto: {median: 10 s, shape: 1.5}}, pause: {exponential: 5 s}, new_address: true}",
        "{length: {csv: sessions.csv}, pause: {csv: sessions.csv, column: away}}",
    ],
)
def test_sessions_are_read_in_all_their_forms(tmp_path: Path, sessions: str) -> None:
    (tmp_path / "sessions.csv").write_text("length,away\n10 s,5 s\n20 s,1 s\n")
    text = RING.replace("count: 8", f"count: 8, sessions: {sessions}")
    assert written(tmp_path, text).experiment.nodes["homes"].sessions is not None


def test_trace_file_of_sessions_must_exist(tmp_path: Path) -> None:
    text = RING.replace("count: 8", "count: 8, sessions: {length: {csv: none.csv}}")
    assert refusals(tmp_path, text)[0].startswith("4:")
    assert "none.csv" in refusals(tmp_path, text)[0]


def test_directory_is_ignored_by_overlays_without_one(tmp_path: Path) -> None:
    found = written(tmp_path, DIRECTORY + "sweep: {overlay: [napster, chord]}\n")
    napster, chord = (found.task.host_names(variant.experiment) for variant in found.variants)
    assert set(napster) - set(chord) == {"directory"}


def test_file_without_nodes_describes_a_network_alone(tmp_path: Path) -> None:
    assert not written(tmp_path, "task: find\ntopology: {class: star}\n").has_trials
