"""A capture file, read: its messages one after the other, and what was added up meanwhile."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from testbed.wiretap.files.opening import opened_capture
from testbed.wiretap.messages import ConnectionSummary, Losses, Message
from testbed.wiretap.protocols.reader import Findings
from testbed.wiretap.streams.conversations import Conversations


class Reading:
    """One capture file. `messages` reads it; what is added up meanwhile is complete at the end of that."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with opened_capture(file) as frames:
            self.names: Mapping[str, str] = frames.names
            """Address to host name, from the capture's name resolution blocks."""
            self.comment = frames.comment
            """The comment of the file; "" if there is none."""
        self.losses = Losses()
        self.connections: Sequence[ConnectionSummary] = []
        self.packets = 0
        """How many frames have been read."""
        self.damage = ""
        """What is wrong with the end of the file, in a sentence; "" if nothing is."""

    def messages(self) -> Iterator[Message]:
        """Yield the messages, ordered by packet number.

        A message that could be told from others only 10,000 packets after its own comes too late for this order.
        """
        findings = Findings()
        conversations = Conversations(findings)
        self.losses, self.connections = findings.losses, conversations.summaries
        with opened_capture(self._file) as frames:
            self.names = frames.names
            yield from conversations.read(frames)
        self.losses.unread_bytes, self.damage, self.packets = frames.unread, frames.damage, findings.now.packet


def read_capture(file: Path) -> Reading:
    """Read the head of a capture (.pcap or .pcapng, also packed by gzip); raises ExplainedError if it is none."""
    return Reading(file)
