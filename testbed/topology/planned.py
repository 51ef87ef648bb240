"""The topology of a trial: the class that its experiment names, with the hosts of its plan."""

from collections.abc import Mapping, Sequence

from mininet.topo import Topo

from testbed.experiment.plan.trials import Trial
from testbed.topology.finder import call_maker, load_topology
from testbed.topology.parameters import (
    TopologyError,
    describe_parameters,
    resolve_parameters,
)
from testbed.values.records import PlannedHost


def topology_of(trial: Trial) -> Topo:
    """Make the topology of a trial; a TopologyError says what its class does not accept."""
    reference, hosts = trial.settings.topology.reference, trial.hosts.all
    maker = load_topology(reference)
    written = resolve_parameters(maker, trial.settings.topology.parameters)
    known = {parameter.name for parameter in describe_parameters(maker)}
    if missing := {"names", "up", "down"} - known:
        raise TopologyError(f"{reference} cannot have peers: its `build` does not take {', '.join(sorted(missing))}")
    return call_maker(reference, maker, {**_sizes(known, written, len(hosts)), **written, **_columns(hosts)})


def _sizes(known: set[str], written: Mapping[str, object], hosts: int) -> dict[str, object]:
    """Return the number of hosts as the topology takes it: in one place (n) or in two (n1, n2)."""
    if {"n1", "n2"} <= known:
        first = written.get("n1")
        first = first if isinstance(first, int) else (hosts + 1) // 2
        return {"n1": first, "n2": hosts - first}
    return {"n": hosts} if "n" in known else {}


def _columns(hosts: Sequence[PlannedHost]) -> dict[str, list[object]]:
    """Return a value for each host, in milliseconds and per cent; without parameters that no host sets."""
    impairments: dict[str, list[object]] = {
        "delay": [1000 * host.delay for host in hosts],
        "jitter": [1000 * host.jitter for host in hosts],
        "loss": [100 * host.loss for host in hosts],
    }
    return {
        "names": [host.name for host in hosts],
        "up": [host.up for host in hosts],
        "down": [host.down for host in hosts],
        **{key: values for key, values in impairments.items() if any(values)},
    }
