"""`testbed experiments` and `testbed --version`: what is installed."""

import importlib.metadata
import subprocess
from collections.abc import Callable
from pathlib import Path

EXPERIMENTS = Path(__file__).parents[2] / "experiments"

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_every_shipped_experiment_is_listed(call: Run) -> None:
    result = call("experiments")
    assert result.returncode == 0
    listed = {line.split(" ")[0] for line in result.stdout.partition("\n\n")[0].splitlines()}
    assert listed == {file.stem for file in EXPERIMENTS.glob("*.yaml")}


def test_named_experiment_gives_its_path(call: Run) -> None:
    assert call("experiments", "quickstart").stdout == f"{EXPERIMENTS}/quickstart.yaml\n"


def test_unknown_experiment_is_refused_with_the_nearest(call: Run) -> None:
    result = call("experiments", "quikstart")
    assert (result.returncode, result.stdout) == (2, "")
    assert "did you mean quickstart?" in result.stderr


def test_version_says_which_clone_it_is(call: Run) -> None:
    version = importlib.metadata.version("testbed")
    assert call("--version").stdout == f"testbed {version} from {EXPERIMENTS.parent}\n"
