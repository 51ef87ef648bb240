"""`testbed shell`: Mininet's own command line on our network."""

import os
import shutil
import sys
from collections.abc import Sequence
from logging import StreamHandler

from mininet.cli import CLI
from mininet.log import lg, output, setLogLevel
from mininet.net import Mininet

from testbed.cli.targets import Target, open_target
from testbed.errors import ExplainedError
from testbed.network import sandbox
from testbed.network.network import Network

_WELCOME = "hosts {hosts}; cores {cores}. Try: net, pingall, h1 ip addr, h1 ping h2, xterm h1; help; exit leaves."


class CommandError(ExplainedError):
    """A line given with -c is no command; the lines after it are not carried out."""


class _Shell(CLI):
    """Mininet's CLI on a terminal, on piped input, or on the lines that are passed in."""

    def __init__(self, mininet: Mininet, commands: Sequence[str]) -> None:
        self._commands = list(commands)
        if not sys.stdin.isatty():
            self.prompt = ""
        super().__init__(mininet)

    def run(self) -> None:
        """Carry out the commands that were given, or ask for some."""
        if not self._commands:
            super().run()
        for line in self._commands:
            if self.onecmd(self.precmd(line)):
                return

    def do_iperf(self, _line: str) -> None:
        """Say what to do instead: with today's iperf, Mininet waits for ever for a report that never comes."""
        output("measure with `testbed links`, or by hand: h2 iperf -s &, then h1 iperf -c h2\n")

    def do_xterm(self, line: str, term: str = "xterm") -> None:
        """Open a terminal window on hosts: xterm h1 h2."""
        if not os.environ.get("DISPLAY"):
            output("there is no display here (DISPLAY is not set) to open a window on\n")
        elif missing := [program for program in (term, "xhost") if shutil.which(program) is None]:
            output(f"missing: {', '.join(missing)}; sudo apt-get install xterm x11-xserver-utils\n")
        else:
            super().do_xterm(line, term)

    def default(self, line: str) -> None:
        """What is no command of the CLI is a host's or core's name and a command for it."""
        first = self.parseline(line)[0]
        if self._commands and first not in self.mn:
            raise CommandError(f"{line!r}: there is no command and no host {first!r}; -c help lists the commands")
        super().default(line)


def open_shell(reference: str, parameters: Sequence[str], commands: Sequence[str]) -> int:
    """Build the network, and let the user at it."""
    target = open_target(reference, parameters)
    sandbox.run(lambda: _converse(target, commands), interactive=True)
    return 0


def _converse(target: Target, commands: Sequence[str]) -> None:
    is_conversation = sys.stdin.isatty() and not commands
    # The CLI prints what commands say as Mininet's log, at the level "output"; "info" also shows pingall's progress.
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
