"""The handshake of 0.6: lines of text, up to an empty one."""

from typing import Final

from peer.errors import WireError
from peer.overlays.gnutella.wire.messages import Handshake

END: Final = b"\r\n\r\n"
MOST_BYTES: Final = 8 << 10
CONNECT: Final = "GNUTELLA CONNECT/0.6"
OK: Final = "GNUTELLA/0.6 200 OK"
ANSWER: Final = "GNUTELLA/0.6 "


def write_handshake(handshake: Handshake) -> bytes:
    lines = [handshake.line, *(f"{name}: {value}" for name, value in handshake.headers)]
    text = "".join(f"{line}\r\n" for line in lines) + "\r\n"
    return text.encode("latin-1", errors="replace")


def handshake_size(handshake: Handshake) -> int:
    headers = sum(len(name) + len(value) + 4 for name, value in handshake.headers)
    return len(handshake.line) + headers + 4


def read_handshake(data: bytes) -> Handshake:
    """Read the lines up to the empty one, which is not part of the data."""
    line, *headers = data.decode("latin-1").split("\r\n")
    if not line.startswith("GNUTELLA"):
        raise WireError(f"a handshake: expected GNUTELLA, found {line[:32]!r}")
    return Handshake(line, tuple(map(_read_header, headers)))


def _read_header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon:
        raise WireError(f"a handshake: expected a header, found {line[:64]!r}")
    return name.strip(), value.strip()


def code_of(handshake: Handshake) -> int:
    """Return the code of an answer: 200 if it is a yes, 0 if it is none."""
    _, _, rest = handshake.line.partition(ANSWER)
    code = rest[:3]
    return int(code) if code.isascii() and code.isdigit() else 0
