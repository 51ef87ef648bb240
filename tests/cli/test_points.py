"""Points of a sweep on a terminal: short, and still told apart."""

from hypothesis import given
from hypothesis import strategies as st

from testbed.cli.points import (
    WIDEST,
    name_of,
    short,
    short_names,
    telling_keys,
)

RATES = ["300 kB/s"] * 12
MANY = [
    {"peers.homes.count": 12, "peers.homes.up": RATES},
    {"peers.homes.count": 13, "peers.homes.up": [*RATES, "300 kB/s"]},
]


def test_a_list_of_rates_is_left_out_where_a_count_tells_as_much() -> None:
    assert telling_keys(MANY) == ["peers.homes.count"]
    assert name_of(MANY[1], MANY) == "count 13"


def test_a_long_value_is_cut_where_nothing_else_tells_the_points_apart() -> None:
    points = [{"peers.homes.up": RATES}, {"peers.homes.up": [*RATES, "1 MB/s"]}]
    assert telling_keys(points) == ["peers.homes.up"]
    assert name_of(points[0], points) == 'up ["300 kB/s", "300 kB/s", "300 kB/s", ...'
    assert len(short(RATES)) == WIDEST


def test_short_values_all_stand() -> None:
    points = [{"distribution": "fluid", "time_scale": 1}, {"distribution": "bittorrent", "time_scale": 2}]
    assert name_of(points[0], points) == "distribution fluid, time_scale 1"


def test_where_all_do_the_same_in_many_groups_as_many_are_named_as_there_is_room() -> None:
    groups = [f"peers.group-{number}-of-many.strategy" for number in range(5)]
    points = [dict.fromkeys(groups, strategy) | {"repeat": 3} for strategy in ("tit-for-tat", "propshare")]
    assert name_of(points[0], points) == ", ".join(f"group-{number}-of-many.strategy tit-for-tat" for number in (0, 1))


def test_what_tells_points_apart_stands_however_long_they_become() -> None:
    keys = [f"peers.group-{number}-of-many.strategy" for number in range(3)]
    points = [{key: "propshare" if key == odd else "tit-for-tat" for key in keys} for odd in [*keys, None]]
    assert telling_keys(points) == keys


def test_a_name_has_as_many_words_as_tell_it_from_others() -> None:
    names = short_names(["peers.homes.count", "peers.riders.count", "servers.up", "up", "profile"])
    assert list(names.values()) == ["homes.count", "riders.count", "servers.up", "up", "profile"]


def test_a_strategy_stands_before_its_parameters() -> None:
    assert short({"claims": "own", "class": "polluter"}) == "polluter, claims own"


def test_a_run_without_a_sweep_has_one_point_without_a_name() -> None:
    assert name_of({}, [{}]) == ""


KEYS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(".".join)


@given(st.lists(KEYS, max_size=6, unique=True))
def test_short_names_are_as_distinct_as_the_keys(keys: list[str]) -> None:
    names = short_names(keys)
    assert len(set(names.values())) == len(keys)
    assert all(f".{key}".endswith(f".{name}") for key, name in names.items())
