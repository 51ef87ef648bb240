"""The plan of a search: who is there when, who has what, who looks for what, and who fails; all from the seed."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.experiment.plan.plan import Plan
from testbed.tasks.find.plan.content import apportioned, word, zipf
from testbed.tasks.find.plan.lives import LEAST_SECONDS, draw_sessions
from testbed.tasks.find.plan.searches import mistyped
from testbed.tasks.find.schema.keys import Failure, Sessions
from testbed.values.draws import Draws
from testbed.values.failures import draw_kills
from tests.experiment.files import planned
from tests.tasks.find.files import ATTACKED, DIRECTORY, RING, hosts, scenario, trial_of

NAMES = [f"n{k}" for k in range(1, 21)]


def test_plan_survives_json(tmp_path: Path) -> None:
    plan = planned(tmp_path, DIRECTORY + "failures: [{at: 20 s, kill: directory}, {at: 10 s, kill: 50 %}]\n")
    assert Plan.from_json(plan.to_json()) == plan


def test_ids_of_trials_are_what_they_were_before_groups_had_parameters(tmp_path: Path) -> None:
    own = RING.replace("count: 8", "count: 8, overlay: {successors: 4}")
    without, with_own = (planned(tmp_path, text) for text in (RING, own))
    assert "parameters" not in without.trials[0].hosts.nodes[0].model_dump()
    assert without.trials[0].id != with_own.trials[0].id
    assert Plan.from_json(with_own.to_json()) == with_own


def test_attackers_have_and_ask_nothing_and_nobody_is_sent_to_them(tmp_path: Path) -> None:
    trial, found = trial_of(tmp_path, ATTACKED), scenario(tmp_path, ATTACKED)
    attackers = {node.name for node in trial.hosts.nodes if node.group == "attackers"}
    assert attackers == {"n1", "n2"}
    assert not attackers & {holder for each in found.catalogue.holders for holder in each}
    assert not attackers & {search.node for search in found.searches}
    assert not attackers & {name for node in trial.hosts.nodes for name in node.known}
    assert all(len(node.known) == 3 for node in trial.hosts.nodes if node.name in attackers)
    assert [node.targets for node in trial.hosts.nodes] == [3, 3] + [0] * 6
    assert "targets" not in trial.hosts.nodes[-1].model_dump()


def test_same_seed_gives_the_same_content_and_searches(tmp_path: Path) -> None:
    assert scenario(tmp_path, RING) == scenario(tmp_path, RING)
    assert scenario(tmp_path, RING) != scenario(tmp_path, f"{RING}seed: 2\n")


def test_pairs_of_overlays_ask_the_same_questions(tmp_path: Path) -> None:
    swept = DIRECTORY + "sweep: {overlay: [napster, chord]}\npair: overlay\n"
    napster, chord = planned(tmp_path, swept).trials
    assert napster.hosts.draw == chord.hosts.draw
    assert [host.up for host in chord.hosts.nodes] == [host.up for host in napster.hosts.nodes]


def test_plan_is_small_however_much_content_there_is(tmp_path: Path) -> None:
    few, many = (planned(tmp_path, RING.replace("items: 10", f"items: {count}")) for count in (10, 10_000))
    assert len(many.to_json()) - len(few.to_json()) < 100


def test_only_those_who_share_have_anything(tmp_path: Path) -> None:
    trial = trial_of(tmp_path, DIRECTORY)
    found = scenario(tmp_path, DIRECTORY).catalogue
    sharing = {node.name for node in trial.hosts.nodes if node.shares}
    assert len(sharing) == 6
    assert {holder for each in found.holders for holder in each} <= sharing
    assert all(len(each) == len(set(each)) == 2 for each in found.holders)


def test_names_are_different_and_made_of_the_words_asked_for(tmp_path: Path) -> None:
    text = RING.replace("items: 10", "items: 200, words: 2, vocabulary: 12, words_zipf: 2")
    things = scenario(tmp_path, text).catalogue.things
    assert len({thing.name for thing in things}) == 200
    assert {len(thing.words) for thing in things} == {2}


def test_words_are_all_different() -> None:
    assert len({word(number) for number in range(20_000)}) == 20_000


def test_popular_things_are_asked_for_most_often(tmp_path: Path) -> None:
    text = RING.replace("rate: 20 /min", "rate: 20 /s").replace("items: 10", "items: 10, zipf: 1")
    found = scenario(tmp_path, text)
    asked = Counter(search.meant for search in found.searches)
    counts = [asked[thing.name] for thing in found.catalogue.things]
    assert sum(counts) == pytest.approx(8 * 25 * 20, rel=0.1)
    assert counts[0] == pytest.approx(10 * counts[9], rel=0.5)


def test_nobody_looks_for_what_it_has(tmp_path: Path) -> None:
    found = scenario(tmp_path, RING)
    for search in found.searches:
        assert search.meant not in {thing.name for thing in found.catalogue.held_by(search.node)}


def test_searches_are_asked_while_their_node_is_there(tmp_path: Path) -> None:
    lives = "sessions: {length: {exponential: 5 s}, pause: {exponential: 5 s}}"
    text = RING.replace("count: 8", f"count: 8, {lives}") + "failures: [{at: 20 s, kill: 50 %}]\n"
    nodes = {node.name: node for node in hosts(tmp_path, text).nodes}
    searches = scenario(tmp_path, text).searches
    assert len(searches) > 10
    assert all(5 <= search.at < 30 and nodes[search.node].is_there(search.at) for search in searches)
    assert len({search.name for search in searches}) == len(searches)


def test_words_of_a_name_are_asked_in_their_order(tmp_path: Path) -> None:
    text = DIRECTORY.replace("until:", "what: words, words: 2, until:")
    found = scenario(tmp_path, text)
    for search in found.searches:
        assert len(search.meant.split()) == 2
        assert any(search.fits(thing.name) for thing in found.catalogue.things)
        assert not search.is_exact


@given(st.lists(st.text("abcdef", min_size=1, max_size=8), min_size=1, max_size=4), st.integers(0, 5), st.integers())
def test_typing_errors_are_few_and_leave_the_words_apart(words: list[str], edits: int, seed: int) -> None:
    text = " ".join(words)
    found = mistyped(text, edits, Draws(seed, {}).stream("typos"))
    assert distance(text, found) <= edits
    assert len(found.split(" ")) == len(words)
    assert all(found.split(" "))


def distance(one: str, other: str) -> int:
    """Return the edit distance of two texts."""
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        above, row[0] = row[0], i
        for j, b in enumerate(other, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]


@given(st.integers(0, 500), st.integers(1, 40), st.floats(0, 3), st.integers(1, 20))
def test_copies_are_given_by_popularity_as_far_as_there_is_room(
    total: int, items: int, exponent: float, most: int
) -> None:
    shares = apportioned(total, zipf(items, exponent), most)
    assert sum(shares) == min(total, items * most)
    assert all(0 <= share <= most for share in shares)
    assert total < items or min(shares) >= 1
    assert shares == sorted(shares, reverse=True)


@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100)), max_size=4), st.integers())
def test_nobody_is_killed_twice(kills: list[tuple[int, int]], seed: int) -> None:
    failures = [Failure.model_validate({"at": f"{at} s", "kill": f"{share} %"}) for at, share in kills]
    killed = draw_kills(failures, {}, {"homes": NAMES}, Draws(seed, {}))
    assert killed == draw_kills(failures, {}, {"homes": NAMES}, Draws(seed, {}))
    living = len(NAMES)
    for _, share in sorted(kills, key=lambda kill: kill[0]):
        living -= round(share * living / 100)
    assert len(killed) == len(NAMES) - living
    assert set(killed.values()) <= {float(at) for at, _ in kills}


def test_groups_and_directories_are_killed_by_name() -> None:
    groups = {"homes": NAMES[:10], "labs": NAMES[10:]}
    failures = [
        Failure.model_validate({"at": "5 s", "kill": {"homes": "30 %", "labs": "100 %"}}),
        Failure.model_validate({"at": "9 s", "kill": "directory"}),
    ]
    killed = draw_kills(failures, {"directory": ["directory"]}, groups, Draws(1, {}))
    assert killed["directory"] == 9
    assert sum(name in killed for name in NAMES[:10]) == 3
    assert all(name in killed for name in NAMES[10:])


SPANS = st.sampled_from(
    ["5 s", "1 us", {"exponential": "5 s"}, {"pareto": {"median": "5 s", "shape": 1.0}}, {"exponential": "1 us"}]
)


@settings(max_examples=50)
@given(SPANS, st.none() | SPANS, st.floats(0, 50), st.integers())
def test_sessions_follow_each_other(length: object, pause: object, arrival: float, seed: int) -> None:
    keys = {"length": length} if pause is None else {"length": length, "pause": pause}
    found = draw_sessions(Sessions.model_validate(keys), arrival, 60, Draws(seed, {}), "n1")
    times = [t for join, leave in found for t in (join, leave or 0)]
    assert times == sorted(times)
    assert times[0] == pytest.approx(arrival, abs=1e-6)
    assert all(join < 60 for join, _ in found)
    assert pause is not None or len(found) == 1
    assert len(found) <= 60 / LEAST_SECONDS


def test_half_of_the_drawn_sessions_are_shorter_than_the_median() -> None:
    for length in ({"exponential": "10 s"}, {"pareto": {"median": "10 s", "shape": 1.2}}):
        keys = Sessions.model_validate({"length": length, "pause": "1 s"})
        found = draw_sessions(keys, 0, 50_000, Draws(1, {}), "n1")
        lengths = [(leave or 0) - join for join, leave in found]
        assert sum(each < 10 for each in lengths) / len(lengths) == pytest.approx(0.5, abs=0.05)


def test_newcomers_know_others_that_came_before_them(tmp_path: Path) -> None:
    text = RING.replace("count: 8", "count: 8, arrival: {uniform: 5 s}") + "known: 2\n"
    nodes = sorted(hosts(tmp_path, text).nodes, key=lambda node: node.sessions[0][0])
    assert nodes[0].known == ()
    for number, node in enumerate(nodes[1:], start=1):
        assert len(node.known) == min(number, 2)
        assert set(node.known) <= {other.name for other in nodes[:number]}


def test_leaves_know_nodes_that_take_leaves(tmp_path: Path) -> None:
    text = RING.replace("chord", "gnutella").replace("homes:", "leaves: {count: 5, up: 1 Mbit/s, role: leaf}\n  homes:")
    found = hosts(tmp_path, text)
    servents = {node.name for node in found.nodes if node.role == "servent"}
    assert all(node.known and set(node.known) <= servents for node in found.nodes if node.role == "leaf")


def test_clients_know_their_directory(tmp_path: Path) -> None:
    found = hosts(tmp_path, DIRECTORY.replace("up: 10 Mbit/s", "up: 10 Mbit/s, count: 2"))
    assert Counter(node.known for node in found.nodes) == {("directory1",): 4, ("directory2",): 4}
    assert found.positions[:3] == ("directory1", "directory2", "n1")
