"""`python -m peer fetch`: the client of the client-server scheme."""

import argparse
from pathlib import Path
from random import Random
from typing import Final

from contract.events import Joined
from peer.distribution.client_server.client import Fetch, Url, parse_url
from peer.distribution.content import arriving
from peer.distribution.program import open_recorder, work_until_end
from peer.net.address import Address
from peer.process import program
from peer.process.arguments import (
    add_seed,
    add_start_gate,
    add_trace,
    digest,
    ipv4_host,
    whole_number,
)
from peer.process.exit_status import ExitStatus, exit_codes
from peer.process.signals import EndSignals, wait_for_start

DESCRIPTION: Final = """\
Fetch a file over HTTP/1.1 and one connection, which is made again after a loss and resumes. It prints:
  ready HOST:PORT     it is about to connect, from there
  completed           the whole file has arrived and is right
"""
EPILOG: Final = exit_codes(
    *(ExitStatus.OK, ExitStatus.USAGE, ExitStatus.NO_ADDRESS, ExitStatus.NO_TRACE),
    *(ExitStatus.NO_DATA, ExitStatus.WRONG_DATA, ExitStatus.GAVE_UP),
)


def add_to(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("url", type=_url, metavar="URL", help="http://HOST:PORT/PATH")
    place = parser.add_mutually_exclusive_group(required=True)
    place.add_argument("--to", type=Path, metavar="FILE", help="where to keep it; an existing file is overwritten")
    place.add_argument("--discard", action="store_true", help="check it and keep nothing")
    check = parser.add_mutually_exclusive_group(required=True)
    check.add_argument("--sha1", type=digest, metavar="HEX", help="the SHA-1 that it must have")
    check.add_argument("--original", type=Path, metavar="FILE", help="what it must equal, byte by byte")
    add("--size", type=whole_number(1, 1 << 60), metavar="BYTES", help="the length that it must have")
    add("--bind", type=ipv4_host, default="0.0.0.0", metavar="ADDR", help="IPv4 address to connect from (default: any)")  # noqa: S104
    add_trace(parser)
    add_seed(parser, "the random part of waits")
    add(
        "--patience",
        type=whole_number(0, 1 << 31),
        default=60,
        metavar="S",
        help="give up after S seconds without data (default: 60)",
    )
    add_start_gate(parser)


def run(chosen: argparse.Namespace) -> int:
    return program.run(lambda signals: _fetch(chosen, signals))


async def _fetch(chosen: argparse.Namespace, signals: EndSignals) -> ExitStatus:
    with (
        open_recorder(chosen.trace, "client-server") as recorder,
        arriving(to=chosen.to, original=chosen.original, digest=chosen.sha1, length=chosen.size) as arrival,
    ):
        if chosen.wait_for_start:
            await wait_for_start(Address(chosen.bind, 0), signals)
        fetch = Fetch(
            chosen.url,
            arrival,
            recorder,
            source=chosen.bind,
            size=chosen.size,
            patience=chosen.patience,
            rng=Random(chosen.seed),
        )
        recorder.record(Joined("client", "", 0))
        return await work_until_end(fetch.run(), signals, recorder, lambda: int(fetch.is_whole))


def _url(text: str) -> Url:
    try:
        return parse_url(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
