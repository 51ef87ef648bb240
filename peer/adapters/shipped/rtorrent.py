"""rTorrent without a terminal, asked with XML-RPC over SCGI (the port of its own interface has no HTTP)."""

import signal
import socket
import xmlrpc.client
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, ClassVar, Final

from contract.programs import CHOKES, FAULTS, PIECES
from peer.adapters.adapter import Adapter, Neighbour, State
from peer.adapters.rpc import SECONDS

_AT_ONCE: Final = 1 << 16

SETTINGS: Final = (
    "system.daemon.set = true",
    # Peers come from the tracker only.
    "dht.mode.set = disable",
    "protocol.pex.set = no",
    "network.port_random.set = no",
    # A leech's pieces are verified as they come; a seed's file is verified when it is added.
    "pieces.hash.on_completion.set = no",
)
"""What differs from rTorrent's defaults for every client."""

ENCRYPTION: Final = {
    "off": "none",
    "accept": "allow_incoming",
    "prefer": "allow_incoming, try_outgoing, enable_retry",
    "require": "allow_incoming, try_outgoing, require, require_RC4",
}


class RTorrent(Adapter):
    """`rtorrent` as a daemon in the foreground; the torrent is loaded when it joins."""

    program = "rtorrent"
    install = "apt-get install rtorrent"
    title = "rTorrent"
    untold: ClassVar[Sequence[str]] = (CHOKES, PIECES, FAULTS)
    encryptions: ClassVar[Sequence[str]] = tuple(ENCRYPTION)
    end_signal = signal.SIGINT
    version_option = "-h"

    def command(self) -> list[str | Path]:
        file = self.place.folder / "rtorrent.rc"
        file.write_text("\n".join([*SETTINGS, *self.settings()]) + "\n")
        return [self.executable(), "-n", "-o", f"import={file}"]

    def settings(self) -> Iterator[str]:
        """Yield the settings of this client."""
        place = self.place
        yield f"protocol.encryption.set = {ENCRYPTION[place.encryption or 'off']}"
        yield f"network.bind_address.set = {place.host}"
        yield f"network.port_range.set = {place.port}-{place.port}"
        yield f"directory.default.set = {place.downloads}"
        yield f"network.scgi.open_local = {self._socket}"
        yield f"method.set_key = event.download.finished, wake, ((execute.nothrow, {place.wake}))"

    @property
    def _socket(self) -> Path:
        return self.place.folder / "rpc"

    def is_up(self) -> bool:
        return bool(self._ask("system.client_version"))

    def join(self) -> None:
        self._ask("load.start", "", str(self.place.torrent))

    def state(self) -> State:
        fields = (
            "d.hash=",
            "d.complete=",
            "d.hashing=",
            "d.completed_bytes=",
            "d.down.total=",
            "d.up.total=",
            "d.skip.total=",
        )
        name, complete, hashing, have, received, sent, skipped = self._ask("d.multicall2", "", "main", *fields)[0]
        trackers = self._ask("t.multicall", name, "", "t.success_counter=")
        return State(
            is_complete=bool(complete) and not hashing,
            have=have,
            received=received,
            sent=sent,
            wasted=skipped,
            neighbours=list(self._neighbours(name)),
            is_announced=any(successes for (successes,) in trackers),
        )

    def _neighbours(self, name: str) -> Iterator[Neighbour]:
        fields = ("p.address=", "p.port=", "p.is_incoming=", "p.down_total=", "p.up_total=")
        for host, port, is_incoming, received, sent in self._ask("p.multicall", name, "", *fields):
            yield Neighbour(f"{host}:{port}", not is_incoming, received, sent)

    def _ask(self, method: str, *parameters: str) -> Any:
        """Call a method; raises OSError, or ValueError for an answer that is a fault."""
        body = xmlrpc.client.dumps(parameters, method).encode()
        with socket.socket(socket.AF_UNIX) as stream:
            stream.settimeout(SECONDS)
            stream.connect(str(self._socket))
            stream.sendall(scgi_request(body))
            answer = b"".join(iter(lambda: stream.recv(_AT_ONCE), b""))
        try:
            (found,), _ = xmlrpc.client.loads(answer.partition(b"\r\n\r\n")[2])
        except xmlrpc.client.Error as error:
            raise ValueError(str(error)) from error
        return found


def scgi_request(body: bytes) -> bytes:
    """Return a request of SCGI: its headers as one netstring, then the body."""
    headers = b"CONTENT_LENGTH\0%d\0SCGI\x001\0" % len(body)
    return b"%d:%s,%s" % (len(headers), headers, body)
