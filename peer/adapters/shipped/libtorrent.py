"""libtorrent (rasterbar), a library: a small program around its Python package, heard line by line."""

import importlib.metadata
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Final

from contract.programs import CHOKES, FAULTS, PIECES
from peer.adapters.adapter import Adapter, Neighbour, Place, State
from peer.adapters.program import AdapterError

_PROGRAM: Final = "peer.adapters.shipped.libtorrent_program"
_UNKNOWN: Final = State(is_complete=False, is_announced=False)


class Libtorrent(Adapter):
    """A session in a process of its own; the torrent is added when it joins."""

    program = "libtorrent"
    install = f"{sys.executable} -m pip install libtorrent"
    title = "libtorrent"
    untold: ClassVar[Sequence[str]] = (CHOKES, PIECES, FAULTS)
    is_heard = True

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._gate: Final = place.folder / "join"
        self._state: State | None = None
        self._is_up = False

    @classmethod
    def executable(cls) -> str:
        cls.version()
        return sys.executable

    @classmethod
    def version(cls) -> str:
        try:
            return importlib.metadata.version("libtorrent")
        except importlib.metadata.PackageNotFoundError as error:
            raise AdapterError(
                f"the Python package libtorrent is not installed: install it with `{cls.install}`"
            ) from error

    def command(self) -> list[str | Path]:
        os.mkfifo(self._gate)
        place = self.place
        role = "seed" if place.is_seed else "leech"
        return [
            *(sys.executable, "-P", "-u", "-m", _PROGRAM, role, place.torrent, place.downloads),
            *("--bind", place.host, "--port", str(place.port), "--gate", self._gate),
        ]

    def is_up(self) -> bool:
        return self._is_up

    def join(self) -> None:
        self._gate.write_text("join\n")

    def state(self) -> State:
        return _UNKNOWN if self._state is None else self._state

    def hear(self, line: str) -> None:
        said = json.loads(line)
        if said.pop("kind") == "up":
            self._is_up = True
            return
        neighbours = [Neighbour(*each) for each in said.pop("neighbours")]
        self._state = State(**said, neighbours=neighbours)
