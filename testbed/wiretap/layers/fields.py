"""Fields for scapy: the entries of a bencoded dictionary, and lists of compact addresses.

A layer of `Entry` fields that ends with `OtherEntries` is one bencoded dictionary: each entry has a field, None if it
is not there, and whatever has no field or another type than expected is in `others`, so that nothing is lost.
"""

import copy
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any, Final, TypeAlias

from scapy.fields import Field
from scapy.packet import Packet

from testbed.wiretap.bencode import BencodeError, Encodable, Value, decode_prefix, encode

Address: TypeAlias = tuple[str, int]
"""Host and port."""

IPV4_STRIDE: Final = 6
IPV6_STRIDE: Final = 18


def pack_addresses(addresses: Iterable[Address]) -> bytes:
    """Write addresses, 6 bytes for IPv4 and 18 for IPv6."""
    return b"".join(ip_address(host).packed + port.to_bytes(2, "big") for host, port in addresses)


def unpack_addresses(data: bytes, stride: int) -> list[Address]:
    """Read addresses of `stride` bytes; a rest that is no whole address is left out."""
    whole = range(0, len(data) - stride + 1, stride)
    return [
        (_host(data[at : at + stride - 2]), int.from_bytes(data[at + stride - 2 : at + stride], "big")) for at in whole
    ]


def _host(packed: bytes) -> str:
    return str(IPv4Address(packed) if len(packed) == 4 else IPv6Address(packed))


class PythonField(Field[Any, Any]):
    """A field whose value is a Python object that may be changed in place."""

    ismutable = True
    # Otherwise scapy would take a list for alternatives, and build from the first of them.
    islist = 1

    def __init__(self, name: str, default: object = None) -> None:
        super().__init__(name, default, "B")

    def do_copy(self, x: Any) -> Any:
        return copy.deepcopy(x)

    def addfield(self, pkt: Packet, s: bytes, val: Any) -> bytes:  # noqa: ARG002
        """Write nothing: the layer's last field writes all."""
        return s


class Entry(PythonField):
    """An entry of any type."""

    __slots__ = ["key"]

    def __init__(self, name: str, key: bytes = b"") -> None:
        super().__init__(name)
        self.key = key or name.encode()

    def read(self, value: Value) -> Any:
        """Return the value for the field; None if it has another type."""
        return value

    def write(self, held: Any) -> Encodable:
        """Return the value for the dictionary."""
        entry: Encodable = held
        return entry


class NumberEntry(Entry):
    """An integer."""

    def read(self, value: Value) -> int | None:
        return value if isinstance(value, int) else None


class StringEntry(Entry):
    """Bytes; text is written as UTF-8."""

    def any2i(self, pkt: Packet | None, x: Any) -> Any:  # noqa: ARG002
        return x.encode() if isinstance(x, str) else x

    def read(self, value: Value) -> bytes | None:
        return value if isinstance(value, bytes) else None


class BytesEntry(Entry):
    """A string of small numbers, one a byte."""

    def read(self, value: Value) -> list[int] | None:
        return list(value) if isinstance(value, bytes) else None

    def write(self, held: Sequence[int]) -> bytes:
        return bytes(held)


class NumbersEntry(Entry):
    """A dictionary of numbers by name. Names that are not UTF-8 survive as surrogates."""

    def read(self, value: Value) -> dict[str, int] | None:
        if not isinstance(value, dict):
            return None
        numbers = {key.decode(errors="surrogateescape"): held for key, held in value.items() if isinstance(held, int)}
        return numbers if len(numbers) == len(value) else None

    def write(self, held: dict[str, int]) -> Encodable:
        return {name.encode(errors="surrogateescape"): number for name, number in held.items()}


class AddressesEntry(Entry):
    """Compact addresses, as a list of host and port."""

    __slots__ = ["stride"]

    def __init__(self, name: str, key: bytes = b"", stride: int = IPV4_STRIDE) -> None:
        super().__init__(name, key)
        self.stride = stride

    def read(self, value: Value) -> list[Address] | None:
        is_whole = isinstance(value, bytes) and len(value) % self.stride == 0
        return unpack_addresses(value, self.stride) if isinstance(value, bytes) and is_whole else None

    def write(self, held: Iterable[Address]) -> Encodable:
        return pack_addresses(held)


class OtherEntries(PythonField):
    """The last field of a dictionary: what has no field of its own, by key."""

    def addfield(self, pkt: Packet, s: bytes, val: dict[bytes, Encodable] | None) -> bytes:
        fields = [field for field in pkt.fields_desc if isinstance(field, Entry)]
        held = [(field, pkt.getfieldval(field.name)) for field in fields]
        known = {field.key: field.write(value) for field, value in held if value is not None}
        return s + encode({**(val or {}), **known})


class BencodedDictionary(Packet):
    """A layer that is one bencoded dictionary. Bytes behind it become its payload."""

    name = "bencoded dictionary"
    fields_desc = [OtherEntries("others")]

    def do_dissect(self, s: bytes) -> bytes:
        entries, end = decode_prefix(s)
        if not isinstance(entries, dict):
            raise BencodeError("no dictionary")
        for field in self.fields_desc:
            if isinstance(field, Entry) and field.key in entries:
                held = field.read(entries[field.key])
                if held is not None:
                    del entries[field.key]
                    self.fields[field.name] = held
        if entries:
            self.fields["others"] = entries
        self.raw_packet_cache = s[:end]
        self.raw_packet_cache_fields = copy.deepcopy(self.fields)
        self.explicit = 1
        return s[end:]


def dictionary_keys(data: bytes) -> frozenset[bytes] | None:
    """Return the keys of the bencoded dictionary at the start; None if there is no such dictionary."""
    try:
        value, _ = decode_prefix(data)
    except BencodeError:
        return None
    return frozenset(value) if isinstance(value, dict) else None
