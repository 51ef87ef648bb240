"""`testbed shell`: Mininet's own command line on our network."""

import sys
from collections.abc import Sequence

from mininet.cli import CLI
from mininet.log import setLogLevel
from mininet.net import Mininet

from testbed.cli.targets import Target, open_target
from testbed.network import sandbox
from testbed.network.network import Network

_WELCOME = "hosts {hosts}; cores {cores}. Try: net, pingall, h1 ip addr, h1 ping h2, xterm h1; help; exit leaves."


class _Shell(CLI):
    """Mininet's CLI, which ends at the end of its input instead of asking for ever."""

    def __init__(self, mininet: Mininet, commands: Sequence[str]) -> None:
        self._commands = list(commands)
        super().__init__(mininet)

    def run(self) -> None:
        """Carry out the commands that were given, or ask for some."""
        if not self._commands:
            super().run()
        for line in self._commands:
            if self.onecmd(self.precmd(line)):
                return


def open_shell(reference: str, parameters: Sequence[str], commands: Sequence[str]) -> int:
    """Build the network, and let the user at it."""
    target = open_target(reference, parameters)
    sandbox.run(lambda: _converse(target, commands), interactive=True)
    return 0


def _converse(target: Target, commands: Sequence[str]) -> None:
    # The CLI prints what commands say as Mininet's log, at the level "output"; "info" also shows pingall's progress.
    setLogLevel("info" if sys.stdin.isatty() and not commands else "output")
    with Network(target.topology, congestion_control=target.congestion_control) as network:
        setLogLevel("info")
        if not commands:
            print(_WELCOME.format(hosts=_some(network.hosts), cores=_some(network.cores)), flush=True)
        _Shell(network.mininet, commands)
        setLogLevel("output")


def _some(nodes: Sequence[object]) -> str:
    names = [str(node) for node in nodes]
    return ", ".join(names) if len(names) <= 6 else f"{names[0]} ... {names[-1]}"
