"""`python -m peer client`: run another BitTorrent client as one of ours."""

import argparse
import sys
from pathlib import Path
from typing import Final, get_args

from contract.programs import EncryptionChoice
from peer.adapters.life.client import Options, run_client
from peer.adapters.registry import ADAPTERS
from peer.bittorrent.engine.strategy import Departure
from peer.bittorrent.strategies.parts.departures import MidWay, Stay, parse_departure
from peer.bittorrent.wire.metainfo.metainfo import Metainfo, decode_metainfo
from peer.cli.sharing import PRIVATE
from peer.errors import WireError
from peer.process import program
from peer.process.arguments import add_start_gate, add_trace, address, ipv4_host, rate, whole_number
from peer.process.exit_status import ExitStatus, ProgramError, exit_codes

DESCRIPTION: Final = """\
Run another BitTorrent client, made comparable with ours: plain TCP, no encryption unless --encryption asks for
it, peers from the tracker only (and the DHT with --dht).
"""
EPILOG: Final = (
    "It prints:\n"
    "  ready HOST:PORT     the client has joined; a seed when a tracker knows it\n"
    "  completed           the client has the whole file; it is compared with the original at the end\n\n"
    + exit_codes(
        *(ExitStatus.OK, ExitStatus.USAGE, ExitStatus.NO_TRACE, ExitStatus.NO_TORRENT_OR_PLAN),
        *(ExitStatus.NO_DATA, ExitStatus.WRONG_DATA, ExitStatus.CLIENT_FAILED),
    )
)


def add_to(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("adapter", metavar="ADAPTER", help=f"{', '.join(ADAPTERS)}, or your own module:Class")
    add("role", choices=["seed", "leech"])
    add("torrent", type=Path, metavar="TORRENT", help="a torrent of one file")
    add("--original", type=Path, required=True, metavar="FILE", help="a complete copy: a seed gets its data from it")
    add("--folder", type=Path, required=True, metavar="DIR", help="where the client's files are, until it ends")
    add("--adapters", type=Path, metavar="DIR", help="folder to search first for modules of adapters")
    add("--bind", type=ipv4_host, required=True, metavar="ADDR", help="IPv4 address for listening and dialling")
    add("--port", type=whole_number(1, 65535), default=6881, help="TCP port (default: 6881)")
    add("--dht", action="store_true", help="let it use the DHT too: aria2, libtorrent, webtorrent, or your own")
    add(
        "--dht-node",
        type=address,
        action="append",
        default=[],
        metavar="HOST:PORT",
        help="a node by which to join the DHT, beside those that the torrent names; repeatable, implies --dht",
    )
    add("--encryption", choices=get_args(EncryptionChoice), help="as of ours; not every client knows every word")
    add("--upload-limit", type=rate, metavar="RATE", help="the rate of the uplink, to tell the client")
    add("--departure", type=_departure, default=Stay(), metavar="WHEN", help="when to leave, as for a leech of ours")
    add_trace(parser)
    add_start_gate(parser)


def run(chosen: argparse.Namespace) -> int:
    if chosen.adapters is not None:
        sys.path.insert(0, str(chosen.adapters))
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    metainfo = _metainfo(chosen.torrent)
    wants_dht = bool(chosen.dht or chosen.dht_node)
    uses_dht = wants_dht and not metainfo.info.is_private
    options = Options(
        adapter=chosen.adapter,
        is_seed=chosen.role == "seed",
        torrent=chosen.torrent,
        info=metainfo.info,
        original=chosen.original,
        folder=chosen.folder,
        bind=chosen.bind,
        port=chosen.port,
        upload_limit=None if chosen.upload_limit is None else round(chosen.upload_limit),
        departure=chosen.departure,
        trace=chosen.trace,
        waits_for_start=chosen.wait_for_start,
        dht=(*metainfo.nodes, *chosen.dht_node) if uses_dht else None,
        encryption=chosen.encryption,
        has_tracker=bool(metainfo.tiers) or not uses_dht,
    )
    if uses_dht != wants_dht:
        print(f"client: {PRIVATE}", file=sys.stderr, flush=True)
    return program.run(lambda signals: run_client(options, signals))


def _metainfo(torrent: Path) -> Metainfo:
    try:
        metainfo = decode_metainfo(torrent.read_bytes())
    except (OSError, WireError) as error:
        raise ProgramError(ExitStatus.NO_TORRENT_OR_PLAN, f"{torrent}: {error}; name a torrent of one file") from error
    if len(metainfo.info.files) != 1:
        problem = f"{torrent}: expected one file, found {len(metainfo.info.files)}"
        raise ProgramError(ExitStatus.NO_TORRENT_OR_PLAN, problem)
    return metainfo


def _departure(text: str) -> Departure:
    try:
        found = parse_departure(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error
    if isinstance(found, MidWay):
        raise argparse.ArgumentTypeError("another client cannot leave and come back")
    return found
