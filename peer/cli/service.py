"""`python -m peer service`: run somebody else's server as one of ours."""

import argparse
from pathlib import Path
from typing import Final

from contract.programs import SERVICES
from peer.adapters.life.server import Site, serve
from peer.adapters.registry import service_named
from peer.net.address import Address
from peer.process import program
from peer.process.arguments import add_trace, digest, ipv4_host, whole_number
from peer.process.exit_status import ExitStatus, exit_codes

DESCRIPTION: Final = """\
Run another server: nginx, or the tracker opentracker. When it accepts connections, it prints:
  ready HOST:PORT
"""
EPILOG: Final = exit_codes(
    *(ExitStatus.OK, ExitStatus.USAGE, ExitStatus.NO_TRACE, ExitStatus.NO_DATA, ExitStatus.CLIENT_FAILED)
)


def add_to(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("service", choices=SERVICES)
    add("--file", type=Path, metavar="FILE", help="what nginx serves, under its name")
    add("--info-hash", type=digest, default=b"", metavar="HASH", help="the torrent that opentracker serves (hex)")
    add("--folder", type=Path, required=True, metavar="DIR", help="where the server's settings are, until it ends")
    add("--bind", type=ipv4_host, required=True, metavar="ADDR", help="IPv4 address to listen on")
    add("--port", type=whole_number(1, 65535), required=True, help="TCP port (opentracker: and UDP)")
    add_trace(parser)


def run(chosen: argparse.Namespace) -> int:
    site = Site(Address(chosen.bind, chosen.port), chosen.file, chosen.info_hash.hex())
    kind = service_named(chosen.service)
    return program.run(lambda signals: serve(kind, site, chosen.folder, chosen.trace, signals))
