"""Bencoding (BEP 3): the data format of torrents, tracker answers, extension messages, and the DHT.

    integer     i -42 e                 no leading zero, no -0
    string      4 : spam                bytes, not text
    list        l 4:spam i7e e
    dictionary  d 3:cow 3:moo e         keys are strings: sorted as bytes, each one once

Every value has exactly one encoding, so `encode(decode(data)) == data`: any other encoding is refused, with its offset.
Input is untrusted: depth, number of values, size and digits have limits, which are checked before anything is built.
Two functions are more lenient with data that is never hashed: `decode_prefix(..., any_order=True)` for extension
messages and the DHT, and `decode_leniently` for tracker answers.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from peer.errors import WireError


class BencodeError(WireError):
    """Bytes that are not bencoding; `offset` is the first wrong byte."""

    def __init__(self, offset: int, problem: str) -> None:
        super().__init__(f"bencoding, byte {offset}: {problem}")
        self.offset = offset


Value: TypeAlias = int | bytes | list["Value"] | dict[bytes, "Value"]


@dataclass(frozen=True, slots=True)
class Raw:
    """A value that is already encoded and is written unchanged, so that an info dictionary keeps its hash."""

    data: bytes


Encodable: TypeAlias = int | bytes | Raw | Sequence["Encodable"] | Mapping[bytes, "Encodable"]


class Limits(NamedTuple):
    """Limits of what untrusted input may build."""

    size: int
    """Bytes of the whole encoding."""
    values: int
    """Values of all kinds, keys not counted."""
    depth: int = 32
    """Nested lists and dictionaries; well below the limit of Python's stack."""
    digits: int = 20
    """Digits of an integer; 20 hold any of 64 bits."""


FILE_LIMITS: Final = Limits(size=64 << 20, values=1_000_000)
MESSAGE_LIMITS: Final = Limits(size=1 << 20, values=20_000)

_INTEGER: Final = re.compile(rb"(?:0|-?[1-9][0-9]*)(?=e)")
_LENGTH: Final = re.compile(rb"(?:0|[1-9][0-9]*)(?=:)")


class Prefix(NamedTuple):
    """A value read from the start of some bytes."""

    value: Value
    end: int
    spans: dict[bytes, slice]
    """The span of each value of the outermost dictionary, to get its bytes unchanged."""


def decode(data: bytes, limits: Limits = FILE_LIMITS) -> Value:
    """Read one value that fills `data`; raises BencodeError."""
    return decode_whole(data, limits).value


def decode_whole(data: bytes, limits: Limits = FILE_LIMITS) -> Prefix:
    """As `decode`, with the spans of the outermost dictionary's values."""
    prefix = decode_prefix(data, limits)
    if prefix.end != len(data):
        raise BencodeError(prefix.end, f"expected the end of the data, found {_shown(data, prefix.end)}")
    return prefix


def decode_prefix(data: bytes, limits: Limits = MESSAGE_LIMITS, *, any_order: bool = False) -> Prefix:
    """Read the value at the start of `data`; other bytes may follow it."""
    if len(data) > limits.size:
        raise BencodeError(limits.size, f"{len(data)} bytes, expected at most {limits.size}")
    reader = _Reader(data, limits, any_order)
    value = reader.value(0, 0)
    return Prefix(value, reader.end, reader.spans)


def decode_leniently(data: bytes, limits: Limits = MESSAGE_LIMITS) -> Value:
    """Read a tracker's answer: some trackers do not sort keys, some append a line end."""
    return decode_prefix(data, limits, any_order=True).value


def encode(value: Encodable) -> bytes:
    """Write a value in its one encoding; dictionaries may come in any order."""
    parts: list[bytes] = []
    _write(value, parts)
    return b"".join(parts)


class _Reader:
    """One pass over the data; `end` is the offset after the last value."""

    __slots__ = ("_any_order", "_data", "_limits", "_values_left", "end", "spans")

    def __init__(self, data: bytes, limits: Limits, any_order: bool) -> None:
        self._data = data
        self._limits = limits
        self._any_order = any_order
        self._values_left = limits.values
        self.end = 0
        self.spans: dict[bytes, slice] = {}

    def value(self, at: int, depth: int) -> Value:
        """Read the value that begins at `at`, inside `depth` containers."""
        self._values_left -= 1
        if self._values_left < 0:
            raise BencodeError(at, f"more than {self._limits.values} values")
        match self._data[at : at + 1]:
            case b"i":
                return self._integer(at)
            case b"l":
                return self._list(at, self._deeper(at, depth))
            case b"d":
                return self._dictionary(at, self._deeper(at, depth))
            case _:
                return self._string(at, "a value (a digit, i, l or d)")

    def _deeper(self, at: int, depth: int) -> int:
        if depth == self._limits.depth:
            raise BencodeError(at, f"more than {depth} lists and dictionaries inside each other")
        return depth + 1

    def _integer(self, at: int) -> int:
        digits = _INTEGER.match(self._data, at + 1, at + 3 + self._limits.digits)
        if digits is None:
            raise BencodeError(at, self._bad_integer(at))
        self.end = digits.end() + 1
        return int(digits[0])

    def _bad_integer(self, at: int) -> str:
        written = self._data[at : at + 3 + self._limits.digits]
        if re.fullmatch(rb"i-?[0-9]+", written):
            if len(written) == 3 + self._limits.digits:
                return f"an integer of more than {self._limits.digits} digits"
            return "the data ends inside an integer, expected an e"
        return f"expected i, digits without a leading zero (and no -0), e; found {_shown(self._data, at)}"

    def _string(self, at: int, expected: str) -> bytes:
        data = self._data
        length = _LENGTH.match(data, at, at + 12)
        if length is None:
            raise BencodeError(at, f"expected {expected}, found {_shown(data, at)}")
        start = length.end() + 1
        self.end = start + int(length[0])
        if self.end > len(data):
            left = len(data) - start
            raise BencodeError(at, f"a string of {self.end - start} bytes, but only {left} bytes follow")
        return data[start : self.end]

    def _list(self, at: int, depth: int) -> list[Value]:
        items: list[Value] = []
        at += 1
        while not self._is_end(at):
            items.append(self.value(at, depth))
            at = self.end
        self.end = at + 1
        return items

    def _dictionary(self, at: int, depth: int) -> dict[bytes, Value]:
        entries: dict[bytes, Value] = {}
        last: bytes | None = None
        at += 1
        while not self._is_end(at):
            key = self._string(at, "a key (a string) or e")
            self._check_key(at, key, last, entries)
            start, last = self.end, key
            entries[key] = self.value(start, depth)
            at = self.end
            if depth == 1:
                self.spans[key] = slice(start, at)
        self.end = at + 1
        return entries

    def _is_end(self, at: int) -> bool:
        return self._data[at : at + 1] == b"e"

    def _check_key(self, at: int, key: bytes, last: bytes | None, entries: dict[bytes, Value]) -> None:
        if key in entries:
            raise BencodeError(at, f"the key {_short(key)} stands twice")
        if last is not None and key < last and not self._any_order:
            raise BencodeError(at, f"the key {_short(key)} behind {_short(last)}, expected sorted keys")


def _write(value: Encodable, parts: list[bytes]) -> None:
    match value:
        case bytes():
            parts.append(b"%d:%b" % (len(value), value))
        case int():
            parts.append(b"i%de" % value)
        case Raw():
            parts.append(value.data)
        case Mapping():
            parts.append(b"d")
            for key in sorted(value):
                _write(key, parts)
                _write(value[key], parts)
            parts.append(b"e")
        case _:
            parts.append(b"l")
            for item in value:
                _write(item, parts)
            parts.append(b"e")


def _shown(data: bytes, at: int) -> str:
    return _short(data[at : at + 17]) if at < len(data) else "the end of the data"


def _short(text: bytes) -> str:
    return repr(text[:16])[1:] + ("..." if len(text) > 16 else "")
