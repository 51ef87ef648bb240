"""Filters of packets as instructions of classic BPF, which the kernel runs for each packet; pure but for `attach`."""

import ctypes
import socket
import struct
from collections.abc import Iterable
from typing import Final

_INSTRUCTION: Final = struct.Struct("=HBBI")
_RETURN: Final = 0x06
_LOAD_WORD: Final = 0x20
_JUMP_IF_EQUAL: Final = 0x15
_INTERFACE_INDEX: Final = 0xFFFF_F008
"""Where the kernel lets a program read the index of the packet's interface."""
_SO_ATTACH_FILTER: Final = 26


MOST_INSTRUCTIONS: Final = 4000
"""Of a filter; the kernel runs 96 more, which leave interfaces out."""


def everything(snaplen: int) -> bytes:
    """Return a program that accepts every packet, cut to this length."""
    return _INSTRUCTION.pack(_RETURN, 0, 0, snaplen)


NOTHING: Final = everything(0)


def without_interfaces(program: bytes, indices: Iterable[int]) -> bytes:
    """Return a program that drops the packets of some interfaces, and asks `program` about the others."""
    tests = [_INSTRUCTION.pack(_JUMP_IF_EQUAL, 0, 1, index) + NOTHING for index in indices]
    return b"".join([_INSTRUCTION.pack(_LOAD_WORD, 0, 0, _INTERFACE_INDEX), *tests, program]) if tests else program


def attach(packets: socket.socket, program: bytes) -> None:
    """Have the kernel run a program for each packet of a socket, in place of the one before."""
    memory = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // _INSTRUCTION.size, ctypes.addressof(memory))
    packets.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, head)
