"""The commands below `testbed pcap`, with their options and help."""

from pathlib import Path
from typing import Annotated

import typer

from testbed.cli import completion
from testbed.cli.options import RUNS, Json, Runs
from testbed.cli.terminal.colours import may_colour

pcap = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    short_help="Read captures: messages, summary, flows.",
    context_settings={"help_option_names": ["--help", "-h"], "color": None if may_colour() else False},
)

CaptureName = Annotated[
    Path,
    typer.Argument(
        metavar="FILE|RUN",
        help="A capture (.pcap, .pcapng, also .gz); or a run folder, its name, or an experiment's for its latest run.",
        autocompletion=completion.captures,
    ),
]
TrialName = Annotated[
    str | None,
    typer.Option("--trial", metavar="TRIAL", help="Of a run: the trial's number in the plan, or a part of its id."),
]
HostName = Annotated[
    str | None, typer.Option("--host", metavar="HOST", help="Only what this host sends and receives: name or address.")
]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--type", metavar="TYPE", help="Only these messages (can be repeated): have, unchoke, piece, ..."),
]


@pcap.callback()
def about() -> None:
    """Read the messages of the peer wire and of trackers in captures, with the hosts' names for their addresses.

    Of a trial with captures of several hosts, each message is read once: as its receiver captured it, else its sender,
    else the core. Times are seconds after t = 0 of the trial; of a file, after its first connection began. What could
    not be read is told on standard error; the exit status is 1 if a file is cut short or damaged.
    """


@pcap.command(short_help="List the messages.")
def messages(
    capture: CaptureName,
    runs: Runs = RUNS,
    trial: TrialName = None,
    host: HostName = None,
    kinds: Kinds = None,
    csv: Annotated[
        Path | None, typer.Option("--csv", metavar="FILE", help="Write them as CSV; - is standard output.")
    ] = None,
    parquet: Annotated[
        Path | None, typer.Option("--parquet", metavar="FILE", help="Write them as a Parquet table.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Print them as JSON, one object per line.")] = False,
) -> None:
    """List the messages of a capture as they are read, however large it is.

    A block is written as piece:first byte+length.
    """
    from testbed.cli.pcap.messages import Wanted, show_messages

    raise typer.Exit(show_messages(capture, runs, Wanted(trial, host, tuple(kinds or ()), csv, parquet, json)))


@pcap.command(short_help="Add the messages up: who talks to whom, types, chokes.")
def summary(
    capture: CaptureName,
    runs: Runs = RUNS,
    trial: TrialName = None,
    host: HostName = None,
    kinds: Kinds = None,
    json: Json = False,
) -> None:
    """Add up who talks to whom, messages by type, who unchokes whom and when, goodput, retransmissions and round trips.

    With --type, messages are counted that are of these types.
    """
    from testbed.cli.pcap.summary import show_summary

    raise typer.Exit(show_summary(capture, runs, trial, host, tuple(kinds or ()), json=json))


@pcap.command(short_help="List the connections.")
def flows(
    capture: CaptureName,
    runs: Runs = RUNS,
    trial: TrialName = None,
    host: HostName = None,
    json: Json = False,
) -> None:
    """List the TCP connections and UDP exchanges: ends, protocol, times, bytes, retransmissions, round trips."""
    from testbed.cli.pcap.flows import show_flows

    raise typer.Exit(show_flows(capture, runs, trial, host, json=json))
