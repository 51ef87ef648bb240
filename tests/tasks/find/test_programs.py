"""What only the program knows of an overlay is asked before a run, and what each host is to do is written for it."""

import json
from pathlib import Path

import pytest

from testbed.cli.experiment.check import checked_plan
from testbed.errors import TrialError
from testbed.experiment import ExperimentError
from testbed.tasks.find.plan.searches import draw_scenario
from testbed.tasks.find.programs.asking import parameters_taken
from testbed.tasks.find.programs.description import description_file, write_descriptions
from testbed.tasks.find.programs.nodes import FindPrograms
from testbed.tasks.find.trials import hosts_of, settings_of
from testbed.tasks.launches import TrialContext
from tests.experiment.files import written
from tests.tasks.find.files import ATTACKED, DIRECTORY, RING, trial_of

LIVES = "sessions: {length: 10 s, pause: 2 s, by_word: true, new_address: true}"


def refusals(folder: Path, text: str) -> list[str]:
    with pytest.raises(ExperimentError) as error:
        checked_plan(written(folder, text))
    return [f"{each.place.line}:{each.place.column} {each.key}: {each.message}" for each in error.value.problems]


def test_parameters_that_no_node_has_or_can_have_are_named_at_their_place(tmp_path: Path) -> None:
    swept = """\
sweep:
  overlay:
    - {class: chord, succesors: 3}
    - {class: chord, successors: many}
    - {class: gnutella, search: {tll: 3}}
    - {class: kademlia, k: 8}
"""
    found = refusals(tmp_path, RING + swept)
    assert [each.partition(":")[0] for each in found] == ["9", "10", "11"]
    assert found[0].startswith("9:22 overlay.succesors: chord: unknown parameter (did you mean successors?)")
    assert "overlay.successors: chord: expected a whole number, found" in found[1]
    assert "overlay.search.tll: gnutella: unknown key; did you mean ttl?" in found[2]


def test_each_role_takes_the_parameters_that_it_has(tmp_path: Path) -> None:
    text = DIRECTORY.replace("napster", "{class: napster, speed: 3, most_shares: 50, patience: 5.0}")
    assert parameters_taken(trial_of(tmp_path, text)) == {
        "directory": ["most_shares", "patience"],
        "client": ["speed", "patience"],
    }


OWN = RING.replace("  homes:", "  some: {count: 2, up: 1 Mbit/s, overlay: OWN}\n  homes:")


def test_parameters_of_a_group_are_checked_with_those_of_all_and_named_at_their_place(tmp_path: Path) -> None:
    swept = """\
sweep:
  zip:
    overlay: [chord, chord, chord, gnutella, {class: gnutella, search: {ttl: 0}}, {class: gnutella, search: {ttl: 3}}]
    nodes.some.overlay:
      - {succesors: 3}
      - {bits: 32}
      - {successors: 4}
      - {search: {ttl: 0}}
      - {search: {silence: 5}}
      - {search: {silence: 5}}
"""
    found = refusals(tmp_path, OWN.replace("overlay: OWN", "shares: 0 %") + swept)
    assert [each.partition(" ")[0] for each in found] == ["10:73", "12:10", "13:10", "15:19"]
    assert "nodes.some.overlay.succesors: chord: unknown parameter (did you mean successors?)" in found[1]
    assert "nodes.some.overlay.bits: chord: all nodes of chord must have the same: write it below `over" in found[2]
    assert "nodes.some.overlay.search.ttl: gnutella: expected 1 to 255, found 0" in found[3]


def test_nodes_of_a_group_have_its_parameters_instead_of_those_of_all(tmp_path: Path) -> None:
    common = "{class: gnutella, search: {ttl: 3, silence: 5.0}, neighbours: {wanted: 2}}"
    text = OWN.replace("chord", common).replace("OWN", "{search: {ttl: 4}, capability: {level: 1000}}")
    context = context_of(tmp_path, text)
    FindPrograms().prepare(context)
    nodes = hosts_of(context.trial).nodes
    written = [json.loads(description_file(context, node).read_text())["parameters"] for node in nodes]
    own = {"search": {"ttl": 4, "silence": 5.0}, "neighbours": {"wanted": 2}, "capability": {"level": 1000}}
    assert written == [own] * 2 + [{"search": {"ttl": 3, "silence": 5.0}, "neighbours": {"wanted": 2}}] * 8


def test_parameters_of_a_group_are_those_of_its_role(tmp_path: Path) -> None:
    text = DIRECTORY.replace("napster", "{class: napster, patience: 5.0}")
    text = text.replace("shares: 0 %", "shares: 0 %, overlay: {most_shares: 4}")
    (found,) = refusals(tmp_path, text)
    assert "nodes.riders.overlay.most_shares: napster: unknown parameter" in found


def test_overlay_that_cannot_be_imported_is_refused(tmp_path: Path) -> None:
    assert "module nowhere cannot be imported" in refusals(tmp_path, RING.replace("chord", "nowhere:MINE"))[0]


def test_there_is_no_rehearsal(tmp_path: Path) -> None:
    with pytest.raises(TrialError, match="virtual time has no overlays"):
        FindPrograms().check_rehearsal(trial_of(tmp_path, RING))


def context_of(folder: Path, text: str) -> TrialContext:
    trial = trial_of(folder, text)
    addresses = {host.name: f"198.18.0.{k}" for k, host in enumerate(trial.hosts.all, start=1)}
    others = {name: address.replace("198.18", "198.19") for name, address in addresses.items()}
    return TrialContext(trial, addresses, others, folder, folder, 1)


def test_description_says_what_a_node_is_and_does(tmp_path: Path) -> None:
    context = context_of(tmp_path, DIRECTORY.replace("count: 6", f"count: 6, {LIVES}"))
    write_descriptions(context, {"directory": [], "client": []})
    node = hosts_of(context.trial).nodes[0]
    described = json.loads(description_file(context, node).read_text())
    scenario = draw_scenario(settings_of(context.trial), hosts_of(context.trial))
    assert (described["overlay"], described["role"], described["address"]) == ("napster", "client", "198.18.0.2:6346")
    assert described["known"] == ["198.18.0.1:6346"]
    assert [item["name"] for item in described["items"]] == [each.name for each in scenario.catalogue.held_by("n1")]
    assert [each["name"] for each in described["searches"]] == [
        search.name for search in scenario.searches if search.node == "n1"
    ]
    assert described["followed"] == [search.name for search in scenario.followed]
    assert described["sessions"] == [
        {"join": 0, "leave": 10, "by_word": True, "address": "198.18.0.2:6346"},
        {"join": 12, "leave": 22, "by_word": True, "address": "198.19.0.2:6346"},
        {"join": 24, "leave": 34, "by_word": True, "address": "198.18.0.2:6346"},
    ]


def test_attackers_are_told_what_is_popular_and_who_attacks_with_them(tmp_path: Path) -> None:
    context = context_of(tmp_path, ATTACKED.replace("asks: false", "asks: false, overlay: {lies: true}"))
    FindPrograms().prepare(context)
    attacker, other, *_, home = (
        json.loads(description_file(context, node).read_text()) for node in hosts_of(context.trial).nodes
    )
    popular = draw_scenario(settings_of(context.trial), hosts_of(context.trial)).catalogue.things[:3]
    assert attacker["attack"] == other["attack"]
    assert attacker["attack"]["targets"] == [thing.name for thing in popular]
    assert attacker["attack"]["attackers"] == ["198.18.0.1:6346", "198.18.0.2:6346"]
    assert (attacker["items"], attacker["searches"]) == ([], [])
    assert attacker["parameters"] == {"has_secure_ids": True, "lies": True}
    assert home["parameters"] == {"has_secure_ids": True}
    assert "attack" not in home


def test_directory_is_a_service_and_those_who_fail_have_their_time(tmp_path: Path) -> None:
    context = context_of(tmp_path, DIRECTORY + "failures: [{at: 20 s, kill: directory}, {at: 9 s, kill: 25 %}]\n")
    directory, *nodes = FindPrograms().assignments(context)
    assert (directory.phase.name, directory.killed_at, directory.launch.waits_for_start) == ("SERVICE", 20, False)
    assert {node.phase.name for node in nodes} == {"PARTICIPANT"}
    searches = draw_scenario(settings_of(context.trial), hosts_of(context.trial)).searches
    assert [node.steps for node in nodes] == [sum(each.node == node.host.name for each in searches) for node in nodes]
    assert sorted(node.killed_at or 0 for node in nodes) == [0] * 6 + [9, 9]
