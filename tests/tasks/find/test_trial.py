"""A whole trial with namespaces and sockets: nodes come back at other addresses, and their directory is killed."""

from pathlib import Path

import pytest

from testbed.results.report import report
from testbed.tasks.find.plan.searches import draw_scenario
from testbed.tasks.find.tables import FindTables
from testbed.tasks.find.trials import hosts_of, settings_of
from tests.runfolder.runs import write_run
from tests.trial.plans import perform

pytestmark = pytest.mark.kernel

SMALL = """\
task: find
overlay: {class: napster, patience: 1.0}
directory: {up: 10 Mbit/s}
nodes:
  homes: {count: 4, up: 1 Mbit/s, sessions: {length: 3 s, pause: 0.5 s, by_word: true, new_address: true}}
content: {items: 4, copies: {each: 2}}
queries: {rate: 60 /min, from: 1 s, until: 6.5 s}
failures: [{at: 4.8 s, kill: directory}]
time_limit: 20 s
"""


def test_directory_is_killed_as_planned_and_nobody_finds_anything_more(tmp_path: Path) -> None:
    (trial,) = write_run(tmp_path, SMALL).trials
    ended, _ = perform(trial, tmp_path)
    assert ended.verdict != "failed"
    assert (ended.stopped, ended.completed) == ("complete", 4)
    assert ended.steps_ended == ended.steps == len(draw_scenario(settings_of(trial), hosts_of(trial)).searches)
    tables = report(tmp_path, with_suspect=True).tables
    found = tables.queries
    before, after = found[found["at"] < 4.7], found[found["at"] > 4.9]
    assert sum(before["at"] > 3.5) > 1  # of the second lives, at other addresses
    assert len(after) > 2
    assert before["success"].eq(1).all()
    assert after["right"].eq(0).all()
    assert before["messages"].ge(2).all()
    assert not found["outcome"].isin(["never began", "never ended"]).any()
    nodes = tables.nodes.set_index("node")
    assert nodes.loc["directory", "killed_s"] == 4.8
    assert "as planned" in nodes.loc["directory", "why_ended"]
    assert set(nodes["lives"]) == {1, 2}
    assert nodes.loc["directory", "messages_received"] >= before["messages"].sum() / 2
    assert (tables.overlay.set_index("t").loc[2, ["alive", "planned"]] == 4).all()
    followed = [search.name for search in draw_scenario(settings_of(trial), hosts_of(trial)).followed]
    shown = FindTables().searches(tmp_path / "trials" / trial.id, trial).searches
    costs = found.set_index("search").loc[followed, "messages"]
    assert [len(search.messages) for search in shown] == list(costs)


QUEUE = """\
task: find
overlay: {class: gnutella, search: {silence: 1}, uploads: {slots: 1, by_level: true}}
nodes:
  holder: {count: 1, up: 1 Mbit/s, asks: false}
  honest: {count: 2, up: 1 Mbit/s, shares: 0 %}
  liars: {count: 2, up: 1 Mbit/s, shares: 0 %, overlay: {capability: {client: kazaa-lite}}}
content: {items: 4, size: 20 kB, copies: {each: 1}}
queries: {total_rate: 15 /s, from: 1 s, until: 2 s}
downloads: true
time_limit: 20 s
"""
AFTERWARDS = 0.05
"""Seconds that the holder's word takes to who is served next, at most."""


def test_a_level_that_is_not_earned_is_served_first(tmp_path: Path) -> None:
    (trial,) = write_run(tmp_path, QUEUE).trials
    ended, _ = perform(trial, tmp_path)
    assert ended.verdict != "failed"
    assert ended.stopped == "complete"
    found = report(tmp_path, with_suspect=True).tables.downloads
    assert found["result"].eq("done").all()
    assert found["content_bytes"].eq(20_000).all()
    liars, honest = found[found["group"] == "liars"], found[found["group"] == "honest"]
    assert liars["claimed"].eq(1000).all()
    assert honest["claimed"].isin([0, 10]).all()
    passed = [
        (one["began_s"], other["queued_s"])
        for _, one in honest.iterrows()
        for _, other in liars.iterrows()
        if other["queued_s"] < one["began_s"] - AFTERWARDS and other["began_s"] > one["began_s"]
    ]
    assert not passed
    waited = sum(
        other["queued_s"] < one["began_s"] < other["began_s"]
        for _, one in liars.iterrows()
        for _, other in honest.iterrows()
    )
    assert waited > 3  # of honest nodes that were there before, and were served after
