"""WebTorrent, a library for Node.js: a small program around its npm package, heard line by line.

Version 1: later ones load a module for WebRTC in machine code, which npm does not carry.
"""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar, Final

from contract.programs import CHOKES, FAULTS, PIECES, WASTE
from peer.adapters.program import AdapterError, output_of
from peer.adapters.shipped.lines import Telling

_PROGRAM: Final = Path(__file__).with_name("webtorrent_program.cjs")


class WebTorrent(Telling):
    """A client in a process of its own; the torrent is added when it joins."""

    program = "node"
    install = "npm install --global --ignore-scripts --omit=optional webtorrent@1"
    title = "WebTorrent"
    untold: ClassVar[Sequence[str]] = (CHOKES, PIECES, WASTE, FAULTS)
    can_use_dht = True
    encryptions: ClassVar[Sequence[str]] = ("off",)

    @classmethod
    def package(cls) -> Path:
        """Return the folder of the npm package; raises AdapterError."""
        if shutil.which("npm") is None:
            raise AdapterError(f"npm is not installed: install it with `apt-get install npm`, then `{cls.install}`")
        for folder in _global_folders():
            if (folder / "webtorrent" / "package.json").is_file():
                return folder / "webtorrent"
        raise AdapterError(f"the npm package webtorrent is not installed: install it with `{cls.install}`")

    @classmethod
    def version(cls) -> str:
        cls.executable()
        found = str(json.loads((cls.package() / "package.json").read_text())["version"])
        if not found.startswith("1."):
            raise AdapterError(f"webtorrent {found} is too new: install version 1 with `{cls.install}`")
        return found

    def command(self) -> list[str | Path]:
        place = self.place
        role = "seed" if place.is_seed else "leech"
        words = (self.package(), role, place.torrent, place.downloads, place.host, str(place.port), self.make_gate())
        nodes = [] if place.dht is None else [",".join(map(str, place.dht))]
        return [self.executable(), _PROGRAM, *words, *nodes]


def _global_folders() -> Iterator[Path]:
    """Yield where npm may keep what is installed globally; npm itself is asked last, as that takes a second."""
    for prefix in (Path(shutil.which("node") or "/usr/bin/node").parents[1], Path("/usr/local")):
        yield prefix / "lib" / "node_modules"
    yield Path(output_of(["npm", "root", "--global"]).strip())
