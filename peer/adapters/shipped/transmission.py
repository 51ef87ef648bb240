"""Transmission: its daemon, asked over its remote-control interface."""

import json
import urllib.error
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from contract.programs import CHOKES, FAULTS, NEIGHBOURS, PIECES
from peer.adapters.adapter import Adapter, Place, State
from peer.adapters.rpc import free_port, json_call

_SESSION: Final = "X-Transmission-Session-Id"
_LOCAL_ERROR: Final = 3
_FIELDS: Final = (
    *("leftUntilDone", "haveValid", "haveUnchecked", "downloadedEver", "corruptEver", "uploadedEver"),
    *("metadataPercentComplete", "error", "errorString", "trackerStats"),
)

SETTINGS: Final[Mapping[str, object]] = {
    # Peers come from the tracker only.
    "dht-enabled": False,
    "lpd-enabled": False,
    "pex-enabled": False,
    "port-forwarding-enabled": False,
    "utp-enabled": False,
    "preallocation": 0,
    "rename-partial-files": False,
    "ratio-limit-enabled": False,
    "idle-seeding-limit-enabled": False,
    "rpc-enabled": True,
    "rpc-bind-address": "127.0.0.1",
    "rpc-authentication-required": False,
    "rpc-host-whitelist-enabled": False,
    "script-torrent-done-enabled": True,
}
"""What differs from Transmission's defaults for every client."""

ENCRYPTION: Final = {"accept": 0, "prefer": 1, "require": 2}
"""Its numbers; it has none for a client that refuses encryption."""


class Transmission(Adapter):
    """`transmission-daemon` in the foreground; the torrent is added when it joins."""

    program = "transmission-daemon"
    install = "apt-get install transmission-daemon"
    title = "Transmission"
    untold: ClassVar[Sequence[str]] = (NEIGHBOURS, CHOKES, PIECES, FAULTS)
    encryptions: ClassVar[Sequence[str]] = tuple(ENCRYPTION)

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._port = free_port()
        self._session = ""

    def command(self) -> list[str | Path]:
        (self.place.folder / "settings.json").write_text(json.dumps(self.settings()))
        return [self.executable(), "--foreground", "--config-dir", self.place.folder, "--log-error"]

    def settings(self) -> dict[str, object]:
        """Return the contents of its settings file."""
        place = self.place
        return {
            **SETTINGS,
            "encryption": ENCRYPTION[place.encryption or "accept"],
            "bind-address-ipv4": place.host,
            "peer-port": place.port,
            "rpc-port": self._port,
            "download-dir": str(place.downloads),
            "script-torrent-done-filename": str(place.wake),
        }

    def is_up(self) -> bool:
        return bool(self._ask("session-get", {"fields": ["version"]}))

    def join(self) -> None:
        self._ask("torrent-add", {"filename": str(self.place.torrent), "paused": False})

    def state(self) -> State:
        torrent = self._ask("torrent-get", {"fields": _FIELDS})["torrents"][0]
        have = torrent["haveValid"] + torrent["haveUnchecked"]
        # Wrong bytes are no longer in `downloadedEver`; those that came twice are.
        received = torrent["downloadedEver"] + torrent["corruptEver"]
        return State(
            is_complete=torrent["leftUntilDone"] == 0 and torrent["haveValid"] == self.place.length,
            have=torrent["haveValid"],
            received=received,
            sent=torrent["uploadedEver"],
            wasted=0 if self.place.is_seed else max(0, received - have),
            is_announced=any(each["lastAnnounceSucceeded"] for each in torrent["trackerStats"]),
            problem=torrent["errorString"] if torrent["error"] == _LOCAL_ERROR else "",
        )

    def _ask(self, method: str, arguments: Mapping[str, object]) -> dict[str, Any]:
        """Ask it; the refusal of the first question has the session id that later ones need."""
        question = {"method": method, "arguments": arguments}
        for _ in range(2):
            try:
                answer = json_call(self._port, "/transmission/rpc", question, {_SESSION: self._session})
            except urllib.error.HTTPError as error:
                if not (session := error.headers.get(_SESSION)):
                    raise
                self._session = session
            else:
                if answer["result"] != "success":
                    raise ValueError(answer["result"])
                found: dict[str, Any] = answer["arguments"]
                return found
        raise ValueError("it refuses its own session id")
