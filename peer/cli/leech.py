"""`python -m peer leech`: get what others share, and share it."""

import argparse
from pathlib import Path

from peer.bittorrent.client.open_torrent import (
    InMemory,
    OfOriginal,
    OnDisk,
    OpensStorage,
)
from peer.bittorrent.client.program import run as run_program
from peer.cli.sharing import (
    add_options,
    options,
    read_torrent,
    starters,
)
from peer.process.arguments import share
from peer.process.exit_status import EndError, ExitCode

SUMMARY = "get a file or folder from a swarm, and share it"


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("torrent", metavar="TORRENT|MAGNET", help="torrent file or magnet link")
    group = parser.add_argument_group("where the bytes go")
    group.add_argument("--to", type=Path, metavar="DIR", help="folder to put it into, under the torrent's name (disk)")
    group.add_argument(
        "--storage",
        choices=["disk", "memory", "shared"],
        default="disk",
        help="disk: files, found again after a restart; memory: nowhere else; shared: what arrives is verified and "
        "given up, and served from --original, which all peers of a machine can share (default: disk)",
    )
    group.add_argument(
        "--original", type=Path, metavar="FILE", help="a complete copy of the torrent's one file (shared)"
    )
    group.add_argument(
        "--have", type=share, default=0.0, metavar="SHARE", help="begin with this share of the pieces, drawn (shared)"
    )
    add_options(parser)


def run(chosen: argparse.Namespace) -> int:
    """Get and share."""
    storage = _storage(chosen)
    return run_program(options(chosen, read_torrent(chosen), storage))


def _storage(chosen: argparse.Namespace) -> OpensStorage:
    if chosen.have and chosen.storage != "shared":
        raise EndError(ExitCode.USAGE, "--have needs an original to take the pieces from: add --storage shared")
    match chosen.storage:
        case "memory":
            return InMemory()
        case "shared":
            return OfOriginal(_given(chosen, "original"), chosen.have, starters(chosen))
        case _:
            return OnDisk(_given(chosen, "to"))


def _given(chosen: argparse.Namespace, name: str) -> Path:
    path = getattr(chosen, name)
    if not isinstance(path, Path):
        raise EndError(ExitCode.USAGE, f"--storage {chosen.storage} needs --{name}: add it")
    return path
