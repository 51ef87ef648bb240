"""A TUN device in the calling thread's network namespace; unfinished checksums and super-packets pass through it."""

import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from testbed.network.delaybox.errors import DelayBoxError

TUN_DEVICE = Path("/dev/net/tun")
MTU = 1500
QUEUE_PACKETS = 10_000
"""The device's ring: what arrives while the box is busy or not scheduled. The kernel's 500 are 5 ms at 100,000/s."""

_TUNSETIFF = 0x400454CA
_TUNSETOFFLOAD = 0x400454D0
_IFF_TUN, _IFF_NO_PI, _IFF_VNET_HDR = 0x0001, 0x1000, 0x4000
_TUN_F_CSUM, _TUN_F_TSO4 = 0x01, 0x02
_SIOCGIFFLAGS, _SIOCSIFFLAGS = 0x8913, 0x8914
_SIOCSIFMTU, _SIOCSIFTXQLEN = 0x8922, 0x8943
_IFF_UP = 0x1
_LONGEST_NAME = 15


@contextmanager
def opened_tun(interface: str, *, whole_segments: bool) -> Iterator[int]:
    """Make the device, bring it up, and yield its file; it lasts until its last holder closes that file.

    With `whole_segments` every packet fits the wire; without, TCP's super-packets come through as one.
    """
    if not 0 < len(interface) <= _LONGEST_NAME:
        raise DelayBoxError(f"interface name {interface!r} must have 1 to {_LONGEST_NAME} characters")
    tun = _open_device()
    try:
        _create(tun, interface)
        fcntl.ioctl(tun, _TUNSETOFFLOAD, _TUN_F_CSUM | (0 if whole_segments else _TUN_F_TSO4))
        _silence(interface)
        _bring_up(interface)
        yield tun
    finally:
        os.close(tun)


def _open_device() -> int:
    try:
        return os.open(TUN_DEVICE, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise DelayBoxError(f"{TUN_DEVICE} is missing; load the kernel's tun module (modprobe tun)") from error
    except PermissionError as error:
        raise DelayBoxError(f"{TUN_DEVICE} may not be opened by this user; chmod 0666 {TUN_DEVICE}") from error
    except OSError as error:
        raise DelayBoxError(f"{TUN_DEVICE} cannot be opened: {error.strerror}") from error


def _create(tun: int, interface: str) -> None:
    request = struct.pack("16sH22x", interface.encode(), _IFF_TUN | _IFF_NO_PI | _IFF_VNET_HDR)
    try:
        fcntl.ioctl(tun, _TUNSETIFF, request)
    except OSError as error:
        message = f"the kernel refused to make TUN device {interface!r} in this network namespace: {error.strerror}"
        raise DelayBoxError(message) from error


def _silence(interface: str) -> None:
    """No router solicitations, and no source check: a packet comes back through a device that leads nowhere."""
    _set("net/ipv6/conf", interface, "disable_ipv6", "1")
    _set("net/ipv4/conf", interface, "rp_filter", "0")
    if Path("/proc/sys/net/ipv4/conf/all/rp_filter").read_text().strip() == "1":
        message = "net.ipv4.conf.all.rp_filter is 1 here, which drops what the delay box gives back; set it to 0"
        raise DelayBoxError(message)


def _set(family: str, interface: str, name: str, value: str) -> None:
    folder = Path("/proc/sys") / family / interface
    if folder.exists():
        (folder / name).write_text(value)


def _bring_up(interface: str) -> None:
    name = interface.encode()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as control:
        fcntl.ioctl(control, _SIOCSIFMTU, struct.pack("16si20x", name, MTU))
        fcntl.ioctl(control, _SIOCSIFTXQLEN, struct.pack("16si20x", name, QUEUE_PACKETS))
        answer = fcntl.ioctl(control, _SIOCGIFFLAGS, struct.pack("16sH22x", name, 0))
        _, flags = struct.unpack("16sH22x", answer)
        fcntl.ioctl(control, _SIOCSIFFLAGS, struct.pack("16sH22x", name, flags | _IFF_UP))
