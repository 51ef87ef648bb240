"""libtorrent as a program: `python -m peer.adapters.shipped.libtorrent_program seed|leech TORRENT FOLDER ...`.

It prints lines of JSON: `up` when it listens; then its state once a second, and at once when something happens. It
joins when there is something to read in the pipe --gate, and ends at SIGTERM, after it has told that to the tracker.
"""

import argparse
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import libtorrent as lt

_WAIT_MS: Final = 250
_PERIOD: Final = 1.0

Row: TypeAlias = tuple[str, bool, int, int]
"""A connection: address, whether we made it, bytes received and sent."""

SETTINGS: Final["lt.settings_pack"] = {
    # Peers come from the tracker only; peer exchange is switched off with the torrent.
    "enable_dht": False,
    "enable_lsd": False,
    "enable_natpmp": False,
    "enable_upnp": False,
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    "in_enc_policy": int(lt.enc_policy.disabled),
    "out_enc_policy": int(lt.enc_policy.disabled),
    # Trackers may be at any address.
    "ssrf_mitigation": False,
}
"""What differs from libtorrent's defaults for every client."""

_ENABLED, _DISABLED, _FORCED = int(lt.enc_policy.enabled), int(lt.enc_policy.disabled), int(lt.enc_policy.forced)
ENCRYPTION: Final[dict[str, "lt.settings_pack"]] = {
    "off": {"out_enc_policy": _DISABLED, "in_enc_policy": _DISABLED},
    "accept": {"out_enc_policy": _DISABLED, "in_enc_policy": _ENABLED},
    "prefer": {"out_enc_policy": _ENABLED, "in_enc_policy": _ENABLED, "prefer_rc4": True},
    "require": {"out_enc_policy": _FORCED, "in_enc_policy": _FORCED, "allowed_enc_level": int(lt.enc_level.rc4)},
}
"""What differs if encryption is chosen."""

DHT: Final["lt.settings_pack"] = {
    "enable_dht": True,
    # Hosts of an emulated network are all in the same 256 addresses.
    "dht_restrict_routing_ips": False,
    "dht_restrict_search_ips": False,
}
"""What differs if it is to use the DHT."""


class Session:
    """One session with one torrent."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self._chosen: Final = chosen
        self._session = lt.session(settings(chosen))
        self._torrent: Any = None
        self._connections: dict[str, Row] = {}
        """All that were open since the last line, as they were when they were last seen."""
        self._is_announced = False
        self._problem = ""
        self._is_leaving = False

    def run(self) -> None:
        """Join when it is time, and serve until SIGTERM."""
        signal.signal(signal.SIGTERM, self._leave)
        self._await_listening()
        say(kind="up")
        self._chosen.gate.read_text()
        self._torrent = self._session.add_torrent(torrent(self._chosen))
        due = time.monotonic()
        while not self._is_leaving:
            self._session.wait_for_alert(_WAIT_MS)
            self._see_connections()
            has_news = [self._take(alert) for alert in self._session.pop_alerts()]
            if any(has_news) or time.monotonic() >= due:
                self._tell()
                due = time.monotonic() + _PERIOD
        self._tell()
        # The end of the session waits until the trackers know it.
        self._torrent = None
        del self._session

    def _await_listening(self) -> None:
        while not self._session.is_listening():
            self._session.wait_for_alert(_WAIT_MS)
            for alert in self._session.pop_alerts():
                if isinstance(alert, lt.listen_failed_alert):
                    sys.exit(alert.message())

    def _leave(self, *_: object) -> None:
        self._is_leaving = True

    def _take(self, alert: Any) -> bool:
        """Take an alert; returns whether the state is worth telling at once."""
        if isinstance(alert, lt.tracker_reply_alert):
            self._is_announced = True
        elif isinstance(alert, lt.torrent_error_alert | lt.file_error_alert):
            self._problem = alert.message()
        else:
            return isinstance(alert, lt.torrent_finished_alert)
        return True

    def _tell(self) -> None:
        """Print the state. The totals first: what the neighbours moved since then is not missing there."""
        status = self._torrent.status()
        self._see_connections()
        say(
            kind="state",
            is_complete=status.is_seeding,
            have=status.total_wanted_done,
            received=status.total_payload_download,
            sent=status.total_payload_upload,
            wasted=status.total_failed_bytes + status.total_redundant_bytes,
            is_announced=self._is_announced,
            problem=self._problem,
            neighbours=list(self._connections.values()),
        )
        self._connections.clear()

    def _see_connections(self) -> None:
        """Remember the counts of connections, which are gone when these end."""
        self._connections.update({row[0]: row for row in neighbours(self._torrent)})


def neighbours(torrent: Any) -> Iterator[Row]:
    """Yield the connections whose handshake is over."""
    for peer in torrent.get_peer_info():
        if not peer.flags & (lt.peer_info.connecting | lt.peer_info.handshake):
            host, port = peer.ip
            is_outgoing = bool(peer.flags & lt.peer_info.local_connection)
            yield f"{host}:{port}", is_outgoing, peer.total_download, peer.total_upload


def settings(chosen: argparse.Namespace) -> "lt.settings_pack":
    """Return the session's settings for this host."""
    wanted = lt.alert.category_t.error_notification | lt.alert.category_t.status_notification
    wanted |= lt.alert.category_t.tracker_notification
    own: lt.settings_pack = {"listen_interfaces": f"{chosen.bind}:{chosen.port}", "alert_mask": wanted}
    dht: lt.settings_pack = {} if chosen.dht is None else {**DHT, "dht_bootstrap_nodes": chosen.dht}
    return {**SETTINGS, **ENCRYPTION.get(chosen.encryption, {}), **dht, **own}


def torrent(chosen: argparse.Namespace) -> Any:
    """Return the torrent to share; the data of a seed is not verified."""
    parameters = lt.load_torrent_file(str(chosen.torrent))
    parameters.save_path = str(chosen.folder)
    parameters.flags &= ~lt.torrent_flags.auto_managed
    parameters.flags &= ~lt.torrent_flags.paused
    parameters.flags |= lt.torrent_flags.disable_pex
    if chosen.role == "seed":
        parameters.flags |= lt.torrent_flags.seed_mode
    return parameters


def say(**entries: object) -> None:
    """Print a line."""
    print(json.dumps(entries), flush=True)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="libtorrent as a program of one host")
    parser.add_argument("role", choices=("seed", "leech"))
    parser.add_argument("torrent", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bind", required=True, metavar="ADDR")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--gate", type=Path, required=True, metavar="PIPE")
    parser.add_argument("--dht", metavar="NODES", help="nodes to join the DHT by, separated by commas")
    parser.add_argument("--encryption", choices=ENCRYPTION)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    Session(parse()).run()
    os._exit(0)
