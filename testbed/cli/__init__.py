"""The command line: the commands are in the folders, each with a module of options and help and one of what it does.

Exit status of every command: 0 success, 1 a measurement or a check failed, 2 the command cannot run with this input or
on this machine (the message says why), 130 interrupted.
"""

import sys

import typer

from testbed.cli.experiment.commands import experiment_commands
from testbed.cli.installation.commands import installation_commands
from testbed.cli.network.commands import network_commands
from testbed.cli.options import Version
from testbed.cli.pcap.commands import pcap
from testbed.cli.results.commands import results_commands
from testbed.cli.runs.commands import runs_commands
from testbed.cli.terminal.colours import may_colour
from testbed.cli.terminal.complaints import complain
from testbed.errors import ExplainedError

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["--help", "-h"], "color": None if may_colour() else False},
)

# In the order in which the help lists them; without a name, commands stand directly below `testbed`.
for commands in (experiment_commands, results_commands, runs_commands, network_commands, installation_commands):
    app.add_typer(commands)
app.add_typer(pcap, name="pcap")


@app.callback()
def testbed(version: Version = False) -> None:  # noqa: PT028
    """Measure peer-to-peer file distribution on an emulated network with real sockets."""


def main() -> None:
    """Run the `testbed` command."""
    try:
        app(prog_name="testbed")
    except ExplainedError as error:
        complain(str(error))
        sys.exit(2)
    except OSError as error:
        where = f": {error.filename}" if error.filename else ""
        complain(f"{error.strerror or error}{where}")
        sys.exit(2)
