"""aria2, asked over its JSON-RPC interface."""

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from contract.programs import CHOKES, FAULTS, NEIGHBOURS, PIECES, WASTE
from peer.adapters.adapter import Adapter, Place, State
from peer.adapters.rpc import free_port, json_call

_KEYS: Final = ("status", "totalLength", "completedLength", "uploadLength", "verifiedLength", "errorMessage")
_ANNOUNCED: Final = b"peers6 received"
"""In a line of its log at the level `info`, after the tracker's answer was read; no call tells it."""

OPTIONS: Final = (
    "--no-conf",
    # Peers come from the tracker only.
    "--enable-dht=false",
    "--enable-dht6=false",
    "--enable-peer-exchange=false",
    "--bt-enable-lpd=false",
    "--disable-ipv6=true",
    "--bt-min-crypto-level=plain",
    "--bt-require-crypto=false",
    # Stay as a seed.
    "--seed-ratio=0",
    "--file-allocation=none",
    "--enable-rpc=true",
    "--show-console-readout=false",
    "--summary-interval=0",
    "--console-log-level=error",
)
"""What differs from aria2's defaults for every client."""


class Aria2(Adapter):
    """`aria2c` with an empty list of downloads; the torrent is added when it joins."""

    program = "aria2c"
    install = "apt-get install aria2"
    title = "aria2"
    can_use_dht = True
    encryptions: ClassVar[Sequence[str]] = ("prefer", "require")
    untold: ClassVar[Sequence[str]] = (NEIGHBOURS, CHOKES, PIECES, WASTE, FAULTS)

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._port = free_port()
        self._log: Final = place.folder / "aria2.log"
        self._download = ""
        self._is_announced = not place.is_seed

    def command(self) -> list[str | Path]:
        place = self.place
        own: dict[str, object] = {
            "interface": place.host,
            "listen-port": place.port,
            "rpc-listen-port": self._port,
            "dir": place.downloads,
            "on-bt-download-complete": place.wake,
            # A seed's data is verified once, before anybody asks for it.
            "check-integrity": "true" if place.is_seed else "false",
            "log": self._log,
            "log-level": "info" if place.is_seed else "warn",
        }
        own |= self._dht() | self._encryption()
        return [self.executable(), *OPTIONS, *(f"--{name}={value}" for name, value in own.items())]

    def _encryption(self) -> dict[str, object]:
        """By itself it begins with an encrypted handshake, takes both kinds, and goes on in plaintext where it may."""
        return {"bt-force-encryption": "true"} if self.place.encryption == "require" else {}

    def _dht(self) -> dict[str, object]:
        """Its node, which can be told one other; of two equal options the later one counts."""
        place = self.place
        if place.dht is None:
            return {}
        entry = {"dht-entry-point": place.dht[0]} if place.dht else {}
        return {
            "enable-dht": "true",
            "dht-listen-port": place.port,
            "dht-file-path": place.folder / "dht.dat",
            **entry,
        }

    def is_up(self) -> bool:
        return bool(self._ask("aria2.getVersion"))

    def join(self) -> None:
        torrent = base64.b64encode(self.place.torrent.read_bytes()).decode()
        self._download = str(self._ask("aria2.addTorrent", torrent))

    def state(self) -> State:
        status = self._ask("aria2.tellStatus", self._download, _KEYS)
        have, length = int(status["completedLength"]), int(status["totalLength"])
        return State(
            is_complete=have == length == self.place.length and "verifiedLength" not in status,
            have=have,
            # What it has received beside that, it does not tell.
            received=0 if self.place.is_seed else have,
            sent=int(status["uploadLength"]),
            is_announced=self._has_announced(),
            problem=(status["errorMessage"] or "it failed") if status["status"] == "error" else "",
        )

    def _has_announced(self) -> bool:
        """Whether a tracker has answered; from then on it logs no more than a leech does."""
        if not self._is_announced and _ANNOUNCED in self._log.read_bytes():
            self._ask("aria2.changeGlobalOption", {"log-level": "warn"})
            self._is_announced = True
        return self._is_announced

    def _ask(self, method: str, *parameters: object) -> Any:
        question = {"jsonrpc": "2.0", "id": "", "method": method, "params": parameters}
        return json_call(self._port, "/jsonrpc", question)["result"]
