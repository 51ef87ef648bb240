"""Bytes of the overlays whose wire is our own: a reader that refuses what is cut, and addresses of six bytes."""

from functools import lru_cache
from typing import Final

from peer.errors import WireError
from peer.net.address import Address, pack_host

ADDRESS_SIZE: Final = 6


@lru_cache(maxsize=1 << 17)
def pack_address(address: Address) -> bytes:
    """Write an IPv4 address and its port: 6 bytes."""
    return pack_host(address.host) + address.port.to_bytes(2, "big")


def pack_addresses(addresses: tuple[Address, ...]) -> bytes:
    """Write a list of at most 255 addresses: its length in a byte, and the addresses."""
    return bytes([len(addresses)]) + b"".join(map(pack_address, addresses))


def pack_short(data: bytes) -> bytes:
    """Write at most 65,535 bytes: their number in two, and they."""
    return len(data).to_bytes(2, "big") + data


class Reader:
    """Takes the parts of a datagram in their order; what is missing, too much or wrong raises `WireError`."""

    __slots__ = ("_at", "_data", "_what")

    def __init__(self, data: bytes, what: str = "message") -> None:
        self._data = data
        self._at = 0
        self._what = what

    def name(self, what: str) -> None:
        """Say what is read, for the text of an error."""
        self._what = what

    def take(self, length: int) -> bytes:
        end = self._at + length
        if end > len(self._data):
            raise self.error(f"expected {end} bytes or more, found {len(self._data)}")
        part = self._data[self._at : end]
        self._at = end
        return part

    def number(self, size: int) -> int:
        return int.from_bytes(self.take(size), "big")

    def flag(self) -> bool:
        value = self.number(1)
        if value > 1:
            raise self.error(f"expected 0 or 1, found {value}")
        return value == 1

    def address(self) -> Address:
        a, b, c, d = self.take(4)
        port = self.number(2)
        if port == 0:
            raise self.error("an address has port 0")
        return Address(f"{a}.{b}.{c}.{d}", port)

    def addresses(self) -> tuple[Address, ...]:
        return tuple(self.address() for _ in range(self.number(1)))

    def short(self, most: int) -> bytes:
        length = self.number(2)
        if length > most:
            raise self.error(f"expected at most {most} bytes in a part, found {length}")
        return self.take(length)

    def text(self, most: int) -> str:
        try:
            return self.short(most).decode()
        except UnicodeDecodeError as error:
            raise self.error("expected text in UTF-8") from error

    def end(self) -> None:
        """Nothing may follow."""
        if self._at != len(self._data):
            raise self.error(f"{len(self._data) - self._at} bytes too many")

    def error(self, why: str) -> WireError:
        return WireError(f"{self._what}: {why}")
