"""The command line of `python -m peer`. A warm interpreter that is to start peers imports this module beforehand."""

import argparse
import sys
from collections.abc import Sequence
from typing import Final

from peer.cli import (
    create,
    leech,
    seed,
    tracker,
)
from peer.process.exit_status import EndError

_EXIT_CODES: Final = """\
exit codes:
  0  done, or left the swarm (by --departure, SIGTERM or SIGINT)
  2  an option cannot be used
  3  the address cannot be used (port in use, no such address, no permission)
  4  the trace (or the tracker's log) cannot be written
  5  the torrent cannot be read, or cannot be made
  6  the data cannot be read or kept (not the torrent's, no permission, disk full)
  7  a second SIGTERM or SIGINT cut the departure short
"""
_LINES: Final = """\
On standard output: `ready HOST:PORT` when it listens, `completed` when everything is there and verified.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command that the arguments name."""
    words = sys.argv[1:] if arguments is None else list(arguments)
    if words[:1] == ["tracker"]:
        return tracker.run(words[1:])
    chosen = _parser(words[:1]).parse_args(words)
    try:
        return int(chosen.run(chosen))
    except EndError as error:
        print(f"peer: {error}", file=sys.stderr)
        return error.code


def _parser(named: Sequence[str]) -> argparse.ArgumentParser:
    """Make the parser of the command that is named; the others are only listed, which costs every peer less."""
    parser = argparse.ArgumentParser(
        prog="python -m peer",
        description="BitTorrent for experiments: make torrents, share them, and run a tracker.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command, epilog in (
        ("create", create, _EXIT_CODES),
        ("seed", seed, _LINES + "\n" + _EXIT_CODES),
        ("leech", leech, _LINES + "\n" + _EXIT_CODES),
    ):
        one = commands.add_parser(
            name,
            help=command.SUMMARY,
            description=command.SUMMARY.capitalize() + ".",
            epilog=epilog,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if name in named:
            command.add_to(one)
            one.set_defaults(run=command.run)
    commands.add_parser("tracker", help=tracker.SUMMARY, add_help=False)
    return parser
