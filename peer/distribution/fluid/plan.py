"""The fluid scheme as blocks: which streams there are, which blocks each carries, and when; pure.

    stream i       from the server to peer i, and from peer i to every other peer, at a rate of its own
    direct stream  from the server to each peer, and no further

The blocks of the file are dealt to the streams in proportion to their rates, in the order of the file. So the plan
alone says which blocks a connection carries, and in which order: the wire carries nothing else.

    server -> peer i     the blocks of stream i and of the direct stream
    peer i -> peer j     the blocks of stream i
"""

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha1
from heapq import heapify, heapreplace, merge
from typing import Any, Final

from contract.wording import counted
from peer.errors import WireError
from peer.net.address import Address, parse_address

SERVER: Final = 0
"""The server's number; peers are 1 ... N."""
SEGMENT: Final = 1448
USUAL_BLOCK: Final = 8 * SEGMENT
"""Full segments, so that a block sent alone needs no extra headers."""
LATE_END: Final = 0.01
"""The share of the whole time that the last block of a stream may take from its relay to the others."""
USUAL_EXCESS: Final = 0.005
MOST_BLOCK: Final = 1 << 20
_MOST_RATE: Final = 1e12
_MOST_EXCESS: Final = 10
_MOST_BLOCKS: Final = 1 << 24
_REQUIRED: Final = ("length", "server", "peers", "relayed", "direct")
_OPTIONAL: Final = ("block", "excess")


class PlanError(ValueError):
    """The plan cannot be used; the message says what was expected."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What all programs of one distribution know; rates in bytes of the file per second."""

    length: int
    server: Address
    peers: tuple[Address, ...]
    relayed: tuple[float, ...]
    """The rate of each peer's stream."""
    direct: float
    block: int = USUAL_BLOCK
    excess: float = USUAL_EXCESS
    """By how much the server goes beyond the rates, as a share of them."""

    @property
    def block_count(self) -> int:
        """The last block may be shorter."""
        return -(-self.length // self.block)

    def others(self, who: int) -> list[int]:
        return [other for other in range(len(self.peers) + 1) if other != who]

    def address(self, who: int) -> Address:
        """Return where one of the programs listens."""
        return self.server if who == SERVER else self.peers[who - 1]

    def rate_to(self, peer: int) -> float:
        """Return how fast the server sends to a peer."""
        return (self.relayed[peer - 1] + self.direct) * (1 + self.excess)

    @property
    def digest(self) -> bytes:
        """Equal for equal plans."""
        return sha1(repr(self).encode(), usedforsecurity=False).digest()


class Deal:
    """Which blocks go where."""

    def __init__(self, plan: Plan) -> None:
        self._streams: Final = deal([*plan.relayed, plan.direct], plan.block_count)
        self._peer_count: Final = len(plan.peers)

    def stream(self, peer: int) -> Sequence[int]:
        """Return the blocks that a peer relays; the server relays none."""
        return () if peer == SERVER else self._streams[peer - 1]

    def blocks(self, sender: int, receiver: int) -> Sequence[int]:
        """Return the blocks that a connection carries, in their order."""
        if receiver == SERVER:
            return ()
        if sender != SERVER:
            return self.stream(sender)
        return array("L", merge(self._streams[receiver - 1], self._streams[self._peer_count]))


def deal(weights: Sequence[float], count: int) -> list["array[int]"]:
    """Deal `count` blocks in turn, so that at any time each weight has had its share; ties go to the first."""
    hands = [array("L") for _ in weights]
    due = [(1 / weight, number) for number, weight in enumerate(weights) if weight > 0]
    heapify(due)
    for index in range(count):
        _, number = due[0]
        hands[number].append(index)
        heapreplace(due, ((len(hands[number]) + 1) / weights[number], number))
    return hands


def fitting_block(length: int, relayed: Sequence[float], direct: float) -> int:
    """Return the usual block, or a shorter one where many streams share the time and each is slow."""
    slowest = min((rate for rate in relayed if rate), default=None)
    if slowest is None:
        return USUAL_BLOCK
    seconds = length / (sum(relayed) + direct)
    segments = int(LATE_END * seconds * slowest / SEGMENT)
    return min(max(segments * SEGMENT, SEGMENT), USUAL_BLOCK)


def parse_plan(text: str) -> Plan:
    """Read a plan from JSON; raises PlanError."""
    try:
        entries = json.loads(text)
    except ValueError as error:
        raise PlanError(f"expected JSON: {error}") from error
    if not isinstance(entries, dict):
        raise PlanError("expected an object")
    _check_keys(entries)
    try:
        plan = _plan(entries)
    except PlanError:
        raise
    except (TypeError, ValueError, OverflowError) as error:
        raise PlanError(str(error)) from error
    _check(plan)
    return plan


def encode_plan(plan: Plan) -> str:
    """Write a plan as JSON."""
    entries = {
        "length": plan.length,
        "block": plan.block,
        "server": str(plan.server),
        "peers": list(map(str, plan.peers)),
        "relayed": plan.relayed,
        "direct": plan.direct,
        "excess": plan.excess,
    }
    return json.dumps(entries, indent=2) + "\n"


def _check_keys(entries: dict[str, Any]) -> None:
    if missing := [key for key in _REQUIRED if key not in entries]:
        raise PlanError(f"expected the keys {', '.join(_REQUIRED)}; missing: {', '.join(missing)}")
    if unknown := [key for key in entries if key not in {*_REQUIRED, *_OPTIONAL}]:
        raise PlanError(f"unknown keys: {', '.join(unknown)}; possible are {', '.join((*_REQUIRED, *_OPTIONAL))}")


def _plan(entries: dict[str, Any]) -> Plan:
    length = _whole("length", entries["length"], 1 << 60)
    relayed = tuple(_rate("relayed", rate) for rate in _list("relayed", entries["relayed"]))
    direct = _rate("direct", entries["direct"])
    block = entries["block"] if "block" in entries else fitting_block(length, relayed, direct)
    return Plan(
        length=length,
        server=_address("server", entries["server"]),
        peers=tuple(_address("peers", peer) for peer in _list("peers", entries["peers"])),
        relayed=relayed,
        direct=direct,
        block=_whole("block", block, MOST_BLOCK),
        excess=_number("excess", entries.get("excess", USUAL_EXCESS), 0, _MOST_EXCESS),
    )


def _check(plan: Plan) -> None:
    if not plan.peers:
        raise PlanError("peers: expected at least one")
    if len(plan.relayed) != len(plan.peers):
        raise PlanError(
            f"relayed: expected a rate for each of {counted(len(plan.peers), 'peer')}, found {len(plan.relayed)}"
        )
    if len({plan.server, *plan.peers}) != len(plan.peers) + 1:
        raise PlanError("server, peers: expected an address of its own for each")
    if not plan.direct and not any(plan.relayed):
        raise PlanError("relayed, direct: expected at least one rate above 0")
    if plan.block_count > _MOST_BLOCKS:
        raise PlanError(f"block: expected at most {_MOST_BLOCKS} blocks, found {plan.block_count}; make them larger")


def _whole(key: str, value: object, most: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most:
        raise PlanError(f"{key}: expected a whole number of bytes from 1 to {most}, found {value!r}")
    return value


def _rate(key: str, value: object) -> float:
    return 0.0 if value == 0 else _number(key, value, 1, _MOST_RATE, "0, or bytes/s ")


def _number(key: str, value: object, low: float, high: float, kind: str = "") -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
        raise PlanError(f"{key}: expected {kind or 'a number '}from {low:g} to {high:g}, found {value!r}")
    return float(value)


def _list(key: str, value: object) -> list[Any]:
    if not isinstance(value, list):
        raise PlanError(f"{key}: expected a list, found {value!r}")
    return value


def _address(key: str, value: object) -> Address:
    try:
        return parse_address(value if isinstance(value, str) else repr(value))
    except WireError as error:
        raise PlanError(f"{key}: {error}") from error
