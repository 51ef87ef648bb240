"""The histories of all hosts of a trial as one: a replay.

Two hosts saw each connection. What moved, and whether the receiver is interested, is taken from the receiver. Whether
it may request is taken from the giver. Where one of them wrote no trace, the other is asked. Rates are means over
steps, so that a long trial is no larger than a short one.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor
from typing import Any, Final, TypeAlias

from testbed.results.replay.history import Bytes, Change, Connection, Flow, History, Start
from testbed.runfolder.record import HostRecord

KIND: Final = "swarm"
_MOST_STEPS: Final = 600
_FEWEST_STEPS: Final = 60
_MOST_HOST_STEPS: Final = 9000
"""A crowd has longer steps than a few peers."""
_STEPS: Final = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600)
_WHOLE: Final = 1000
"""The whole file, in the units of shares."""
_NOT_WHOLE: Final = 0.99
"""The most that payload counts for, since some of it may be duplicates."""

Pair: TypeAlias = tuple[str, str]
Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Replay:
    """A trial to be shown again."""

    trial: str
    seconds: float
    hosts: tuple[HostRecord, ...]
    histories: Mapping[str, History]
    """By host; without those that wrote no trace."""

    @property
    def step(self) -> int:
        """The seconds of a step."""
        most = min(_MOST_STEPS, max(_FEWEST_STEPS, _MOST_HOST_STEPS // max(1, len(self.hosts))))
        return next((step for step in _STEPS if self.seconds / step <= most), ceil(self.seconds / most))

    @property
    def steps(self) -> int:
        """How many there are."""
        return max(1, ceil(self.seconds / self.step))

    @property
    def has_pieces(self) -> bool:
        """Whether it is known when each piece was complete."""
        return any(history.pieces for history in self.histories.values())

    @property
    def is_empty(self) -> bool:
        """Whether no trace says who sent how much to whom."""
        return next(self._links(), None) is None

    def as_json(self) -> Json:
        """Return it as the page reads it; docs/results.md describes it."""
        return {
            "kind": KIND,
            "trial": self.trial,
            "seconds": _time(self.seconds),
            "step": self.step,
            "pieces": self._piece_count() if self.has_pieces else None,
            "hosts": [self._host(host) for host in self.hosts],
            "links": list(self._links()),
        }

    def _piece_count(self) -> int:
        return max((start.pieces for each in self.histories.values() for start in each.starts), default=0)

    def _host(self, host: HostRecord) -> Json:
        history = self.histories.get(host.name, History())
        known = {
            "name": host.name,
            "group": host.group or host.role,
            "role": host.role,
            "strategy": (host.strategy or {}).get("name"),
            "lives": [[_time(begin), _time(end)] for begin, end in self._lives(host, history)],
            "completed": None if history.completed is None else _time(history.completed),
            "shares": _shares(history, self._size(), self.step, self.steps),
        }
        return known | ({"held": self._held(history)} if self.has_pieces else {})

    def _size(self) -> int:
        """Return the size of the file; where no client says it, what most of it was received by one."""
        said = [start.bytes for each in self.histories.values() for start in each.starts]
        return max(said, default=0) or max((_received(each) for each in self.histories.values()), default=0) or 1

    def _lives(self, host: HostRecord, history: History) -> Iterator[tuple[float, float]]:
        """Yield when it was in the swarm; a host without a trace counts from its arrival to the end."""
        arrival = host.arrival_s or 0.0
        if host.name not in self.histories:
            yield arrival, self.seconds
        last = self.seconds if host.ended_well else history.last
        for begin, end in history.lives:
            yield max(arrival, begin, 0.0), max(0.0, min(last if end is None else end, self.seconds))

    def _held(self, history: History) -> Json:
        """Return when it completed which pieces, and which it had at first; None if that is not known."""
        start = history.starts[0] if history.starts else None
        first: list[int] | None = []
        if start is not None and start.have:
            later = {index for _, index in history.pieces}
            is_known = start.have == start.pieces or history.completed is not None
            first = sorted(set(range(start.pieces)) - later) if is_known else None
        return {
            "first": first,
            "times": [_time(t) for t, _ in history.pieces],
            "pieces": [i for _, i in history.pieces],
        }

    def _links(self) -> Iterator[Json]:
        numbers = {host.name: number for number, host in enumerate(self.hosts)}
        for (giver, receiver), flows in _paired(self.hosts, self.histories).items():
            moved = _by_step((each for flow in flows.told_by_receiver for each in flow.moved), self.step, self.steps)
            slots = _merged(flow.slots for flow in flows.told_by_giver)
            wants = _merged(flow.wants for flow in flows.told_by_receiver)
            if moved or any(change.state for change in slots):
                yield {
                    "from": numbers[giver],
                    "to": numbers[receiver],
                    "moved": [number for step, count in moved.items() for number in (step, count)],
                    "slots": _flat(slots),
                    "wants": _flat(wants),
                }


@dataclass(slots=True)
class _Flows:
    """What is known of one direction between two hosts, by whose trace says it."""

    by_giver: list[Flow]
    by_receiver: list[Flow]

    @property
    def told_by_receiver(self) -> list[Flow]:
        return self.by_receiver or self.by_giver

    @property
    def told_by_giver(self) -> list[Flow]:
        return self.by_giver or self.by_receiver


def _paired(hosts: Sequence[HostRecord], histories: Mapping[str, History]) -> dict[Pair, _Flows]:
    """Sort what each host saw by giver and receiver; strangers, which are no hosts of the trial, are left out."""
    names = {host.address: host.name for host in hosts}
    names |= {peer_id: host for host, history in histories.items() for peer_id in history.peer_ids}
    found = defaultdict[Pair, _Flows](lambda: _Flows([], []))
    for host, history in histories.items():
        for connection in history.connections:
            other = _name_of(connection, names)
            if other is not None and other != host:
                found[host, other].by_giver.append(connection.given)
                found[other, host].by_receiver.append(connection.taken)
    return dict(sorted(found.items()))


def _name_of(connection: Connection, names: Mapping[str, str]) -> str | None:
    by_address = names.get(connection.address.rpartition(":")[0].strip("[]"))
    return names.get(connection.peer_id or "", by_address)


def _by_step(moved: Iterable[Bytes], step: float, steps: int) -> dict[int, int]:
    """Add up what moved in each step, in bytes; what moved across a boundary is split by time."""
    sums = defaultdict[int, float](float)
    for begin, end, count in moved:
        for number, share in _parts(begin, end, step, steps):
            sums[number] += count * share
    return {number: round(sums[number]) for number in sorted(sums) if round(sums[number])}


def _parts(begin: float, end: float, step: float, steps: int) -> Iterator[tuple[int, float]]:
    """Yield the steps that a time covers, and what share of the time each of them has."""
    first, last = (min(max(floor(t / step), 0), steps - 1) for t in (begin, end))
    if first == last or end <= begin:
        yield last, 1.0
        return
    for number in range(first, last + 1):
        covered = min(end, (number + 1) * step) - max(begin, number * step)
        if covered > 0:
            yield number, covered / (end - begin)


def _merged(several: Iterable[Sequence[Change]]) -> list[Change]:
    """Merge the states of several connections between the same hosts: the highest counts."""
    lists = [changes for changes in several if changes]
    changes = sorted((change.t, number, change.state) for number, each in enumerate(lists) for change in each)
    states, merged = [0] * len(lists), [Change(0.0, 0)]
    for t, number, state in changes:
        states[number] = state
        if max(states) != merged[-1].state:
            merged.append(Change(t, max(states)))
    return merged[1:]


def _shares(history: History, size: int, step: float, steps: int) -> list[int]:
    """Return the share of the file that a host has at t = 0 and at the end of each step, in thousandths."""
    points = list(_pieces_held(history) if history.pieces else _payload_held(history, size))
    if history.completed is not None:
        points = [*(point for point in points if point[0] < history.completed), (history.completed, 1.0)]
    return list(_sampled(points, step, steps))


def _sampled(points: Sequence[tuple[float, float]], step: float, steps: int) -> Iterator[int]:
    at, share = 0, 0.0
    for number in range(steps + 1):
        while at < len(points) and points[at][0] <= number * step:
            share = points[at][1]
            at += 1
        yield round(_WHOLE * share)


def _pieces_held(history: History) -> Iterator[tuple[float, float]]:
    """Yield the share after each piece; a client that comes back says how many it still has."""
    total = max((start.pieces for start in history.starts), default=0) or 1
    events = [(start.t, start.have) for start in history.starts] + [(t, None) for t, _ in history.pieces]
    have = 0
    for t, restart in sorted(events, key=lambda event: event[0]):
        have = have + 1 if restart is None else restart
        yield t, min(1.0, have / total)


def _received(history: History) -> int:
    return sum(moved.payload for connection in history.connections for moved in connection.taken.moved)


def _payload_held(history: History, size: int) -> Iterator[tuple[float, float]]:
    """Yield the share of the file's bytes that were received, where pieces are not in the trace."""
    start = history.starts[0] if history.starts else Start(0.0, 0, 1, size)
    held = start.have / (start.pieces or 1)
    yield start.t, held
    received = [moved for connection in history.connections for moved in connection.taken.moved]
    total = 0
    for _, end, count in sorted(received, key=lambda moved: moved.end):
        total += count
        yield end, max(held, min(_NOT_WHOLE, held + total / size))


def _flat(changes: Iterable[Change]) -> list[float]:
    return [number for change in changes for number in (_time(change.t), change.state)]


def _time(t: float) -> float:
    return round(t, 2)
