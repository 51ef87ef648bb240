"""What the benchmarks of clients share: our peer and libtorrent behind one way to start them, torrents, and tables."""

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
# The event loop is imported late, when it is known that one is needed.
PRELOAD = ("peer.cli.main", "peer.cli.seed", "peer.cli.leech", "peer.cli.tracker", "uvloop", LIBTORRENT)
CLIENTS = ("ours", "libtorrent")
NAME = "file.bin"
PORT = 6881
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Client:
    """A program that shares a torrent, and how its command line is made."""

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
        words = [word for name, value in chosen.items() for word in option(name, value)]
        return self._start(host, "peer", [role, torrent, *words], output)

    @staticmethod
    def _start(host: EmulatedHost, module: str, arguments: Sequence[object], output: Path) -> Process:
        return host.start_python(module, [str(argument) for argument in arguments], output=output)


def option(name: str, value: object) -> list[object]:
    """One of a command line: None is left out, True is a switch."""
    if value is None:
        return []
    return [f"--{name}"] if value is True else [f"--{name}", value]


def start_tracker(host: EmulatedHost) -> str:
    """Start our tracker; returns its URL."""
    tracker = host.start_python("peer", ["tracker", "--bind", str(host.address)])
    return tracker.wait_ready(r"ready (\S+)")[1]


def make_torrent(folder: Path, length: int, piece_length: int, tracker: str) -> tuple[Path, Path]:
    """Write a file that nothing can compress, the same each time, and its torrent."""
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
    """User and system time of all threads so far."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND


def markdown(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median, least and most."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f} - {max(values):.{digits}f})"


def say(text: str) -> None:
    """Tell how far we are, beside the table on standard output."""
    print(text, file=sys.stderr, flush=True)
