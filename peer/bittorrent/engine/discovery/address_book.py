"""The addresses of peers, and which of them is dialled next.

    untried -- to_dial --> dialled -- connected --> connected
    dialled or connected -- ended --> waiting, or given up after too many such ends (WAITS)
    waiting -- its time has come, to_dial --> dialled
    given up -- learned again by more than hearsay --> waiting, for one more try

An address is in one of these states, whichever side made the connection: a neighbour that dialled us is in the book
once it has stated where it listens. All input comes from strangers, so everything here has a limit, and no single
stranger can fill the book. An address that the user gave is never given up, and never makes room for others.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from heapq import heapify, heappop, heappush
from ipaddress import ip_address
from math import inf
from random import Random
from typing import Final, Literal, NamedTuple, TypeAlias, TypeVar

from peer.bittorrent.engine.profile import Profile
from peer.net.address import Address
from peer.net.backoff import backoff

Source: TypeAlias = Literal["tracker", "dht", "pex", "given", "incoming"]
"""Where an address comes from: a tracker, nodes of the DHT, a neighbour, the command line, or the peer itself."""
HEARSAY: Final[frozenset[Source]] = frozenset({"dht", "pex"})
"""What strangers say of others."""

MOST_ADDRESSES: Final = 2_000
MOST_HEARSAY: Final = MOST_ADDRESSES // 2
"""How many of them may be known by hearsay only."""
MOST_BANNED: Final = 10_000
MOST_OWN: Final = 64

FIRST_RETRY: Final = 2.0
LONGEST_RETRY: Final = 600.0
FIRST_RETRY_OF_FULL: Final = 5.0
LONGEST_RETRY_OF_FULL: Final = 60.0
LONGEST_RETRY_OF_GIVEN: Final = 60.0
"""The user knows that there is a peer, so it is asked at least this often, unless it was at fault."""
REUNION: Final = 30.0
"""Seconds before a neighbour that left without a fault is dialled again."""
MOST_FAILURES: Final = 8
"""Dials in a row without a connection, or without a handshake, after which an address is given up."""
MOST_FAULTS: Final = 3


class Ending(Enum):
    """How an attempt to be neighbours ended."""

    UNANSWERED = auto()
    """The dial led to no connection."""
    REFUSED = auto()
    """The other end did not answer our handshake: most often it has no place for us, and may have one soon."""
    LEFT = auto()
    """After both handshakes, for no fault of the other end."""
    FAULT = auto()
    """There is no point in connecting again soon."""


class Waits(NamedTuple):
    """The wait after the first such end, the longest (it doubles with each), and after how many to give up."""

    first: float
    longest: float
    most: float


WAITS: Final[Mapping[Ending, Waits]] = {
    Ending.UNANSWERED: Waits(FIRST_RETRY, LONGEST_RETRY, MOST_FAILURES),
    Ending.REFUSED: Waits(FIRST_RETRY_OF_FULL, LONGEST_RETRY_OF_FULL, MOST_FAILURES),
    Ending.LEFT: Waits(REUNION, REUNION, inf),
    Ending.FAULT: Waits(LONGEST_RETRY, LONGEST_RETRY, MOST_FAULTS),
}


class _State(Enum):
    UNTRIED = auto()
    DIALLED = auto()
    CONNECTED = auto()
    WAITING = auto()
    GIVEN_UP = auto()


@dataclass(slots=True, eq=False)
class _Record:
    source: Source
    state: _State = _State.UNTRIED
    ends: dict[Ending, int] = field(default_factory=dict)
    """How many of each kind since the last success."""
    retry_at: float = 0


class AddressBook:
    """The addresses that one of our identities knows."""

    def __init__(self, rng: Random, profile: Profile) -> None:
        self._rng = rng
        self._most_dialled = profile.most_half_open
        self._records: dict[Address, _Record] = {}
        self._hearsay = 0
        self._refuses_exchange = False
        self._dialled = 0
        self._untried: list[Address] = []
        """In no order; some may have been connected or removed since."""
        self._waiting: list[tuple[float, Address]] = []
        """A heap by time; an entry counts only if its record is waiting for that time."""
        self._failed: dict[Address, None] = {}
        """Waiting or given up, those that failed longest ago first: the first to be removed."""
        self._own: dict[Address, None] = {}
        self._banned: dict[str, None] = {}

    def __len__(self) -> int:
        return len(self._records)

    def learn(self, addresses: Iterable[Address], source: Source) -> None:
        """Add addresses, except those that can never be dialled."""
        for address in addresses:
            record = self._records.get(address)
            if record is not None:
                self._learned_again(address, record, source)
            elif self._is_usable(address, source) and self._make_room(source):
                self._add(address, _Record(source))
                self._untried.append(address)
        if len(self._untried) > 2 * MOST_ADDRESSES:
            self._untried = [address for address, record in self._records.items() if record.state is _State.UNTRIED]

    def to_dial(self, now: float, count: int) -> list[Address]:
        """Choose at most `count` addresses, and regard them as being dialled.

        Untried ones come first, in random order; then those whose waiting time is over.
        """
        chosen: list[Address] = []
        for _ in range(min(count, self._most_dialled - self._dialled)):
            address = self._next_untried() or self._next_waiting(now)
            if address is None:
                break
            self._failed.pop(address, None)
            self._enter(self._records[address], _State.DIALLED)
            chosen.append(address)
        return chosen

    def connected(self, address: Address) -> None:
        """A connection with the peer that listens there was made, by either side."""
        record = self._records.get(address)
        if record is None:
            if not self._is_usable(address, "incoming") or not self._make_room("incoming"):
                return
            record = _Record("incoming")
            self._add(address, record)
        self._failed.pop(address, None)
        self._enter(record, _State.CONNECTED)
        record.ends.pop(Ending.UNANSWERED, None)

    def dial_failed(self, address: Address, now: float) -> float | None:
        """Record a failed dial; returns in how many seconds to try again, None if not at all."""
        return self._end(address, now, _State.DIALLED, Ending.UNANSWERED)

    def unwanted(self, address: Address, now: float) -> None:
        """A dial led to a connection for which we had no place any more."""
        self._end(address, now, _State.DIALLED, Ending.LEFT)

    def disconnected(self, address: Address, now: float, ending: Ending) -> None:
        """A connection ended."""
        self._end(address, now, _State.CONNECTED, ending)

    def refuse_exchange(self) -> None:
        """Take no more addresses from neighbours: trackers leave out seeds, and a seed does not need others.

        Peers that joined together complete together: most of those that neighbours named have all pieces by now. Those
        of the DHT are used, as it may be all that a seed has.
        """
        self._refuses_exchange = True
        named = [each for each, record in self._records.items() if record.source == "pex"]
        for address in [each for each in named if self._records[each].state is _State.UNTRIED]:
            self._forget(address)

    def ourselves(self, address: Address) -> None:
        """Never dial this address: it is our own."""
        _remember(self._own, address, MOST_OWN)
        self._forget(address)

    def ban(self, host: str) -> None:
        """Never dial this host again."""
        _remember(self._banned, host, MOST_BANNED)
        for address in [address for address in self._records if address.host == host]:
            self._forget(address)

    def is_banned(self, host: str) -> bool:
        return host in self._banned

    def next_retry_at(self) -> float:
        """Return when the next failed address may be dialled again; untried ones may be dialled at any time."""
        while self._waiting and not self._is_current(*self._waiting[0]):
            heappop(self._waiting)
        return self._waiting[0][0] if self._waiting else inf

    def _is_usable(self, address: Address, source: Source) -> bool:
        if not address.port or address in self._own or address.host in self._banned:
            return False
        return _is_unicast(address.host, may_be_name=source == "given")

    def _learned_again(self, address: Address, record: _Record, source: Source) -> None:
        if source == "pex":
            return
        if record.source in HEARSAY:
            self._hearsay -= source not in HEARSAY
            record.source = source
        if record.state is _State.GIVEN_UP:
            record.ends = {ending: int(waits.most) - 1 for ending, waits in WAITS.items() if waits.most < inf}
            self._wait(address, record, record.retry_at)

    def _next_untried(self) -> Address | None:
        untried = self._untried
        while untried:
            at = self._rng.randrange(len(untried))
            untried[at], untried[-1] = untried[-1], untried[at]
            address = untried.pop()
            record = self._records.get(address)
            if record is not None and record.state is _State.UNTRIED:
                return address
        return None

    def _next_waiting(self, now: float) -> Address | None:
        return heappop(self._waiting)[1] if self.next_retry_at() <= now else None

    def _is_current(self, retry_at: float, address: Address) -> bool:
        record = self._records.get(address)
        return record is not None and record.state is _State.WAITING and record.retry_at == retry_at

    def _end(self, address: Address, now: float, state: _State, ending: Ending) -> float | None:
        """Let an address in this state wait, or give it up; returns for how long it waits."""
        record = self._records.get(address)
        if record is None or record.state is not state:
            return None
        count = record.ends[ending] = record.ends.get(ending, 0) + 1
        if ending is Ending.LEFT:
            record.ends.pop(Ending.REFUSED, None)
        first, longest, most = WAITS[ending]
        if record.source == "given":
            longest, most = longest if ending is Ending.FAULT else min(longest, LONGEST_RETRY_OF_GIVEN), inf
        if count >= most:
            self._give_up(address, record, now)
            return None
        wait = backoff(count, first, longest, self._rng)
        self._wait(address, record, now + wait)
        return wait

    def _wait(self, address: Address, record: _Record, until: float) -> None:
        self._fail(address, record, _State.WAITING, until)
        heappush(self._waiting, (until, address))
        if len(self._waiting) > 2 * MOST_ADDRESSES:
            self._waiting = [entry for entry in self._waiting if self._is_current(*entry)]
            heapify(self._waiting)

    def _give_up(self, address: Address, record: _Record, now: float) -> None:
        self._fail(address, record, _State.GIVEN_UP, now + LONGEST_RETRY)

    def _fail(self, address: Address, record: _Record, state: _State, retry_at: float) -> None:
        self._enter(record, state)
        record.retry_at = retry_at
        self._failed.pop(address, None)
        if record.source != "given":
            self._failed[address] = None

    def _enter(self, record: _Record, state: _State) -> None:
        self._dialled += (state is _State.DIALLED) - (record.state is _State.DIALLED)
        record.state = state

    def _make_room(self, source: Source) -> bool:
        """Remove the address that failed longest ago if the book is full; returns whether there is room for one."""
        if source == "pex" and self._refuses_exchange:
            return False
        if source in HEARSAY and self._hearsay >= MOST_HEARSAY:
            return False
        if len(self._records) >= MOST_ADDRESSES and self._failed:
            self._forget(next(iter(self._failed)))
        return len(self._records) < MOST_ADDRESSES

    def _add(self, address: Address, record: _Record) -> None:
        self._records[address] = record
        self._hearsay += record.source in HEARSAY

    def _forget(self, address: Address) -> None:
        record = self._records.pop(address, None)
        if record is not None:
            self._dialled -= record.state is _State.DIALLED
            self._hearsay -= record.source in HEARSAY
            self._failed.pop(address, None)


_Key = TypeVar("_Key")


def _remember(keys: dict[_Key, None], key: _Key, most: int) -> None:
    """Add a key to an ordered set in which the oldest keys make room."""
    if key not in keys and len(keys) >= most:
        del keys[next(iter(keys))]
    keys[key] = None


def _is_unicast(host: str, *, may_be_name: bool) -> bool:
    """Whether a host can be one machine. Names are for people: strangers could make us resolve anything."""
    try:
        parsed = ip_address(host)
    except ValueError:
        return may_be_name
    return not (parsed.is_multicast or parsed.is_unspecified or host == "255.255.255.255")
