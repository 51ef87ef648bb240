"""qBittorrent without its window, asked over its Web API. It uses libtorrent (rasterbar) with settings of its own."""

import json
import uuid
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from contract.programs import CHOKES, FAULTS, PIECES
from peer.adapters.adapter import Adapter, Neighbour, Place, State
from peer.adapters.rpc import call, free_port

_WORKS: Final = 2
"""The status of a tracker that has answered."""
_ERRORS: Final = ("error", "missingFiles")
_INCOMING: Final = "I"
_REFRESH_MS: Final = 250
"""How often what it tells is brought up to date; every 1.5 s unless told otherwise."""

SETTINGS: Final[Mapping[str, Mapping[str, object]]] = {
    "LegalNotice": {"Accepted": "true"},
    # Peers come from the tracker only.
    "BitTorrent": {
        r"Session\DHTEnabled": "false",
        r"Session\LSDEnabled": "false",
        r"Session\PeXEnabled": "false",
        r"Session\BTProtocol": "TCP",
        r"Session\Preallocation": "false",
        # One torrent is all there is, so none has to wait for another.
        r"Session\QueueingSystemEnabled": "false",
        r"Session\RefreshInterval": _REFRESH_MS,
        r"Session\SSRFMitigation": "false",
        r"Session\StopTrackerTimeout": 1,
    },
    "Network": {"PortForwardingEnabled": "false"},
    "Preferences": {
        r"Connection\ResolvePeerCountries": "false",
        r"WebUI\Address": "127.0.0.1",
        r"WebUI\LocalHostAuth": "false",
        r"WebUI\UseUPnP": "false",
    },
}
"""What differs from qBittorrent's defaults for every client."""

ENCRYPTION: Final = {"prefer": 0, "require": 1, "off": 2}
"""Its numbers; it has none for a client that only takes what others begin with."""


class QBittorrent(Adapter):
    """`qbittorrent-nox`; the torrent is added when it joins."""

    program = "qbittorrent-nox"
    install = "apt-get install qbittorrent-nox"
    title = "qBittorrent"
    untold: ClassVar[Sequence[str]] = (CHOKES, PIECES, FAULTS)
    encryptions: ClassVar[Sequence[str]] = tuple(ENCRYPTION)
    counts_go_on = True
    staleness = 2 * _REFRESH_MS / 1000

    def __init__(self, place: Place) -> None:
        super().__init__(place)
        self._port = free_port()
        self._hash = ""

    def command(self) -> list[str | Path]:
        file = self.place.folder / "qBittorrent" / "config" / "qBittorrent.conf"
        file.parent.mkdir(parents=True)
        file.write_text("\n".join(self.settings()) + "\n")
        return [self.executable(), f"--profile={self.place.folder}"]

    def settings(self) -> Iterator[str]:
        """Yield the lines of its settings file."""
        place = self.place
        own: dict[str, dict[str, object]] = {
            "BitTorrent": {
                r"Session\Encryption": ENCRYPTION[place.encryption or "off"],
                r"Session\Port": place.port,
                r"Session\InterfaceAddress": place.host,
                r"Session\DefaultSavePath": place.downloads,
            },
            "Preferences": {r"WebUI\Port": self._port},
            "AutoRun": {"enabled": "true", "program": place.wake},
        }
        for section in {**SETTINGS, **own}:
            yield f"[{section}]"
            for key, value in {**SETTINGS.get(section, {}), **own.get(section, {})}.items():
                yield f"{key}={value}"

    def is_up(self) -> bool:
        return bool(call(self._port, "/api/v2/app/version"))

    def join(self) -> None:
        place, border = self.place, uuid.uuid4().hex
        fields = {"savepath": str(place.downloads), "skip_checking": "true" if place.is_seed else "false"}
        parts = [f'--{border}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()]
        parts.append(f'--{border}\r\nContent-Disposition: form-data; name="torrents"; filename="file.torrent"\r\n\r\n')
        body = "".join(parts).encode() + place.torrent.read_bytes() + f"\r\n--{border}--\r\n".encode()
        kind = {"Content-Type": f"multipart/form-data; boundary={border}"}
        if (answer := call(self._port, "/api/v2/torrents/add", body, kind)) == b"Fails.":
            raise ValueError(answer.decode())

    def state(self) -> State:
        torrent = self._ask("torrents/info")[0]
        self._hash = torrent["hash"]
        properties = self._ask(f"torrents/properties?hash={self._hash}")
        return State(
            is_complete=torrent["amount_left"] == 0 and torrent["completed"] == self.place.length,
            have=torrent["completed"],
            # Those of all sessions are added up only once a second.
            received=properties["total_downloaded_session"],
            sent=properties["total_uploaded_session"],
            wasted=properties["total_wasted"],
            neighbours=list(self._neighbours()),
            is_announced=any(each["status"] == _WORKS for each in self._ask(f"torrents/trackers?hash={self._hash}")),
            problem=f"it is in the state {torrent['state']}" if torrent["state"] in _ERRORS else "",
        )

    def _neighbours(self) -> Iterator[Neighbour]:
        listed = self._ask(f"sync/torrentPeers?hash={self._hash}&rid=0").get("peers", {})
        for address, peer in listed.items():
            yield Neighbour(address, _INCOMING not in peer["flags"].split(), peer["downloaded"], peer["uploaded"])

    def _ask(self, what: str) -> Any:
        return json.loads(call(self._port, f"/api/v2/{what}"))
