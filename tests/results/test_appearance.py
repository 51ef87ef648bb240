"""What figures look like: words, units, one look for a series, axes of gains, sizes; of numbers written here."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure as Canvas

from testbed.experiment.language.cells import as_cell
from testbed.experiment.schema.figures import Figure
from testbed.results.figures.drawing import choose, draw
from testbed.results.figures.kinds.heatmap import Colours, luminance
from testbed.results.figures.numbers import MEASURED, Numbers, read_numbers, write_numbers
from testbed.results.figures.phrases import Phrases
from testbed.results.figures.rows import FigureError
from testbed.results.figures.units import unit_of, written_unit
from testbed.results.page.words import Words
from testbed.tasks.distribute.columns import COLUMNS
from testbed.tasks.distribute.words import key_label
from testbed.tasks.find.task import FIND
from tests.experiment.files import planned
from tests.tasks.find.files import RING

ALONE = """\
file: {size: 4 MiB}
servers: {up: 8 Mbit/s}
peers: {homes: {count: 4, up: 8 Mbit/s}}
"""
SWARM = f"""\
{ALONE}sweep:
  distribution: [client-server, bittorrent]
  peers.homes.count: [2, 4]
"""
PAIRS = f"""\
{ALONE}pair: peers.homes.strategy
sweep:
  peers.homes.strategy: [tit-for-tat, {{class: bitthief, connections: 4}}]
  servers.up: [450 kB/s, 750 kB/s, 1500 kB/s]
  profile: [course, mainline]
"""
THIEF = '{"class": "bitthief", "connections": 4}'

Row = tuple[object, ...]


def numbers(folder: Path, text: str, figure: dict[str, Any], keys: str, *rows: Row) -> Numbers:
    """Return a figure's numbers; a row has the keys, and line, value and the ends of the interval as far as given."""
    plan, chosen = planned(folder, text), Figure.model_validate(figure)
    names = [*keys.split(), *MEASURED]
    frame = pd.DataFrame([(*row, *[None] * (len(names) - len(row))) for row in rows], columns=names)
    frame = frame.astype(dict.fromkeys(MEASURED[1:], float))
    return Numbers("one", chosen, plan, choose("one", chosen, plan), frame)


def times(folder: Path, **figure: Any) -> Numbers:
    """Return distribution times of two and four peers."""
    shown = {"x": "peers.homes.count", "series": "distribution", **figure}
    rows = [
        (name, count, "distribution_s", 2.0 * count) for name in ("client-server", "bittorrent") for count in (2, 4)
    ]
    return numbers(folder, SWARM, shown, "distribution peers.homes.count", *rows)


def gains(folder: Path, *values: tuple[float, float, float], **figure: Any) -> Numbers:
    """Return the gains of one strategy at each of the server's rates, with intervals."""
    shown = {"x": "servers.up", "y": "download_mean_s", "compared": "gain", **figure}
    rates = ("450 kB/s", "750 kB/s", "1500 kB/s")
    rows = [(rate, "download_mean_s", *each) for rate, each in zip(rates, values, strict=True)]
    return numbers(folder, PAIRS, shown, "servers.up", *rows)


def legend(canvas: Canvas) -> list[str]:
    (one,) = canvas.legends
    return [*filter(None, [one.get_title().get_text()]), *(text.get_text() for text in one.get_texts())]


@pytest.mark.parametrize(
    ("key", "groups", "words"),
    [
        ("peers.homes.count", ["homes"], "number of peers"),
        ("peers.polluters.count", ["homes", "polluters"], "number of polluters"),
        ("peers.one.strategy", ["one", "others"], "strategy of group one"),
        ("peers.free_riders.up", ["free_riders", "one"], "upload rate of the free riders"),
        ("peers.homes.arrival.at", ["homes"], "arrival of the peers"),
        ("servers.up", ["homes"], "upload rate of the server"),
        ("servers.strategy.slots", ["homes"], "slots of the server"),
        ("file.piece_length", ["homes"], "piece length"),
        ("distribution", ["homes"], "scheme"),
        ("congestion_control", ["homes"], "congestion control"),
    ],
)
def test_swept_key_is_called_by_words(key: str, groups: list[str], words: str) -> None:
    assert key_label(key, groups) == words


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        (THIEF, "BitThief, 4 connections"),
        ('{"class": "sybil", "identities": 1}', "Sybil, 1 identity"),
        ('{"class": "bittyrant", "excess": "withheld"}', "BitTyrant, excess withheld"),
        ('{"class": "my:Own", "pex": false, "eager": true}', "my:Own, no pex, eager"),
        ('{"poisson": "60 /min"}', "Poisson 60 /min"),
        ('{"mid_way": {"at": "50 %", "back_after": "9 s"}}', "mid way at 50 %, back after 9 s"),
        ("free_riders", "free riders"),
        ("bep3", "BEP 3"),
        (8, "8"),
        ("{torn", "{torn"),
    ],
)
def test_value_is_called_by_words(tmp_path: Path, cell: object, words: str) -> None:
    assert Phrases(Figure(), planned(tmp_path, SWARM), COLUMNS).name(cell) == words


def test_every_column_of_numbers_has_words() -> None:
    unnamed = {
        name
        for table in ("trials", "groups", "peers", "transfers", "timeline")
        for name, column in COLUMNS.tables[table].items()
        if not (column.is_words or column.label)
    }
    assert unnamed == {"seed", "payload_received", "payload_sent"} - {"payload_received", "payload_sent"}


def test_axes_and_legend_have_default_words(tmp_path: Path) -> None:
    canvas = draw(times(tmp_path))
    (axes,) = canvas.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("number of peers", "distribution time (s)")
    assert [text.get_text() for text in axes.get_xticklabels()] == ["2", "4"]
    assert legend(canvas) == ["scheme", "client-server", "BitTorrent"]


def test_labels_and_names_replace_default_words(tmp_path: Path) -> None:
    labels = {"x": "homes", "y": "time", "series": "how"}
    canvas = draw(times(tmp_path, labels=labels, names={"bittorrent": "swarm"}))
    (axes,) = canvas.axes
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("homes", "time (s)")
    assert legend(canvas) == ["how", "client-server", "swarm"]


def test_empty_label_leaves_words_out(tmp_path: Path) -> None:
    canvas = draw(times(tmp_path, labels={"series": "", "y": ""}))
    assert canvas.axes[0].get_ylabel() == ""
    assert legend(canvas) == ["client-server", "BitTorrent"]


def test_name_of_strategy_is_used_with_its_parameters(tmp_path: Path) -> None:
    phrases = Phrases(Figure(names={"bitthief": "Thief"}), planned(tmp_path, SWARM), COLUMNS)
    assert phrases.name(THIEF) == "Thief, 4 connections"
    phrases = Phrases(Figure(names={"bitthief, connections 4": "poor"}), planned(tmp_path, SWARM), COLUMNS)
    assert phrases.name(THIEF) == "poor"


def test_overlays_are_told_apart_by_the_first_parameter_in_which_they_differ(tmp_path: Path) -> None:
    swept = """\
sweep:
  overlay:
    - {class: chord, successors: 6, stabilise_every: 2, refresh_every: 10}
    - {class: chord, successors: 6, stabilise_every: 10, refresh_every: 50}
    - {class: kademlia, k: 3, timeout: 1}
    - {class: gnutella, search: {silence: 5, ttl: 3}}
    - {class: gnutella, search: {silence: 5, ttl: 7, way: walk}}
    - gnutella
"""
    plan = planned(tmp_path, RING + swept)
    cells = [as_cell(trial.point["overlay"]) for trial in plan.trials]
    phrases = Phrases(Figure(), plan, FIND.columns)
    assert [phrases.name(cell) for cell in cells] == [
        "Chord, stabilise every 2",
        "Chord, stabilise every 10",
        "Kademlia",
        "Gnutella, search silence 5, TTL 3",
        "Gnutella, search silence 5, TTL 7",
        "Gnutella",
    ]
    assert [Words(plan, FIND.columns).value(cell) for cell in cells] == [phrases.name(cell) for cell in cells]
    named = Figure(names={"kademlia, k 3, timeout 1": "Kademlia of few"})
    assert Phrases(named, plan, FIND.columns).name(cells[2]) == "Kademlia of few"


@pytest.mark.parametrize(
    ("column", "largest", "wanted", "unit", "worth"),
    [
        ("payload_rate", 2e7, None, "Mbit/s", 1e6),
        ("payload_rate", 2e5, None, "kbit/s", 1e3),
        ("payload_bytes", 5 << 20, None, "MiB", 1 << 20),
        ("payload_bytes", 5 << 20, "kB", "kB", 1000),
        ("distribution_s", 90, None, "s", 1),
        ("distribution_s", 900, None, "min", 60),
        ("distribution_s", 90, "min", "min", 60),
        ("worst_lateness_ms", 20, "s", "s", 1000),
        ("peer_utilisation", 1, "%", "%", 0.01),
        ("jain", 1, None, "", 1),
    ],
)
def test_unit_suits_the_numbers(column: str, largest: float, wanted: str | None, unit: str, worth: float) -> None:
    chosen = unit_of(COLUMNS.column(column), [1.0, largest, float("nan")], wanted)
    assert chosen.name == unit
    assert chosen.worth == pytest.approx(worth)


def test_swept_quantities_keep_their_unit() -> None:
    assert written_unit(["450 kB/s", "1500 kB/s"], None).name == "kB/s"
    assert written_unit(["16 KiB", "2 MiB"], None).name == "KiB"
    assert written_unit(["16 KiB", "1 GiB"], None).name == "GiB"
    assert written_unit([2, 4], None).name == ""
    assert written_unit(["8 Mbit/s"], "kB/s").worth == 8000


def test_series_looks_the_same_in_all_panels(tmp_path: Path) -> None:
    shown = {"x": "distribution", "y": "distribution_s", "series": "servers.up", "panels": "profile"}
    rows = [
        ("course", "1500 kB/s", "bittorrent", "distribution_s", 1.0),
        ("course", "450 kB/s", "bittorrent", "distribution_s", 2.0),
        ("mainline", "750 kB/s", "bittorrent", "distribution_s", 3.0),
        ("mainline", "1500 kB/s", "bittorrent", "distribution_s", 4.0),
    ]
    canvas = draw(numbers(tmp_path, PAIRS, shown, "profile servers.up distribution", *rows))
    looks = [{line.get_gid(): (line.get_marker(), line.get_color()) for line in axes.lines} for axes in canvas.axes]
    assert looks[0]["series:1500 kB/s"] == looks[1]["series:1500 kB/s"]
    assert looks[0]["series:450 kB/s"] != looks[1]["series:750 kB/s"]
    assert legend(canvas) == ["upload rate of the server", "450 kB/s", "750 kB/s", "1500 kB/s"]


def test_gains_are_on_a_log_axis_around_one(tmp_path: Path) -> None:
    (axes,) = draw(gains(tmp_path, (0.7, 0.6, 0.8), (1.0, 0.9, 1.1), (1.5, 1.4, 1.6))).axes
    low, high = axes.get_ylim()
    assert axes.get_yscale() == "log"
    assert low < 0.6
    assert high > 1.6
    assert {1.0, 0.8, 1.25} <= set(axes.get_yticks())
    assert axes.get_xlabel() == "upload rate of the server (kB/s)"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["450", "750", "1500"]


def test_small_gains_do_not_fill_the_axis(tmp_path: Path) -> None:
    (axes,) = draw(gains(tmp_path, (1.0, 1.0, 1.0), (1.01, 1.0, 1.02), (0.99, 0.98, 1.0))).axes
    low, high = axes.get_ylim()
    assert low < 0.8
    assert high > 1.25


def test_gains_can_be_on_a_linear_axis(tmp_path: Path) -> None:
    (axes,) = draw(gains(tmp_path, *[(1.0, 0.9, 1.1)] * 3, scale={"y": "linear"})).axes
    assert axes.get_yscale() == "linear"


def test_log_axis_refuses_zero(tmp_path: Path) -> None:
    shown = numbers(tmp_path, SWARM, {"y": "jain", "scale": {"y": "log"}}, "distribution", ("bittorrent", "jain", 0.0))
    with pytest.raises(FigureError, match="values that are not above 0, which no log axis can show"):
        draw(shown)


@pytest.mark.parametrize("how", ["gain", "difference", None])
def test_letters_can_be_read_on_every_cell(tmp_path: Path, how: str | None) -> None:
    values = [(0.3 + 0.3 * k,) * 3 for k in range(3)]
    shown = (
        gains(tmp_path, *values, kind="heatmap", series="profile")
        if how is None
        else gains(tmp_path, *values, kind="heatmap", series="profile", compared=how)
    )
    colours = Colours.of(shown, 1.0)
    for step in range(40):
        number = 0.3 + 0.6 * step / 39
        cell = luminance(colours.map(colours.norm(number)))
        ink = {"black": 0.0, "white": 1.0}[colours.ink(number)]
        bright, dark = max(cell, ink), min(cell, ink)
        assert (bright + 0.05) / (dark + 0.05) > 4.5


def test_groups_are_named_beside_the_matrix(tmp_path: Path) -> None:
    rows = [
        (giver, receiver, groups[0], groups[1], "bytes_sent", 1 << 20)
        for giver, receiver, groups in [
            ("server", "p1", ("server", "slow_ones")),
            ("server", "p2", ("server", "fast")),
            ("p1", "p2", ("slow_ones", "fast")),
            ("p2", "p1", ("fast", "slow_ones")),
        ]
    ]
    keys = "giver receiver giver_group receiver_group"
    canvas = draw(numbers(tmp_path, SWARM, {"kind": "flows"}, keys, *rows))
    main = canvas.axes[0]
    down, across = main.child_axes
    assert [text.get_text() for text in down.get_yticklabels(minor=True)] == ["server", "slow ones", "fast"]
    assert [text.get_text() for text in across.get_xticklabels(minor=True)] == ["slow ones", "fast"]
    assert [text.get_text() for text in main.get_yticklabels()] == ["", "p1", "p2"]
    assert (down.get_ylabel(), across.get_xlabel()) == ("giver", "receiver")


def test_timeline_has_a_line_for_each_column_and_series(tmp_path: Path) -> None:
    shown = {"kind": "timeline", "y": ["server_utilisation", "peer_utilisation"], "series": "distribution"}
    rows = [
        (name, second, y, 0.5)
        for y in ("server_utilisation", "peer_utilisation")
        for name in ("client-server", "bittorrent")
        for second in (1, 2)
    ]
    canvas = draw(numbers(tmp_path, SWARM, shown, "distribution t", *rows))
    assert legend(canvas) == [
        "utilisation of the server's uplink, client-server",
        "utilisation of the server's uplink, BitTorrent",
        "utilisation of the peers' uplinks, client-server",
        "utilisation of the peers' uplinks, BitTorrent",
    ]
    colours = [line.get_color() for line in canvas.axes[0].lines]
    assert colours[:2] == colours[2:]
    assert canvas.axes[0].get_ylabel() == "share"


@pytest.mark.parametrize(("size", "inches"), [("column", 3.4), ("wide", 7.0), (None, 3.4)])
def test_figure_is_as_wide_as_a_column_or_a_page(tmp_path: Path, size: str | None, inches: float) -> None:
    assert draw(times(tmp_path, size=size)).get_figwidth() == inches


def test_panels_stand_side_by_side_only_in_a_wide_figure(tmp_path: Path) -> None:
    rows = [(panel, 2, "distribution_s", 1.0) for panel in ("bittorrent", "client-server")]
    for size, width in ((None, 7.0), ("column", 3.4)):
        shown = {"x": "peers.homes.count", "panels": "distribution", "size": size}
        canvas = draw(numbers(tmp_path, SWARM, shown, "distribution peers.homes.count", *rows))
        first, second = (axes.get_position() for axes in canvas.axes)
        assert canvas.get_figwidth() == width
        assert (first.x0 < second.x0) == (size is None)


def test_nothing_is_outside_the_figure(tmp_path: Path) -> None:
    names = {"bittorrent": "peers that help each other as well as they can"}
    labels = {"y": "a label that is longer than the axis beside which it stands, and so is broken into lines"}
    canvas = draw(times(tmp_path, names=names, labels=labels, font={"size": 10, "family": "times"}))
    canvas.draw_without_rendering()
    tight = canvas.get_tightbbox()
    assert tight.x0 >= 0
    assert tight.y0 >= 0
    assert tight.x1 <= canvas.get_figwidth()
    assert tight.y1 <= canvas.get_figheight()


def test_unknown_font_is_refused_with_a_suggestion(tmp_path: Path) -> None:
    shown = times(tmp_path, font={"family": "DejaVu Sarif"})
    with pytest.raises(
        FigureError, match=r"figure one: the font 'DejaVu Sarif' is not installed \(did you mean DejaVu S"
    ):
        draw(shown)


def test_log_axis_has_plain_numbers(tmp_path: Path) -> None:
    rows = [(count, "distribution_s", float(count)) for count in (2, 4000)]
    shown = {"x": "peers.homes.count", "scale": {"y": "log"}}
    canvas = draw(numbers(tmp_path, SWARM, shown, "peers.homes.count", *rows))
    canvas.draw_without_rendering()
    labels = [text.get_text() for text in canvas.axes[0].get_yticklabels()]
    assert {"0.1", "1", "10"} <= set(labels)


def test_numbers_survive_their_file(tmp_path: Path) -> None:
    shown = gains(tmp_path, (0.7, 0.6, 0.8), (1.0, 0.9, 1.1), (1.5, 1.4, 1.6))
    with (tmp_path / "one.csv").open("wb") as file:
        write_numbers(shown, file)
    pd.testing.assert_frame_equal(read_numbers(tmp_path / "one.csv"), shown.rows, check_dtype=False)


def test_keys_of_numbers_are_read_as_tables_have_them(tmp_path: Path) -> None:
    (tmp_path / "one.csv").write_text(
        f'x,line,value\n8,y,1\n0.5,y,1\n4 MiB,y,1\n"{THIEF.replace(chr(34), chr(34) * 2)}",y,\n'
    )
    read = read_numbers(tmp_path / "one.csv")
    assert read["x"].tolist() == [8, 0.5, "4 MiB", THIEF]
    assert read["value"].isna().tolist() == [False, False, False, True]


def test_numeric_series_are_in_order(tmp_path: Path) -> None:
    shown = {"x": "distribution", "series": "peers.homes.count"}
    rows = [(count, "bittorrent", "distribution_s", 1.0) for count in (30, 4, 10)]
    found = numbers(tmp_path, SWARM, shown, "peers.homes.count distribution", *rows).series_values()
    assert all(before < after for before, after in pairwise(found))
