"""Transmission as a program of one host, which speaks like our own peer.

    python transmission_client.py seed|leech TORRENT|MAGNET FOLDER --bind HOST [--port 51413] --home DIR [--encrypt]

On stdout: `ready HOST:PORT` when it listens, `completed` when the file is whole and checked, and `error TEXT`. SIGTERM
ends it politely.

It is `transmission-cli`, which knows one torrent and starts no service, steered and watched over its remote-control
interface on the host's own loopback. HOME receives `log`, everything that Transmission says of itself, and `states`, a
JSON line for each state that differs from the one before.
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

LOOK_AGAIN_SECONDS = 0.1
CONTROL_PORT = 9091
SESSION_HEADER = "X-Transmission-Session-Id"
FIELDS = ("error", "errorString", "corruptEver", "haveValid", "leftUntilDone", "metadataPercentComplete", "peers")
OF_A_NEIGHBOUR = ("address", "clientName", "flagStr", "isEncrypted", "isIncoming", "isUTP")

# Everything else stays as Transmission has it.
SETTINGS: dict[str, Any] = {
    # Peers come from the tracker and from each other, never from the machine's surroundings.
    "dht-enabled": False,
    "lpd-enabled": False,
    "port-forwarding-enabled": False,
    # We speak TCP.
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


class RemoteControl:
    """Asks Transmission how it is."""

    def __init__(self) -> None:
        self._session = ""

    def torrent(self) -> dict[str, Any] | None:
        """Its one torrent, or None while it is not there."""
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
            # The first call is refused, and told the word that the next ones need.
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
        self._has_said: set[str] = set()
        chosen.home.mkdir(parents=True, exist_ok=True)
        self._states = (chosen.home / "states").open("w")
        self._program = start(chosen)

    def run(self) -> int:
        """Serve until SIGTERM, or until Transmission ends by itself."""
        # The signal by which it takes its leave of the tracker.
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
        self._say(f"ready {self._chosen.bind}:{self._chosen.port}")
        if torrent["errorString"]:
            self._say(f"error {torrent['errorString']}")
        # Until the info dictionary has come, nothing is left to fetch either.
        if torrent["metadataPercentComplete"] == 1 and torrent["leftUntilDone"] == 0 and torrent["haveValid"] > 0:
            self._say("completed")
        self._note(torrent)

    def _say(self, line: str) -> None:
        if line not in self._has_said:
            self._has_said.add(line)
            print(line, flush=True)

    def _note(self, torrent: dict[str, Any]) -> None:
        neighbours = [{name: peer[name] for name in OF_A_NEIGHBOUR} for peer in torrent["peers"]]
        state = {**torrent, "peers": neighbours}
        if state != self._before:
            self._before = state
            print(json.dumps({"time": time.time(), **state}), file=self._states, flush=True)


def start(chosen: argparse.Namespace) -> subprocess.Popen[bytes]:
    """Start transmission-cli; whatever is in the folder is checked first."""
    place = {"bind-address-ipv4": chosen.bind, "peer-port": chosen.port}
    # 1 is Transmission's own choice, by which it tries encryption first; 0 is only if the other end wants it.
    settings = {**SETTINGS, **place, "encryption": int(chosen.encrypt)}
    (chosen.home / "settings.json").write_text(json.dumps(settings))
    argv = ["transmission-cli", "--config-dir", chosen.home, "--download-dir", chosen.folder, chosen.torrent]
    log = (chosen.home / "log").open("wb")
    # TR_DEBUG_FD: the log of each connection and each announcement, which no message level includes.
    environment = {**os.environ, "TR_DEBUG_FD": "2"}
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, env=environment)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Transmission as a program of one host")
    parser.add_argument("role", choices=("seed", "leech"))
    parser.add_argument("torrent", metavar="TORRENT|MAGNET")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--bind", required=True, metavar="HOST")
    parser.add_argument("--port", type=int, default=51413)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--encrypt", action="store_true", help="try encryption first, as Transmission would")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(Client(parse(None)).run())
