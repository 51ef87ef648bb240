"""The experiment file, resolved into a plan; pure."""

from testbed.experiment.errors import ExperimentError, Place, Problem
from testbed.experiment.expect import Outcome, evaluate
from testbed.experiment.load import Written, load_experiment, read_experiment, refused_parameters
from testbed.experiment.plan import Plan, make_plan
from testbed.experiment.schema import Experiment, TopologyChoice
from testbed.experiment.trials import Trial

__all__ = [
    "Experiment",
    "ExperimentError",
    "Outcome",
    "Place",
    "Plan",
    "Problem",
    "TopologyChoice",
    "Trial",
    "Written",
    "evaluate",
    "load_experiment",
    "make_plan",
    "read_experiment",
    "refused_parameters",
]
