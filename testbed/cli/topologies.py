"""`testbed topologies`: what there is to build."""

import inspect

from testbed.topology.finder import BUILT_IN, describe_parameters, load_topology


def show_topologies(reference: str | None) -> None:
    """List the built-in ones with their first line, or describe one with its parameters."""
    if reference is None:
        for name in BUILT_IN:
            print(f"{name:10} {_description(name).splitlines()[0]}")
        print("\n`testbed topologies NAME` lists the parameters of one; a file with a Mininet Topo works as well.")
        return
    print(_description(reference))
    print("\nParameters:")
    for parameter in describe_parameters(load_topology(reference)):
        print(f"  {parameter}")


def _description(reference: str) -> str:
    return inspect.getdoc(load_topology(reference)) or "(no description)"
