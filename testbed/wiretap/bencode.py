"""Bencoding (BEP 3), as it is met in captures: tracker answers and extension messages.

    integer     i -42 e
    string      4 : spam                bytes, not text
    list        l 4:spam i7e e
    dictionary  d 3:cow 3:moo e         keys are strings

What clients send is read although its keys are not sorted. Input is hostile: depth, number of values and digits are
limited, and no value is built before its bytes are there. The libraries for it on PyPI have no such limits, and raise
RecursionError at deep lists.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

Value: TypeAlias = int | bytes | list["Value"] | dict[bytes, "Value"]
Encodable: TypeAlias = int | bytes | Sequence["Encodable"] | Mapping[bytes, "Encodable"]

DEPTH: Final = 32
"""The most lists and dictionaries inside each other."""
VALUES: Final = 50_000
"""The most values in one encoding."""

_INTEGER: Final = re.compile(rb"i(0|-?[1-9][0-9]{0,19})e")
_LENGTH: Final = re.compile(rb"(0|[1-9][0-9]{0,9}):")


class BencodeError(ValueError):
    """These bytes are no bencoding, or exceed a limit."""


def decode_prefix(data: bytes) -> tuple[Value, int]:
    """Read the value at the start of `data`; return it, and the offset of what follows it."""
    reader = _Reader(data)
    value = reader.value(DEPTH)
    return value, reader.at


def encode(value: Encodable) -> bytes:
    """Write a value, with the keys of dictionaries sorted."""
    parts: list[bytes] = []
    _write(value, parts)
    return b"".join(parts)


class _Reader:
    """One pass over the data; `at` is the offset of the next byte."""

    __slots__ = ("_data", "_values_left", "at")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._values_left = VALUES
        self.at = 0

    def value(self, depth: int) -> Value:
        self._values_left -= 1
        if self._values_left < 0:
            raise BencodeError(f"more than {VALUES} values")
        match self._data[self.at : self.at + 1]:
            case b"i":
                return self._integer()
            case b"l":
                return self._list(self._deeper(depth))
            case b"d":
                return self._dictionary(self._deeper(depth))
            case _:
                return self._string()

    def _deeper(self, depth: int) -> int:
        if not depth:
            raise BencodeError(f"more than {DEPTH} lists and dictionaries inside each other")
        self.at += 1
        return depth - 1

    def _integer(self) -> int:
        found = _INTEGER.match(self._data, self.at)
        if found is None:
            raise BencodeError(f"no integer at offset {self.at}")
        self.at = found.end()
        return int(found[1])

    def _string(self) -> bytes:
        found = _LENGTH.match(self._data, self.at)
        if found is None:
            raise BencodeError(f"no value at offset {self.at}")
        end = found.end() + int(found[1])
        if end > len(self._data):
            raise BencodeError(f"the data end inside the string at offset {self.at}")
        self.at = end
        return self._data[found.end() : end]

    def _list(self, depth: int) -> list[Value]:
        items: list[Value] = []
        while not self._took_end():
            items.append(self.value(depth))
        return items

    def _dictionary(self, depth: int) -> dict[bytes, Value]:
        entries: dict[bytes, Value] = {}
        while not self._took_end():
            key = self._string()
            if key in entries:
                raise BencodeError(f"a key twice, before offset {self.at}")
            entries[key] = self.value(depth)
        return entries

    def _took_end(self) -> bool:
        is_end = self._data[self.at : self.at + 1] == b"e"
        self.at += is_end
        return is_end


def _write(value: Encodable, parts: list[bytes]) -> None:
    match value:
        case bytes():
            parts.append(b"%d:%b" % (len(value), value))
        case int():
            parts.append(b"i%de" % value)
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
