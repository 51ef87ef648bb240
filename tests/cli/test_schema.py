"""`testbed schema`: what an editor reads."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.experiment.schema.experiment import experiment_schema

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
Run = Callable[..., subprocess.CompletedProcess[str]]


def test_schema_is_pure_json(called: Run) -> None:
    answer = called("schema")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert json.loads(answer.stdout) == experiment_schema()


def test_committed_schema_is_current(called: Run) -> None:
    assert (EXPERIMENTS / "experiment.schema.json").read_text() == called("schema").stdout


@pytest.mark.parametrize("file", sorted(EXPERIMENTS.glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_experiments_name_the_schema(file: Path) -> None:
    first, *_ = file.read_text().splitlines()
    assert first == "# yaml-language-server: $schema=experiment.schema.json"
