"""Shared by the benchmarks of clients: one way to start our peer and libtorrent, torrents, and tables."""

import os
import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha1
from pathlib import Path
from random import Random

from peer.bittorrent.wire.metainfo.metainfo import Metainfo, make_info
from testbed.network import EmulatedHost, Process

REPOSITORY = Path(__file__).resolve().parent.parent
# A warm interpreter imports from the folder it starts in.
LIBTORRENT = "tests.peer.bittorrent.conformance.libtorrent_client"
# The peer imports its event loop only when it needs one, so it is named here.
PRELOAD = ("peer.cli.main", "peer.cli.seed", "peer.cli.leech", "peer.cli.tracker", "uvloop", LIBTORRENT)
CLIENTS = ("ours", "libtorrent")
NAME = "file.bin"
PORT = 6881
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Client:
    """A BitTorrent client, and the options with which it is started."""

    name: str
    options: Mapping[str, object] = field(default_factory=dict)

    def seed(self, host: EmulatedHost, torrent: Path, data: Path, output: Path, **options: object) -> Process:
        """Start a seed of the file `data`."""
        if self.name == "libtorrent":
            return self._start_libtorrent(host, "seed", torrent, data.parent, output)
        return self._start_ours(host, "seed", torrent, output, {"data": data, **options})

    def leech(self, host: EmulatedHost, torrent: Path, folder: Path, output: Path, **options: object) -> Process:
        """Start a leech that puts the file into `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.name == "libtorrent":
            return self._start_libtorrent(host, "leech", torrent, folder, output)
        return self._start_ours(host, "leech", torrent, output, {"to": folder, **options})

    def _start_libtorrent(self, host: EmulatedHost, role: str, torrent: Path, folder: Path, output: Path) -> Process:
        return self._start(host, LIBTORRENT, [role, torrent, folder, "--bind", host.address], output)

    def _start_ours(
        self, host: EmulatedHost, role: str, torrent: Path, output: Path, options: Mapping[str, object]
    ) -> Process:
        chosen = {"bind": host.address, "port": PORT, **self.options, **options}
        arguments = [word for name, value in chosen.items() for word in option(name, value)]
        return self._start(host, "peer", [role, torrent, *arguments], output)

    @staticmethod
    def _start(host: EmulatedHost, module: str, arguments: Sequence[object], output: Path) -> Process:
        return host.start_python(module, [str(argument) for argument in arguments], output=output)


def option(name: str, value: object) -> list[object]:
    """Return the command-line words of an option; None leaves it out, True makes it a switch."""
    if value is None:
        return []
    return [f"--{name}"] if value is True else [f"--{name}", value]


def start_tracker(host: EmulatedHost) -> str:
    """Start our tracker, and return its URL."""
    tracker = host.start_python("peer", ["tracker", "--bind", str(host.address)])
    return tracker.wait_ready(r"ready (\S+)")[1]


def make_torrent(folder: Path, length: int, piece_length: int, tracker: str) -> tuple[Path, Path]:
    """Write an incompressible file, the same each time, and its torrent; return the torrent's path and the file's."""
    folder.mkdir(parents=True, exist_ok=True)
    data, torrent = folder / NAME, folder / f"{NAME}.torrent"
    hashes = []
    rng = Random(length)
    with data.open("wb") as file:
        for begin in range(0, length, piece_length):
            piece = rng.randbytes(min(piece_length, length - begin))
            hashes.append(sha1(piece, usedforsecurity=False).digest())
            file.write(piece)
    torrent.write_bytes(Metainfo(make_info(NAME, length, piece_length, hashes), tracker).encode())
    return torrent, data


def cpu_seconds(process: Process) -> float:
    """Return a process's user and system time so far, of all threads."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def markdown(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Format a table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Format values as median (minimum - maximum)."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} - {max(values):.{digits}f})"


def log(text: str) -> None:
    """Print progress to standard error, apart from the table on standard output."""
    print(text, file=sys.stderr, flush=True)
