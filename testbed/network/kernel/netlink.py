"""Requests that configure the network, sent in batches, with every refusal reported.

A batch holds the messages for one network namespace. Messages are encoded by pyroute2; one `send` carries up to
_CHUNK_BYTES of them, and the kernel acknowledges only the last, and each that it refuses.
"""

import errno
import os
import socket
import struct
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from testbed.errors import ExplainedError

RTM_NEWQDISC: Final = 36
RTM_DELQDISC: Final = 37
RTM_GETQDISC: Final = 38
RTM_NEWTCLASS: Final = 40
RTM_NEWTFILTER: Final = 44

NLM_F_REQUEST: Final = 0x1
NLM_F_ACK: Final = 0x4
NLM_F_ECHO: Final = 0x8
NLM_F_DUMP: Final = 0x300
NLM_F_EXCL: Final = 0x200
NLM_F_CREATE: Final = 0x400

_NLMSG_ERROR: Final = 2
_NLMSG_DONE: Final = 3
_SOL_NETLINK: Final = 270
_NETLINK_CAP_ACK: Final = 10
_NETLINK_EXT_ACK: Final = 11
_NLM_F_CAPPED: Final = 0x100
_NLM_F_ACK_TLVS: Final = 0x200
_NLMSGERR_ATTR_MSG: Final = 1

_CHUNK_BYTES: Final = 48 << 10
_HEADER: Final = struct.Struct("=IHHII")
_ATTRIBUTE: Final = struct.Struct("=HH")


class NetlinkError(ExplainedError, OSError):
    """The kernel refused a request; the message says which and why."""

    def __str__(self) -> str:
        return str(self.strerror)


class Message(NamedTuple):
    """One request as bytes, and in words for errors."""

    data: bytes
    what: str


def encode(message: Any, kind: int, what: str, flags: int = NLM_F_CREATE | NLM_F_EXCL) -> Message:
    """Encode a message with pyroute2."""
    message["header"]["type"] = kind
    message["header"]["flags"] = NLM_F_REQUEST | flags
    message.encode()
    return Message(bytes(message.data), what)


class NetlinkSocket:
    """A route netlink socket of the namespace in which it was created."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, 0)
        self._socket.bind((0, 0))
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_CAP_ACK, 1)
        self._socket.setsockopt(_SOL_NETLINK, _NETLINK_EXT_ACK, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self._sequence = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Release the socket."""
        self._socket.close()

    def send(self, batch: list[Message]) -> None:
        """Send all messages in order; raise NetlinkError if the kernel refuses any."""
        refused: list[tuple[int, str]] = []
        for chunk in _chunks(batch):
            first = self._sequence + 1
            self._socket.send(self._numbered(chunk))
            refused += [(code, f"{chunk[seq - first].what}: {why}") for seq, code, why in self._answers()]
        if refused:
            code, text = refused[0]
            more = f" (and {len(refused) - 1} more)" if len(refused) > 1 else ""
            raise NetlinkError(code, text + more)

    def dump(self, kind: int, body: bytes) -> Iterator[bytes]:
        """Request all objects of a kind; yield the payload of each answer."""
        self._sequence += 1
        header = _HEADER.pack(_HEADER.size + len(body), kind, NLM_F_REQUEST | NLM_F_DUMP, self._sequence, 0)
        self._socket.send(header + body)
        while True:
            for number, kind_, _flags, payload in _messages(self._socket.recv(1 << 18)):
                if kind_ == _NLMSG_DONE:
                    return
                if kind_ == _NLMSG_ERROR:
                    code = -struct.unpack_from("=i", payload)[0]
                    raise NetlinkError(code, f"dump of {kind}: {os.strerror(code)}")
                if number == self._sequence:
                    yield payload

    def get(self, kind: int, body: bytes) -> bytes:
        """Request one object; return the payload of the answer."""
        self._sequence += 1
        flags = NLM_F_REQUEST | NLM_F_ECHO  # some answers are notifications, which the requester only gets as an echo
        self._socket.send(_HEADER.pack(_HEADER.size + len(body), kind, flags, self._sequence, 0) + body)
        while True:
            for number, kind_, _flags, payload in _messages(self._socket.recv(1 << 18)):
                if number != self._sequence:
                    continue
                if kind_ != _NLMSG_ERROR:
                    return payload
                if code := -struct.unpack_from("=i", payload)[0]:
                    raise NetlinkError(code, f"object of {kind}: {os.strerror(code)}")

    def _numbered(self, chunk: list[Message]) -> bytes:
        """Return the chunk as one buffer of numbered messages, the last of which asks for an acknowledgement."""
        buffer = bytearray()
        for message in chunk:
            self._sequence += 1
            start = len(buffer)
            buffer += message.data
            struct.pack_into("=I", buffer, start + 8, self._sequence)
        flags = struct.unpack_from("=H", buffer, start + 6)[0]
        struct.pack_into("=H", buffer, start + 6, flags | NLM_F_ACK)
        return bytes(buffer)

    def _answers(self) -> Iterator[tuple[int, int, str]]:
        """Yield number, errno and reason of each refused message, until the last one is acknowledged."""
        while True:
            for number, kind, flags, payload in _messages(self._socket.recv(1 << 18)):
                if kind != _NLMSG_ERROR:
                    continue
                code = -struct.unpack_from("=i", payload)[0]
                if code:
                    yield number, code, _reason(code, flags, payload)
                if number == self._sequence:
                    return


def _chunks(batch: list[Message]) -> Iterator[list[Message]]:
    chunk: list[Message] = []
    size = 0
    for message in batch:
        if chunk and size + len(message.data) > _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
        chunk.append(message)
        size += len(message.data)
    if chunk:
        yield chunk


def _messages(datagram: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Yield sequence number, type, flags and payload of each message in a datagram."""
    offset = 0
    while offset + _HEADER.size <= len(datagram):
        length, kind, flags, sequence, _port = _HEADER.unpack_from(datagram, offset)
        yield sequence, kind, flags, datagram[offset + _HEADER.size : offset + length]
        offset += (length + 3) & ~3


def attributes(payload: bytes, offset: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield type and value of each attribute in a payload."""
    while offset + _ATTRIBUTE.size <= len(payload):
        length, kind = _ATTRIBUTE.unpack_from(payload, offset)
        if length < _ATTRIBUTE.size:
            return
        yield kind & 0x3FFF, payload[offset + _ATTRIBUTE.size : offset + length]
        offset += (length + 3) & ~3


def attribute(kind: int, value: bytes) -> bytes:
    """Encode one attribute."""
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def _reason(code: int, flags: int, payload: bytes) -> str:
    """Return the error's name, with the kernel's own explanation if it sent one."""
    text = os.strerror(code)
    if flags & _NLM_F_ACK_TLVS:
        echoed = 16 if flags & _NLM_F_CAPPED else struct.unpack_from("=I", payload, 4)[0]
        for kind, value in attributes(payload, 4 + echoed):
            if kind == _NLMSGERR_ATTR_MSG:
                text += f" ({value.rstrip(bytes(1)).decode(errors='replace')})"
    if code == errno.ENOENT:
        text += "; a kernel module may be missing: see `testbed doctor`"
    return text
