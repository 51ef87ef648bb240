"""Whether the peers of a group prefer each other."""

from math import isnan
from typing import Any

import pandas as pd
import pytest

from testbed.results.peers import group_rows

GROUPS = {"p1": "fast", "p2": "fast", "p3": "fast", "p4": "slow", "p5": "slow", "p6": "alone"}


def clustering(*flows: tuple[str, str, float | None, float | None]) -> dict[str, float]:
    """The clustering of each group, where these gave something: as the giver counted it, and as the receiver did."""
    peers = pd.DataFrame(
        [
            {"trial": "t", "peer": peer, "group": group, "strategy": "tit-for-tat", "download_s": 1.0}
            | dict.fromkeys(("payload_received", "payload_sent", "completed_s"), 1.0)
            for peer, group in GROUPS.items()
        ]
    )
    columns = ["trial", "giver", "receiver", "bytes_sent", "bytes_received"]
    rows: list[dict[str, Any]] = list(
        group_rows(peers, pd.DataFrame([("t", *flow) for flow in flows], columns=columns))
    )
    return {row["group"]: row["clustering"] for row in rows}


def test_who_gives_to_all_alike_does_not_cluster() -> None:
    found = clustering(*((giver, other, 7.0, 7.0) for giver in GROUPS for other in GROUPS if giver != other))
    assert (found["fast"], found["slow"]) == (pytest.approx(1.0), pytest.approx(1.0))
    assert isnan(found["alone"])


def test_who_gives_only_to_its_own_clusters_as_much_as_can_be() -> None:
    found = clustering(("p1", "p2", 5.0, None), ("p4", "p5", None, 3.0), ("p6", "p1", 9.0, 9.0))
    assert found["fast"] == pytest.approx(5 / 2), "two of the five others are its own"
    assert found["slow"] == pytest.approx(5 / 1)


def test_half_to_each_side_is_weighed_by_how_many_there_are() -> None:
    found = clustering(("p1", "p2", 5.0, 5.0), ("p1", "p4", 5.0, 5.0), ("server", "p1", 99.0, 99.0))
    assert found["fast"] == pytest.approx(0.5 * 5 / 2)


def test_where_nothing_is_known_of_what_was_given_nothing_is_said() -> None:
    assert all(isnan(value) for value in clustering().values())
    assert isnan(clustering(("p1", "server", 5.0, 5.0))["fast"])
