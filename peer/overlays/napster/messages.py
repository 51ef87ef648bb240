"""The messages between client and directory, each with its type on the wire and the fields of its text."""

from dataclasses import dataclass
from hashlib import md5
from typing import ClassVar, Final, Self, TypeAlias

from peer.errors import WireError
from peer.net.address import Address
from peer.overlays.napster.text import fields, host_number, host_of, number, quoted

UNKNOWN_SPEED: Final = 0
_PORTS: Final = 0xFFFF


def fingerprint(name: str) -> str:
    """Return what stands where a client puts the MD5 of a file's first bytes: we share names without bytes."""
    return md5(name.encode(errors="surrogateescape"), usedforsecurity=False).hexdigest()


@dataclass(frozen=True, slots=True)
class Refusal:
    """The directory refuses something; the text says why."""

    kind: ClassVar[int] = 0
    reason: str

    def text(self) -> str:
        return self.reason

    @classmethod
    def read(cls, text: str) -> Self:
        return cls(text)


@dataclass(frozen=True, slots=True)
class Login:
    """A user with this nick is here."""

    kind: ClassVar[int] = 2
    nick: str
    password: str
    port: int
    """Where the client gives files; 0 behind a firewall."""
    client: str
    speed: int = UNKNOWN_SPEED
    """0 unknown, 1 a modem of 14.4 kbit/s ... 10 a T3 or more."""

    def text(self) -> str:
        return f"{self.nick} {self.password} {self.port} {quoted(self.client)} {self.speed}"

    @classmethod
    def read(cls, text: str) -> Self:
        nick, password, port, client, speed, *_ = fields(text, "nick password port client link-type")
        return cls(nick, password, number(port, "a port", _PORTS), client, number(speed, "a link type", 10))


@dataclass(frozen=True, slots=True)
class LoginAccepted:
    """The user may go on; who has not registered is told an address that is nobody's."""

    kind: ClassVar[int] = 3
    email: str

    def text(self) -> str:
        return self.email

    @classmethod
    def read(cls, text: str) -> Self:
        return cls(text)


@dataclass(frozen=True, slots=True)
class Share:
    """The client has a file. Bit rate, frequency and seconds are those of music."""

    kind: ClassVar[int] = 100
    name: str
    size: int
    bit_rate: int = 128
    frequency: int = 44_100
    seconds: int = 0

    def text(self) -> str:
        numbers = f"{self.size} {self.bit_rate} {self.frequency} {self.seconds}"
        return f"{quoted(self.name)} {fingerprint(self.name)} {numbers}"

    @classmethod
    def read(cls, text: str) -> Self:
        name, _, *numbers = fields(text, "name md5 size bit-rate frequency seconds")
        return cls(name, *(number(each, "a share") for each in numbers[:4]))


@dataclass(frozen=True, slots=True)
class Search:
    """Ask for files whose names contain all these words."""

    kind: ClassVar[int] = 200
    words: str
    most_results: int = 100

    def text(self) -> str:
        return f"FILENAME CONTAINS {quoted(self.words)} MAX_RESULTS {self.most_results}"

    @classmethod
    def read(cls, text: str) -> Self:
        """Read a request; artist and title are words alike, and conditions on speed and music are not looked at."""
        found = fields(text, "FILENAME CONTAINS words")
        words = [each for first, second, each in _triples(found) if (first, second) == ("FILENAME", "CONTAINS")]
        if not words:
            raise WireError(f"expected FILENAME CONTAINS, found {text[:64]!r}")
        most = [each for _, key, each in _triples(found) if key == "MAX_RESULTS"]
        return cls(" ".join(words), number(most[0], "MAX_RESULTS") if most else 100)


def _triples(values: list[str]) -> list[tuple[str, str, str]]:
    return list(zip(["", *values], values, values[1:], strict=False))


@dataclass(frozen=True, slots=True)
class Result:
    """A file of a user, as an answer to a search."""

    kind: ClassVar[int] = 201
    name: str
    size: int
    nick: str
    host: str
    speed: int = UNKNOWN_SPEED
    bit_rate: int = 128
    frequency: int = 44_100
    seconds: int = 0

    def text(self) -> str:
        numbers = f"{self.size} {self.bit_rate} {self.frequency} {self.seconds}"
        head = f"{quoted(self.name)} {fingerprint(self.name)} {numbers}"
        return f"{head} {self.nick} {host_number(self.host)} {self.speed}"

    @classmethod
    def read(cls, text: str) -> Self:
        found = fields(text, "name md5 size bit-rate frequency seconds nick ip link-type")
        name, _, size, bit_rate, frequency, seconds, nick, ip, speed, *_ = found
        music = (number(each, "a result") for each in (bit_rate, frequency, seconds))
        return cls(name, number(size, "a size"), nick, host_of(ip), number(speed, "a link type", 10), *music)


@dataclass(frozen=True, slots=True)
class EndOfResults:
    """There are no more results for the earliest search that is open."""

    kind: ClassVar[int] = 202

    def text(self) -> str:
        return ""

    @classmethod
    def read(cls, text: str) -> Self:  # noqa: ARG003  (some servers write something)
        return cls()


@dataclass(frozen=True, slots=True)
class DownloadRequest:
    """Ask where to get a file of a user."""

    kind: ClassVar[int] = 203
    nick: str
    name: str

    def text(self) -> str:
        return f"{self.nick} {quoted(self.name)}"

    @classmethod
    def read(cls, text: str) -> Self:
        nick, name, *_ = fields(text, "nick name")
        return cls(nick, name)


@dataclass(frozen=True, slots=True)
class DownloadFrom:
    """Where to get a file of a user."""

    kind: ClassVar[int] = 204
    nick: str
    address: Address
    name: str
    speed: int = UNKNOWN_SPEED

    def text(self) -> str:
        where = f"{host_number(self.address.host)} {self.address.port}"
        return f"{self.nick} {where} {quoted(self.name)} {fingerprint(self.name)} {self.speed}"

    @classmethod
    def read(cls, text: str) -> Self:
        nick, ip, port, name, _, speed, *_ = fields(text, "nick ip port name md5 link-type")
        address = Address(host_of(ip), number(port, "a port", _PORTS))
        return cls(nick, address, name, number(speed, "a link type", 10))


@dataclass(frozen=True, slots=True)
class DownloadRefused:
    """The user is gone, or has no such file."""

    kind: ClassVar[int] = 206
    nick: str
    name: str

    def text(self) -> str:
        return f"{self.nick} {quoted(self.name)}"

    @classmethod
    def read(cls, text: str) -> Self:
        nick, name, *_ = fields(text, "nick name")
        return cls(nick, name)


Said: TypeAlias = (
    Refusal
    | Login
    | LoginAccepted
    | Share
    | Search
    | Result
    | EndOfResults
    | DownloadRequest
    | DownloadFrom
    | DownloadRefused
)
