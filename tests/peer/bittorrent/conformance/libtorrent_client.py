"""libtorrent as a program for one host, with the options and output lines of our own peer.

    python libtorrent_client.py seed|leech TORRENT|MAGNET FOLDER --bind HOST [--port 6881] [--log FILE]
                                [--encryption off|plaintext|rc4] [--dht [NODE]]

On stdout: `ready HOST:PORT` when it listens and has the torrent, `completed` when the file is whole and checked, and
`error TEXT`. At SIGTERM it announces to the trackers that it stops, and exits with 0.

With --log every alert goes to a file as a JSON line, the log of each connection included, and so does the state of each
neighbour whenever it changes. That costs much CPU, so benchmarks leave it out.
"""

import argparse
import json
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TextIO

import libtorrent as lt

WAIT_MS = 50
PEER_FLAGS = ("on_parole", "rc4_encrypted", "plaintext_encrypted", "seed", "supports_extensions")
NEEDED_ALERTS = lt.alert.category_t.error_notification | lt.alert.category_t.status_notification
ALL_ALERTS = (
    lt.alert.category_t.all_categories
    & ~lt.alert.category_t.stats_notification
    & ~lt.alert.category_t.picker_log_notification
    & ~lt.alert.category_t.dht_log_notification
    & ~lt.alert.category_t.port_mapping_log_notification
)

# All other settings are libtorrent's defaults.
SETTINGS: "lt.settings_pack" = {
    # Peers come from the tracker and from each other only.
    "enable_dht": False,
    "enable_lsd": False,
    "enable_natpmp": False,
    "enable_upnp": False,
    # Our peer has no uTP.
    "enable_incoming_utp": False,
    "enable_outgoing_utp": False,
    # Trackers may be at any address, the loopback included.
    "ssrf_mitigation": False,
}


# With `plaintext` and `rc4`, only encrypted handshakes are exchanged, and what follows is in plaintext or in RC4.
FORCED = {"out_enc_policy": lt.enc_policy.pe_forced, "in_enc_policy": lt.enc_policy.pe_forced}
ENCRYPTION: "dict[str, lt.settings_pack]" = {
    "": {},
    "off": {"out_enc_policy": lt.enc_policy.pe_disabled, "in_enc_policy": lt.enc_policy.pe_disabled},
    "plaintext": {**FORCED, "allowed_enc_level": lt.enc_level.pe_plaintext},
    "rc4": {**FORCED, "allowed_enc_level": lt.enc_level.pe_rc4},
}


# All nodes of the DHT are in the same network of 256 addresses. libtorrent forgets those that the torrent names, as it
# is added before the DHT has begun.
DHT: "lt.settings_pack" = {
    "enable_dht": True,
    "dht_restrict_routing_ips": False,
    "dht_restrict_search_ips": False,
}


class Client:
    """One session with one torrent."""

    def __init__(self, chosen: argparse.Namespace, log: TextIO | None) -> None:
        self._log = log
        self._seen: dict[tuple[str, int], dict[str, object]] = {}
        self._is_leaving = False
        self._session = lt.session(settings(chosen))
        self._torrent = self._session.add_torrent(torrent(chosen))

    def run(self) -> None:
        """Serve until SIGTERM."""
        signal.signal(signal.SIGTERM, self._leave)
        while not self._is_leaving:
            self._session.wait_for_alert(WAIT_MS)
            self._listen_to_alerts()
            self._record_neighbours()
        self._end()

    def _leave(self, *_: object) -> None:
        self._is_leaving = True

    def _listen_to_alerts(self) -> None:
        for alert in self._session.pop_alerts():
            self._record(kind=type(alert).__name__, message=alert.message())
            for line in lines_for(alert):
                print(line, flush=True)

    def _record_neighbours(self) -> None:
        """Log the state of each neighbour that has changed."""
        if self._log is None:
            return
        for peer in self._torrent.get_peer_info():
            state = {
                "client": peer.client.decode(errors="replace"),
                "hash_failures": peer.num_hashfails,
                "flags": [flag for flag in PEER_FLAGS if peer.flags & getattr(lt.peer_info, flag, 0)],
            }
            if self._seen.get(peer.ip) != state:
                self._seen[peer.ip] = state
                self._record(kind="neighbour", address=peer.ip, **state)

    def _end(self) -> None:
        """End the session, which waits until it has announced that to the trackers."""
        self._listen_to_alerts()
        del self._torrent, self._session

    def _record(self, **entries: object) -> None:
        if self._log is not None:
            print(json.dumps({"time": time.time(), **entries}), file=self._log, flush=True)


def lines_for(alert: lt.alert) -> Iterator[str]:
    """Yield what an alert means on standard output."""
    if isinstance(alert, lt.listen_succeeded_alert) and alert.sock_type == lt.listen_succeeded_alert_socket_type_t.tcp:
        yield f"ready {alert.address}:{alert.port}"
    elif isinstance(alert, lt.torrent_finished_alert):
        yield "completed"
    elif isinstance(alert, lt.listen_failed_alert | lt.torrent_error_alert | lt.file_error_alert):
        yield f"error {alert.message()}"


def settings(chosen: argparse.Namespace) -> "lt.settings_pack":
    """Return the session's settings for this host."""
    own: lt.settings_pack = {
        "listen_interfaces": f"{chosen.bind}:{chosen.port}",
        "alert_mask": ALL_ALERTS if chosen.log else NEEDED_ALERTS,
        "alert_queue_size": 100_000,
    }
    dht: lt.settings_pack = {} if chosen.dht is None else {**DHT, "dht_bootstrap_nodes": chosen.dht}
    return {**SETTINGS, **ENCRYPTION[chosen.encryption], **dht, **own}


def torrent(chosen: argparse.Namespace) -> lt.add_torrent_params:
    """Return the torrent to share; a seed's file is not checked."""
    if chosen.torrent.startswith("magnet:"):
        parameters = lt.parse_magnet_uri(chosen.torrent)
    else:
        parameters = lt.load_torrent_file(chosen.torrent)
    parameters.save_path = str(chosen.folder)
    parameters.flags &= ~lt.torrent_flags.auto_managed
    parameters.flags &= ~lt.torrent_flags.paused
    if chosen.role == "seed":
        parameters.flags |= lt.torrent_flags.seed_mode
    return parameters


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="libtorrent as a program of one host")
    parser.add_argument("role", choices=("seed", "leech"))
    parser.add_argument("torrent", metavar="TORRENT|MAGNET")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bind", required=True, metavar="HOST")
    parser.add_argument("--port", type=int, default=6881)
    parser.add_argument("--log", type=Path)
    parser.add_argument("--encryption", choices=ENCRYPTION, default="")
    parser.add_argument("--dht", nargs="?", const="", metavar="NODE", help="use the DHT, and join it by a node")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """Share one torrent."""
    chosen = parse(arguments)
    with ExitStack() as stack:
        log = stack.enter_context(chosen.log.open("w")) if chosen.log else None
        Client(chosen, log).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
