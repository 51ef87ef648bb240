"""`python -m peer create`: make a torrent."""

import argparse
from pathlib import Path

from peer.bittorrent.client.torrent_maker import (
    LEAST_PIECE,
    MOST_PIECE,
    CreateError,
    Order,
    create,
)
from peer.bittorrent.wire.peer_id import OUR_VERSION
from peer.process.arguments import whole_number
from peer.process.exit_status import EndError, ExitCode

SUMMARY = "make a torrent of a file or folder"


def add_to(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add = parser.add_argument
    add("path", type=Path, metavar="PATH", help="file or folder to share")
    add("--out", type=Path, required=True, metavar="FILE", help="the torrent to write")
    add(
        "--tracker",
        action="append",
        default=[],
        metavar="URL",
        help="where peers find each other; repeatable, asked in this order",
    )
    add(
        "--piece-length",
        type=whole_number(LEAST_PIECE, MOST_PIECE),
        metavar="N",
        help="bytes of a piece, a power of 2 (default: chosen by the length)",
    )
    add("--private", action="store_true", help="peers are to be found through the trackers alone")
    add("--comment", metavar="TEXT", help="a remark for people")
    add("--force", action="store_true", help="overwrite the torrent if it is there")


def run(chosen: argparse.Namespace) -> int:
    """Make it, and print its info-hash."""
    order = Order(
        source=chosen.path,
        piece_length=chosen.piece_length,
        tiers=tuple((url,) for url in chosen.tracker),
        is_private=chosen.private,
        comment=chosen.comment,
        created_by=OUR_VERSION,
    )
    try:
        metainfo = create(order, chosen.out, is_forced=chosen.force)
    except CreateError as error:
        raise EndError(ExitCode.NO_TORRENT, str(error)) from error
    print(metainfo.info.info_hash.hex())
    return ExitCode.OK
