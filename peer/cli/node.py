"""`python -m peer node`: a node of an overlay."""

import argparse
from pathlib import Path
from typing import Final

from peer.overlays.description import Description, parameters_for, read_description
from peer.overlays.hands.program import Options
from peer.overlays.hands.program import run as run_node
from peer.overlays.reading import DescriptionError
from peer.overlays.registry import OverlayError, overlay_named
from peer.process.arguments import add_start_gate, add_trace
from peer.process.exit_status import ExitStatus, ProgramError, exit_codes

DESCRIPTION: Final = """\
Run a node of an overlay, as a file in JSON describes it. It prints
  ready HOST:PORT        when it listens for the first time
  searched               when one of its searches has ended, with --tell-searches
  completed              when all its searches have ended, and its downloads; it goes on until it is told to end
  fetch HOST:PORT NAME   when it would get an item that it has found, if the description has "fetch": true;
                         the name is a string in JSON
"""
EPILOG: Final = exit_codes(
    ExitStatus.OK, ExitStatus.USAGE, ExitStatus.NO_ADDRESS, ExitStatus.NO_TRACE, ExitStatus.CUT_SHORT
)


def add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("description", type=Path, metavar="DESCRIPTION.json", help="what the node is and does")
    add_trace(parser)
    add_start_gate(parser, "--wait")
    parser.add_argument("--tell-searches", action="store_true", help="print a line when a search has ended")


def run(chosen: argparse.Namespace) -> int:
    try:
        description = _read(chosen.description)
        overlay = overlay_named(description.overlay)
        parameters = parameters_for(description, overlay)
    except (DescriptionError, OverlayError) as error:
        raise ProgramError(ExitStatus.USAGE, f"{chosen.description}: {error}") from error
    gate, tells = chosen.wait_for_start, chosen.tell_searches
    return run_node(Options(description, overlay, parameters, chosen.trace, gate, tells_searches=tells))


def _read(path: Path) -> Description:
    try:
        return read_description(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DescriptionError(f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise DescriptionError(f"it is not UTF-8: {error}") from error
