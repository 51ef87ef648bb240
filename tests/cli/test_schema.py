"""`testbed schema`: what an editor reads."""

import json
import subprocess
from collections.abc import Callable

from testbed.experiment.schema.experiment import experiment_schema

Run = Callable[..., subprocess.CompletedProcess[str]]


def test_the_schema_is_json_and_nothing_else(called: Run) -> None:
    answer = called("schema")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert json.loads(answer.stdout) == experiment_schema()
