"""What a replay shows of searches, from traces written by hand."""

import importlib
import inspect
from pathlib import Path
from random import Random

import pytest

from peer.overlays.chord.ring import position_of
from peer.overlays.content import key_of as key_of_content
from peer.overlays.registry import OVERLAYS
from testbed.experiment import Trial
from testbed.tasks.find.plan.searches import MOST_FOLLOWED, Scenario, draw_scenario
from testbed.tasks.find.tables import FindTables
from testbed.tasks.find.tables.appearance import APPEARANCES, key_of, place_of
from testbed.tasks.find.trials import hosts_of, settings_of
from testbed.tasks.searches import Acquaintance, Found, Passed, ShownSearches, Tier
from tests.runfolder.runs import Events, Happened, addresses, event, header, write_run, write_trial
from tests.tasks.find.files import RING, scenario, trial_of

FOUR = """\
task: find
overlay: {class: chord, bits: 16}
nodes:
  homes: {count: 4, up: 1 Mbit/s, delay: 10 ms}
content: {items: 2, copies: {each: 2}}
queries: {rate: 5 /min, from: 5 s, until: 20 s}
seed: 3
"""
END = 25.0
COUNTS = [(1.0, "n1", 0, 0, 0, 0, 0, 0)]
MODULES = {
    "napster": ["napster.messages"],
    "gnutella": ["gnutella.wire.messages"],
    "chord": ["chord.messages"],
    "kademlia": ["kademlia.wire.messages"],
    "cubit": ["cubit.messages"],
    "keywords": ["chord.messages"],
}


def scenario_of(trial: Trial) -> Scenario:
    return draw_scenario(settings_of(trial), hosts_of(trial))


def joins(name: str, where: str, t: float = 0.5) -> Events:
    node = f"{int(name[1:]):x}000"
    return [header(-1), event(t, "node_joined", overlay="chord", node=node, address=f"{where}:6346", items=0)]


def state(t: float, *where: str) -> dict[str, object]:
    return event(t, "node_state", neighbours=[f"{each}:6346" for each in where], entries=0)


def shown(folder: Path, trial: Trial, traces: dict[str, Events]) -> ShownSearches:
    found = FindTables().searches(write_trial(folder, trial, Happened(traces, COUNTS, END)), trial)
    assert found is not None
    return found


@pytest.fixture
def trial(tmp_path: Path) -> Trial:
    (trial,) = write_run(tmp_path, FOUR).trials
    return trial


@pytest.fixture
def traces(trial: Trial) -> dict[str, Events]:
    return {name: joins(name, where) for name, where in addresses(trial).items()}


def test_messages_have_the_time_in_the_trace_and_one_that_is_a_delay_away(
    tmp_path: Path, trial: Trial, traces: dict[str, Events]
) -> None:
    first, where = scenario_of(trial).followed[0], addresses(trial)
    asker, other = first.node, next(name for name in where if name != first.node)
    named = {"search": first.name}
    traces[asker] += [
        event(first.at, "search_began", wanted=first.wanted, **named),
        event(first.at + 0.5, "message_came", sender=f"{where[other]}:40000", message="Next", **named),
        event(first.at + 0.1, "message_sent", to=f"{where[other]}:6346", message="FindNext", **named),
        event(first.at + 0.2, "message_sent", to="203.0.113.1:6346", message="FindNext", **named),
        event(first.at + 0.6, "search_ended", outcome="not_found", answers=0, hops=1, timeouts=1, **named),
    ]
    (found,) = shown(tmp_path, trial, traces).searches
    t = found.began
    assert found.messages == (
        Passed(pytest.approx(t + 0.1), pytest.approx(t + 0.12), asker, other, "FindNext"),
        Passed(pytest.approx(t + 0.48), pytest.approx(t + 0.5), other, asker, "Next"),
    )
    assert (found.outcome, found.hops, found.timeouts) == ("not_found", 1, 1)
    assert found.ended == pytest.approx(t + 0.6)


def test_answers_are_judged_as_in_the_tables(tmp_path: Path, trial: Trial, traces: dict[str, Events]) -> None:
    first, where = scenario_of(trial).followed[0], addresses(trial)
    holders = scenario_of(trial).holders_of(first)
    holder = min(holders)
    stranger = next(name for name in where if name not in {*holders, first.node})
    named = {"search": first.name}
    traces[first.node] += [
        event(first.at, "search_began", wanted=first.wanted, **named),
        event(first.at + 0.1, "answer_came", item=first.meant, holder=f"{where[holder]}:6346", **named),
        event(first.at + 0.2, "answer_came", item=first.meant, holder=f"{where[stranger]}:6346", **named),
    ]
    (found,) = shown(tmp_path, trial, traces).searches
    assert [(answer.holder, answer.judgement) for answer in found.answers] == [(holder, "right"), (stranger, "wrong")]
    assert isinstance(found.answers[0], Found)
    assert (found.holders, found.outcome, found.ended) == (tuple(sorted(holders)), "", None)


def test_links_are_there_while_one_of_two_knows_the_other(
    tmp_path: Path, trial: Trial, traces: dict[str, Events]
) -> None:
    where = addresses(trial)
    traces["n1"] += [state(5.0, where["n2"], "203.0.113.1"), state(10.0)]
    traces["n2"] += [state(8.0, where["n1"]), state(13.0)]
    traces["n3"] += [state(20.0, where["n1"]), event(21.0, "node_left", reason="", by_word=True)]
    assert shown(tmp_path, trial, traces).acquaintances == (
        Acquaintance("n1", "n2", 5.0, 13.0),
        Acquaintance("n1", "n3", 20.0, 21.0),
    )


def test_each_life_has_its_place_among_identifiers(tmp_path: Path, trial: Trial, traces: dict[str, Events]) -> None:
    traces["n4"] += [event(9.0, "node_left", reason="", by_word=True), *joins("n8", "198.18.0.4", 10.0)]
    members = {member.name: member for member in shown(tmp_path, trial, traces).members}
    assert list(members["n4"].lives) == [(0.5, 9.0, 4 / 16), (10.0, END, 8 / 16)]
    assert {member.tier for member in members.values()} == {Tier.OUTER}


def test_directory_is_in_the_middle_and_ultrapeers_are_inside(tmp_path: Path) -> None:
    text = FOUR.replace("{class: chord, bits: 16}", "gnutella").replace(
        "  homes: {count: 4,", "  core: {count: 1, up: 1 Mbit/s, role: ultrapeer}\n  homes: {count: 3, role: leaf,"
    )
    (trial,) = write_run(tmp_path, text).trials
    found = shown(tmp_path, trial, {name: joins(name, where) for name, where in addresses(trial).items()})
    assert [(member.role, member.tier) for member in found.members] == [
        ("ultrapeer", Tier.INNER),
        *[("leaf", Tier.OUTER)] * 3,
    ]
    assert (found.overlay, {life.place for member in found.members for life in member.lives}) == ("Gnutella", {None})


def test_searches_that_are_followed_are_few_and_spread_over_all(tmp_path: Path) -> None:
    drawn = scenario(tmp_path, RING)
    assert len(drawn.searches) > 2 * MOST_FOLLOWED
    assert len(drawn.followed) == MOST_FOLLOWED
    assert (drawn.followed[0], drawn.followed[-1]) == (drawn.searches[0], drawn.searches[-1])


@pytest.mark.parametrize("bits", [16, 160])
def test_key_lies_where_the_ring_has_it(tmp_path: Path, bits: int) -> None:
    settings = settings_of(trial_of(tmp_path, FOUR.replace("bits: 16", f"bits: {bits}")))
    name = f"song {Random(bits).random()}"
    position = position_of(key_of_content(name), bits)
    assert key_of(name, settings) == pytest.approx(position / 2**bits)
    assert place_of(f"{position:x}", settings) == pytest.approx(position / 2**bits)


def test_names_are_no_places_where_there_are_no_hashes(tmp_path: Path) -> None:
    settings = settings_of(trial_of(tmp_path, FOUR.replace("{class: chord, bits: 16}", "cubit")))
    assert (key_of("song", settings), place_of("song", settings)) == (None, None)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kinds_of_answers_are_classes_of_the_overlay(overlay: str) -> None:
    modules = [importlib.import_module(f"peer.overlays.{name}") for name in MODULES[overlay]]
    classes = {name for module in modules for name, _ in inspect.getmembers(module, inspect.isclass)}
    assert APPEARANCES[overlay].answering
    assert APPEARANCES[overlay].answering <= classes
