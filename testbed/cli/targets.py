"""What `links` and `shell` work on: an experiment file, or a topology with its parameters."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mininet.topo import Topo

from testbed.experiment import load_experiment, refused_parameters
from testbed.network.topology import ParameterError, TopologyError, make_topology

_EXPERIMENT_SUFFIXES = {".yaml", ".yml"}


@dataclass(frozen=True)
class Target:
    """A topology, and the congestion control that its hosts use."""

    topology: Topo
    congestion_control: str = "cubic"


def open_target(reference: str, parameters: Sequence[str]) -> Target:
    """Read an experiment, or a topology's name with `key=value` words."""
    if Path(reference).suffix in _EXPERIMENT_SUFFIXES:
        if parameters:
            raise TopologyError(f"{reference} has its own parameters; {parameters[0]!r} would change it: edit the file")
        return target_of(Path(reference))
    return Target(make_topology(reference, dict(map(_key_and_value, parameters))))


def target_of(path: Path) -> Target:
    """The target that an experiment file describes; what its topology refuses is named with its line."""
    experiment = load_experiment(path)
    try:
        topology = make_topology(experiment.topology.reference, experiment.topology.parameters)
    except ParameterError as error:
        raise refused_parameters(path, error.problems) from error
    return Target(topology, experiment.congestion_control)


def _key_and_value(word: str) -> tuple[str, str]:
    key, equals, value = word.partition("=")
    if not equals or not key:
        raise TopologyError(f"{word!r}: a parameter is written key=value, like n=10 or up='8 Mbit/s'")
    return key, value
