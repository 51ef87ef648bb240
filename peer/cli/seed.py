"""`python -m peer seed`: share a complete file or folder."""

import argparse
from pathlib import Path

from peer.bittorrent.client.open_torrent import CompleteData
from peer.bittorrent.client.program import run as run_program
from peer.cli.sharing import EPILOG, add_options, options, read_torrent

__all__ = ["EPILOG", "add_to", "run"]


def add_to(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("torrent", metavar="TORRENT", help="torrent file")
    parser.add_argument(
        "--data", type=Path, required=True, metavar="PATH", help="the file or folder that the torrent was made of"
    )
    parser.add_argument(
        "--storage",
        choices=["disk", "memory", "shared"],
        default="disk",
        help="serve from the files (disk; shared is the same for a seed) or from a copy in memory (default: disk)",
    )
    add_options(parser)


def run(chosen: argparse.Namespace) -> int:
    return run_program(options(chosen, read_torrent(chosen), CompleteData(chosen.data, chosen.storage == "memory")))
