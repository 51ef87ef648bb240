"""The targets of `links` and `shell`: an experiment file, or a topology with parameters. Also `testbed topologies`."""

import inspect
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mininet.topo import Topo

from testbed.cli.experiment.files import EXPERIMENT_SUFFIXES, open_experiment, shipped_experiment
from testbed.cli.terminal.layout import filled, line_width, listed, wrapped
from testbed.experiment import ExperimentFile, refused_parameters
from testbed.experiment.plan.plan import make_plan
from testbed.experiment.plan.trials import Trial
from testbed.topology.finder import BUILT_IN, load_topology, make_topology
from testbed.topology.parameters import ParameterError, TopologyError, describe_parameters
from testbed.topology.planned import topology_of


@dataclass(frozen=True)
class Target:
    """A topology, and the congestion control that its hosts use."""

    topology: Topo
    congestion_control: str = "cubic"


def open_target(reference: str, parameters: Sequence[str]) -> Target:
    """Read an experiment, or a topology with `key=value` parameters."""
    if _is_experiment(reference):
        if parameters:
            raise TopologyError(
                f"{reference} has its own parameters: edit the file instead of adding {parameters[0]!r}"
            )
        return target_of(open_experiment(Path(reference)))
    return Target(make_topology(reference, dict(map(_key_and_value, parameters))))


def _is_experiment(reference: str) -> bool:
    if reference in BUILT_IN:
        return False
    return Path(reference).suffix in EXPERIMENT_SUFFIXES or shipped_experiment(Path(reference)) is not None


def target_of(file: ExperimentFile) -> Target:
    """Return the network of an experiment's first trial; errors name the line of the file."""
    experiment = file.experiment
    if file.has_trials:
        return Target(trial_topology(file, make_plan(file).trials[0]), experiment.congestion_control)
    try:
        topology = make_topology(experiment.topology.reference, experiment.topology.parameters)
    except ParameterError as error:
        raise refused_parameters(file, error.problems) from error
    return Target(topology, experiment.congestion_control)


def trial_topology(file: ExperimentFile, trial: Trial) -> Topo:
    """Make the topology of a trial; errors name the line of the file."""
    try:
        return topology_of(trial)
    except ParameterError as error:
        raise refused_parameters(file, error.problems) from error
    except TopologyError as error:
        raise refused_parameters(file, {"class": str(error)}) from error


def show_topologies(reference: str | None) -> None:
    """List the built-in ones with their first line, or describe one with its parameters."""
    width = line_width(sys.stdout)
    if reference is None:
        print(listed({name: _description(name).splitlines()[0] for name in BUILT_IN}, width))
        about = "`testbed topologies NAME` lists the parameters of one. A file with a Mininet Topo also works."
        print("\n" + wrapped(about, width, indent=0))
        return
    print(filled(_description(reference), width))
    print("\nParameters:")
    for parameter in describe_parameters(load_topology(reference)):
        print(wrapped(f"  {parameter}", width, indent=4))


def _key_and_value(word: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if not equals or not key:
        raise TopologyError(f"expected key=value, such as n=10 or up='8 Mbit/s', found {word!r}")
    return key, value


def _description(reference: str) -> str:
    return inspect.getdoc(load_topology(reference)) or "(no description)"
