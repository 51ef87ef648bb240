"""Filters in the words of tcpdump, made into instructions for the kernel by the library that tcpdump uses, libpcap."""

import ctypes
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, Final

from testbed.errors import ExplainedError
from testbed.experiment.plan.trials import Trial
from testbed.trial.capture.instructions import MOST_INSTRUCTIONS, everything
from testbed.values.findings import Finding

_NAMES: Final = ("libpcap.so.0.8", "libpcap.so.1", "libpcap.so")
"""What Debian and Ubuntu, others, and a machine for development call it."""
_ETHERNET: Final = 1
_NETMASK_UNKNOWN: Final = 0xFFFF_FFFF
_INSTRUCTION_BYTES: Final = 8


class FilterError(ExplainedError):
    """A filter that cannot be used; the message says why."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_uint), ("instructions", ctypes.POINTER(ctypes.c_ubyte)))


def compiled(words: str, snaplen: int) -> bytes:
    """Return a program that accepts the packets of a filter, cut to this length; all packets without one."""
    if not words:
        return everything(snaplen)
    if "\0" in words:
        raise FilterError("has a character that no filter can have")
    pcap = _libpcap()
    handle = pcap.pcap_open_dead(_ETHERNET, snaplen)
    program = _Program()
    try:
        if pcap.pcap_compile(handle, ctypes.byref(program), words.encode(), 1, _NETMASK_UNKNOWN):
            raise FilterError(pcap.pcap_geterr(handle).decode(errors="replace"))
        if program.length > MOST_INSTRUCTIONS:
            raise FilterError(f"takes {program.length} instructions, but the kernel runs {MOST_INSTRUCTIONS} at most")
        return ctypes.string_at(program.instructions, program.length * _INSTRUCTION_BYTES)
    finally:
        pcap.pcap_freecode(ctypes.byref(program))
        pcap.pcap_close(handle)


def filter_findings(trials: Iterable[Trial]) -> Iterator[tuple[Trial, Finding]]:
    """Yield the trials whose filter cannot be used."""
    for trial in trials:
        capture = trial.settings.capture
        if capture is not None:
            try:
                compiled(capture.filter, capture.snaplen)
            except FilterError as error:
                yield trial, Finding(("capture", "filter"), str(error))


def libpcap_version() -> str | None:
    """Return the version of libpcap; None without it."""
    try:
        text: bytes = _libpcap().pcap_lib_version()
    except FilterError:
        return None
    return text.decode(errors="replace").removeprefix("libpcap version ")


@cache
def _libpcap() -> Any:
    for name in _NAMES:
        try:
            pcap = ctypes.CDLL(name)
        except OSError:
            continue
        pcap.pcap_open_dead.restype = ctypes.c_void_p
        pcap.pcap_open_dead.argtypes = [ctypes.c_int, ctypes.c_int]
        pcap.pcap_compile.argtypes = [
            ctypes.c_void_p,
            ctypes.POINTER(_Program),
            ctypes.c_char_p,
            ctypes.c_int,
            ctypes.c_uint,
        ]
        pcap.pcap_geterr.restype = ctypes.c_char_p
        pcap.pcap_geterr.argtypes = [ctypes.c_void_p]
        pcap.pcap_freecode.argtypes = [ctypes.POINTER(_Program)]
        pcap.pcap_freecode.restype = None
        pcap.pcap_close.argtypes = [ctypes.c_void_p]
        pcap.pcap_close.restype = None
        pcap.pcap_lib_version.restype = ctypes.c_char_p
        return pcap
    raise FilterError("needs libpcap, which is not installed: sudo apt-get install tcpdump   (or leave `filter:` out)")
