"""`python -m peer.cli.fetch`: the command line of the client-server scheme's client."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from random import Random

from contract.events import Joined
from peer.distribution.client_server.client import Fetch, Url, parse_url
from peer.distribution.content import arriving
from peer.distribution.endings import ExitCode, exit_codes
from peer.net.address import Address
from peer.process.program import (
    add_hold,
    digest,
    host,
    live,
    number,
    open_diary,
    run,
    wait_until_told,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Fetch a file as the arguments say."""
    chosen = _parser().parse_args(arguments)
    return run("client", lambda: fetch(chosen))


async def fetch(chosen: argparse.Namespace) -> None:
    """Fetch until the file is here, or SIGTERM or SIGINT."""
    with (
        open_diary(chosen.trace, "client-server") as diary,
        arriving(to=chosen.to, original=chosen.original, digest=chosen.sha1, length=chosen.size) as arrival,
    ):
        if chosen.hold:
            await wait_until_told(Address(chosen.bind, 0))
        rng = Random(chosen.seed)
        fetching = Fetch(
            chosen.url, arrival, diary, source=chosen.bind, size=chosen.size, patience=chosen.patience, rng=rng
        )
        diary.tell(Joined("client", "", 0))
        await live(diary, fetching.run(), lambda: int(fetching.is_whole))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m peer.cli.fetch",
        description="Fetch a file over HTTP/1.1 and one connection; after a loss, from where it was. It prints:\n"
        "  ready HOST:PORT     it is about to connect, from there\n"
        "  completed           all has come and is right",
        epilog=exit_codes(*(code for code in ExitCode if code is not ExitCode.NO_PLAN)),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("url", type=_url, metavar="URL", help="http://HOST:PORT/PATH")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--to", type=Path, metavar="FILE", help="where to keep it; what is there is overwritten")
    place.add_argument("--discard", action="store_true", help="check it and keep nothing")
    check = parser.add_mutually_exclusive_group(required=True)
    check.add_argument("--sha1", type=digest, metavar="HEX", help="the SHA-1 that it must have")
    check.add_argument("--original", type=Path, metavar="FILE", help="what it must equal, byte by byte")
    add("--size", type=number(1, 1 << 60), metavar="BYTES", help="the length that it must have")
    add("--bind", type=host, default="0.0.0.0", metavar="ADDR", help="connect from this IPv4 address (default: any)")  # noqa: S104
    add("--trace", type=Path, metavar="FILE", help="append what happens as JSON lines")
    add("--seed", type=int, metavar="N", help="seed of the random part of waits (default: a new one each time)")
    add(
        "--patience",
        type=number(0, 1 << 31),
        default=60,
        metavar="S",
        help="give up if nothing came for so long (default: 60)",
    )
    add_hold(parser)
    return parser


def _url(text: str) -> Url:
    try:
        return parse_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
