"""The common part of `seed` and `leech`: options, and reading a torrent."""

import argparse
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Final

from contract.events import Level
from contract.programs import RC4_PACKAGE
from peer.bittorrent.client.connections.encryption import Encryption, is_available
from peer.bittorrent.client.open_torrent import StorageOpener
from peer.bittorrent.client.program import Options, Torrent
from peer.bittorrent.client.trackers.urls import why_not
from peer.bittorrent.engine.profile import PROFILES
from peer.bittorrent.strategies.registry import STRATEGIES
from peer.bittorrent.wire.errors import MetainfoError
from peer.bittorrent.wire.metainfo.magnet import Magnet, decode_magnet
from peer.bittorrent.wire.metainfo.metainfo import decode_metainfo
from peer.errors import WireError
from peer.process.arguments import (
    OptionGroup,
    add_seed,
    add_start_gate,
    add_trace,
    address,
    assignment,
    host,
    positive,
    rate,
    whole_number,
)
from peer.process.exit_status import ExitStatus, ProgramError, exit_codes

EPILOG: Final = (
    "It prints:\n"
    "  ready HOST:PORT     it listens on this address\n"
    "  completed           all pieces are complete and verified\n\n"
    + exit_codes(
        *(ExitStatus.OK, ExitStatus.USAGE, ExitStatus.NO_ADDRESS, ExitStatus.NO_TRACE),
        *(ExitStatus.NO_TORRENT_OR_PLAN, ExitStatus.NO_DATA, ExitStatus.CUT_SHORT),
    )
)
NOBODY_TO_ASK: Final = (
    "there is no tracker to ask and no peer to dial, and no DHT, so it waits for others to connect; "
    "name a tracker in the torrent, a peer with --peer, or a node of the DHT with --dht-node "
    "(--no-tracker says that this is meant)"
)
NO_NODE: Final = (
    "no node of the DHT is known and no peer, so it waits for others to ask; name a node with --dht-node "
    "(--no-tracker says that this is meant)"
)
PRIVATE: Final = "the torrent is private, so its peers come from its trackers alone: --dht is left out"
_MOST_TORRENT: Final = 64 << 20


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of every peer."""
    _add_network_options(parser.add_argument_group("network"))
    behaviour = parser.add_argument_group("behaviour")
    _add_profile_options(behaviour)
    _add_strategy_options(behaviour)
    _add_record_options(parser.add_argument_group("trace, random seed and start"))


def options(chosen: argparse.Namespace, torrent: Torrent, open_storage: StorageOpener) -> Options:
    """Convert the command line to the options of a program."""
    parameters = dict(chosen.set)
    if chosen.departure is not None:
        parameters["departure"] = chosen.departure
    if chosen.strategies is not None:
        sys.path.insert(0, str(chosen.strategies))
    if str(Path.cwd()) not in sys.path:
        sys.path.append(str(Path.cwd()))
    return Options(
        torrent=torrent,
        open_storage=open_storage,
        bind=chosen.bind,
        port=chosen.port,
        return_bind=chosen.return_bind,
        profile=PROFILES[chosen.profile].scaled(chosen.time_scale),
        time_scale=chosen.time_scale,
        strategy=chosen.strategy,
        parameters=parameters,
        upload_limit=chosen.upload_limit,
        encryption=_encryption(chosen.encryption),
        uses_dht=_uses_dht(chosen, torrent),
        trace=chosen.trace,
        level=Level[chosen.level.upper()],
        seed=chosen.seed,
        waits_for_start=chosen.wait_for_start,
    )


def read_torrent(chosen: argparse.Namespace) -> Torrent:
    """Read the torrent file or the magnet link that the command line names; raises ProgramError."""
    try:
        torrent = _from_magnet(chosen.torrent) if chosen.torrent.startswith("magnet:") else _from_file(chosen.torrent)
    except OSError as error:
        problem = f"cannot read {chosen.torrent}: {os.strerror(error.errno or 0)}; name a torrent file or a magnet link"
        raise ProgramError(ExitStatus.NO_TORRENT_OR_PLAN, problem) from error
    except WireError as error:
        problem = f"{chosen.torrent[:80]}: {error}; name a torrent file or a magnet link"
        raise ProgramError(ExitStatus.NO_TORRENT_OR_PLAN, problem) from error
    named = () if chosen.no_tracker else torrent.trackers
    problems = {url: why_not(url) for tier in named for url in tier}
    usable = (tuple(url for url in tier if problems[url] is None) for tier in named)
    trackers = tuple(tier for tier in usable if tier)
    peers = (*torrent.peers, *chosen.peer)
    found = replace(torrent, trackers=trackers, peers=peers, nodes=(*torrent.nodes, *chosen.dht_node))
    left_out = [f"tracker {url[:80]!r} is left out: {problem}" for url, problem in problems.items() if problem]
    return replace(found, warnings=(*left_out, *_warnings(chosen, found)))


def _warnings(chosen: argparse.Namespace, torrent: Torrent) -> Iterator[str]:
    uses_dht = _uses_dht(chosen, torrent)
    if not uses_dht and _wants_dht(chosen):
        yield PRIVATE
    if torrent.trackers or torrent.peers or chosen.no_tracker:
        return
    if not uses_dht:
        yield NOBODY_TO_ASK
    elif not torrent.nodes:
        yield NO_NODE


def _wants_dht(chosen: argparse.Namespace) -> bool:
    return bool(chosen.dht or chosen.dht_node)


def _uses_dht(chosen: argparse.Namespace, torrent: Torrent) -> bool:
    """Whether there is to be a DHT: peers of a private torrent come from its trackers alone (BEP 27)."""
    if _wants_dht(chosen) and any(":" in (host or "") for host in (chosen.bind, chosen.return_bind)):
        raise ProgramError(ExitStatus.USAGE, "--dht is for IPv4: leave it out, or --bind an IPv4 address")
    return _wants_dht(chosen) and not (torrent.info is not None and torrent.info.is_private)


def _encryption(choice: Encryption) -> Encryption:
    if choice in {Encryption.PREFER, Encryption.REQUIRE} and not is_available():
        needs = f"needs the Python package {RC4_PACKAGE}: install it (`pip install {RC4_PACKAGE}`)"
        raise ProgramError(ExitStatus.USAGE, f"--encryption {choice} {needs}")
    return choice


def pieces_rng(chosen: argparse.Namespace) -> Random:
    """Return the random source that draws the pieces with which a peer starts."""
    return Random(None if chosen.seed is None else f"pieces {chosen.seed}")


def _from_magnet(link: str) -> Torrent:
    magnet: Magnet = decode_magnet(link)
    return Torrent(magnet.info_hash, None, tuple((url,) for url in magnet.trackers), magnet.peers)


def _from_file(path: str) -> Torrent:
    with Path(path).open("rb") as file:
        data = file.read(_MOST_TORRENT + 1)
    if len(data) > _MOST_TORRENT:
        raise MetainfoError(f"expected a torrent of {_MOST_TORRENT} bytes at most")
    metainfo = decode_metainfo(data)
    return Torrent(metainfo.info.info_hash, metainfo.info, metainfo.tiers, nodes=metainfo.nodes)


def _add_network_options(group: OptionGroup) -> None:
    add = group.add_argument
    add(
        "--bind",
        type=host,
        default="0.0.0.0",  # noqa: S104  Peers come from outside.
        metavar="HOST",
        help="the address for listening and dialling (default: all)",
    )
    add("--port", type=whole_number(0, 65535), default=6881, help="TCP port (default: 6881; 0: any free one)")
    add(
        "--return-bind",
        type=host,
        metavar="HOST",
        help="the address after returning from an absence (default: the same)",
    )
    add(
        "--peer",
        type=address,
        action="append",
        default=[],
        metavar="HOST:PORT",
        help="a peer to connect to; repeatable",
    )
    add(
        "--encryption",
        type=Encryption,
        choices=list(Encryption),
        default=Encryption.ACCEPT,
        help="accept: dial in plaintext, and take encrypted connections; prefer: dial with encryption first; require: "
        "refuse plaintext; off: refuse encryption (default: accept)",
    )
    add("--no-tracker", action="store_true", help="do not announce to the torrent's trackers")
    add("--dht", action="store_true", help="find peers in the DHT too, by a node on UDP at the same port (not IPv6)")
    add(
        "--dht-node",
        type=address,
        action="append",
        default=[],
        metavar="HOST:PORT",
        help="a node by which to join the DHT, beside those that the torrent names; repeatable, implies --dht",
    )


def _add_profile_options(group: OptionGroup) -> None:
    add = group.add_argument
    add(
        "--profile",
        choices=list(PROFILES),
        default="course",
        help="the constants to use: slots, periods, ... (default: course)",
    )
    add(
        "--time-scale",
        type=positive,
        default=1.0,
        metavar="X",
        help="divide the periods of the protocol by X, for small and fast experiments (default: 1)",
    )


def _add_strategy_options(group: OptionGroup) -> None:
    add = group.add_argument
    add(
        "--strategy",
        default="tit-for-tat",
        metavar="NAME",
        help=f"{', '.join(STRATEGIES)}, or your own module:Class (default: tit-for-tat)",
    )
    add(
        "--strategies",
        type=Path,
        metavar="DIR",
        help="folder to search first for modules of strategies (before installed packages and the working directory)",
    )
    add(
        "--set",
        type=assignment,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the strategy; repeatable",
    )
    add(
        "--departure",
        metavar="WHEN",
        help="when to leave: stay, at-completion, 'after 60 s', 'at ratio 1.5', 'at 50 %% for 30 s' (default: stay)",
    )
    add(
        "--upload-limit",
        type=rate,
        metavar="RATE",
        help="limit the bytes of blocks sent per second, in bit/s, kbit/s, Mbit/s, B/s, kB/s, MB/s, KiB/s or MiB/s, "
        "such as 8Mbit/s (default: no limit)",
    )


def _add_record_options(group: OptionGroup) -> None:
    add = group.add_argument
    add_trace(group)
    add(
        "--level",
        choices=[level.name.lower() for level in Level],
        default="summary",
        help="detail of the trace: pieces adds each piece, full also each block (default: summary)",
    )
    add_seed(group, "all random choices")
    add_start_gate(group)
