"""`python -m peer serve`: the server of the client-server scheme."""

import argparse
import asyncio
import socket
from pathlib import Path
from typing import Final
from urllib.parse import quote

from contract.events import Joined, Opened
from contract.programs import READY
from peer.distribution.client_server.server import Site
from peer.distribution.content import open_whole
from peer.distribution.program import open_recorder, work_until_end
from peer.net.address import Address
from peer.process import program
from peer.process.arguments import add_trace, ipv4_host, whole_number
from peer.process.exit_status import ExitStatus, exit_codes
from peer.process.signals import EndSignals

DESCRIPTION: Final = """\
Serve one file at http://HOST:PORT/NAME (HTTP/1.1). When it listens, it prints:
  ready HOST:PORT
"""
EPILOG: Final = exit_codes(
    ExitStatus.OK, ExitStatus.USAGE, ExitStatus.NO_ADDRESS, ExitStatus.NO_TRACE, ExitStatus.NO_DATA
)


def add_to(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="the file to serve")
    add("--bind", type=ipv4_host, default="0.0.0.0", metavar="ADDR", help="IPv4 address to listen on (default: all)")  # noqa: S104
    add("--port", type=whole_number(0, 65535), default=8080, help="TCP port (default: 8080; 0: any free one)")
    add_trace(parser)


def run(chosen: argparse.Namespace) -> int:
    address = Address(chosen.bind, chosen.port)
    return program.run(lambda signals: _serve(chosen.file, address, chosen.trace, signals))


async def _serve(path: Path, address: Address, trace: Path | None, signals: EndSignals) -> ExitStatus:
    with open_recorder(trace, "client-server") as recorder, open_whole(path) as file:
        site = Site(file, f"/{quote(path.name)}", recorder)
        bound = program.bind(address, "cannot use the address", "choose another --bind or --port")
        address = Address(*bound.getsockname())
        recorder.record(Joined("server", "", address.port))
        recorder.record(Opened(path.name, file.length, file.length, 1, 1))
        return await work_until_end(_accept(site, bound, address), signals, recorder, lambda: 1, site.drop_overdue)


async def _accept(site: Site, bound: socket.socket, address: Address) -> None:
    """Accept connections until this is cancelled."""
    listener = site.listen(bound)
    print(f"{READY} {address}", flush=True)
    try:
        await asyncio.Event().wait()
    finally:
        listener.close()
        site.close("the server ended")
