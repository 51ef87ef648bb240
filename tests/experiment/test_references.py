"""Unknown columns and values in figures and expectations are found before a run, at their place."""

from pathlib import Path

import pytest

from testbed.experiment import ExperimentError, read_experiment
from testbed.experiment.language.cells import readable
from testbed.experiment.schema.figures import USED_BY
from testbed.tasks.distribute.columns import TABLES

SWARM = """\
file: {size: 4 MiB}
servers: {up: 8 Mbit/s}
peers:
  homes: {count: 4, up: 8 Mbit/s}
sweep:
  distribution: [client-server, bittorrent]
  peers.homes.count: [2, 4]
"""
LINE = SWARM.count("\n") + 1
"""The line of the expressions under test."""
COLUMNS = "the columns are the swept keys and those in docs/results.md"


def read(folder: Path, text: str) -> list[str]:
    """Return the messages about a file, without its name and the line; none if it is valid."""
    file = folder / "x.yaml"
    file.write_text(text)
    try:
        read_experiment(file)
    except ExperimentError as error:
        return [str(problem).removeprefix(f"{file}:{LINE}:") for problem in error.problems]
    return []


@pytest.mark.parametrize(
    ("figure", "says"),
    [
        (
            "y: distribution_ss",
            f"15: figures.f.y: there is no column 'distribution_ss' (did you mean distribution_s?): {COLUMNS}",
        ),
        (
            "x: peers.homes.cuont",
            f"15: figures.f.x: there is no column 'peers.homes.cuont' (did you mean peers.homes.count?): {COLUMNS}",
        ),
        ("x: file.size", f"15: figures.f.x: there is no column 'file.size': {COLUMNS}"),
        ("series: colour", f"15: figures.f.series: there is no column 'colour': {COLUMNS}"),
        ("where: N > 2 and verdikt = valid", "32: figures.f.where: there is no column 'verdikt' (did you mean verdict"),
        (
            "where: distribution = bittorent",
            "37: figures.f.where: distribution is never 'bittorent' here (did you mean bittorrent?): its values are",
        ),
        ("where: distribution = fluid", "37: figures.f.where: distribution is never 'fluid' here: its values are"),
        ("where: distribution != fluid", ""),
        ("where: 'distribution in (fluid, bittorrent)'", "40: figures.f.where: distribution is never 'fluid' here"),
        ("where: peers.homes.count = 3", "42: figures.f.where: peers.homes.count is never 3 here: its values are 2, 4"),
        ("where: peers.homes.count >= 3", ""),
        ("where: N = many", "26: figures.f.where: N contains numbers, but 'many' is not a number"),
        ("where: verdict = suspicious", "32: figures.f.where: verdict is never 'suspicious' here: its values are"),
        (
            "where: group = home",
            "30: figures.f.where: group is never 'home' here (did you mean homes?): its values are 'homes'",
        ),
        ("y: verdict", "15: figures.f.y: verdict contains words: write a column of numbers"),
        (
            "x: share, y: bytes_sent",
            "11: figures.f: no table has all of these columns: share is in groups.csv; bytes_sent is in",
        ),
        ("x: share, y: gain, series: strategy", ""),
        ("theory: [p2p], y: jain", "15: figures.f.theory: bounds are times: y must be distribution_s or a ratio, not"),
        ("theory: [p2p, pieces]", ""),
        ("compared: gain", "15: figures.f.compared: comparisons need pairs: add `pair:` with a swept key"),
        ("kind: cdf, x: jam", f"26: figures.f.x: there is no column 'jam': {COLUMNS}"),
        ("kind: cdf, x: why_ended", "26: figures.f.x: why_ended contains words"),
        (
            "kind: cdf, x: bytes_sent",
            "26: figures.f.x: 'bytes_sent' is a column of transfers.csv, but this figure is made from peers.csv",
        ),
        ("kind: cdf, y: jain", "26: figures.f.y: is not used by a figure of kind cdf: leave it out"),
        ("kind: flows, series: group", "28: figures.f.series: is not used by a figure of kind flows: leave it out"),
        ("kind: flows, where: giver = server", ""),
        ("kind: timeline, y: jain", "31: figures.f.y: 'jain' is not measured second by second: server_up_rate, "),
        ("kind: timeline, y: copies_mean", "31: figures.f.y: copies_mean is not recorded at `trace_level: s"),
        ("kind: timeline, y: peers_completed, series: distribution", ""),
        ("kind: heatmap", ""),
        ("kind: heatmap, x: N, series: strategy, y: gain, panels: group", ""),
        (
            "kind: heatmap, series: distribution, panels: peer, y: bytes_sent",
            "11: figures.f: no table has all of these",
        ),
        (
            "kind: heatmap, series: distribution, theory: [p2p]",
            "52: figures.f.theory: is not used by a figure of k",
        ),
        ("panels: colour", f"15: figures.f.panels: there is no column 'colour': {COLUMNS}"),
    ],
)
def test_unknown_reference_in_figure_is_refused(tmp_path: Path, figure: str, says: str) -> None:
    found = read(tmp_path, f"{SWARM}figures: {{f: {{{figure}}}}}\n")
    assert len(found) == bool(says)
    assert all(line.startswith(says) for line in found), found


@pytest.mark.parametrize(
    ("expectation", "says"),
    [
        ("payload_ration.mean < 2", "11: expect.0: there is no column 'payload_ration' (did you mean payload_ratio?)"),
        ("1 <= payload_ration.min", "16: expect.0: there is no column 'payload_ration'"),
        ("verdict.mean < 2", "11: expect.0: verdict contains words: write a column of numbers"),
        ("verdict.count = 4", ""),
        ("count = 0 where verdict = suspct", "37: expect.0: verdict is never 'suspct' here (did you mean suspect?)"),
        ("jain.mean > 0 where peers.home.count = 2", "31: expect.0: there is no column 'peers.home.count' (did you"),
        (
            "gain.mean > 1 where giver = server",
            "10: expect.0: no table has all of these columns: gain is in",
        ),
        (
            "(gain.mean where group = home) < (gain.mean where group = homes)",
            "36: expect.0: group is never 'home' here (did you mean homes?): its values are 'homes'",
        ),
        (
            "(gain.mean where group = homes) < (gian.mean where group = homes)",
            "46: expect.0: there is no column 'gian' (did you mean gain?)",
        ),
        (
            "(gain.mean where group = homes) < (jain.mean where giver = server)",
            "10: expect.0: no table has all of these columns: gain is in",
        ),
        ("(gain.mean where group = homes) < jain.mean where N > 2", ""),
        ("peer_utilisation.mean > 90 %", "35: expect.0: peer_utilisation is no percentage: write a number"),
        ("20 ms > worst_lateness_ms.max", "11: expect.0: worst_lateness_ms is in ms: write a number without a unit"),
        ("distribution_s.mean < 2 * 5 MiB", "37: expect.0: distribution_s is a duration: write one such as 20 ms"),
        ("count = 0 where u_s > 5 s", "33: expect.0: u_s is a rate: write one such as 8 Mbit/s, or a number in bit/s"),
        ("5 s < distribution_s.min <= distribution_s.max < 1 min", ""),
        ("wire_bytes.max < 5 MiB where u_s >= 8 Mbit/s and peers.homes.count < 90 %", ""),
        ("distribution_s.count > 5 MiB", ""),
        ("mean.max < 5 s where measure = distribution_s", ""),
        ("download_s.max < 60 where group = homes and limited_by = uploads", ""),
        ("payload_ratio.mean < 1.3 where strategy = tit-for-tat", ""),
        ("high.max < 9 where measure = ratio and group != homes", ""),
        ("high.max < 9 where measure = ratioo", "40: expect.0: measure is never 'ratioo' here (did you mean ratio?)"),
        ("low.min > 1 where compared = gain", "40: expect.0: comparisons need pairs: add `pair:` with a swept key"),
        (
            "low.min > 1 where N = 4",
            "10: expect.0: no table has all of these columns: low is in summary.csv; N",
        ),
    ],
)
def test_unknown_reference_in_expectation_is_refused(tmp_path: Path, expectation: str, says: str) -> None:
    found = read(tmp_path, f"{SWARM}expect: [{expectation!r}]\n")
    assert len(found) == bool(says)
    assert all(line.startswith(says) for line in found), found


def test_expectation_can_use_comparisons_of_pairs(tmp_path: Path) -> None:
    where = "measure = distribution_s and distribution = bittorrent and compared"
    text = f"pair: distribution\n{SWARM}expect:\n  - low.min > 1 where {where}"
    assert read(tmp_path, f"{text} = gain\n") == []
    (found,) = read(tmp_path, f"{text} = gains\n")
    assert "compared is never 'gains' here (did you mean gain?): its values are 'difference', 'gain'" in found


def test_curve_cannot_use_the_summary(tmp_path: Path) -> None:
    (found,) = read(tmp_path, f"{SWARM}figures: {{f: {{y: low}}}}\n")
    assert "figures.f: no table has all of these columns" in found
    assert "low is in summary.csv" in found


def test_heatmap_needs_rows(tmp_path: Path) -> None:
    one_key = SWARM.replace("  peers.homes.count: [2, 4]\n", "")
    (found,) = read(tmp_path, one_key + "figures:\n  f: {kind: heatmap, x: distribution}\n")
    assert found.endswith("figures.f: has no rows, and nothing else is swept: write `series:` and a column")


def test_curve_needs_x(tmp_path: Path) -> None:
    alone = SWARM.partition("sweep:")[0]
    found = read(tmp_path, alone + "figures:\n  f: {y: jain}\n")
    assert [line.partition(": ")[2] for line in found] == [
        "figures.f: has no x, and nothing is swept: write `x:` and a column"
    ]


@pytest.mark.parametrize(
    "change",
    [
        ("servers: {up: 8 Mbit/s}", "servers: {up: 4 Mbit/s}"),
        ("servers: {up: 8 Mbit/s}", "servers: {up: 8 Mbit/s, count: 2}"),
        ("count: 4, up: 8 Mbit/s", "count: 4, up: 8 Mbit/s, down: 9 Mbit/s"),
        ("count: 4, up: 8 Mbit/s", "count: 4, up: {choice: {8 Mbit/s: 1}}"),
        ("count: 4, up: 8 Mbit/s", "count: 4, up: 8 Mbit/s, arrival: {at: 1 s}"),
    ],
)
def test_pieces_theory_is_refused_for_unequal_uploads(tmp_path: Path, change: tuple[str, str]) -> None:
    (found,) = read(tmp_path, f"{SWARM.replace(*change)}figures: {{f: {{theory: [pieces]}}}}\n")
    assert found.startswith("15: figures.f.theory: the formula for pieces holds only for one server and peers")


def test_compared_values_have_no_bounds(tmp_path: Path) -> None:
    text = f"pair: distribution\nfigures: {{f: {{compared: gain, theory: [p2p]}}}}\n{SWARM}"
    (found,) = read(tmp_path, text)
    assert found.endswith("figures.f.theory: compared values have no bounds: leave it out")


def test_figures_are_checked_despite_other_mistakes(tmp_path: Path) -> None:
    found = read(tmp_path, f"{SWARM.replace('4 MiB', '4')}expect: [ratioo.mean < 1]\n")
    assert len(found) == 2
    assert "'4' has no unit" in found[0]
    assert "there is no column 'ratioo' (did you mean ratio?)" in found[1]


@pytest.mark.parametrize("kind", USED_BY)
def test_each_kind_of_figure_has_defaults(tmp_path: Path, kind: str) -> None:
    assert read(tmp_path, f"{SWARM}figures: {{f: {{kind: {kind}}}}}\n") == []


def test_only_number_columns_have_units() -> None:
    columns = [column for table in TABLES.values() for column in table.values()]
    assert not any(column.is_words and column.unit for column in columns)


APPEARANCE = f"""\
{SWARM}  peers.homes.strategy: [tit-for-tat, {{class: bitthief, connections: 4}}]
  servers.up: [4 Mbit/s, 1 MB/s]
"""


@pytest.mark.parametrize(
    ("figure", "says"),
    [
        ("labels: {z: peers}", "figures.f.labels.z: unknown key: the keys here are x, y, series, panels"),
        ("labels: {series: who}", "figures.f.labels.series: there are no series: add `series:`, or leave it out"),
        ("labels: {panels: who}", "figures.f.labels.panels: there are no panels: add `panels:`, or leave it out"),
        ("kind: flows, labels: {series: who}", "figures.f.labels.series: is not used by a figure of kind flows"),
        (
            "names: {client-sever: C}",
            "figures.f.names.client-sever: is no value in this figure (did you mean client-ser",
        ),
        ("series: distribution, names: {bittorrent: BT, client-server: CS}", ""),
        ("series: peers.homes.strategy, names: {bitthief: Thief}", ""),
        ("series: peers.homes.strategy, names: {'bitthief, connections 4': Thief}", ""),
        ("series: distribution, names: {bitthief: Thief}", "figures.f.names.bitthief: is no value in this figure: its"),
        ("x: up, y: share_ratio, names: {anything: 'as nobody knows'}", ""),
        (
            "units: {y: Mbit/s}",
            "figures.f.units.y: expected a unit of distribution_s (s, µs, us, ms, min, h), found 'Mbit",
        ),
        ("units: {y: m}", "figures.f.units.y: expected a unit of distribution_s (s, µs, us, ms, min, h), found 'm'"),
        ("units: {x: min}", "figures.f.units.x: distribution has no unit: leave it out"),
        ("x: servers.up, units: {x: kB/s, y: min}", ""),
        ("x: servers.up, units: {x: Mbits}", "expected a unit of servers.up (bit/s, kbit/s, Mbit/s"),
        ("y: peer_utilisation, units: {y: '%'}", ""),
        ("y: jain, units: {y: '%'}", "figures.f.units.y: jain has no unit: leave it out"),
        ("kind: cdf, units: {y: '%'}", "figures.f.units.y: is not used by a figure of kind cdf: leave it out"),
        ("scale: {x: log}", "figures.f.scale.x: distribution has words, which have no scale: leave it out"),
        ("x: servers.up, scale: {x: log, y: linear}", ""),
        ("scale: {y: logg}", "figures.f.scale.y: expected 'linear' or 'log', found 'logg' (did you mean log?)"),
        ("size: colum", "figures.f.size: expected 'column' or 'wide', found 'colum' (did you mean column?)"),
        ("font: {size: 3}", "figures.f.font.size: expected 4 or more, found 3"),
        ("font: {size: 30}", "figures.f.font.size: expected 20 or less, found 30"),
        ("font: {size: big}", "figures.f.font.size: expected a number, found 'big'"),
        ("y: [jain, ratio]", "figures.f.y: only a timeline can have several columns: draw a figure for each"),
        ("kind: timeline, y: [peer_utilisation, server_utilisation]", ""),
        (
            "kind: timeline, y: [peer_utilisation, payload_rate]",
            "figures.f.y: peer_utilisation and payload_rate have no common axis: draw a figure for each",
        ),
        ("kind: timeline, y: [peer_use]", "figures.f.y.0: there is no column 'peer_use'"),
        ("kind: timeline, y: [peers_present, copies_mean]", "is not recorded at `trace_level: summary`"),
    ],
)
def test_appearance_that_does_not_apply_is_refused(tmp_path: Path, figure: str, says: str) -> None:
    found = read(tmp_path, f"{APPEARANCE}figures: {{f: {{{figure}}}}}\n")
    assert len(found) == bool(says)
    assert all(says in message for message in found)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("tit-for-tat", "tit-for-tat"),
        ('{"class": "bitthief", "connections": 4}', "bitthief, connections 4"),
        ('{"poisson": "60 /min"}', "poisson 60 /min"),
        ('{"class": "gnutella", "search": {"silence": 5, "ttl": 4}}', "gnutella, search.silence 5, search.ttl 4"),
        (8, "8"),
        ("{torn", "{torn"),
    ],
)
def test_swept_mapping_is_shown_in_words(cell: object, words: str) -> None:
    assert readable(cell) == words
