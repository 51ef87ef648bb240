"""The captures of a trial, read: whose they are, and each message of the trial once."""

import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

from testbed.errors import ExplainedError
from testbed.runfolder.damage import DamageError
from testbed.runfolder.handles import IN_TRIAL, open_to_read
from testbed.runfolder.record import CaptureRecord, TrialRecord
from testbed.values.costs import ADDRESSES, RETURN_DISTANCE
from testbed.wiretap import Reading, read_capture
from testbed.wiretap.messages import ConnectionSummary, Endpoint, Message


def host_names(record: TrialRecord) -> Mapping[str, str]:
    """Return the hosts of a trial by all addresses that they can have: one that comes back has a second one."""
    names = {}
    for host in record.hosts:
        names[host.address] = host.name
        address = ip_address(host.address)
        if address in ADDRESSES and (second := address + RETURN_DISTANCE) in ADDRESSES:
            names[str(second)] = host.name
    return names


def addresses_of(record: TrialRecord, host: str) -> Collection[str]:
    """Return all addresses that a host can have."""
    return frozenset(address for address, name in host_names(record).items() if name == host)


class Sighting(NamedTuple):
    """A message, and the place at which it was captured: the name of a host, or of the core."""

    place: str
    message: Message


@dataclass
class OpenCapture:
    """One file of one place, while it is read."""

    place: str
    is_core: bool
    reading: Reading


@dataclass
class TrialCaptures:
    """All captures of a trial, or those of some hosts. `captures` is filled when they are opened."""

    record: TrialRecord
    captures: Sequence[OpenCapture]
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def places(self) -> frozenset[str]:
        """The hosts with a capture."""
        return frozenset(each.place for each in self.captures if not each.is_core)

    def name(self, end: Endpoint) -> str:
        """Return the host of an address; the address itself if it is of none."""
        return self.names.get(end.address, end.address)

    def messages(self) -> Iterator[Sighting]:
        """Yield each message once, in the order of time: as its receiver saw it, else its sender, else the core."""
        return heapq.merge(*map(self._own, self.captures), key=lambda each: each.message.time)

    def _own(self, capture: OpenCapture) -> Iterator[Sighting]:
        """Yield the messages of a file that no better place has."""
        hosts = self.places
        for message in capture.reading.messages():
            if self._is_witness(capture, hosts, message.destination, message.source):
                yield Sighting(capture.place, message)

    def _is_witness(self, capture: OpenCapture, hosts: Collection[str], first: Endpoint, second: Endpoint) -> bool:
        """Return whether a capture is the one to believe: that of the first end, else of the second, else the core."""
        best = next((name for name in (self.name(first), self.name(second)) if name in hosts), None)
        return capture.is_core or best is None if best is None else capture.place == best

    def connections(self) -> Iterator[tuple[OpenCapture, ConnectionSummary]]:
        """Yield each connection once, after all messages: as the end that was dialled saw it, else the one that did."""
        hosts = self.places
        for capture in self.captures:
            for connection in capture.reading.connections:
                if self._is_witness(capture, hosts, connection.acceptor, connection.opener):
                    yield capture, connection


def open_captures(folder: Path, record: TrialRecord, hosts: Collection[str] = ()) -> TrialCaptures:
    """Open the captures of a trial, or only those of some hosts; raises DamageError for one that cannot be read."""
    chosen = [each for each in record.captures if not hosts or each.host in hosts]
    opened = [
        OpenCapture(each.host, each.place == "core", _read(folder / name)) for each in chosen for name in each.all_files
    ]
    return TrialCaptures(record, opened, host_names(record))


def _read(file: Path) -> Reading:
    """Open a file of a trial; like all others it must be there, and no link."""
    try:
        open_to_read(file, IN_TRIAL).close()
    except FileNotFoundError as error:
        raise DamageError(file, "is missing") from error
    return read_capture(file)


def capture_of(record: TrialRecord, host: str) -> CaptureRecord | None:
    """Return the capture of a host's own interface, if there is one."""
    return next((each for each in record.captures if each.host == host and each.place == "host"), None)


@contextmanager
def damage_told(file: Path) -> Iterator[None]:
    """Turn the refusal of a file into damage of the run folder."""
    try:
        yield
    except DamageError:
        raise
    except ExplainedError as error:
        raise DamageError(file, str(error)) from error
