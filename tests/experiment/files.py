"""Experiment files for tests."""

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

from testbed.experiment import ExperimentFile, read_experiment
from testbed.experiment.plan.plan import Plan, make_plan

Write = Callable[[str], Path]

SMALL = """\
file: {size: 4 MiB}
servers: {up: 8 Mbit/s}
peers:
  homes: {count: 4, up: 1 Mbit/s, down: 8 Mbit/s}
"""


def written(folder: Path, text: str) -> ExperimentFile:
    """Write an experiment into a folder, and read it."""
    file = folder / "x.yaml"
    file.write_text(dedent(text))
    return read_experiment(file)


def planned(folder: Path, text: str) -> Plan:
    """Write an experiment into a folder, and plan it."""
    return make_plan(written(folder, text))
