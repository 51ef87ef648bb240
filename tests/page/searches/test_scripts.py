"""The pure scripts of a replay of searches, called one by one."""

import json
from typing import Any

import pytest

from tests.page.conftest import Call

HOSTS: list[dict[str, Any]] = [
    {"name": "directory", "group": "directory", "role": "directory", "tier": 0, "lives": [[0, 60, None]]},
    *[{"name": f"n{k}", "group": "x", "role": "node", "tier": 2, "lives": [[0, 60, None]]} for k in (1, 2, 3)],
]
FLOOD: dict[str, Any] = {
    "node": 1, "wanted": "a song", "key": None, "began": 10.0, "took": 9000, "outcome": "found", "hops": 2,
    "timeouts": 0, "holders": [3], "answers": [[1100, 3, 0], [1200, 3, 0], [1300, 2, 1]], "unshown": 0,
    "sent": [0, 200, 400, 400], "came": [200, 400, 600, 1100], "from": [1, 2, 3, 3], "to": [2, 3, 2, 1],
    "what": [0, 0, 0, 1],
}  # fmt: skip
DATA: dict[str, Any] = {
    "seconds": 60, "overlay": "Gnutella", "hosts": HOSTS, "kinds": ["Query", "QueryHit"], "answering": [1],
    "links": [1, 2, 5, 20, 2, 3, 15, 20], "searches": [FLOOD | {"answers": [], "outcome": "not_found"}, FLOOD],
}  # fmt: skip


def searches(call: Call, expression: str, data: Any = None) -> Any:
    made = f'new (use("replay/searches/searches.js").Searches)({json.dumps(data or DATA)})'
    return call(f"((searches, search) => {expression})(...((all) => [all, all.all.at(-1)])({made}))")


def with_places(*places: float | None, key: float | None = None) -> Any:
    """Return the data of a ring of three nodes at these places."""
    hosts = [HOSTS[0], *({**host, "lives": [[0, 60, at]]} for host, at in zip(HOSTS[1:], places, strict=True))]
    return DATA | {"hosts": hosts, "searches": [FLOOD | {"key": key}]}


def test_first_to_be_shown_is_one_with_a_right_answer(call: Call) -> None:
    assert searches(call, "searches.first()") == 1
    assert searches(call, "searches.first()", DATA | {"searches": DATA["searches"][:1]}) == 0


def test_messages_are_under_way_until_they_come(call: Call) -> None:
    under_way = "[0.01, 0.02, 0.05, 0.1, 0.11].map((t) => search.underWay(t).map((each) => each.from))"
    assert searches(call, under_way) == [[1], [2], [3, 3], [3], []]
    assert searches(call, "search.end") == 0.13


def test_nodes_are_asked_when_a_question_comes(call: Call) -> None:
    assert searches(call, "[0, 0.019, 0.02].map((t) => search.isAsked(2, t))") == [False, False, True]
    assert searches(call, "search.isAsked(1, 0)")
    assert searches(call, "[0.02, 0.2].map((t) => search.facts(t).asked)") == [1, 2]


def test_holders_are_found_once_each_and_by_right_answers_only(call: Call) -> None:
    assert searches(call, "[0.1, 0.11, 0.2].map((t) => search.facts(t).right)") == [0, 1, 1]
    assert searches(call, "[0.1, 0.11].map((t) => search.isFound(3, t))") == [False, True]
    assert not searches(call, "search.isFound(2, 1)")
    assert searches(call, "search.facts(0.2).amiss") == 1


def test_menu_says_what_came_of_a_search(call: Call) -> None:
    title = 'searches.all.map((each) => use("replay/searches/words.js").title(each))'
    assert searches(call, title) == [
        "n1 asks for “a song”: not found, 4 messages",
        "n1 asks for “a song”: found after 110 ms, 4 messages",
    ]


def test_links_are_those_at_the_beginning(call: Call) -> None:
    assert searches(call, "search.links") == [[1, 2]]


def test_of_very_many_links_those_of_the_way_are_shown(call: Call) -> None:
    many = [number for k in range(700) for number in (0, 3 if k else 2, 5, 20)]
    data = DATA | {"links": [*many, 1, 3, 5, 20, 2, 3, 5, 20]}
    assert searches(call, "search.links", data) == [[1, 3], [2, 3]]


def test_hosts_with_identifiers_stand_in_their_order(call: Call) -> None:
    assert searches(call, "search.order", with_places(0.9, 0.1, 0.5)) == {
        "middle": [0],
        "inner": [],
        "outer": [2, 3, 1],
    }


def test_leaves_stand_near_their_ultrapeers(call: Call) -> None:
    tiers = [1, 1, 1, 2, 2, 2]
    hosts = [{**HOSTS[1], "name": f"n{k}", "tier": tier} for k, tier in enumerate(tiers)]
    links = [number for leaf, top in ((3, 2), (4, 0), (5, 1)) for number in (top, leaf, 5, 20)]
    order = searches(call, "search.order", DATA | {"hosts": hosts, "links": links})
    assert (order["inner"], order["outer"]) == ([0, 1, 2], [4, 5, 3])


def test_ultrapeers_alone_have_the_outer_circle(call: Call) -> None:
    hosts = [{**host, "tier": 1} for host in HOSTS]
    assert searches(call, "search.order", DATA | {"hosts": hosts}) == {
        "middle": [],
        "inner": [],
        "outer": [0, 1, 2, 3],
    }


@pytest.mark.parametrize(("key", "turn"), [(0.3, 0.125), (0.5, 0.125), (0.0, 0.875), (0.95, 0.875)])
def test_key_stands_between_the_nodes_before_and_after_it(call: Call, key: float, turn: float) -> None:
    """Four nodes at 0.1, 0.5, 0.6 and 0.9 stand at the quarters of the circle."""
    angle = f'use("replay/searches/layout.js").keyPoint({key}, [0.1, 0.5, 0.6, 0.9], 4, 100, 300).angle'
    assert (call(angle) / 6.283185307179586 + 0.25) % 1 == pytest.approx(turn)


@pytest.mark.parametrize("count", [3, 20, 120])
def test_nodes_on_circles_do_not_touch(call: Call, count: int) -> None:
    touching = f"""(() => {{
      const order = {{
        middle: [0, 1],
        inner: [2, 3, 4, 5, 6, 7],
        outer: Array.from({{ length: {count} }}, (_, n) => n + 8),
      }};
      const {{ points, radius }} = use("replay/searches/layout.js").circles(order, ["n1"], 360);
      return Math.min(...points.flatMap((one, place) => points.slice(place + 1)
        .map((other) => Math.hypot(one.x - other.x, one.y - other.y) / radius)));
    }})()"""
    assert call(touching) > 2


def test_a_message_goes_from_node_to_node(call: Call) -> None:
    at = 'use("replay/geometry.js").onBow({ x: 0, y: 0 }, { x: 100, y: 0 }, 10, WAY)'
    begin, middle, end = (call(at.replace("WAY", way)) for way in ("0", "0.5", "1"))
    assert (begin["x"], end["x"]) == (10, 88)
    assert begin["x"] < middle["x"] < end["x"]
    assert call(at.replace("100", "15").replace("WAY", "0")) is None


def test_clock_of_a_search_is_slow(call: Call) -> None:
    assert call('new (use("replay/clock.js").Clock)(0.2, 0, [0.01, 0.02, 0.05, 1], 12).speed') == 0.02
