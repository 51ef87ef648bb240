"""Bencoding, read as far as it was captured: what is cut off or malformed ends the reading, and is no error.

peer/ has a strict decoder; this package must not import it, and could not use it for half a dictionary. That of
`testbed.wiretap.bencode` is as strict, and has an encoder: layers for scapy build what they dissect.
"""

import re
from typing import Final, TypeAlias

Value: TypeAlias = int | bytes | list["Value"] | dict[bytes, "Value"]

_INTEGER: Final = re.compile(rb"i(-?[0-9]{1,20})e")
_LENGTH: Final = re.compile(rb"([0-9]{1,9}):")
_DEEPEST: Final = 16


class _CutError(Exception):
    """The data ends, or is no bencoding, here."""


class Reader:
    """Reads one value. `end` is where it ends, `is_whole` whether all of it was there."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.end = 0
        self.is_whole = True

    def read(self) -> Value | None:
        """Return the value, or the whole entries of a dictionary or a list that is cut; None if there is nothing."""
        try:
            return self._value(0)
        except _CutError:
            self.is_whole = False
            return None

    def _value(self, depth: int) -> Value:
        first = self._data[self.end : self.end + 1]
        if first == b"i":
            found = _INTEGER.match(self._data, self.end)
            if found is None:
                raise _CutError
            self.end = found.end()
            return int(found[1])
        if first in {b"d", b"l"} and depth < _DEEPEST:
            self.end += 1
            return self._dictionary(depth + 1) if first == b"d" else self._list(depth + 1)
        return self._string()

    def _string(self) -> bytes:
        found = _LENGTH.match(self._data, self.end)
        if found is None or found.end() + int(found[1]) > len(self._data):
            raise _CutError
        self.end = found.end() + int(found[1])
        return self._data[found.end() : self.end]

    def _dictionary(self, depth: int) -> dict[bytes, Value]:
        entries: dict[bytes, Value] = {}
        try:
            while self._data[self.end : self.end + 1] != b"e" and self.is_whole:
                key, value = self._string(), self._value(depth)
                if self.is_whole:
                    entries[key] = value
        except _CutError:
            self.is_whole = False
        self.end += self.is_whole
        return entries

    def _list(self, depth: int) -> list[Value]:
        values: list[Value] = []
        try:
            while self._data[self.end : self.end + 1] != b"e" and self.is_whole:
                value = self._value(depth)
                if self.is_whole:
                    values.append(value)
        except _CutError:
            self.is_whole = False
        self.end += self.is_whole
        return values


def read_dictionary(data: bytes) -> tuple[dict[bytes, Value], bool]:
    """Return the dictionary at the start of some bytes, as far as it is there, and whether it is whole."""
    reader = Reader(data)
    value = reader.read()
    if isinstance(value, dict):
        return value, reader.is_whole
    return {}, False
