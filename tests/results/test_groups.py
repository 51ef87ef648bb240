"""Clustering (whether peers prefer their own group) and what groups received from leeches."""

from collections.abc import Collection, Iterable
from math import isnan
from typing import Any

import pandas as pd
import pytest

from testbed.tasks.distribute.tables.peers import group_rows

GROUPS = {"p1": "fast", "p2": "fast", "p3": "fast", "p4": "slow", "p5": "slow", "p6": "alone"}


def measured(name: str, flows: Iterable[tuple[object, ...]], silent: Collection[str] = ()) -> dict[str, float]:
    """Return a measure of each group, given the flows between hosts; silent ones do not tell their neighbours."""
    peers = pd.DataFrame(
        [
            {"trial": "t", "peer": peer, "group": group, "strategy": "tit-for-tat", "download_s": 1.0}
            | {"application": "ours", "cpu_s": 1.0, "untold": "neighbours chokes" if peer in silent else ""}
            | dict.fromkeys(("payload_received", "payload_sent", "completed_s"), 1.0)
            for peer, group in GROUPS.items()
        ]
    )
    columns = ["trial", "giver", "receiver", "bytes_sent", "bytes_received", "bytes_as_leech"]
    rows: list[dict[str, Any]] = list(
        group_rows(peers, pd.DataFrame([("t", *flow) for flow in flows], columns=columns))
    )
    return {row["group"]: row[name] for row in rows}


def clustering(*flows: tuple[str, str, float | None, float | None]) -> dict[str, float]:
    """Return the clustering for flows of (giver, receiver, bytes sent, bytes received)."""
    return measured("clustering", [(*flow, 0.0) for flow in flows])


def from_leeches(*flows: tuple[str, str, float, float | None]) -> dict[str, float]:
    """Return `from_leeches` for flows of (giver, receiver, bytes, bytes while the giver was a leech)."""
    return measured("from_leeches", [(giver, receiver, sent, sent, early) for giver, receiver, sent, early in flows])


def test_equal_giving_has_clustering_one() -> None:
    found = clustering(*((giver, other, 7.0, 7.0) for giver in GROUPS for other in GROUPS if giver != other))
    assert (found["fast"], found["slow"]) == (pytest.approx(1.0), pytest.approx(1.0))
    assert isnan(found["alone"])


def test_giving_within_group_only_is_full_clustering() -> None:
    found = clustering(("p1", "p2", 5.0, None), ("p4", "p5", None, 3.0), ("p6", "p1", 9.0, 9.0))
    assert found["fast"] == pytest.approx(5 / 2), "two of the five others are its own"
    assert found["slow"] == pytest.approx(5 / 1)


def test_clustering_is_relative_to_group_sizes() -> None:
    found = clustering(("p1", "p2", 5.0, 5.0), ("p1", "p4", 5.0, 5.0), ("server", "p1", 99.0, 99.0))
    assert found["fast"] == pytest.approx(0.5 * 5 / 2)


def test_clustering_is_empty_without_transfers() -> None:
    assert all(isnan(value) for value in clustering().values())
    assert isnan(clustering(("p1", "server", 5.0, 5.0))["fast"])


def test_equal_gifts_from_leeches_are_one() -> None:
    found = from_leeches(*((giver, other, 9.0, 4.0) for giver in GROUPS for other in GROUPS if giver != other))
    assert set(found.values()) == {1.0}


def test_gifts_of_seeds_do_not_count() -> None:
    found = from_leeches(("server", "p6", 100.0, 0.0), ("p1", "p6", 100.0, 0.0), ("p1", "p4", 6.0, 6.0))
    assert found == {"fast": 0.0, "slow": pytest.approx(6 / 2), "alone": 0.0}, "slow peers have 3 each, and all 1"


def test_from_leeches_is_empty_without_such_gifts() -> None:
    assert all(isnan(value) for value in from_leeches(("server", "p1", 5.0, 0.0), ("p1", "p2", 5.0, None)).values())


def test_measures_are_empty_where_nobody_tells_who_gave_to_whom() -> None:
    flows = [("p1", "p2", 5.0, 5.0, 5.0), ("p4", "p5", 3.0, 3.0, 3.0)]
    one, two = measured("clustering", flows, ["p1"]), measured("clustering", flows, ["p1", "p4"])
    assert one == pytest.approx(measured("clustering", flows), nan_ok=True), "the other end tells"
    assert isnan(two["fast"])
    assert isnan(two["slow"])
    assert all(isnan(value) for value in measured("from_leeches", flows, ["p1"]).values()), "when it completed"
