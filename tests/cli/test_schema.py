"""`testbed schema`: the JSON schema for editors."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed.experiment.schema.experiment import experiment_schema

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
Run = Callable[..., subprocess.CompletedProcess[str]]


def test_schema_is_pure_json(call: Run) -> None:
    result = call("schema")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == experiment_schema()


def test_committed_schema_is_current(call: Run) -> None:
    assert (EXPERIMENTS / "experiment.schema.json").read_text() == call("schema").stdout


@pytest.mark.parametrize("file", sorted(EXPERIMENTS.glob("*.yaml")), ids=lambda file: file.stem)
def test_shipped_experiments_name_the_schema(file: Path) -> None:
    first, *_ = file.read_text().splitlines()
    assert first == "# yaml-language-server: $schema=experiment.schema.json"
