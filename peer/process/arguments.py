"""Readers of command-line options: numbers, rates, addresses, digests. Each error says what is expected."""

import re
from argparse import ArgumentParser, ArgumentTypeError, _ArgumentGroup
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Final, TypeAlias

from peer.errors import WireError
from peer.net.address import Address, pack_host, pack_host6, parse_address

OptionGroup: TypeAlias = ArgumentParser | _ArgumentGroup
"""What options can be added to; argparse does not name the type of a group."""

_RATE: Final = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kMG]|[KMG]i)?(bit|B)/s")
_FACTORS: Final = {None: 1, "k": 10**3, "M": 10**6, "G": 10**9, "Ki": 2**10, "Mi": 2**20, "Gi": 2**30}
_WORDS: Final[dict[str, object]] = {"true": True, "false": False, "none": None}


def rate(text: str) -> float:
    """Read a rate as bytes/s. Mb/s is refused: it is Mbit/s to one reader and MB/s to the next."""
    match = _RATE.fullmatch(text)
    if match is None:
        raise ArgumentTypeError(f"expected a rate such as 8Mbit/s or 1MB/s, found {text!r}")
    found = Fraction(match[1]) * _FACTORS[match[2]] / (8 if match[3] == "bit" else 1)
    if not found:
        raise ArgumentTypeError("expected a rate above zero; without the option there is no limit")
    return float(found)


def whole_number(low: int, high: int) -> Callable[[str], int]:
    """Make a reader of whole numbers from `low` to `high`."""

    def read(text: str) -> int:
        if not (text.isascii() and text.isdecimal()) or not low <= int(text) <= high:
            raise ArgumentTypeError(f"expected a whole number from {low} to {high}, found {text!r}")
        return int(text)

    return read


def share(text: str) -> float:
    """Read a part of a whole: 0.25 or 25%."""
    try:
        found = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        found = -1
    if not 0 <= found <= 1:
        raise ArgumentTypeError(f"expected a share from 0 to 1, or from 0% to 100%, found {text!r}")
    return found


def positive(text: str) -> float:
    """Read a number above zero."""
    try:
        found = float(text)
    except ValueError:
        found = 0
    if not 0 < found < float("inf"):
        raise ArgumentTypeError(f"expected a number above zero, found {text!r}")
    return found


def host(text: str) -> str:
    """Read a numeric IPv4 or IPv6 address."""
    return _checked_host(text, pack_host6 if ":" in text else pack_host)


def ipv4_host(text: str) -> str:
    """Read a numeric IPv4 address."""
    return _checked_host(text, pack_host)


def _checked_host(text: str, pack: Callable[[str], bytes]) -> str:
    try:
        pack(text)
    except WireError as error:
        raise ArgumentTypeError(str(error)) from error
    return text


def address(text: str) -> Address:
    """Read host:port."""
    try:
        return parse_address(text)
    except WireError as error:
        raise ArgumentTypeError(str(error)) from error


def digest(text: str) -> bytes:
    """Read a SHA-1 in hex."""
    if not re.fullmatch("[0-9A-Fa-f]{40}", text):
        raise ArgumentTypeError(f"expected 40 hex digits, found {text!r}")
    return bytes.fromhex(text)


def assignment(text: str) -> tuple[str, object]:
    """Read name=value, where the value is a number if it looks like one."""
    name, equals, value = text.partition("=")
    if not (equals and name.isidentifier()):
        raise ArgumentTypeError(f"expected name=value, found {text!r}")
    return name, _value(value)


def _value(text: str) -> object:
    if text in _WORDS:
        return _WORDS[text]
    for read in (int, float):
        try:
            return read(text)
        except ValueError:
            continue
    return text


# Options of several programs.


def add_trace(options: OptionGroup) -> None:
    options.add_argument("--trace", type=Path, metavar="FILE", help="append a trace to FILE, one JSON object per line")


def add_seed(options: OptionGroup, of: str) -> None:
    options.add_argument("--seed", type=int, metavar="N", help=f"seed for {of} (default: different each time)")


def add_start_gate(options: OptionGroup, *also: str) -> None:
    """Add the option that lets many programs start at the same moment."""
    explained = "prepare, print `waiting HOST:PORT`, and start on SIGUSR1"
    options.add_argument("--wait-for-start", "--hold", *also, action="store_true", help=explained)
