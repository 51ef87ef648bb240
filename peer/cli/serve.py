"""`python -m peer.cli.serve`: the command line of the client-server scheme's server."""

import argparse
import asyncio
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from contract.events import Joined, Opened
from peer.distribution.client_server.server import Site
from peer.distribution.content import open_whole
from peer.distribution.endings import ExitCode, exit_codes
from peer.net.address import Address
from peer.process.program import (
    bind,
    host,
    live,
    number,
    open_diary,
    run,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve a file as the arguments say."""
    chosen = _parser().parse_args(arguments)
    return run("server", lambda: serve(chosen.file, Address(chosen.bind, chosen.port), chosen.trace))


async def serve(path: Path, address: Address, trace: Path | None) -> None:
    """Serve until SIGTERM or SIGINT; the readiness line goes to standard output."""
    with open_diary(trace, "client-server") as diary, open_whole(path) as file:
        site = Site(file, f"/{quote(path.name)}", diary)
        bound = bind(address, "choose another --bind or --port")
        address = Address(*bound.getsockname())
        diary.tell(Joined("server", "", address.port))
        diary.tell(Opened(path.name, file.length, file.length, 1, 1))
        await live(diary, _open(site, bound, address), lambda: 1, site.drop_overdue)


async def _open(site: Site, bound: socket.socket, address: Address) -> None:
    """Take connections until this is cancelled."""
    listener = site.listen(bound)
    print(f"ready {address}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        listener.close()
        site.close("the server ends")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m peer.cli.serve",
        description="Serve one file over HTTP/1.1, at http://HOST:PORT/NAME. When it listens it prints one line:\n"
        "  ready HOST:PORT",
        epilog=exit_codes(ExitCode.OK, ExitCode.USAGE, ExitCode.NO_ADDRESS, ExitCode.NO_TRACE, ExitCode.NO_DATA),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="what to serve")
    add("--bind", type=host, default="0.0.0.0", metavar="ADDR", help="IPv4 address to listen on (default: all)")  # noqa: S104
    add("--port", type=number(0, 65535), default=8080, help="TCP port (default: 8080; 0: any free one)")
    add("--trace", type=Path, metavar="FILE", help="append what happens as JSON lines")
    return parser


if __name__ == "__main__":
    sys.exit(main())
