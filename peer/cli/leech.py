"""`python -m peer leech`: get a file or folder from a swarm, and share it."""

import argparse
from pathlib import Path

from peer.bittorrent.client.open_torrent import (
    FromOriginal,
    InMemory,
    OnDisk,
    StorageOpener,
)
from peer.bittorrent.client.program import run as run_program
from peer.cli.sharing import (
    EPILOG,
    add_options,
    options,
    pieces_rng,
    read_torrent,
)
from peer.process.arguments import share
from peer.process.exit_status import ExitStatus, ProgramError

__all__ = ["EPILOG", "add_to", "run"]


def add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("torrent", metavar="TORRENT|MAGNET", help="torrent file or magnet link")
    group = parser.add_argument_group("where the bytes go")
    group.add_argument("--to", type=Path, metavar="DIR", help="folder to put it into, under the torrent's name (disk)")
    group.add_argument(
        "--storage",
        choices=["disk", "memory", "shared"],
        default="disk",
        help="disk: files, found again after a restart; memory: gone with the process; shared: what arrives is "
        "verified and discarded, and served from --original, which all peers of a machine can share (default: disk)",
    )
    group.add_argument(
        "--original", type=Path, metavar="FILE", help="a complete copy of the torrent's one file (shared)"
    )
    group.add_argument(
        "--have",
        type=share,
        default=0.0,
        metavar="SHARE",
        help="start with this share of the pieces, drawn at random (shared)",
    )
    add_options(parser)


def run(chosen: argparse.Namespace) -> int:
    storage = _storage(chosen)
    return run_program(options(chosen, read_torrent(chosen), storage))


def _storage(chosen: argparse.Namespace) -> StorageOpener:
    if chosen.have and chosen.storage != "shared":
        raise ProgramError(ExitStatus.USAGE, "--have needs an original to take the pieces from: add --storage shared")
    match chosen.storage:
        case "memory":
            return InMemory()
        case "shared":
            return FromOriginal(_required(chosen, "original"), chosen.have, pieces_rng(chosen))
        case _:
            return OnDisk(_required(chosen, "to"))


def _required(chosen: argparse.Namespace, name: str) -> Path:
    path = getattr(chosen, name)
    if not isinstance(path, Path):
        raise ProgramError(ExitStatus.USAGE, f"--storage {chosen.storage} needs --{name}: add it")
    return path
