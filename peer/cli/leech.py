"""`python -m peer leech`: download a file or folder from a swarm, and share it."""

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
    parser.add_argument("torrent", metavar="TORRENT|MAGNET", help="a torrent file or a magnet link")
    group = parser.add_argument_group("storage")
    group.add_argument(
        "--to", type=Path, metavar="DIR", help="the folder to download into, under the torrent's name (disk)"
    )
    group.add_argument(
        "--storage",
        choices=["disk", "memory", "shared"],
        default="disk",
        help="disk: keep files, and resume after a restart; memory: keep nothing after the end; shared: verify "
        "received pieces, discard them and upload from --original, which all peers on a machine can share "
        "(default: disk)",
    )
    group.add_argument(
        "--original", type=Path, metavar="FILE", help="a complete copy of the torrent's only file (shared)"
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
        raise ProgramError(
            ExitStatus.USAGE, "--have takes pieces from an original: add --storage shared and --original"
        )
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
