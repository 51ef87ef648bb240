"""`python -m peer tracker`: run a tracker."""

import argparse
from pathlib import Path
from typing import Final

from peer.bittorrent.tracker.registry import Policy
from peer.bittorrent.tracker.server import Options
from peer.bittorrent.tracker.server import run as run_tracker
from peer.bittorrent.tracker.udp import MOST_PEERS
from peer.process.arguments import (
    add_seed,
    digest,
    ipv4_host,
    whole_number,
)
from peer.process.exit_status import ExitStatus, exit_codes

DESCRIPTION: Final = """\
Run a BitTorrent tracker over HTTP and UDP (IPv4). When it listens, it prints:
  ready http://ADDR:PORT/announce udp://ADDR:PORT/announce
"""
EPILOG: Final = exit_codes(ExitStatus.OK, ExitStatus.USAGE, ExitStatus.NO_ADDRESS, ExitStatus.NO_TRACE)

_DAY: Final = 86_400


def add_to(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--bind", type=ipv4_host, default="0.0.0.0", metavar="ADDR", help="IPv4 address to listen on (default: all)")  # noqa: S104
    add("--port", type=whole_number(0, 65535), default=6969, help="TCP and UDP port (default: 6969; 0: any free one)")
    add(
        "--interval",
        type=whole_number(1, _DAY),
        default=1800,
        metavar="S",
        help="seconds between announcements (default: 1800)",
    )
    add(
        "--numwant",
        type=whole_number(0, MOST_PEERS),
        default=50,
        metavar="N",
        help="largest number of peers in an answer (default: 50)",
    )
    add_seed(parser, "the random choice of peers")
    add("--log", type=Path, metavar="FILE", help="append the events of peers to FILE, one JSON object per line")
    add(
        "--allow",
        type=digest,
        action="append",
        metavar="HASH",
        help="serve only the torrent with this info-hash (hex); repeatable",
    )
    add(
        "--seeds-meet-seeds",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="include seeds in the answers to seeds; some clients that have only a magnet link so far announce "
        "themselves as seeds (default: include)",
    )
    add("--believe-ip", action="store_true", help="accept the ip that clients state; for closed networks only")


def run(chosen: argparse.Namespace) -> int:
    policy = Policy(
        interval=chosen.interval,
        min_interval=min(chosen.interval, Policy().min_interval),
        lifetime=2 * chosen.interval + 60,
        default_numwant=chosen.numwant,
        most_numwant=chosen.numwant,
        seeds_meet_seeds=chosen.seeds_meet_seeds,
        believes_ip=chosen.believe_ip,
        allowed=frozenset(chosen.allow) if chosen.allow else None,
    )
    return run_tracker(Options(bind=chosen.bind, port=chosen.port, policy=policy, seed=chosen.seed, log=chosen.log))
