"""`testbed run` of an experiment without peers: the folder that it leaves, if any."""

import csv
import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.runfolder.collection import unfinished_run_folder

pytestmark = pytest.mark.kernel

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def runs(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "runs"


@pytest.fixture
def star(tmp_path: Path) -> Path:
    file = tmp_path / "small-star.yaml"
    file.write_text("topology:\n  class: star\n  up: 8 Mbit/s\n  delay: 2 ms\n")
    return file


def test_network_run_leaves_tables_and_provenance(testbed: Run, star: Path, runs: Path) -> None:
    star.write_text("topology:\n  class: star\n  n: 3\n  up: 8 Mbit/s\n  down: 24 Mbit/s\n")
    result = testbed("run", star, "--runs", runs)
    assert result.returncode in {0, 1}  # 1 where other programs take the processors
    (folder,) = runs.iterdir()
    assert f"results in {folder}" in result.stdout.splitlines()
    assert folder.name.startswith("small-star-20")
    assert {file.name for file in folder.iterdir()} == {".lock", "experiment.yaml", "links.csv", "provenance.json"}
    assert (folder / "experiment.yaml").read_bytes() == star.read_bytes()
    assert len(rows(folder / "links.csv")) == 8
    provenance = json.loads((folder / "provenance.json").read_text())
    assert provenance["command"][1:] == ["run", str(star), "--runs", str(runs)]
    assert provenance["started"] < provenance["ended"]
    assert {"testbed", "kernel", "mininet"} <= provenance["versions"].keys()
    assert {"commit", "dirty"} <= provenance.keys()


def rows(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def test_runs_in_same_second_have_separate_folders(runs: Path) -> None:
    with unfinished_run_folder(runs, "star") as first, unfinished_run_folder(runs, "star") as second:
        (first.inside / "of").write_text("first")
        (second.inside / "of").write_text("second")
        assert all(folder.name.startswith(".") for folder in runs.iterdir())
    with unfinished_run_folder(runs, "star") as third:
        (third.inside / "of").write_text("third")
    found = {folder.name: (folder / "of").read_text() for folder in runs.iterdir()}
    assert found == {"star": "first", "star-2": "second", "star-3": "third"}


def test_delayed_paths_are_saved(testbed: Run, star: Path, runs: Path) -> None:
    star.write_text("topology:\n  class: star\n  delay: 2 ms\n")
    result = testbed("run", star, "--runs", runs, "--quiet")
    assert result.stderr == ""
    (folder,) = runs.iterdir()
    assert {file.name for file in folder.iterdir()} == {".lock", "experiment.yaml", "paths.csv", "provenance.json"}
    (path,) = rows(folder / "paths.csv")
    assert (path["path"], path["asked_rtt_ms"]) == ("h1 - h2", "8.0")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_network_run_leaves_no_folder(
    command: Path, star: Path, runs: Path, number: signal.Signals, status: int
) -> None:
    arguments = [command, "run", star, "--runs", runs]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stderr is not None
        assert "built 2 hosts" in running.stderr.readline()
        assert len(list(runs.iterdir())) == 1
        running.send_signal(number)
        out, err = running.communicate(timeout=30)
    assert running.returncode == status
    assert out == ""
    assert "Traceback" not in err
    assert list(runs.iterdir()) == []


def test_failed_network_run_leaves_no_folder(testbed: Run, star: Path, runs: Path) -> None:
    star.write_text("topology:\n  class: star\n  up: 1 bit/s\n")
    result = testbed("run", star, "--runs", runs)
    assert result.returncode == 2
    assert list(runs.iterdir()) == []
