"""The experiment file, resolved into a plan; pure."""

from testbed.experiment.errors import ExperimentError, Place, Problem
from testbed.experiment.load import load_experiment, refused_parameters
from testbed.experiment.schema import Experiment, TopologyChoice

__all__ = [
    "Experiment",
    "ExperimentError",
    "Place",
    "Problem",
    "TopologyChoice",
    "load_experiment",
    "refused_parameters",
]
