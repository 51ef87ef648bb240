"""`python -m peer.bittorrent.tracker`: the command line of the tracker."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from peer.bittorrent.tracker.registry import Policy
from peer.bittorrent.tracker.server import Options, run
from peer.bittorrent.tracker.udp import MOST_PEERS
from peer.bittorrent.wire.handshake import INFO_HASH_LENGTH
from peer.errors import WireError
from peer.net.address import pack_host

_DAY: Final = 86_400
_EXIT_CODES: Final = """\
exit codes:
  0  ended by SIGTERM or SIGINT
  2  an option cannot be used
  3  the address cannot be used (port in use, no such address, no permission)
  4  the log file cannot be written
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a tracker as the arguments say."""
    return run(_options(_parser().parse_args(arguments)))


def _options(chosen: argparse.Namespace) -> Options:
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
    return Options(bind=chosen.bind, port=chosen.port, policy=policy, seed=chosen.seed, log=chosen.log)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m peer.bittorrent.tracker",
        description="A BitTorrent tracker over HTTP and UDP, for IPv4. When it listens it prints one line:\n"
        "  ready http://ADDR:PORT/announce udp://ADDR:PORT/announce",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--bind", type=_host, default="0.0.0.0", metavar="ADDR", help="IPv4 address to listen on (default: all)")  # noqa: S104
    add("--port", type=_number(0, 65535), default=6969, help="TCP and UDP port (default: 6969; 0: any free one)")
    add(
        "--interval",
        type=_number(1, _DAY),
        default=1800,
        metavar="S",
        help="seconds between announcements (default: 1800)",
    )
    add("--numwant", type=_number(0, MOST_PEERS), default=50, metavar="N", help="most peers in an answer (default: 50)")
    add("--seed", type=int, metavar="N", help="seed of the random choice of peers (default: a new one each time)")
    add("--log", type=Path, metavar="FILE", help="append what happens to peers as JSON lines")
    add("--allow", type=_info_hash, action="append", metavar="HASH", help="serve only this torrent, in hex; repeatable")
    add("--seeds-meet-seeds", action="store_true", help="list seeds in the answers to seeds too")
    add("--believe-ip", action="store_true", help="believe the ip that clients state; for closed networks only")
    return parser


def _number(low: int, high: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise argparse.ArgumentTypeError(f"expected {low} to {high}, found {text!r}")
        return int(text)

    return number


def _host(text: str) -> str:
    try:
        pack_host(text)
    except WireError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    return text


def _info_hash(text: str) -> bytes:
    try:
        info_hash = bytes.fromhex(text)
    except ValueError:
        info_hash = b""
    if len(info_hash) != INFO_HASH_LENGTH:
        raise argparse.ArgumentTypeError(f"expected 40 hex digits, found {text!r}")
    return info_hash


if __name__ == "__main__":
    sys.exit(main())
