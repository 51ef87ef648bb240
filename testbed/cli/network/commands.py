"""The commands that build a network without trials, with their options and help."""

from typing import Annotated

import typer

from testbed.cli.options import Alone, Parameters, Quiet, Target

network_commands = typer.Typer()


@network_commands.command(short_help="Measure the links of a network.")
def links(
    target: Target,
    parameters: Parameters = None,
    seconds: Annotated[
        float,
        typer.Option(metavar="S", min=0.2, max=3600, help="Duration of each measurement, after its first second."),
    ] = 2.0,
    alone: Annotated[
        Alone, typer.Option(help="Also measure separately: one direction of each kind of link, all, or none.")
    ] = Alone.KINDS,
    streams: Annotated[
        int, typer.Option(metavar="N", min=1, max=100, help="Number of TCP streams in each direction.")
    ] = 1,
    tolerance: Annotated[
        float, typer.Option(metavar="PERCENT", min=0.0, max=100.0, help="Allowed error of the steady rate.")
    ] = 2.0,
    csv: Annotated[bool, typer.Option("--csv", help="Print all measured values as CSV.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print all measured values as JSON.")] = False,
    quiet: Quiet = False,
) -> None:
    """Measure every link with real TCP, in both directions, and compare the results with the requested values.

    The exit status is 1 if a steady rate, a delay or a loss is out of tolerance.
    """
    from testbed.cli.network.links import show_links

    raise typer.Exit(
        show_links(
            target,
            parameters or [],
            seconds=seconds,
            alone=alone.value,
            streams=streams,
            tolerance=tolerance / 100,
            csv=csv,
            json=json,
            quiet=quiet,
        )
    )


@network_commands.command()
def shell(
    target: Target,
    parameters: Parameters = None,
    command: Annotated[
        list[str] | None,
        typer.Option("--command", "-c", metavar="LINE", help="Run this line, then exit (can be repeated)."),
    ] = None,
) -> None:
    """Open Mininet's command line in a network. Try pingall, h1 tcpdump ..., xterm h1, exit."""
    from testbed.cli.network.shell import open_shell

    raise typer.Exit(open_shell(target, parameters or [], command or []))
