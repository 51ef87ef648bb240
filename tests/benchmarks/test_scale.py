"""The benchmark of scale: joined and given networks agree, and its rows and verdicts are what they should be."""

from dataclasses import replace
from math import isnan, nan
from pathlib import Path

import pytest

from benchmarks.overlays.scale.__main__ import main, merged
from benchmarks.overlays.scale.measured import Difference, Pair, differences
from benchmarks.overlays.scale.planned import addresses_by_place, joining_trial, performed, planned_point
from benchmarks.overlays.scale.points import (
    EMULATED,
    GIVEN,
    JOINED,
    REPLAYED,
    VIRTUAL,
    Kind,
    Law,
    Point,
    read_rows,
    rows_of,
    write_rows,
)
from peer.simulation.overlays.rings import Order
from testbed.errors import ExplainedError

SMALL = 16


def point(hops: float, engine: str = VIRTUAL, start: str = GIVEN, n: int = 100) -> Point:
    kind = Kind("chord", n, engine, start)
    return Point(kind, 10, 1.0, hops, 2 * hops + 2, 20.0, 30.0, 40.0, 0.1, Law(3.0, 8.0))


def pair(emulated: float, virtual: float) -> Pair:
    return point(emulated, EMULATED, JOINED), point(virtual, VIRTUAL, REPLAYED)


def of_hops(*pairs: Pair) -> Difference:
    return next(each for each in differences(pairs) if each.what == "hops")


def test_a_ring_that_has_formed_has_the_tables_that_are_given_to_large_ones() -> None:
    trial = joining_trial("chord", SMALL, searches=20, seed=1)
    overlay = performed(trial, addresses_by_place(trial))
    order = Order(node.places[0] for node in overlay.nodes.values())
    assert len(order.places) == SMALL
    assert (order.wrong_successors(), order.wrong_fingers()) == (0, 0)


def test_a_directory_in_virtual_time_costs_what_its_law_says() -> None:
    trial = joining_trial("napster", SMALL, searches=30, seed=1)
    found = planned_point(trial, addresses_by_place(trial), VIRTUAL, JOINED)
    assert (found.kind.n, found.success, found.hops) == (SMALL, 1, 1)
    # Now and then, another name has the same words.
    assert found.law.messages <= found.messages < 1.05 * found.law.messages
    assert found.busiest_share == 1
    assert found.most_entries == SMALL + 150


def test_trials_with_failures_are_refused() -> None:
    trial = joining_trial("napster", SMALL, searches=30, seed=1)
    first, *others = trial.hosts.nodes  # type: ignore[union-attr]
    killed = trial.hosts.model_copy(update={"nodes": (first.model_copy(update={"killed_at": 5.0}), *others)})
    with pytest.raises(ExplainedError, match="has failures"):
        performed(trial.model_copy(update={"hosts": killed}), addresses_by_place(trial))


def test_a_row_has_the_mean_over_networks_and_its_interval() -> None:
    (row,) = rows_of([point(2.0), point(3.0), point(4.0)])
    assert (row.networks, row.searches, row.hops) == (3, 30, 3.0)
    assert (row.hops_low, row.hops_high) == pytest.approx((3 - 2.484, 3 + 2.484), abs=0.001)
    assert row.differs("messages") == 0
    assert isnan(row.contacts_law)


def test_rows_are_read_as_they_were_written(tmp_path: Path) -> None:
    rows = list(rows_of([point(2.5), point(nan, n=200)]))
    write_rows(rows, tmp_path / "scale.csv")
    first, other = read_rows(tmp_path / "scale.csv")
    assert first == replace(
        rows[0],
        **{name: getattr(first, name) for name in ("hops_low", "hops_high")},
        **{name: getattr(first, name) for name in ("messages_low", "messages_high", "contacts_law")},
    )
    assert isnan(first.hops_low)
    assert isnan(other.hops)


def test_a_new_measurement_takes_the_place_of_the_old_one_of_its_kind() -> None:
    old = list(rows_of([point(2.0), point(9.0, n=200)]))
    new = list(rows_of([point(3.0)]))
    assert [(row.n, row.hops) for row in merged(old, new)] == [(100, 3.0), (200, 9.0)]


def test_pairs_that_are_the_same_need_no_test() -> None:
    assert of_hops(pair(3.0, 3.0), pair(2.0, 2.0)).verdict == "the same in each pair"


def test_small_differences_are_within_the_margin_and_great_ones_are_not() -> None:
    near = of_hops(pair(3.02, 3.0), pair(2.99, 3.0), pair(3.03, 3.0), pair(3.0, 3.01))
    assert near.verdict == "equal within 10%"
    assert near.ratio.value == pytest.approx(1.003, abs=0.002)
    far = of_hops(pair(4.0, 3.0), pair(4.1, 3.0), pair(3.9, 3.0), pair(4.0, 3.1))
    assert far.verdict == "differs"


def test_what_few_pairs_cannot_tell_is_not_decided() -> None:
    assert of_hops(pair(3.6, 3.0), pair(2.7, 3.0), pair(3.1, 3.0)).verdict == "not decided"
    assert of_hops(pair(3.6, 3.0)).verdict == "one pair alone"


def test_the_program_writes_its_rows_and_a_figure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--n", "40", "--given-from", "40", "--joined-to", "0", "--overlay", "chord", "napster"]
    main([*words, "--searches", "20", "--repeat", "2", "--output", str(tmp_path)])
    assert [(row.overlay, row.n) for row in read_rows(tmp_path / "scale.csv")] == [("chord", 40), ("napster", 40)]
    assert (tmp_path / "scale.svg").stat().st_size > 1_000
    assert "| napster | 40 | virtual | given | 2 | 100.0% | 1.00 ± 0.00 |" in capsys.readouterr().out


def test_a_folder_that_is_no_run_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--n", "--emulated", str(tmp_path), "--output", str(tmp_path / "out")])
    assert "name a run folder" in capsys.readouterr().err
