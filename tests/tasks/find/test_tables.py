"""The tables of a search, from traces written by hand: every number is worked out in the test."""

import json
import zlib
from base64 import b64decode
from collections.abc import Mapping
from math import isnan, log2
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from testbed.results.made import Report
from testbed.results.page.contents import OVERVIEW, Contents
from testbed.results.report import report
from testbed.results.tables import Tables
from testbed.runfolder.damage import DamageError
from testbed.runfolder.overlay_traces import read_overlay_trace
from testbed.tasks.find.columns import GROUPS, TRIALS
from testbed.tasks.find.plan.searches import PlannedSearch, draw_scenario
from testbed.tasks.find.trials import hosts_of, settings_of
from tests.runfolder.runs import (
    T0,
    Counts,
    Events,
    Happened,
    address,
    event,
    header,
    write_lines,
    write_run,
    write_trial,
)

FIVE = """\
title: Five nodes
task: find
overlay: chord
nodes:
  holders: {count: 2, up: 1 Mbit/s, asks: false}
  askers: {count: 2, up: 1 Mbit/s, shares: 0 %}
  absent: {count: 1, up: 1 Mbit/s, shares: 0 %, asks: false}
content: {items: 1, copies: {each: 2}}
queries: {rate: 5 /min, from: 5 s, until: 30 s}
failures: [{at: 20 s, kill: {holders: 50 %}}]
seed: 26
figures:
  ring: {kind: timeline, y: [ring, largest_part]}
  waiting: {kind: cdf, series: group}
  lookups: {x: N, y: hops_mean, theory: [law]}
"""
"""With this seed n2 is killed; n3 asks the second of five searches, n4 all others; two are asked after 20 s."""
END = 32.0
NODES = {name: address(k) for k, name in enumerate(("n1", "n2", "n3", "n4", "n5"), start=1)}


def joined(t: float, name: str, node: str, items: int = 0) -> dict[str, Any]:
    return event(t, "node_joined", overlay="chord", node=node, address=f"{NODES[name]}:6346", items=items)


def state(t: float, *neighbours: str, entries: int) -> dict[str, Any]:
    return event(t, "node_state", neighbours=[f"{NODES[name]}:6346" for name in neighbours], entries=entries)


def began(t: float, search: PlannedSearch) -> dict[str, Any]:
    return event(t, "search_began", search=search.name, wanted=search.wanted)


def answered(t: float, search: PlannedSearch, holder: str, item: str = "") -> dict[str, Any]:
    where = f"{NODES[holder]}:6346"
    return event(t, "answer_came", search=search.name, item=item or search.meant, holder=where, hops=1)


def ended(t: float, search: PlannedSearch, outcome: str, hops: int | None, timeouts: int) -> dict[str, Any]:
    known = {} if hops is None else {"hops": hops}
    return event(t, "search_ended", search=search.name, outcome=outcome, answers=0, **known, timeouts=timeouts)


def spent(t: float, *sent: tuple[str, int, int], messages: int = 0, count: int = 0) -> dict[str, Any]:
    rows = [list(each) for each in sent]
    return event(t, "spent", sent=rows, messages_received=messages, bytes_received=count)


def left(t: float) -> dict[str, Any]:
    return event(t, "node_left", reason="SIGTERM", by_word=True)


def traces(searches: tuple[PlannedSearch, ...]) -> Mapping[str, Events]:
    """A ring of four, in the order of their identifiers; n4 has no successor, and n5 never joins.

    The first search finds both holders, the second one of them, twice, and a stranger's item; the third never ends;
    the fourth is told of the dead holder; the fifth never begins.
    """
    first, second, third, fourth, _ = searches
    return {
        "n1": [
            header(-1),
            joined(0.5, "n1", "10", 1),
            state(5, "n2", entries=4),
            spent(11, (first.name, 2, 150), ("", 10, 500), messages=6, count=300),
            state(20, "n2", entries=6),
            left(END),
        ],
        "n2": [
            header(-1),
            joined(0.5, "n2", "20", 1),
            state(5, "n3", entries=2),
            spent(11, ("", 4, 200), messages=2, count=100),
        ],
        "n3": [
            header(-1),
            joined(1.0, "n3", "30"),
            state(5, "n4", entries=1),
            began(second.at, second),
            answered(second.at + 0.2, second, "n1"),
            answered(second.at + 0.3, second, "n1"),
            answered(second.at + 0.4, second, "n1", item="another thing"),
            ended(second.at + 1, second, "found", 4, 1),
            spent(13, (second.name, 1, 100), messages=1, count=50),
            left(END),
        ],
        "n4": [
            header(-1),
            joined(1.0, "n4", "40"),
            state(5, entries=1),
            began(first.at, first),
            answered(first.at + 0.3, first, "n2"),
            answered(first.at + 0.1, first, "n1"),
            ended(first.at + 0.5, first, "found", 2, 0),
            began(third.at, third),
            began(fourth.at, fourth),
            answered(fourth.at + 0.1, fourth, "n2"),
            ended(fourth.at + 0.5, fourth, "found", None, 0),
            spent(29, (first.name, 3, 300), messages=3, count=150),
            left(END),
        ],
        "n5": [header(-1)],
    }


def counters() -> list[Counts]:
    return [(float(t), name, 1000 * t, 10 * t, 0, 500 * t, 5 * t, 1) for name in NODES for t in range(1, 33)]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return written(tmp_path_factory.mktemp("run"))


@pytest.fixture(scope="module")
def tables(made: Report) -> Tables:
    return made.tables


def written(run: Path) -> Report:
    (trial,) = write_run(run, FIVE).trials
    searches = draw_scenario(settings_of(trial), hosts_of(trial)).searches
    assert [search.node for search in searches] == ["n4", "n3", "n4", "n4", "n4"]
    assert [search.at < 20 for search in searches] == [True, True, True, False, False]
    killed = {"signal": "SIGKILL", "exit_code": None, "why": "was killed at 20 s, as planned", "failed": False}
    hosts = {name: {"role": "node"} for name in NODES} | {"n2": {"role": "node", **killed}}
    write_trial(run, trial, Happened(traces(searches), counters(), END, hosts))
    made = report(run)
    assert not made.damages
    assert made.complaints == (
        "in 1 of 1 valid trials 1 nodes never joined: their searches count as failures, their items as existing",
        "in 1 of 1 valid trials 1 of 5 searches never began, and count as failures",
        "in 1 of 1 valid trials 1 of 5 searches never ended: what they had found by then counts",
    )
    return made


def column(table: pd.DataFrame, name: str) -> list[Any]:
    return [None if isinstance(value, float) and isnan(value) else value for value in table[name]]


def test_searches_are_judged_by_who_had_it_and_was_there(tables: Tables) -> None:
    found = tables.queries
    assert column(found, "outcome") == ["found", "found", "never ended", "found", "never began"]
    assert column(found, "rank") == [1] * 5
    assert column(found, "existing") == [2, 2, 2, 1, 1]
    assert column(found, "answers") == [2, 3, 0, 1, 0]
    assert column(found, "right") == [2, 1, 0, 0, 0]
    assert column(found, "stale") == [0, 0, 0, 1, 0]
    assert column(found, "wrong") == [0, 1, 0, 0, 0]
    assert column(found, "success") == [1, 1, 0, 0, 0]
    assert column(found, "recall") == [1, 0.5, 0, 0, 0]
    assert column(found, "latency_s") == [pytest.approx(0.1), pytest.approx(0.2), None, None, None]
    assert column(found, "took_s") == [pytest.approx(0.5), pytest.approx(1), None, pytest.approx(0.5), None]
    assert column(found, "hops") == [2, 4, None, None, None]


def test_what_a_search_cost_is_added_up_over_all_hosts(tables: Tables) -> None:
    assert column(tables.queries, "messages") == [5, 1, 0, 0, 0]
    assert column(tables.queries, "bytes") == [450, 100, 0, 0, 0]
    assert set(tables.queries["hops_law"]) == {log2(5) / 2}
    assert set(tables.queries["messages_law"]) == {log2(5)}


def test_row_of_the_trial(tables: Tables) -> None:
    (row,) = tables.trials.to_dict("records")
    expected = {
        "system": "chord", "N": 5, "items": 1, "copies": 2, "searches": 5,
        "unanswerable": 0, "never_began": 1, "never_ended": 1, "never_joined": 1, "killed": 1,
        "success_rate": 2 / 5, "recall": 1.5 / 5, "stale_answers": 1, "wrong_answers": 1,
        "hops_mean": 3, "messages_mean": 6 / 4, "bytes_mean": 550 / 4, "timeouts_mean": 1 / 4,
        "upkeep_rate": 14 / (31.5 + 19.5 + 31 + 31), "busiest_messages": 12 + 6, "busiest_bytes": 650 + 300,
        "busiest_share": 18 / (12 + 4 + 1 + 3), "entries_mean": (5 + 2 + 1 + 1) / 4, "entries_most": 6,
        "partitions_most": 2, "largest_part_least": 2 / 3, "wire_bytes": 5 * 32_000, "drops": 5,
        "verdict": "valid",
    }  # fmt: skip
    assert {key: row[key] for key in expected} == pytest.approx(expected)


def test_median_is_empty_where_half_of_the_searches_have_no_answer(tables: Tables) -> None:
    (row,) = tables.trials.to_dict("records")
    assert isnan(row["latency_median_s"])
    assert isnan(row["latency_p95_s"])


def test_rows_of_hosts(tables: Tables) -> None:
    found = tables.nodes
    assert column(found, "node") == ["n1", "n2", "n3", "n4", "n5"]
    assert column(found, "items") == [1, 1, 0, 0, 0]
    assert column(found, "answers_given") == [4, 2, 0, 0, 0]
    assert column(found, "joined_s") == [0.5, 0.5, 1, 1, None]
    assert column(found, "lives") == [1, 1, 1, 1, 0]
    assert column(found, "present_s") == [31.5, 19.5, 31, 31, 0]
    assert column(found, "killed_s") == [None, 20, None, None, None]
    assert column(found, "messages_sent") == [12, 4, 1, 3, 0]
    assert column(found, "bytes_received") == [300, 100, 50, 150, 0]
    assert column(found, "upkeep_messages") == [10, 4, 0, 0, 0]
    assert column(found, "entries_max") == [6, 2, 1, 1, None]
    assert column(found, "neighbours_mean") == [1, 1, 1, 0, None]
    assert column(found, "load")[0] == pytest.approx(18 / 31.5)
    assert column(found, "why_ended")[1] == "was killed at 20 s, as planned"


def test_rows_of_groups(tables: Tables) -> None:
    found = tables.groups.set_index("group")
    assert list(found["nodes"]) == [2, 2, 1]
    assert list(found["searches"]) == [0, 5, 0]
    assert found.loc["askers", "success_rate"] == pytest.approx(0.4)
    assert found.loc["holders", "host_bytes_mean"] == pytest.approx((650 + 300 + 200 + 100) / 2)


def test_rows_of_seconds(tables: Tables) -> None:
    found = tables.overlay.set_index("t")
    assert len(found) == 32
    before, after = found.loc[10], found.loc[21]
    assert (found.loc[2, "alive"], before["alive"], after["alive"]) == (4, 4, 3)
    assert (before["planned"], after["planned"]) == (5, 4)
    assert before["degree_mean"] == pytest.approx(3 / 4)
    assert after["degree_mean"] == pytest.approx(1 / 3)
    assert (before["dead_neighbours"], after["dead_neighbours"]) == (0, 1 / 2)
    assert (before["partitions"], after["partitions"]) == (1, 2)
    assert (before["largest_part"], after["largest_part"]) == (1, pytest.approx(2 / 3))
    assert (before["ring"], after["ring"]) == (3 / 4, pytest.approx(1 / 3))
    assert isnan(found.loc[2, "partitions"])  # nobody has said yet whom it knows
    assert (found.loc[13, "searching"], found.loc[14, "searching"]) == (0, 1)
    assert before["upload_rate"] == 5 * 8000


def test_column_means_the_same_in_each_table_of_numbers() -> None:
    for name in TRIALS.keys() & GROUPS.keys():
        assert TRIALS[name].label == GROUPS[name].label, name


def test_success_of_a_second_is_that_of_searches_shortly_before(tables: Tables) -> None:
    found = tables.overlay.set_index("t")["success_lately"]
    for t, share in found.items():
        shortly_before = tables.queries["at"].between(float(str(t)) - 10, float(str(t)), inclusive="right")
        expected = tables.queries[shortly_before]["success"]
        assert isnan(share) if expected.empty else share == sum(expected) / len(expected)
    assert isnan(found[5])
    assert {*found.dropna()} > {0, 1}


def test_figures_show_searches_seconds_and_laws(made: Report) -> None:
    assert not made.undrawn
    figures = {name: pd.read_csv(made.run.path / "figures" / f"{name}.csv") for name in ("ring", "waiting", "lookups")}
    assert figures["waiting"]["value"].max() == pytest.approx(2 / 5)
    assert set(figures["waiting"]["line"]) == {"share of the searches"}
    by_line = figures["lookups"].set_index("line")["value"]
    assert by_line["hops_mean"] == 3
    assert by_line["theory:law"] == pytest.approx(log2(5) / 2)
    assert set(figures["ring"]["line"]) == {"ring", "largest_part"}


def test_page_says_what_was_found_and_that_traces_without_messages_have_no_replay(made: Report) -> None:
    overview = json.loads(zlib.decompress(b64decode(Contents(made).collect().by_name[OVERVIEW])))
    assert overview["answer"] == "Successful searches: 40 % (one trial, so no interval)."
    assert overview["replays"]["shown"] == []
    assert "1 trial whose replay would be too large, or whose traces say too little" in overview["replays"]["left_out"]
    assert [table["name"] for table in overview["tables"]][:3] == ["summary", "trials", "groups"]


@pytest.mark.parametrize(
    ("events", "says"),
    [
        ([event(0, "node_joined")], "expected the header"),
        ([header(), event(0, "joined", peer_id="", info_hash="", port=1)], "joined is no event of a node"),
        ([header(), event(0, "search_ended", search="ab", outcome="", answers=0, timeouts=0)], "'ab' never began"),
        ([header(), event(0, "node_left", reason="")], "unknown or missing by_word"),
    ],
)
def test_damaged_trace_is_named_with_its_line(tmp_path: Path, events: Events, says: str) -> None:
    file = tmp_path / "n1.jsonl.gz"
    write_lines(file, map(json.dumps, events))
    with pytest.raises(DamageError, match=says):
        read_overlay_trace(file, T0)
