"""Reading a decoded dictionary by type: an error names the entry, what was found and what was expected."""

from collections.abc import Mapping

from peer.bencode.codec import Value
from peer.errors import WireError

_KINDS: dict[type, str] = {bytes: "a string", int: "an integer", list: "a list", dict: "a dictionary"}


class Fields:
    """The entries of an untrusted dictionary; `place` and `error` are used in error messages."""

    __slots__ = ("_entries", "_error", "_place")

    def __init__(self, value: Value, place: str, error: type[WireError]) -> None:
        self._place = place
        self._error = error
        if not isinstance(value, dict):
            raise error(f"{place}: expected a dictionary, found {kind_of(value)}")
        self._entries: Mapping[bytes, Value] = value

    def __contains__(self, key: bytes) -> bool:
        return key in self._entries

    def wrong(self, key: bytes, problem: str) -> WireError:
        """Make the error for an entry whose value cannot be used."""
        return self._error(f"{self._place}, {_name(key)}: {problem}")

    def value(self, key: bytes) -> Value:
        """Return an entry that must be there."""
        if key not in self._entries:
            raise self._error(f"{self._place}: expected an entry {_name(key)}, found none")
        return self._entries[key]

    def string(self, key: bytes) -> bytes:
        """Return an entry that must be there and be a string."""
        value = self.value(key)
        if not isinstance(value, bytes):
            raise self._mistyped(key, "a string", value)
        return value

    def integer(self, key: bytes, low: int = 0, high: int = (1 << 63) - 1) -> int:
        """Return an entry that must be there and be an integer from `low` to `high`."""
        value = self.value(key)
        if not isinstance(value, int):
            raise self._mistyped(key, "an integer", value)
        if not low <= value <= high:
            raise self.wrong(key, f"expected {low} to {high}, found {value}")
        return value

    def items(self, key: bytes) -> list[Value]:
        """Return an entry that must be there and be a list."""
        value = self.value(key)
        if not isinstance(value, list):
            raise self._mistyped(key, "a list", value)
        return value

    def text(self, key: bytes) -> str:
        """Return an entry that must be there and be UTF-8 text."""
        return self.as_text(key, self.value(key))

    def as_text(self, key: bytes, value: Value) -> str:
        """Read `value`, which is somewhere inside the entry `key`, as UTF-8 text."""
        if not isinstance(value, bytes):
            raise self._mistyped(key, "a string", value)
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise self.wrong(key, f"expected UTF-8 text, found {value[:32]!r}") from error

    def optional_string(self, key: bytes) -> bytes | None:
        """Return an entry that may be missing but is a string."""
        return self.string(key) if key in self._entries else None

    def optional_integer(self, key: bytes, low: int = 0, high: int = (1 << 63) - 1) -> int | None:
        """Return an entry that may be missing but is an integer from `low` to `high`."""
        return self.integer(key, low, high) if key in self._entries else None

    def optional_text(self, key: bytes) -> str | None:
        """Return an entry that may be missing but is UTF-8 text."""
        return self.text(key) if key in self._entries else None

    def _mistyped(self, key: bytes, expected: str, value: Value) -> WireError:
        return self.wrong(key, f"expected {expected}, found {kind_of(value)}")


def kind_of(value: Value) -> str:
    """Name the type of a value as the specification does."""
    return _KINDS[type(value)]


def _name(key: bytes) -> str:
    return repr(key.decode("ascii", "backslashreplace"))
