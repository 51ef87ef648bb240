"""Names of a sweep's points on a terminal: short but distinct."""

from hypothesis import given
from hypothesis import strategies as st

from testbed.experiment.language.points import (
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


def test_redundant_list_of_rates_is_dropped() -> None:
    assert telling_keys(MANY) == ["peers.homes.count"]
    assert name_of(MANY[1], MANY) == "count 13"


def test_long_distinguishing_value_is_shortened() -> None:
    points = [{"peers.homes.up": RATES}, {"peers.homes.up": [*RATES, "1 MB/s"]}]
    assert telling_keys(points) == ["peers.homes.up"]
    assert name_of(points[0], points) == 'up ["300 kB/s", "300 kB/s", "300 kB/s", ...'
    assert len(short(RATES)) == WIDEST


def test_short_values_are_all_shown() -> None:
    points = [{"distribution": "fluid", "time_scale": 1}, {"distribution": "bittorrent", "time_scale": 2}]
    assert name_of(points[0], points) == "distribution fluid, time_scale 1"


def test_redundant_keys_are_shown_while_there_is_room() -> None:
    groups = [f"peers.group-{number}-of-many.strategy" for number in range(5)]
    points = [dict.fromkeys(groups, strategy) | {"repeat": 3} for strategy in ("tit-for-tat", "propshare")]
    assert name_of(points[0], points) == ", ".join(f"group-{number}-of-many.strategy tit-for-tat" for number in (0, 1))


def test_distinguishing_keys_are_never_dropped() -> None:
    keys = [f"peers.group-{number}-of-many.strategy" for number in range(3)]
    points = [{key: "propshare" if key == odd else "tit-for-tat" for key in keys} for odd in [*keys, None]]
    assert telling_keys(points) == keys


def test_short_name_is_shortest_unique_ending() -> None:
    names = short_names(["peers.homes.count", "peers.riders.count", "servers.up", "up", "profile"])
    assert list(names.values()) == ["homes.count", "riders.count", "servers.up", "up", "profile"]


def test_strategy_precedes_its_parameters() -> None:
    assert short({"claims": "own", "class": "polluter"}) == "polluter, claims own"


def test_single_point_has_empty_name() -> None:
    assert name_of({}, [{}]) == ""


KEYS = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(".".join)


@given(st.lists(KEYS, max_size=6, unique=True))
def test_short_names_are_distinct(keys: list[str]) -> None:
    names = short_names(keys)
    assert len(set(names.values())) == len(keys)
    assert all(f".{key}".endswith(f".{name}") for key, name in names.items())
