"""The commands about what is installed here, with their options and help."""

from typing import Annotated

import typer

from testbed.cli import completion
from testbed.cli.options import Json

installation_commands = typer.Typer()


@installation_commands.command()
def topologies(
    reference: Annotated[
        str | None,
        typer.Argument(
            metavar="TOPOLOGY", help="List the parameters of this topology.", autocompletion=completion.topologies
        ),
    ] = None,
) -> None:
    """List the shipped topologies, or the parameters of one."""
    from testbed.cli.network.targets import show_topologies

    show_topologies(reference)


@installation_commands.command()
def experiments(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="Print the path of this experiment.", autocompletion=completion.shipped),
    ] = None,
) -> None:
    """List the shipped experiments, or print the path of one."""
    from testbed.cli.experiment.files import show_experiments

    show_experiments(name)


@installation_commands.command()
def doctor(
    json: Json = False,
    capacity: Annotated[
        bool, typer.Option(help="Measure how much traffic the machine can carry, unless this is known.")
    ] = True,
    again: Annotated[bool, typer.Option("--again", help="Measure the capacity even if it is known.")] = False,
) -> None:
    """Check this machine, and measure its capacity.

    The checks cover kernel features, limits, tools and versions; the capacity is the traffic that the core can carry.
    The exit status is 1 if anything that is required is missing.
    """
    from testbed.cli.installation.doctor import show_doctor

    raise typer.Exit(show_doctor(json=json, capacity=capacity, again=again))
