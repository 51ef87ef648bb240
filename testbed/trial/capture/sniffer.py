"""Write the packets of an interface to a pcap file, where tcpdump does not work.

    python -m testbed.trial.capture.sniffer INTERFACE FILE

It prints `ready` when it listens and ends at SIGINT or SIGTERM; then it prints how many packets it missed. In a user
namespace tcpdump refuses to start, because it cannot drop privileges that it does not have.
"""

import signal
import socket
import struct
import sys
import time
from contextlib import suppress
from types import FrameType
from typing import BinaryIO, Final, NoReturn

_ETH_P_ALL: Final = 3
_SOL_PACKET: Final = 263
_PACKET_STATISTICS: Final = 6
_SO_TIMESTAMPNS: Final = 35
_TIMESPEC: Final = struct.Struct("=qq")
_LONGEST: Final = 262_144
_BUFFER: Final = 32 << 20
_PCAP_HEAD: Final = struct.Struct("=IHHiIII").pack(0xA1B23C4D, 2, 4, 0, 0, _LONGEST, 1)
"""Times in nanoseconds; frames of Ethernet."""
_RECORD: Final = struct.Struct("=IIII")


def main() -> None:
    """Write packets until a signal comes."""
    interface, path = sys.argv[1:]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _end)
    with (
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ETH_P_ALL)) as packets,
        open(path, "wb", buffering=1 << 20) as file,  # noqa: PTH123  As little as possible is imported.
    ):
        packets.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        packets.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
        packets.bind((interface, 0))
        file.write(_PCAP_HEAD)
        print("ready", flush=True)
        with suppress(KeyboardInterrupt):
            _copy(packets, file)
        packets.setblocking(False)
        with suppress(BlockingIOError):
            _copy(packets, file)
        _print_missed(packets)


def _copy(packets: socket.socket, file: BinaryIO) -> None:
    frame = bytearray(_LONGEST)
    space = socket.CMSG_SPACE(_TIMESPEC.size)
    while True:
        length, notes, _, _ = packets.recvmsg_into([frame], space)
        file.write(_RECORD.pack(*_moment(notes), length, length))
        file.write(memoryview(frame)[:length])


def _moment(notes: list[tuple[int, int, bytes]]) -> tuple[int, int]:
    """Return when the kernel saw a packet, in seconds and nanoseconds."""
    for level, kind, data in notes:
        if (level, kind) == (socket.SOL_SOCKET, _SO_TIMESTAMPNS):
            return _TIMESPEC.unpack(data)[0], _TIMESPEC.unpack(data)[1]
    return divmod(time.time_ns(), 1_000_000_000)


def _print_missed(packets: socket.socket) -> None:
    _seen, missed = struct.unpack("=II", packets.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
    print(f"{missed} packets dropped by kernel", flush=True)


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
