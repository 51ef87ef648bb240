"""libtorrent (rasterbar), a library: a small program around its Python package, heard line by line."""

import importlib.metadata
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from contract.programs import CHOKES, FAULTS, PIECES
from peer.adapters.program import AdapterError
from peer.adapters.shipped.lines import Telling

_PROGRAM: Final = "peer.adapters.shipped.libtorrent_program"


class Libtorrent(Telling):
    """A session in a process of its own; the torrent is added when it joins."""

    program = "libtorrent"
    can_use_dht = True
    counts_go_on = True
    encryptions: ClassVar[Sequence[str]] = ("off", "accept", "prefer", "require")
    install = f"{sys.executable} -m pip install libtorrent"
    untold: ClassVar[Sequence[str]] = (CHOKES, PIECES, FAULTS)

    @classmethod
    def executable(cls) -> str:
        cls.version()
        return sys.executable

    @classmethod
    def version(cls) -> str:
        try:
            return importlib.metadata.version("libtorrent")
        except importlib.metadata.PackageNotFoundError as error:
            problem = f"the Python package libtorrent is not installed: install it with `{cls.install}`"
            raise AdapterError(problem) from error

    def command(self) -> list[str | Path]:
        place = self.place
        role = "seed" if place.is_seed else "leech"
        return [
            *(sys.executable, "-P", "-u", "-m", _PROGRAM, role, place.torrent, place.downloads),
            *("--bind", place.host, "--port", str(place.port), "--gate", self.make_gate()),
            *([] if place.dht is None else ["--dht", ",".join(map(str, place.dht))]),
            *([] if place.encryption is None else ["--encryption", place.encryption]),
        ]
