"""Figures: named elements in the SVG, embedded fonts, and messages about figures that cannot be drawn."""

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure as Canvas
from ruamel.yaml import YAML

from testbed.experiment.schema.figures import Figure
from testbed.results import Report, report
from testbed.results.figures import draw, numbers_of
from testbed.results.figures.kinds.cdf import distribution
from testbed.results.figures.kinds.flows import flow_matrix
from testbed.results.figures.kinds.timeline import mean_line
from testbed.results.figures.layout import wrapped, wrapped_words
from testbed.results.figures.rows import FigureSource
from testbed.results.figures.scales import Places
from testbed.results.figures.style import look
from testbed.results.figures.units import Unit
from tests.runfolder.runs import (
    CALM,
    DISTURBED,
    GOLDEN,
    T0,
    golden,
    write_run,
    write_trial,
)

SWEEP = """\
sweep:
  distribution: [bittorrent, client-server]
  time_limit: [1 min, 2 min]
repeat: 2
"""
SVG = "{http://www.w3.org/2000/svg}"


def drawn(folder: Path, figure: str, *, sweep: str = SWEEP, suspect: bool = False, checked: bool = True) -> Report:
    """Report a run with one figure; the client-server trials end a second later, and the last trial may be suspect.

    Without `checked`, the figure need not be valid, as in the plan of an older version.
    """
    plan = write_run(folder, f"{GOLDEN}{sweep}figures:\n  one: {figure if checked else '{kind: cdf}'}\n")
    if not checked:
        figures = {"one": Figure.model_validate(YAML(typ="safe").load(figure))}
        (folder / "plan.json").write_text(plan.model_copy(update={"figures": figures}).to_json())
    for number, trial in enumerate(plan.trials):
        late = 1.0 if trial.settings.distribution == "client-server" else 0.1 * number
        is_suspect = suspect and number == len(plan.trials) - 1
        write_trial(folder, trial, golden(late=late, fidelity=DISTURBED) if is_suspect else golden(late=late))
    return report(folder)


def texts(folder: Path) -> list[str]:
    """Return the texts of the figure: glyphs are paths, and a comment beside each has its text."""
    return re.findall(r"<!-- (.*?) -->", (folder / "figures" / "one.svg").read_text())


def names(folder: Path) -> set[str]:
    return {element.get("id", "") for element in _groups(folder)}


def _groups(folder: Path) -> Iterator[ElementTree.Element]:
    return ElementTree.parse(folder / "figures" / "one.svg").iter(f"{SVG}g")  # noqa: S314 - our own


def markers(folder: Path, name: str) -> int:
    (group,) = (element for element in _groups(folder) if element.get("id") == name)
    return len(list(group.iter(f"{SVG}use")))


def test_curve_has_axes_series_and_bounds(tmp_path: Path) -> None:
    drawn(
        tmp_path, "{x: time_limit, y: distribution_s, series: distribution, theory: [client-server, p2p], title: Times}"
    )
    written = texts(tmp_path)
    assert {"time limit (min)", "distribution time (s)", "BitTorrent", "client-server", "Times", "1", "2"} <= set(
        written
    )
    assert {"bound, client-server", "bound, peer-to-peer"} <= set(written)
    assert {"series:bittorrent", "series:client-server", "theory:p2p", "theory:client-server"} <= names(tmp_path)
    assert markers(tmp_path, "series:bittorrent") == 2


def test_curve_of_ratios_has_one_bound(tmp_path: Path) -> None:
    drawn(tmp_path, "{x: time_limit, y: payload_ratio, series: distribution, interval: range, theory: [p2p]}")
    assert "theory:bound" in names(tmp_path)
    assert "distribution time / bound for payload" in " ".join(texts(tmp_path))


def test_curve_of_groups_uses_their_columns(tmp_path: Path) -> None:
    drawn(tmp_path, "{x: share, y: gain, series: group, where: distribution = bittorrent}")
    assert {"share of the peers", "gain over the other", "peers", "fast", "slow"} <= set(texts(tmp_path))


CLEVER = """\
sweep:
  peers.fast.strategy: [tit-for-tat, sequential]
repeat: 3
pair: peers.fast.strategy
"""


def compared(folder: Path, figure: str, suspect: int = 0) -> Report:
    """Report pairs in which p1 completes at 4 s, or at 2, 1 and 4 s with the other strategy."""
    plan = write_run(folder, f"{GOLDEN}{CLEVER}figures:\n  one: {figure}\n")
    for trial in plan.trials:
        is_clever = trial.hosts.peers[0].strategy.name == "sequential"
        done = {1: 2.0, 2: 1.0, 3: 4.0}[trial.repetition] if is_clever else 4.0
        happened = golden(fidelity=DISTURBED if is_clever and trial.repetition == suspect else CALM)
        events = [each | {"t": T0 + done} if each["event"] == "completed" else each for each in happened.traces["p1"]]
        write_trial(folder, trial, replace(happened, traces={**happened.traces, "p1": events}))
    return report(folder)


def draw_again(folder: Path) -> Canvas:
    made = report(folder)
    figure = made.run.plan.figures["one"]
    source = FigureSource("one", figure, made.run.plan, made.tables, made.with_suspect)
    return draw(numbers_of(source))


@pytest.mark.parametrize(
    ("how", "suspect", "mean"), [("gain", 0, (2 + 4 + 1) / 3), ("difference", 0, (-2 - 3 + 0) / 3), ("gain", 2, 1.5)]
)
def test_curve_compares_trials_with_their_partners(tmp_path: Path, how: str, suspect: int, mean: float) -> None:
    figure = f"{{x: share, y: download_mean_s, compared: {how}, where: group = fast}}"
    assert compared(tmp_path, figure, suspect).undrawn == ()
    (axes,) = draw_again(tmp_path).axes
    lines = {line.get_gid(): line for line in axes.lines}
    drawn_line, level = lines["series:"], lines["theory:no change"]
    assert drawn_line.get_xdata() == [0.5]
    assert drawn_line.get_ydata() == pytest.approx([mean])
    assert level.get_ydata()[0] == (1.0 if how == "gain" else 0.0)
    label = {"gain": "gain over tit-for-tat: mean download time"}
    wanted = label.get(how, "mean download time, minus that of tit-for-tat (s)")
    assert axes.get_ylabel().replace("\n", " ") == wanted


def test_pairs_that_are_left_out_are_named(tmp_path: Path) -> None:
    made = compared(tmp_path, "{x: share, y: download_mean_s, compared: gain, where: group = fast}", suspect=2)
    note = "1 of 3 pairs is left out, as one of its trials is suspect"
    assert made.notes == (f"figure one: {note}",)
    assert note in texts(tmp_path)
    assert report(tmp_path, with_suspect=True).notes == ()


def test_pairs_left_out_alone_do_not_make_a_figure_undrawn(tmp_path: Path) -> None:
    made = compared(tmp_path, "{x: share, y: download_mean_s, compared: gain, panels: group}", suspect=2)
    assert made.undrawn == ()
    (row,) = pd.read_csv(tmp_path / "figures" / "one.csv").query("group == 'fast'").to_dict("records")
    assert (row["value"], row["n"]) == (1.5, 2)


def test_figure_without_any_valid_pair_says_why(tmp_path: Path) -> None:
    figure = "{x: share, y: download_mean_s, compared: gain, where: group = fast and repetition = 2}"
    (message,) = compared(tmp_path, figure, suspect=2).undrawn
    assert message == "figure one: the only pair is left out, as one of its trials is suspect"


@pytest.mark.parametrize("with_suspect", [False, True])
def test_failed_trial_is_never_drawn(tmp_path: Path, with_suspect: bool) -> None:
    made = compared(tmp_path, "{x: share, y: download_mean_s, compared: gain, where: group = fast}")
    trials = made.tables.trials.copy()
    is_first = trials["pair"] == trials["pair"].iloc[0]
    trials.loc[is_first & (trials["peers.fast.strategy"] == "tit-for-tat"), "verdict"] = "failed"
    tables = replace(made.tables, by_name={**made.tables.by_name, "trials": trials})
    source = FigureSource("one", made.run.plan.figures["one"], made.run.plan, tables, with_suspect)
    found = numbers_of(source)
    assert found.left_out == "1 of 3 pairs is left out, as one of its trials failed"
    assert found.doubts == "1 of 6 trials failed and is left out"
    assert found.rows["n"].tolist() == [2]


def test_panel_without_valid_pairs_is_labelled(tmp_path: Path) -> None:
    figure = "{x: share, y: download_mean_s, compared: gain, where: group = fast, panels: repetition}"
    assert compared(tmp_path, figure, suspect=2).undrawn == ()
    panels = draw_again(tmp_path).axes
    assert [[text.get_text() for text in axes.texts] for axes in panels] == [[], ["no valid data"], []]


def test_partner_need_not_meet_the_condition(tmp_path: Path) -> None:
    figure = "{x: share, y: gain, series: strategy, compared: gain, where: strategy = sequential}"
    assert compared(tmp_path, figure).undrawn == ()
    series = [line for line in draw_again(tmp_path).axes[0].lines if str(line.get_gid()).startswith("series:")]
    assert [(line.get_gid(), len(line.get_xdata())) for line in series] == [("series:sequential", 1)]


def test_trials_without_partners_are_not_drawn(tmp_path: Path) -> None:
    (message,) = compared(
        tmp_path, "{x: share, y: gain, compared: gain, where: strategy = tit-for-tat and group = fast}"
    ).undrawn
    assert message == "figure one: no trial has a partner to be compared with"


EQUAL = """\
file: {size: 2 MB, piece_length: 1 MiB}
servers: {up: 8 Mbit/s}
peers: {homes: {count: 2, up: 8 Mbit/s}}
sweep: {file.piece_length: [256 KiB, 512 KiB, 1 MiB]}
"""


@pytest.mark.parametrize("y", ["distribution_s", "payload_ratio"])
def test_bound_of_pieces_is_drawn(tmp_path: Path, y: str) -> None:
    plan = write_run(tmp_path, f"{EQUAL}figures: {{one: {{y: {y}, theory: [pieces]}}}}\n")
    for trial in plan.trials:
        write_trial(tmp_path, trial, golden())
    (axes,) = draw_again(tmp_path).axes
    lines = {line.get_gid(): line for line in axes.lines}
    bound = 1514 / 1448 * 2.0
    seconds = [bound * (1 + 1 / pieces) for pieces in (8, 4, 2)]
    expected = seconds if y == "distribution_s" else [each / bound for each in seconds]
    assert lines["theory:pieces"].get_ydata() == pytest.approx(expected)
    assert lines["theory:pieces"].get_xdata() == pytest.approx([256, 512, 1024])
    assert axes.get_xlabel() == "piece length (KiB)"
    assert axes.get_xscale() == "log"


def test_geometric_values_have_log_scale() -> None:
    assert Places.made(["16 KiB", "64 KiB", "32 KiB"]).is_geometric
    assert Places.made([1, 10, 100]).is_geometric
    assert not any(Places.made(values).is_geometric for values in ([5, 10], [5, 10, 15], [0, 1, 2], ["a", "b", "c"]))


def test_other_kinds_have_their_axes(tmp_path: Path) -> None:
    for number, (figure, wanted) in enumerate(
        {
            "{kind: cdf, series: group}": {"time (s)", "share of the peers", "fast", "slow"},
            "{kind: timeline, series: distribution}": {
                "time (s)",
                "utilisation of the",
                "peers' uplinks",
                "BitTorrent",
            },
            "{kind: timeline, y: copies_rarest}": {"copies of the rarest", "piece"},
            "{kind: flows, where: distribution = bittorrent}": {"giver", "receiver", "payload (MiB)", "server", "p2"},
        }.items()
    ):
        folder = tmp_path / str(number)
        folder.mkdir()
        assert drawn(folder, figure).undrawn == ()
        assert wanted <= set(texts(folder))


def legend(folder: Path) -> list[str]:
    """Return the title of the legend, if it has one, and its entries."""
    legends = draw_again(folder).legends
    if not legends:
        return []
    (one,) = legends
    return [*filter(None, [one.get_title().get_text()]), *(text.get_text() for text in one.get_texts())]


def cells(folder: Path) -> list[list[str]]:
    """Return what is written in the cells of each panel of a matrix."""
    panels = [axes for axes in draw_again(folder).axes if axes.images]
    return [[text.get_text() for text in axes.texts] for axes in panels]


def test_heatmap_cells_have_means_and_intervals(tmp_path: Path) -> None:
    assert drawn(tmp_path, "{kind: heatmap, x: time_limit, series: distribution}").undrawn == ()
    (axes, *_) = draw_again(tmp_path).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["BitTorrent", "client-server"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["1 min", "2 min"]
    (written,) = cells(tmp_path)
    assert len(written) == 4
    assert written[2] == "6.00\n6.00\u20136.00"


def test_other_swept_keys_are_heatmap_columns(tmp_path: Path) -> None:
    sweep = SWEEP.replace("repeat", "  profile: [course, bep3]\nrepeat")
    assert drawn(tmp_path, "{kind: heatmap, series: distribution}", sweep=sweep).undrawn == ()
    (axes, *_) = draw_again(tmp_path).axes
    columns = [label.get_text() for label in axes.get_xticklabels()]
    assert columns == ["1 min\ncourse", "1 min\nBEP 3", "2 min\ncourse", "2 min\nBEP 3"]
    assert axes.get_xlabel() == "time limit, profile"


def test_heatmap_of_gains_has_panels(tmp_path: Path) -> None:
    figure = "{kind: heatmap, x: distribution, y: download_mean_s, compared: gain, panels: group, title: Gains}"
    assert compared(tmp_path, figure).undrawn == ()
    canvas = draw_again(tmp_path)
    assert canvas.get_suptitle() == "Gains"
    assert [axes.get_title() for axes in canvas.axes if axes.images] == ["fast", "slow"]
    assert [[words.partition("\n")[0] for words in panel] for panel in cells(tmp_path)] == [["2.33"], ["1.00"]]
    assert "gain over tit-for-tat" in " ".join(texts(tmp_path))


def test_heatmap_panels_are_stacked(tmp_path: Path) -> None:
    compared(tmp_path, "{kind: heatmap, x: distribution, y: download_mean_s, compared: gain, panels: group}")
    above, below = (axes for axes in draw_again(tmp_path).axes if axes.images)
    assert above.get_position().x0 == pytest.approx(below.get_position().x0, abs=0.05)
    assert above.get_position().y0 > below.get_position().y1
    for axes in (above, below):
        assert [label.get_text() for label in axes.get_yticklabels()] == ["sequential"]
    assert [label.get_text() for label in below.get_xticklabels()] == ["BitTorrent"]
    assert above.get_xlabel() == ""


def test_interval_that_excludes_no_change_is_bold(tmp_path: Path) -> None:
    figure = "{kind: heatmap, x: distribution, y: download_mean_s, compared: gain, panels: group}"
    compared(tmp_path, figure, suspect=3)
    panels = [axes for axes in draw_again(tmp_path).axes if axes.images]
    assert [[text.get_fontweight() for text in axes.texts] for axes in panels] == [["bold"], ["normal"]]


@pytest.mark.parametrize(("how", "no_change", "sooner"), [("gain", 1.0, 1.5), ("difference", 0.0, -0.5)])
def test_colours_show_direction_of_change(tmp_path: Path, how: str, no_change: float, sooner: float) -> None:
    compared(tmp_path, f"{{kind: heatmap, x: distribution, y: download_mean_s, compared: {how}, where: group = fast}}")
    (image,) = draw_again(tmp_path).axes[0].images
    assert min(image.to_rgba(no_change)[:3]) > 0.95
    for value, leads in ((sooner, "blue"), (1 / sooner if how == "gain" else -sooner, "red")):
        red, _, blue, _ = image.to_rgba(value)
        assert (blue > red) == (leads == "blue")


def test_wide_heatmap_makes_wide_figure(tmp_path: Path) -> None:
    def width(folder: Path, columns: int) -> float:
        folder.mkdir()
        limits = ", ".join(f"{minutes} min" for minutes in range(1, columns + 1))
        sweep = f"sweep:\n  distribution: [bittorrent, client-server]\n  time_limit: [{limits}]\n"
        drawn(folder, "{kind: heatmap, series: distribution}", sweep=sweep)
        return float(draw_again(folder).get_figwidth())

    assert width(tmp_path / "wide", 10) > 1.4 * width(tmp_path / "narrow", 2)


def test_long_axis_label_is_wrapped() -> None:
    label = wrapped("gain over tit-for-tat, neighbours 40: mean download time", 1.55, 8)
    assert label.split("\n") == ["gain over tit-for-tat,", "neighbours 40: mean", "download time"]


def test_cell_without_number_says_so(tmp_path: Path) -> None:
    figure = "{kind: heatmap, series: distribution, y: copies_rarest, where: t > 100 or distribution = bittorrent}"
    assert drawn(tmp_path, figure, sweep=SWEEP.replace("repeat: 2", "repeat: 1")).undrawn == ()
    (written,) = cells(tmp_path)
    assert [words == "n/a" for words in written] == [False, False]


def test_missing_cell_says_so(tmp_path: Path) -> None:
    figure = (
        "{kind: heatmap, x: time_limit, series: distribution, where: 'time_limit = 1 min or distribution = bittorrent'}"
    )
    assert drawn(tmp_path, figure).undrawn == ()
    (written,) = cells(tmp_path)
    assert [words.partition("\n")[0] for words in written][3] == "n/a"


def test_curve_can_have_panels(tmp_path: Path) -> None:
    assert drawn(tmp_path, "{x: time_limit, panels: distribution, where: N = 2}").undrawn == ()
    panels = draw_again(tmp_path).axes
    assert [axes.get_title() for axes in panels] == ["BitTorrent", "client-server"]
    assert all(len(axes.lines[0].get_xdata()) == 2 for axes in panels)


def test_panel_title_of_number_has_its_key(tmp_path: Path) -> None:
    drawn(tmp_path, "{x: distribution, panels: time_limit}")
    assert [axes.get_title() for axes in draw_again(tmp_path).axes] == ["time limit = 1 min", "time limit = 2 min"]


KINDS_OF_FIGURES = (
    "{x: time_limit, theory: [p2p]}",
    "{kind: cdf}",
    "{kind: timeline}",
    "{kind: flows}",
    "{kind: heatmap, series: distribution}",
)


@pytest.mark.parametrize("figure", KINDS_OF_FIGURES)
def test_every_font_is_embedded(tmp_path: Path, figure: str) -> None:
    drawn(tmp_path, figure)
    content = (tmp_path / "figures" / "one.pdf").read_bytes()
    fonts = content.count(b"/Type /FontDescriptor")
    assert content.count(b"/FontFile2") == fonts > 0
    assert b"/Type3" not in content
    assert b"CreationDate" not in content
    assert "<text" not in (tmp_path / "figures" / "one.svg").read_text()


def test_figure_notes_suspect_trials(tmp_path: Path) -> None:
    drawn(tmp_path, "{x: time_limit, series: distribution}", suspect=True)
    assert "1 of 8 trials is suspect and is left out" in texts(tmp_path)
    report(tmp_path, with_suspect=True)
    assert "1 of 8 trials is suspect and is included" in texts(tmp_path)


@pytest.mark.parametrize(
    ("figure", "complaint"),
    [
        ("{x: colour}", "figure one: there is no column 'colour'"),
        ("{kind: cdf, x: jam}", "figure one: there is no column 'jam'"),
        (
            "{kind: cdf, x: bytes_sent}",
            "'bytes_sent' is a column of transfers.csv, but this figure is made from another table",
        ),
        ("{kind: timeline, y: jain}", "figure one: y must be server_up_rate"),
        ("{x: time_limit, y: jain, theory: [p2p]}", "bounds are times: y must be distribution_s or a ratio, not jain"),
        ("{x: time_limit, where: distribution = fluid}", "figure one: no valid trial has rows for it"),
        ("{kind: flows, y: jain}", "leave `y:` and `series:` out"),
    ],
)
def test_impossible_figure_is_reported(tmp_path: Path, figure: str, complaint: str) -> None:
    made = drawn(tmp_path, figure, checked=False)
    (message,) = made.undrawn
    assert complaint in message
    assert not made.is_well
    assert list((tmp_path / "figures").iterdir()) == []


def test_curve_without_sweep_needs_x(tmp_path: Path) -> None:
    (message,) = drawn(tmp_path, "{y: jain}", sweep="", checked=False).undrawn
    assert message == "figure one: nothing is swept: write `x:` and a column"


def test_unfinished_peers_keep_cdf_below_one() -> None:
    values, shares = distribution(pd.Series([4.0, None, 2.0, None]))
    assert (values.tolist(), shares.tolist()) == ([0, 2, 4], [0, 0.25, 0.5])


def test_timeline_ends_with_half_of_its_trials() -> None:
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
    assert flow_matrix(rows, ["p1", "p2"]).to_dict() == {"p2": {"p1": 2 << 20}}


def test_quantities_are_placed_by_value_words_in_order() -> None:
    assert Places.made(["4 MiB", "16 MiB"]) == Places({"4 MiB": 4.0, "16 MiB": 16.0}, Unit("MiB", 1 << 20))
    assert Places.made([5, 10]) == Places({5: 5.0, 10: 10.0})
    assert Places.made(["cubic", "reno", "cubic"]) == Places({"cubic": 0.0, "reno": 1.0}, is_of_words=True)


def test_series_of_words_are_drawn_side_by_side(tmp_path: Path) -> None:
    drawn(tmp_path, "{x: distribution, y: distribution_s, series: time_limit}")
    lines = {line.get_gid(): line for line in draw_again(tmp_path).axes[0].lines}
    first, second = lines["series:1 min"], lines["series:2 min"]
    assert (first.get_linestyle(), second.get_linestyle()) == ("None", "None")
    places = list(zip(first.get_xdata(), second.get_xdata(), strict=True))
    assert places == [(pytest.approx(place - 0.06), pytest.approx(place + 0.06)) for place in (0, 1)]


def test_single_series_has_no_legend(tmp_path: Path) -> None:
    values = "[tit-for-tat, sequential, random-order]"
    text = GOLDEN + CLEVER.replace("[tit-for-tat, sequential]", values).replace("repeat: 3", "repeat: 1")
    figure = "{x: peers.fast.strategy, y: download_mean_s, compared: gain, where: group = fast}"
    for trial in write_run(tmp_path, f"{text}figures: {{one: {figure}}}\n").trials:
        write_trial(tmp_path, trial, golden())
    report(tmp_path)
    axes = draw_again(tmp_path).axes[0]
    assert legend(tmp_path) == []
    assert [label.get_text() for label in axes.get_xticklabels()] == ["sequential", "random order"]


def test_words_are_broken_or_turned_where_they_have_no_room() -> None:
    assert wrapped_words(["BitTyrant, excess withheld", "swift"], 2.6, 7) == (
        ["BitTyrant, excess\nwithheld", "swift"],
        0,
    )
    names, angle = wrapped_words(["round-robin", "super-seeding", "anti-leech, fast", "fastest first"], 2.0, 7)
    assert angle > 0
    assert names[2] == "anti-leech,\nfast"


def test_series_of_one_word_stay_apart() -> None:
    places = Places.made(["cubic", "reno"])
    offsets = [places.offset(number, 20) for number in range(20)]
    assert max(offsets) - min(offsets) < 0.6


def test_few_series_differ_in_brightness() -> None:
    greys = sorted(rgb_to_grey(*to_rgb(look(number).color)) for number in range(4))
    assert all(after - before > 0.02 for before, after in pairwise(greys))
    assert max(greys) < 0.75, "a light line cannot be seen on white paper"


def rgb_to_grey(red: float, green: float, blue: float) -> float:
    """Return how bright a colour is printed in grey (ITU-R BT.601)."""
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_series_differ_without_colours() -> None:
    looks = [look(number) for number in range(8)]
    assert len({each.marker for each in looks}) == len({str(each.linestyle) for each in looks}) == 8
