"""Transmission as a program for one host, with the options and output lines of our own peer.

    python transmission_client.py seed|leech TORRENT|MAGNET FOLDER --bind HOST [--port 51413] --home DIR
                                  [--encryption allowed|preferred|required] [--dht HOST:PORT]...

On stdout: `ready HOST:PORT` when it listens, `completed` when the file is whole and checked, and `error TEXT`. At
SIGTERM it announces to the tracker that it stops.

It runs `transmission-cli`, which has one torrent and starts no service, and watches it over its remote-control
interface on the host's own loopback. HOME receives `log`, all that Transmission logs, and `states`, a JSON line for
each state that differs from the one before.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from peer.bencode.codec import encode
from peer.net.address import pack_host, parse_address

LOOK_AGAIN_SECONDS = 0.1
CONTROL_PORT = 9091
SESSION_HEADER = "X-Transmission-Session-Id"
FIELDS = ("error", "errorString", "corruptEver", "haveValid", "leftUntilDone", "metadataPercentComplete", "peers")
OF_A_NEIGHBOUR = ("address", "clientName", "flagStr", "isEncrypted", "isIncoming", "isUTP")

# All other settings are Transmission's defaults.
SETTINGS: dict[str, Any] = {
    # Peers come from the tracker, from each other, and from the DHT if it is told to use it.
    "lpd-enabled": False,
    "port-forwarding-enabled": False,
    # Our peer has no uTP.
    "utp-enabled": False,
    # A sparse file is enough.
    "preallocation": 0,
    "rpc-enabled": True,
    "rpc-bind-address": "127.0.0.1",
    "rpc-port": CONTROL_PORT,
    "rpc-authentication-required": False,
    "rpc-whitelist-enabled": False,
    "rpc-host-whitelist-enabled": False,
    "message-level": 3,
}

# Its own numbers are 0, 1 and 2.
ENCRYPTION = ("allowed", "preferred", "required")


class RemoteControl:
    """Asks Transmission for its state."""

    def __init__(self) -> None:
        self._session = ""

    def torrent(self) -> dict[str, Any] | None:
        """Return its one torrent, or None until it has been added."""
        torrents = self._call("torrent-get", {"fields": FIELDS}).get("torrents", [])
        return torrents[0] if torrents else None

    def _call(self, method: str, arguments: Mapping[str, object]) -> dict[str, Any]:
        request = urllib.request.Request(
            f"http://127.0.0.1:{CONTROL_PORT}/transmission/rpc",
            json.dumps({"method": method, "arguments": arguments}).encode(),
            {SESSION_HEADER: self._session},
        )
        try:
            with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
                result: dict[str, Any] = json.load(answer)["arguments"]
        except urllib.error.HTTPError as error:
            # The refusal of the first call has the session id that later calls need.
            self._session = error.headers.get(SESSION_HEADER, "")
            return {}
        except OSError:
            return {}
        return result


class Client:
    """One transmission-cli and its torrent."""

    def __init__(self, chosen: argparse.Namespace) -> None:
        self._chosen = chosen
        self._control = RemoteControl()
        self._before: dict[str, Any] = {}
        self._printed: set[str] = set()
        chosen.home.mkdir(parents=True, exist_ok=True)
        self._states = (chosen.home / "states").open("w")
        self._program = start(chosen)

    def run(self) -> int:
        """Serve until SIGTERM, or until Transmission ends by itself."""
        # At SIGINT transmission-cli announces that it stops.
        signal.signal(signal.SIGTERM, lambda *_: self._program.send_signal(signal.SIGINT))
        while self._program.poll() is None:
            self._look()
            with suppress(subprocess.TimeoutExpired):
                self._program.wait(LOOK_AGAIN_SECONDS)
        self._states.close()
        return self._program.returncode

    def _look(self) -> None:
        torrent = self._control.torrent()
        if torrent is None:
            return
        self._print(f"ready {self._chosen.bind}:{self._chosen.port}")
        if torrent["errorString"]:
            self._print(f"error {torrent['errorString']}")
        # Before the info dictionary arrives, `leftUntilDone` is 0 too.
        if torrent["metadataPercentComplete"] == 1 and torrent["leftUntilDone"] == 0 and torrent["haveValid"] > 0:
            self._print("completed")
        self._record(torrent)

    def _print(self, line: str) -> None:
        if line not in self._printed:
            self._printed.add(line)
            print(line, flush=True)

    def _record(self, torrent: dict[str, Any]) -> None:
        neighbours = [{name: peer[name] for name in OF_A_NEIGHBOUR} for peer in torrent["peers"]]
        state = {**torrent, "peers": neighbours}
        if state != self._before:
            self._before = state
            print(json.dumps({"time": time.time(), **state}), file=self._states, flush=True)


def remembered(nodes: Sequence[str]) -> bytes:
    """Return a file of the nodes that it knew when it ran last.

    It asks eight of them within 16 s; of `dht.bootstrap`, which is for strangers, it asks only one each 15 s.
    """
    addresses = [parse_address(node) for node in nodes]
    compact = b"".join(pack_host(each.host) + each.port.to_bytes(2, "big") for each in addresses)
    return encode({b"id": os.urandom(20), b"nodes": compact})


def start(chosen: argparse.Namespace) -> subprocess.Popen[bytes]:
    """Start transmission-cli; whatever is in the folder is checked first."""
    place = {"bind-address-ipv4": chosen.bind, "peer-port": chosen.port}
    own = {"encryption": ENCRYPTION.index(chosen.encryption), "dht-enabled": bool(chosen.dht)}
    settings = {**SETTINGS, **place, **own}
    if chosen.dht:
        (chosen.home / "dht.dat").write_bytes(remembered(chosen.dht))
    (chosen.home / "settings.json").write_text(json.dumps(settings))
    argv = ["transmission-cli", "--config-dir", chosen.home, "--download-dir", chosen.folder, chosen.torrent]
    log = (chosen.home / "log").open("wb")
    # TR_DEBUG_FD adds the log of each connection and announcement, which no message level includes.
    environment = {**os.environ, "TR_DEBUG_FD": "2"}
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=environment)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Transmission as a program of one host")
    parser.add_argument("role", choices=("seed", "leech"))
    parser.add_argument("torrent", metavar="TORRENT|MAGNET")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bind", required=True, metavar="HOST")
    parser.add_argument("--port", type=int, default=51413)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--encryption", choices=ENCRYPTION, default="preferred")
    parser.add_argument("--dht", action="append", default=[], metavar="HOST:PORT", help="a node to join the DHT by")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(Client(parse(None)).run())
