"""The command line of `python -m peer`. A command's module is imported only when the command is used."""

import argparse
import sys
from collections.abc import Sequence
from importlib import import_module
from types import ModuleType
from typing import Final, NamedTuple

from peer.process.exit_status import ExitStatus, ProgramError, exit_codes


class _Command(NamedTuple):
    summary: str
    label: str
    """The first word of its error messages."""


COMMANDS: Final = {
    "create": _Command("make a torrent of a file or folder", "peer"),
    "seed": _Command("share a complete file or folder", "peer"),
    "leech": _Command("download a file or folder from a swarm, and share it", "peer"),
    "client": _Command("run another BitTorrent client", "client"),
    "service": _Command("run another server: nginx, opentracker", "service"),
    "adapters": _Command("find adapters of other clients, and tell what is wrong with each", "adapters"),
    "tracker": _Command("run a BitTorrent tracker over HTTP and UDP", "tracker"),
    "simulate": _Command("perform a trial in virtual time", "simulate"),
    "strategies": _Command("make strategies, and tell what is wrong with each", "strategies"),
    "serve": _Command("serve a file over HTTP", "server"),
    "fetch": _Command("fetch a file over HTTP", "client"),
    "relay": _Command("be the server or a peer of the fluid scheme", "relay"),
    "overlays": _Command("tell which parameters overlays have, and what is wrong with some", "overlays"),
    "node": _Command("be a node of an overlay, which finds who has what", "node"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    named = words[0] if words else ""
    module = import_module(f"peer.cli.{named}") if named in COMMANDS else None
    chosen = _parser(named, module).parse_args(words)
    try:
        return int(chosen.run(chosen))
    except ProgramError as error:
        print(f"{COMMANDS[named].label}: {error}", file=sys.stderr)
        return error.status


def _parser(named: str, module: ModuleType | None) -> argparse.ArgumentParser:
    """Make the parser of one command; the others are only listed, which makes every start faster."""
    parser = argparse.ArgumentParser(
        prog="python -m peer",
        description="Programs that run on hosts: BitTorrent, HTTP, the fluid scheme, and overlays.",
        epilog=exit_codes(*ExitStatus),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        one = commands.add_parser(name, help=command.summary, add_help=name == named)
        if name == named and module is not None:
            _fill(one, command, module)
    return parser


def _fill(parser: argparse.ArgumentParser, command: _Command, module: ModuleType) -> None:
    parser.description = getattr(module, "DESCRIPTION", f"{command.summary[0].upper()}{command.summary[1:]}.")
    parser.epilog = module.EPILOG
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    module.add_to(parser)
    parser.set_defaults(run=module.run)
