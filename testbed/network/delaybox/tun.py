"""A TUN device in the calling thread's network namespace; unfinished checksums and super-packets pass through it."""

import fcntl
import os
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyroute2 import IPRoute

from testbed.network.delaybox.errors import DelayBoxError

TUN_DEVICE = Path("/dev/net/tun")
_SYSCTLS = Path("/proc/sys")
MTU = 1500
QUEUE_PACKETS = 10_000
"""The device's ring holds packets while the box is not scheduled; the kernel's 500 are 5 ms at 100,000/s."""

_TUNSETIFF = 0x400454CA
_TUNSETOFFLOAD = 0x400454D0
_IFF_TUN, _IFF_NO_PI, _IFF_VNET_HDR = 0x0001, 0x1000, 0x4000
_TUN_F_CSUM, _TUN_F_TSO4 = 0x01, 0x02
_LONGEST_NAME = 15


@contextmanager
def opened_tun(interface: str, *, whole_segments: bool) -> Iterator[int]:
    """Create the device, bring it up, and yield its file; it exists until its last holder closes that file.

    With `whole_segments` every packet fits the wire; without, TCP's super-packets pass as one.
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
        raise DelayBoxError(f"{TUN_DEVICE} cannot be opened by this user; chmod 0666 {TUN_DEVICE}") from error
    except OSError as error:
        raise DelayBoxError(f"{TUN_DEVICE} cannot be opened: {error.strerror}") from error


def _create(tun: int, interface: str) -> None:
    request = struct.pack("16sH22x", interface.encode(), _IFF_TUN | _IFF_NO_PI | _IFF_VNET_HDR)
    try:
        with _work_spread_over_processors():
            fcntl.ioctl(tun, _TUNSETIFF, request)
    except OSError as error:
        message = f"the kernel refused to make TUN device {interface!r} in this network namespace: {error.strerror}"
        raise DelayBoxError(message) from error


@contextmanager
def _work_spread_over_processors() -> Iterator[None]:
    """Let every processor process packets of a device created meanwhile (receive packet steering).

    Otherwise all work on a packet, with the receiver's TCP and the qdiscs' timers, stays on the helper's processor.
    Kernels before 6.3 lack the setting; there the box is only slower.
    """
    default = _SYSCTLS / "net/core/rps_default_mask"
    if not default.exists():
        yield
        return
    before = default.read_text()
    _write(default, processor_mask(os.cpu_count() or 1))
    try:
        yield
    finally:
        _write(default, before)


def processor_mask(processors: int) -> str:
    """Return the mask of the first processors as the kernel writes it: hexadecimal words of 32 bits."""
    digits = f"{(1 << processors) - 1:x}"
    padded = digits.zfill(-(-len(digits) // 8) * 8)
    return ",".join(padded[start : start + 8] for start in range(0, len(padded), 8))


def _silence(interface: str) -> None:
    """Turn off router solicitations, and the source check, which fails since the device leads nowhere."""
    if (ipv6 := _SYSCTLS / "net/ipv6/conf" / interface).exists():
        _write(ipv6 / "disable_ipv6", "1")
    _write(_SYSCTLS / "net/ipv4/conf" / interface / "rp_filter", "0")
    if (_SYSCTLS / "net/ipv4/conf/all/rp_filter").read_text().strip() == "1":
        message = "net.ipv4.conf.all.rp_filter is 1 here, which drops packets from the delay box; set it to 0"
        raise DelayBoxError(message)


def _write(path: Path, value: str) -> None:
    try:
        path.write_text(value)
    except OSError as error:
        raise DelayBoxError(f"{path} cannot be set to {value.strip()}: {error.strerror}") from error


def _bring_up(interface: str) -> None:
    with IPRoute() as netlink:
        netlink.link("set", index=socket.if_nametoindex(interface), mtu=MTU, txqlen=QUEUE_PACKETS, state="up")
