"""Figures: what is drawn stands in the SVG, by name; fonts are embedded; what cannot be drawn is told."""

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest

from testbed.results import Report, report
from testbed.results.figures.cdf import distribution
from testbed.results.figures.curve import Scale
from testbed.results.figures.flows import flow_matrix
from testbed.results.figures.style import look
from testbed.results.figures.timeline import mean_line
from tests.results.runs import DISTURBED, GOLDEN, golden, write_run, write_trial

SWEEP = """\
sweep:
  distribution: [bittorrent, client-server]
  time_limit: [1 min, 2 min]
repeat: 2
"""
SVG = "{http://www.w3.org/2000/svg}"


def drawn(folder: Path, figure: str, *, sweep: str = SWEEP, suspect: bool = False) -> Report:
    """Report a run with one figure; the client-server trials end a second later, and the last trial may be suspect."""
    plan = write_run(folder, f"{GOLDEN}{sweep}figures:\n  one: {figure}\n")
    for number, trial in enumerate(plan.trials):
        late = 1.0 if trial.settings.distribution == "client-server" else 0.1 * number
        is_suspect = suspect and number == len(plan.trials) - 1
        write_trial(folder, trial, golden(late=late, fidelity=DISTURBED) if is_suspect else golden(late=late))
    return report(folder)


def texts(folder: Path) -> list[str]:
    """Return what is written in the figure; glyphs are paths, each text beside a comment that says it."""
    return re.findall(r"<!-- (.*?) -->", (folder / "figures" / "one.svg").read_text())


def names(folder: Path) -> set[str]:
    return {element.get("id", "") for element in _groups(folder)}


def _groups(folder: Path) -> Iterator[ElementTree.Element]:
    return ElementTree.parse(folder / "figures" / "one.svg").iter(f"{SVG}g")  # noqa: S314 - our own


def markers(folder: Path, name: str) -> int:
    (group,) = (element for element in _groups(folder) if element.get("id") == name)
    return len(list(group.iter(f"{SVG}use")))


def test_a_curve_has_its_axes_series_and_bounds(tmp_path: Path) -> None:
    drawn(
        tmp_path, "{x: time_limit, y: distribution_s, series: distribution, theory: [client-server, p2p], title: Times}"
    )
    written = texts(tmp_path)
    wanted = {"time_limit", "distribution time (s)", "bittorrent", "client-server", "Times", "1 min", "2 min"}
    assert wanted <= set(written)
    assert {"client-server, bound", "p2p, bound"} <= set(written)
    assert {"series:bittorrent", "series:client-server", "theory:p2p", "theory:client-server"} <= names(tmp_path)
    assert markers(tmp_path, "series:bittorrent") == 2


def test_a_curve_of_ratios_has_one_bound(tmp_path: Path) -> None:
    drawn(tmp_path, "{x: time_limit, y: payload_ratio, series: distribution, interval: range, theory: [p2p]}")
    assert "theory:bound" in names(tmp_path)
    assert "distribution time / bound for payload" in texts(tmp_path)


def test_the_gain_of_a_group_is_drawn_against_its_share(tmp_path: Path) -> None:
    drawn(tmp_path, "{x: share, y: gain, series: group, where: distribution = bittorrent}")
    assert {"share of the peers", "gain", "fast", "slow"} <= set(texts(tmp_path))


def test_other_kinds_have_their_axes(tmp_path: Path) -> None:
    for number, (figure, wanted) in enumerate(
        {
            "{kind: cdf, series: group}": {"time (s)", "share of the peers", "fast", "slow"},
            "{kind: timeline, series: distribution}": {"time (s)", "utilisation of the peers' uplinks", "bittorrent"},
            "{kind: timeline, y: copies_rarest}": {"copies of the rarest piece"},
            "{kind: flows, where: distribution = bittorrent}": {"giver", "receiver", "payload (MiB)", "server", "p2"},
        }.items()
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert drawn(folder, figure).undrawn == ()
        assert wanted <= set(texts(folder))


def test_fonts_are_embedded(tmp_path: Path) -> None:
    drawn(tmp_path, "{x: time_limit}")
    content = (tmp_path / "figures" / "one.pdf").read_bytes()
    assert b"/FontFile2" in content
    assert b"/Type3" not in content
    assert b"CreationDate" not in content
    assert "<text" not in (tmp_path / "figures" / "one.svg").read_text()


def test_suspect_trials_are_left_out_and_the_figure_says_so(tmp_path: Path) -> None:
    drawn(tmp_path, "{x: time_limit, series: distribution}", suspect=True)
    assert "1 of 8 trials are suspect and are left out" in texts(tmp_path)
    report(tmp_path, with_suspect=True)
    assert "1 of 8 trials are suspect and are in it" in texts(tmp_path)


@pytest.mark.parametrize(
    ("figure", "complaint"),
    [
        ("{x: colour}", "figure one: there is no column 'colour'"),
        ("{kind: cdf, x: jam}", "figure one: there is no column 'jam'"),
        ("{kind: cdf, x: bytes_sent}", "'bytes_sent' is a column of transfers.csv, which this figure is not made from"),
        ("{kind: timeline, y: jain}", "figure one: y can be server_up_rate"),
        ("{x: time_limit, y: jain, theory: [p2p]}", "bounds are times: y can be distribution_s, or a ratio, not jain"),
        ("{x: time_limit, where: distribution = fluid}", "figure one: no valid trial has rows for it"),
        ("{kind: flows, y: jain}", "leave `y:` and `series:` out"),
    ],
)
def test_what_cannot_be_drawn_is_told(tmp_path: Path, figure: str, complaint: str) -> None:
    made = drawn(tmp_path, figure)
    (told,) = made.undrawn
    assert complaint in told
    assert not made.is_well
    assert list((tmp_path / "figures").iterdir()) == []


def test_without_a_sweep_a_curve_needs_its_x(tmp_path: Path) -> None:
    (told,) = drawn(tmp_path, "{y: jain}", sweep="").undrawn
    assert told == "figure one: nothing is swept: write `x:` and a column"


def test_peers_that_were_never_done_keep_the_line_below_one() -> None:
    values, shares = distribution(pd.Series([4.0, None, 2.0, None]))
    assert (values.tolist(), shares.tolist()) == ([0, 2, 4], [0, 0.25, 0.5])


def test_a_timeline_goes_on_as_long_as_half_of_its_trials_do() -> None:
    rows = pd.DataFrame({"trial": ["a", "a", "a", "b", "b", "c"], "t": [1, 2, 3, 1, 2, 1], "y": [1.0, 2, 3, 3, 4, 5]})
    assert mean_line(rows, "y").to_dict() == {1: 3.0, 2: 3.0}


def test_flows_are_means_over_trials() -> None:
    rows = pd.DataFrame(
        {
            "trial": ["a", "b"],
            "giver": ["p1", "p1"],
            "receiver": ["p2", "p2"],
            "bytes_sent": [1 << 20, None],
            "bytes_received": [None, 3 << 20],
        }
    )
    assert flow_matrix(rows, ["p1", "p2"]).to_dict() == {"p2": {"p1": 2.0}}


def test_quantities_stand_where_they_belong_and_words_in_their_order() -> None:
    assert Scale.of(["4 MiB", "16 MiB"]) == Scale({"4 MiB": 4 << 20, "16 MiB": 16 << 20}, is_plain=False)
    assert Scale.of([5, 10]) == Scale({5: 5.0, 10: 10.0}, is_plain=True)
    assert Scale.of(["cubic", "reno", "cubic"]) == Scale({"cubic": 0.0, "reno": 1.0}, is_plain=False)


def test_series_differ_without_colours() -> None:
    looks = [look(number) for number in range(8)]
    assert len({each.marker for each in looks}) == len({str(each.linestyle) for each in looks}) == 8
