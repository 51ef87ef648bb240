"""`python -m peer create`: make a torrent."""

import argparse
from pathlib import Path
from typing import Final

from peer import OUR_VERSION
from peer.bittorrent.client.torrent_maker import (
    LEAST_PIECE,
    MOST_PIECE,
    CreateError,
    Order,
    create,
)
from peer.process.arguments import address, whole_number
from peer.process.exit_status import ExitStatus, ProgramError, exit_codes

EPILOG: Final = exit_codes(ExitStatus.OK, ExitStatus.USAGE, ExitStatus.NO_TORRENT_OR_PLAN)


def add_to(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("path", type=Path, metavar="PATH", help="the file or folder to share")
    add("--out", type=Path, required=True, metavar="FILE", help="the torrent to write")
    add(
        "--tracker",
        action="append",
        default=[],
        metavar="URL",
        help="announce URL of a tracker; repeatable, tried in this order",
    )
    add(
        "--dht-node",
        type=address,
        action="append",
        default=[],
        metavar="HOST:PORT",
        help="a node of the DHT by which to join it, for torrents without a tracker; repeatable",
    )
    add(
        "--piece-length",
        type=whole_number(LEAST_PIECE, MOST_PIECE),
        metavar="N",
        help="bytes of a piece, a power of 2 (default: depends on the total length)",
    )
    add("--private", action="store_true", help="peers may be found through the trackers only")
    add("--comment", metavar="TEXT", help="a comment to store in the torrent")
    add("--force", action="store_true", help="overwrite an existing torrent")


def run(chosen: argparse.Namespace) -> int:
    """Make the torrent, and print its info-hash."""
    order = Order(
        source=chosen.path,
        piece_length=chosen.piece_length,
        tiers=tuple((url,) for url in chosen.tracker),
        nodes=tuple(chosen.dht_node),
        is_private=chosen.private,
        comment=chosen.comment,
        created_by=OUR_VERSION,
    )
    try:
        metainfo = create(order, chosen.out, is_forced=chosen.force)
    except CreateError as error:
        raise ProgramError(ExitStatus.NO_TORRENT_OR_PLAN, str(error)) from error
    print(metainfo.info.info_hash.hex())
    return ExitStatus.OK
