"""The text of Napster's messages: fields with single spaces between them, names in double quotes that nothing escapes.

Addresses are numbers whose lowest byte is the first of the address, as a little-endian machine reads it from memory.
"""

import re
from typing import Final

from peer.errors import WireError
from peer.net.address import pack_host, unpack_host

_FIELD: Final = re.compile(r'"([^"]*)"|(\S+)')
_MOST_BYTES: Final = 0xFFFF


def is_sayable(name: str) -> bool:
    """Whether a name can stand between quotes."""
    return '"' not in name and bool(name) and len(as_bytes(name)) < _MOST_BYTES // 2


def quoted(name: str) -> str:
    if '"' in name:
        raise WireError(f"a name with a double quote cannot be sent: {name[:64]!r}")
    return f'"{name}"'


def fields(text: str, names: str) -> list[str]:
    """Return the fields of a message, of which there must be at least as many as there are `names`."""
    found = [quoted if bare is None else bare for quoted, bare in _pairs(text)]
    if len(found) < len(names.split()):
        raise WireError(f"expected {names}, found {text[:64]!r}")
    return found


def _pairs(text: str) -> list[tuple[str, str | None]]:
    return [(match[1], match[2]) for match in _FIELD.finditer(text)]


def number(text: str, what: str, most: int = 0xFFFFFFFF) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= most):
        raise WireError(f"{what}: expected a number up to {most}, found {text[:64]!r}")
    return int(text)


def host_number(host: str) -> int:
    return int.from_bytes(pack_host(host), "little")


def host_of(text: str) -> str:
    return unpack_host(number(text, "an address").to_bytes(4, "little"))


def as_bytes(text: str) -> bytes:
    return text.encode(errors="surrogateescape")


def as_text(data: bytes) -> str:
    """Read bytes of any kind; what is no UTF-8 is written back as it came."""
    return data.decode(errors="surrogateescape")
