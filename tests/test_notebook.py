"""`import testbed`: runs and their results as objects, as docs/notebooks.md shows them."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from matplotlib.figure import Figure as Canvas

import testbed
from tests.runfolder.runs import DISTURBED, GOLDEN, golden, write_run, write_trial

PAGE = (Path(__file__).parents[1] / "docs" / "notebooks.md").read_text()
SWEEP = "sweep: {distribution: [bittorrent, client-server]}\n"
FIGURES = "figures:\n  times: {y: distribution_s, x: distribution}\n"
EXPECT = "expect: [payload_ratio.max < 9]\n"
TINY = """\
file: {size: 256 KiB}
servers: {up: 2 Mbit/s}
peers: {homes: {count: 1, up: 1 Mbit/s, down: 8 Mbit/s}}
distribution: client-server
sweep: {peers.homes.count: [1, 2]}
figures: {times: {kind: cdf}}
expect: [completed.min = 1]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a run of two trials, one of them suspect."""
    plan = write_run(tmp_path, GOLDEN + SWEEP + FIGURES + EXPECT)
    write_trial(tmp_path, plan.trials[0], golden())
    write_trial(tmp_path, plan.trials[1], golden(fidelity=DISTURBED))
    return tmp_path


def test_tables_are_data_frames(folder: Path) -> None:
    run = testbed.open_run(folder)
    assert list(run.trials["distribution"]) == ["bittorrent", "client-server"]
    assert list(run.peers["peer"]) == ["p1", "p2"] * 2
    assert {"groups", "transfers", "timeline", "summary"} <= set(dir(run))


def test_run_has_readable_repr(folder: Path) -> None:
    assert repr(testbed.open_run(folder)) == f"<Run {folder}: 2 of 2 trials complete, 1 suspect, 0 failed>"


def test_suspect_trials_count_with_option(folder: Path) -> None:
    def trials_behind(run: "testbed.Run") -> int:
        return int(run.summary["n"].max())

    assert trials_behind(testbed.open_run(folder)) == 1
    both = testbed.open_run(folder, with_suspect=True).summary
    assert len(both[both["n"] == 1]) > len(testbed.open_run(folder).summary.query("n == 1"))


def test_run_has_outcomes_of_expectations(folder: Path) -> None:
    (outcome,) = testbed.open_run(folder).outcomes
    assert outcome.holds


def test_opening_a_run_writes_nothing(folder: Path) -> None:
    before = sorted(folder.rglob("*"))
    testbed.open_run(folder).figure("times")
    assert sorted(folder.rglob("*")) == before


def test_declared_figure_is_drawn(folder: Path) -> None:
    run = testbed.open_run(folder)
    figure = run.figure("times")
    assert isinstance(figure, Canvas)
    assert run.figure("times", title="Two schemes").axes[0].get_title() == "Two schemes"


def test_undeclared_figure_is_drawn(folder: Path) -> None:
    assert testbed.open_run(folder).figure(kind="cdf", series="distribution").axes


def test_unknown_names_are_refused(folder: Path) -> None:
    run = testbed.open_run(folder)
    with pytest.raises(testbed.ExplainedError, match="no figure 'time'; the experiment declares times"):
        run.figure("time")
    with pytest.raises(AttributeError, match="no table 'trails'"):
        _ = run.trails


def test_other_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(testbed.ExplainedError, match=r"has no plan\.json"):
        testbed.open_run(tmp_path)


def test_invalid_experiment_raises_its_message(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yaml"
    file.write_text("file: {size: 4 MiB}\npears: {}\n")
    with pytest.raises(testbed.ExplainedError, match=r"wrong\.yaml.*pears"):
        testbed.run(file, runs=tmp_path)


def test_settings_take_the_place_of_values_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text("file: {size: 4 MiB}\nservers: {up: 1 Mbit/s}\npeers: {homes: {count: 2, up: 1 Mbit/s}}\n")
    with pytest.raises(testbed.ExplainedError, match="'many'"):
        testbed.run(file, runs=tmp_path, settings={"peers.homes.up": ["many"]})


def test_what_a_machine_cannot_hold_is_refused_unless_forced(tmp_path: Path) -> None:
    file = tmp_path / "huge.yaml"
    file.write_text("file: {size: 900 TiB}\nservers: {up: 1 Mbit/s}\npeers: {homes: {count: 2, up: 1 Mbit/s}}\n")
    with pytest.raises(testbed.ExplainedError, match="--force"):
        testbed.run(file, runs=tmp_path)
    with pytest.raises(testbed.ExplainedError, match="many"):
        testbed.run(file, runs=tmp_path, force=True, settings={"peers.homes.up": "many"})


def test_import_loads_no_heavy_packages() -> None:
    program = (
        "import sys, testbed; print([name for name in ('pandas', 'matplotlib', 'mininet') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.kernel
def test_notebooks_page_works(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "quickstart.yaml").write_text(TINY)
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    # A busy machine makes the trial suspect, and there would be nothing to draw.
    page = PAGE.replace("open_run(run.path)", "open_run(run.path, with_suspect=True)")
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "docs/notebooks.md", "exec"), names)  # noqa: S102  # the page's own code
    printed = capsys.readouterr().out
    assert "2 trials in" in printed
    assert "completed.min = 1" in printed
    assert (tmp_path / "figure.pdf").is_file()
