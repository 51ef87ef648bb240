"""`testbed shell`: Mininet's command line in a network of the testbed."""

import os
import shutil
import sys
from collections.abc import Sequence
from logging import StreamHandler

from mininet.cli import CLI
from mininet.log import lg, output, setLogLevel
from mininet.net import Mininet

from testbed.cli.network.targets import Target, open_target
from testbed.errors import ExplainedError
from testbed.network import sandbox
from testbed.network.network import Network

_WELCOME = "Hosts: {hosts}. Cores: {cores}. Try net, pingall, h1 ip addr, h1 ping h2, xterm h1, help, exit."


class CommandError(ExplainedError):
    """A line given with -c is not a command; the lines after it are not run."""


class _Shell(CLI):
    """Mininet's CLI, reading from a terminal, a pipe, or a list of lines."""

    def __init__(self, mininet: Mininet, commands: Sequence[str]) -> None:
        self._commands = list(commands)
        if not sys.stdin.isatty():
            self.prompt = ""
        super().__init__(mininet)

    def run(self) -> None:
        """Run the given commands, or else read commands from standard input."""
        if not self._commands:
            super().run()
        for line in self._commands:
            if self.onecmd(self.precmd(line)):
                return

    def do_iperf(self, _line: str) -> None:
        """Suggest alternatives: with current versions of iperf, Mininet waits forever for a report."""
        output("use `testbed links`, or start iperf yourself: h2 iperf -s &, then h1 iperf -c h2\n")

    def do_xterm(self, line: str, term: str = "xterm") -> None:
        """Open a terminal window on hosts: xterm h1 h2."""
        if not os.environ.get("DISPLAY"):
            output("xterm needs a display, but DISPLAY is not set\n")
        elif missing := [program for program in (term, "xhost") if shutil.which(program) is None]:
            output(f"missing: {', '.join(missing)}; sudo apt-get install xterm x11-xserver-utils\n")
        else:
            super().do_xterm(line, term)

    def default(self, line: str) -> None:
        """Treat a line that is not a CLI command as the name of a node and a command to run on it."""
        first = self.parseline(line)[0]
        if self._commands and first not in self.mn:
            raise CommandError(f"{line!r}: there is no command or host {first!r}; -c help lists the commands")
        super().default(line)


def open_shell(reference: str, parameters: Sequence[str], commands: Sequence[str]) -> int:
    """Build the network, and run Mininet's command line in it."""
    target = open_target(reference, parameters)
    sandbox.run(lambda: _converse(target, commands), interactive=True)
    return 0


def _converse(target: Target, commands: Sequence[str]) -> None:
    is_conversation = sys.stdin.isatty() and not commands
    # The CLI logs the output of commands at the level "output"; the level "info" also shows the progress of pingall.
    _log_to_stdout()
    setLogLevel("info" if is_conversation else "output")
    with Network(target.topology, congestion_control=target.congestion_control) as network:
        setLogLevel("info")
        if is_conversation:
            print(_WELCOME.format(hosts=_some(network.hosts), cores=_some(network.cores)), flush=True)
        _Shell(network.mininet, commands)
        setLogLevel("output")


def _log_to_stdout() -> None:
    for handler in lg.handlers:
        if isinstance(handler, StreamHandler):
            handler.setStream(sys.stdout)


def _some(nodes: Sequence[object]) -> str:
    names = [str(node) for node in nodes]
    return ", ".join(names) if len(names) <= 6 else f"{names[0]} ... {names[-1]}"
