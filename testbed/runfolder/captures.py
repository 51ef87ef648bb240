"""The captures of a trial, read: whose they are, and each message of the trial once."""

import heapq
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

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
    is_host: bool
    """Whether it is of a host's own interface, and not of the core or of anywhere."""
    reading: Reading


@dataclass
class Captures:
    """Captures that were made at the same time at several places."""

    opened: Sequence[OpenCapture]
    names: Mapping[str, str]
    """The hosts, by all their addresses."""

    @property
    def hosts(self) -> frozenset[str]:
        """The hosts with a capture of their own."""
        return frozenset(each.place for each in self.opened if each.is_host)

    def name(self, end: Endpoint) -> str:
        """Return the host of an address; the address itself if it is of none."""
        return self.names.get(end.address, end.address)

    def messages(self) -> Iterator[Sighting]:
        """Yield each message once, in the order of time: as its receiver saw it, else its sender, else the core."""
        if len(self.opened) == 1:
            return self._own(self.opened[0])
        return heapq.merge(*map(self._own, self.opened), key=lambda each: each.message.time)

    def _own(self, capture: OpenCapture) -> Iterator[Sighting]:
        """Yield the messages of a file that no better place has."""
        for message in capture.reading.messages():
            if self._is_witness(capture, message.destination, message.source):
                yield Sighting(capture.place, message)

    def _is_witness(self, capture: OpenCapture, first: Endpoint, second: Endpoint) -> bool:
        """Return whether a capture is the one to believe: that of the first end, else of the second, else the core."""
        hosts = self.hosts
        best = next((name for name in (self.name(first), self.name(second)) if name in hosts), None)
        return capture.place == best if best is not None else not capture.is_host or len(self.opened) == 1

    def connections(self) -> Iterator[tuple[str, ConnectionSummary]]:
        """Yield each connection once, after all messages: as the end that was dialled saw it, else the one that did."""
        for capture in self.opened:
            for connection in capture.reading.connections:
                if self._is_witness(capture, connection.acceptor, connection.opener):
                    yield capture.place, connection


def open_captures(folder: Path, record: TrialRecord, hosts: Collection[str] = ()) -> Captures:
    """Open the captures of a trial, or only those of some hosts; raises DamageError for one that cannot be read."""
    chosen = [each for each in record.captures if not hosts or each.host in hosts]
    opened = [
        OpenCapture(each.host, each.place == "host", _read(folder / name)) for each in chosen for name in each.all_files
    ]
    return Captures(opened, host_names(record))


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
