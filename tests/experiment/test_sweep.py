"""Points of a sweep: every combination, zipped keys, and points that are skipped."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from testbed.values.ranges import (
    MOST_VALUES,
    Number,
    RangeError,
    expand,
)
from tests.experiment.files import SMALL, written


def points(folder: Path, sweep: str) -> list[Mapping[str, Any]]:
    return [variant.point.values for variant in written(folder, SMALL + f"sweep: {{{sweep}}}\n").variants]


def test_last_key_of_sweep_changes_fastest(tmp_path: Path) -> None:
    assert points(tmp_path, "profile: [bep3, course], peers.homes.count: [1, 2]") == [
        {"profile": "bep3", "peers.homes.count": 1},
        {"profile": "bep3", "peers.homes.count": 2},
        {"profile": "course", "peers.homes.count": 1},
        {"profile": "course", "peers.homes.count": 2},
    ]


def test_zipped_keys_change_together(tmp_path: Path) -> None:
    zipped = "zip: {file.size: [1 MiB, 2 MiB], servers.up: [1 Mbit/s, 2 Mbit/s]}, peers.homes.count: [1, 2]"
    assert points(tmp_path, zipped) == [
        {"peers.homes.count": 1, "file.size": "1 MiB", "servers.up": "1 Mbit/s"},
        {"peers.homes.count": 1, "file.size": "2 MiB", "servers.up": "2 Mbit/s"},
        {"peers.homes.count": 2, "file.size": "1 MiB", "servers.up": "1 Mbit/s"},
        {"peers.homes.count": 2, "file.size": "2 MiB", "servers.up": "2 Mbit/s"},
    ]


def test_skipped_points_are_not_checked(tmp_path: Path) -> None:
    sweep = "distribution: [bittorrent, fluid], peers.homes.departure: [stay, at-completion]"
    when = "when: distribution != fluid or peers.homes.departure = stay"
    assert [tuple(point.values()) for point in points(tmp_path, f"{sweep}, {when}")] == [
        ("bittorrent", "stay"),
        ("bittorrent", "at-completion"),
        ("fluid", "stay"),
    ]


def test_condition_can_read_keys_not_swept(tmp_path: Path) -> None:
    assert points(tmp_path, "profile: [bep3, course], when: servers.up = 8000 kbit/s and profile = bep3") == [
        {"profile": "bep3"}
    ]


def test_point_changes_only_its_keys(tmp_path: Path) -> None:
    sweep = "peers.homes.strategy.slots: [3], tracker.numwant: [20]"
    text = SMALL.replace("count: 4", "count: 4, strategy: sequential") + f"sweep: {{{sweep}}}\n"
    (variant,) = written(tmp_path, text).variants
    homes = variant.experiment.peers["homes"]
    assert (homes.strategy.reference, homes.strategy.parameters) == ("sequential", {"slots": 3})
    assert (variant.experiment.tracker.numwant, homes.up, homes.count) == (20, 1_000_000, 4)


@pytest.mark.parametrize(
    ("arguments", "values"),
    [
        ((5, 30, 5), [5, 10, 15, 20, 25, 30]),
        ((1, 2, 0.4), [1, 1.4, 1.8]),
        (("1 MiB", "4 MiB", "1536 KiB"), ["1 MiB", "2.5 MiB", "4 MiB"]),
        (("4 MiB", "20 MiB", None, 2), ["4 MiB", "8 MiB", "16 MiB"]),
        ((0.5, 5, None, 3), [0.5, 1.5, 4.5]),
        (("0 %", "50 %", "25 %"), ["0 %", "25 %", "50 %"]),
        (("1 s", "1 min", None, 10), ["1 s", "10 s"]),
        (("500 kbit/s", "1 Mbit/s", "250 kbit/s"), ["500 kbit/s", "750 kbit/s", "1 Mbit/s"]),
        (("5 /min", "10 /min", "5 /min"), ["5 /min", "10 /min"]),
    ],
)
def test_range_keeps_the_notation_of_files(arguments: tuple[Any, ...], values: list[Number]) -> None:
    assert expand(*arguments) == values


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((1, 2), "either `step:` or `factor:`"),
        ((1, 2, 1, 2), "either `step:` or `factor:`"),
        ((2, 1, 1), "`from:` is greater than `to:`"),
        ((1, 2, 0), "`step:` must be more than 0"),
        ((1, 2, None, 1), "`factor:` must be more than 1"),
        ((0, 2, None, 2), "`from:` more than 0"),
        ((1, MOST_VALUES + 1, 1), f"more than {MOST_VALUES} values"),
        (("1 MiB", "2 Mbit/s", "1 MiB"), "`to:` must be a size, as `from:` is"),
        (("1 MiB", "2 MiB", 1), "`step:` must be a size"),
        ((1, "2 MiB", 1), "`to:` must be a number"),
        (("one", "2", 1), "'one' is neither a number nor a quantity"),
        (("1 B", "2 B", None, 1.5), "1.5, not a whole number"),
    ],
)
def test_empty_or_huge_range_is_refused(arguments: tuple[Any, ...], says: str) -> None:
    with pytest.raises(RangeError, match=says):
        expand(*arguments)
