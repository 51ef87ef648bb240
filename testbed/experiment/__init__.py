"""Experiment files and the plans made from them; pure."""

from testbed.experiment.file.errors import ExperimentError, Place, Problem
from testbed.experiment.file.load import (
    ExperimentFile,
    load_experiment,
    read_experiment,
    refused_parameters,
    refused_values,
)
from testbed.experiment.language.expectations import Outcome, evaluate
from testbed.experiment.plan.plan import Plan, make_plan
from testbed.experiment.plan.trials import Trial
from testbed.experiment.schema.experiment import Experiment

__all__ = [
    "Experiment",
    "ExperimentError",
    "ExperimentFile",
    "Outcome",
    "Place",
    "Plan",
    "Problem",
    "Trial",
    "evaluate",
    "load_experiment",
    "make_plan",
    "read_experiment",
    "refused_parameters",
    "refused_values",
]
