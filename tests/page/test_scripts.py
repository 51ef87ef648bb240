"""The pure parts of the page's scripts, called one by one."""

import json
from typing import Any

import pytest

from tests.page.conftest import Call


def query(call: Call, text: str, rows: list[list[Any]]) -> list[int]:
    """Return the rows of columns `group` and `N` that meet a query."""
    return list(
        call(
            f"""(() => {{
              const {{ holds }} = use("tables/query.js").readQuery({json.dumps(text)}, ["group", "N"]);
              const rows = {json.dumps(rows)};
              return rows.map((row, number) => number).filter((number) => holds((place) => rows[number][place]));
            }})()"""
        )
    )


ROWS = [["riders", 5], ["others", 10], ["riders", None], ["all others", 40]]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", [0, 1, 2, 3]),
        ("ride", [0, 2]),
        ("group=riders N>=5", [0]),
        ("group!=riders", [1, 3]),
        ('group="all others"', [3]),
        ("N < 40", [0, 1]),
        ("OTHERS", [1, 3]),
        ("N=word", []),
    ],
)
def test_queries(call: Call, text: str, found: list[int]) -> None:
    assert query(call, text, ROWS) == found


def test_empty_cells_are_last_in_both_directions(call: Call) -> None:
    sort = 'use("tables/sorting.js").sorted([0, 1, 2, 3], [3, null, 1, 3], "{}")'
    assert call(sort.format("ascending")) == [2, 0, 3, 1]
    assert call(sort.format("descending")) == [0, 3, 2, 1]


def test_words_with_numbers_are_sorted_by_number(call: Call) -> None:
    assert call('use("tables/sorting.js").sorted([0, 1, 2], ["p10", "p9", "p1"], "ascending")') == [2, 1, 0]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("0", "0"),
        ("12345.6", "12346"),
        ("0.000123456", "0.0001235"),
        ("-2.5", "\N{MINUS SIGN}2.5"),
        ("null", "\N{EN DASH}"),
        ("1e-9", "1.000e-9"),
    ],
)
def test_plain_numbers(call: Call, value: str, text: str) -> None:
    assert call(f'use("numbers.js").plain({value})') == text


def test_numbers_get_the_unit_that_suits_them(call: Call) -> None:
    assert call('use("numbers.js").withUnit(4e6, "bit/s")') == "4 Mbit/s"
    assert call('use("numbers.js").withUnit(1536, "B")') == "1.5 KiB"


def test_clock_runs_as_fast_as_it_is_told_and_stops_at_the_end(call: Call) -> None:
    clock = """(() => {
      const clock = new (use("replay/clock.js").Clock)(10);
      const seen = [clock.speed];
      clock.speed = 2; clock.toggle(); clock.advance(3); seen.push(clock.t, clock.isRunning);
      clock.advance(3); seen.push(clock.t, clock.isRunning);
      clock.toggle(); seen.push(clock.t);
      return seen;
    })()"""
    assert call(clock) == [0.5, 6, True, 10, False, 0]


def test_speed_shows_a_trial_in_half_a_minute(call: Call) -> None:
    assert call('[10, 60, 100, 1e6].map((end) => new (use("replay/clock.js").Clock)(end).speed)') == [0.5, 2, 4, 16]


SWARM = {
    "seconds": 3,
    "step": 1,
    "pieces": 2,
    "hosts": [
        {"name": "server", "role": "server", "group": "server", "lives": [[0, 3]], "completed": None,
         "shares": [1000] * 4, "held": {"first": [0, 1], "times": [], "pieces": []}},
        {"name": "a", "role": "peer", "group": "x", "lives": [[0, 3]], "completed": 2,
         "shares": [0, 500, 1000, 1000], "held": {"first": [], "times": [1, 2], "pieces": [1, 0]}},
        {"name": "b", "role": "peer", "group": "x", "lives": [[1, 2]], "completed": None,
         "shares": [0, 0, 500, 500], "held": {"first": [], "times": [2], "pieces": [1]}},
    ],
    "links": [
        {"from": 0, "to": 1, "moved": [0, 1000], "slots": [0.5, 1, 2, 0], "wants": [0.2, 1]},
        {"from": 1, "to": 2, "moved": [1, 400], "slots": [1.5, 2], "wants": [1, 1]},
        {"from": 2, "to": 1, "moved": [1, 100], "slots": [], "wants": []},
    ],
}  # fmt: skip


def swarm(call: Call, expression: str) -> Any:
    return call(f'((swarm) => {expression})(new (use("replay/swarm/swarm.js").Swarm)({json.dumps(SWARM)}))')


def test_swarm_knows_each_moment(call: Call) -> None:
    assert swarm(call, "[0.4, 1, 3].map((t) => swarm.isPresent(2, t))") == [False, True, False]
    assert swarm(call, "[0, 0.5, 1, 2].map((t) => swarm.share(1, t))") == [0, 0.25, 0.5, 1]
    assert swarm(call, "[0, 1, 2].map((t) => swarm.slot(swarm.links[0], t))") == ["choked", "unchoked", "choked"]
    assert swarm(call, "swarm.slot(swarm.links[1], 1.5)") == "optimistic"
    assert swarm(call, "[0, 0.5, 1].map((t) => swarm.rate(swarm.links[0], t))") == [8000, 8000, 4000]
    assert swarm(call, "[1.2, 1.6].map((t) => swarm.starves(2, t))") == [True, False]


def test_swarm_counts_copies_among_those_that_are_there(call: Call) -> None:
    assert swarm(call, "[0, 1, 2, 3].map((t) => [...swarm.copies(t)])") == [[1, 1], [1, 2], [2, 3], [2, 2]]


def test_given_back_is_what_goes_both_ways(call: Call) -> None:
    assert swarm(call, "swarm.givenBack(1)") == pytest.approx(200 / 500)


def test_hosts_on_a_ring_do_not_touch(call: Call) -> None:
    ring = """((hosts) => {
      const { points, radius } = use("replay/swarm/layout.js").ring(hosts, ["x", "y"], 360);
      return Math.min(...points.flatMap((one, place) => points.slice(place + 1)
        .map((other) => Math.hypot(one.x - other.x, one.y - other.y) / radius)));
    })"""
    host = "{ name: `p${n}`, role: n ? 'peer' : 'server', group: n % 3 ? 'x' : 'y' }"
    assert call(f"{ring}(Array.from({{ length: 61 }}, (_, n) => ({host})))") > 2


def test_axis_steps_are_round(call: Call) -> None:
    steps = "[[10, 5], [61, 6], [3600, 8]].map(([all, parts]) => use('replay/chart.js').niceStep(all, parts))"
    assert call(steps) == [2, 20, 500]


@pytest.mark.parametrize(
    ("states", "mark"),
    [
        (["held", "held"], ["good", "✓", "2 of 2 expectations held"]),
        (["held", "failed"], ["bad", "✗", "1 of 2 expectations held"]),
        (["held", "open"], ["none", "\N{EN DASH}", "1 of 2 expectations held, 1 not evaluated"]),
        (["failed", "open"], ["bad", "✗", "0 of 2 expectations held, 1 not evaluated"]),
        (["open"], ["none", "\N{EN DASH}", "1 expectation not evaluated"]),
    ],
)
def test_tally_of_expectations_is_bad_only_if_one_failed(call: Call, states: list[str], mark: list[str]) -> None:
    assert call(f"use('overview.js').expected({json.dumps(states)}.map((state) => ({{ state }})))") == mark
