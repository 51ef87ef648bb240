"""`testbed experiments`, `testbed --version`: what an installation has."""

import importlib.metadata
import subprocess
from collections.abc import Callable
from pathlib import Path

EXPERIMENTS = Path(__file__).parents[2] / "experiments"

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_every_shipped_experiment_is_listed(called: Run) -> None:
    answer = called("experiments")
    assert answer.returncode == 0
    listed = {line.split(" ")[0] for line in answer.stdout.partition("\n\n")[0].splitlines()}
    assert listed == {file.stem for file in EXPERIMENTS.glob("*.yaml")}


def test_a_named_experiment_gives_its_path(called: Run) -> None:
    assert called("experiments", "quickstart").stdout == f"{EXPERIMENTS}/quickstart.yaml\n"


def test_unknown_experiment_is_refused_with_the_nearest(called: Run) -> None:
    answer = called("experiments", "quikstart")
    assert (answer.returncode, answer.stdout) == (2, "")
    assert "did you mean quickstart?" in answer.stderr


def test_version_is_that_of_the_package(called: Run) -> None:
    assert called("--version").stdout == f"testbed {importlib.metadata.version('testbed')}\n"
