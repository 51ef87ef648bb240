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
