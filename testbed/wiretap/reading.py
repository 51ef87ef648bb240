"""A capture file, read: its messages one after the other, and what was added up meanwhile."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from testbed.wiretap.files.opening import open_capture
from testbed.wiretap.messages import ConnectionSummary, Losses, Message
from testbed.wiretap.streams.conversations import Conversations
from testbed.wiretap.streams.reader import Findings


class Reading:
    """One capture file, of which the messages are read once."""

    def __init__(self, file: Path) -> None:
        self._frames, self._source = open_capture(file)
        self._findings = Findings()
        self._conversations = Conversations(self._findings)

    @property
    def names(self) -> Mapping[str, str]:
        """Address to host name, from the capture's name resolution blocks."""
        return self._frames.names

    @property
    def comment(self) -> str:
        """The comment of the file; "" if there is none."""
        return self._frames.comment

    @property
    def connections(self) -> Sequence[ConnectionSummary]:
        """The connections, complete once all messages have been read."""
        return self._conversations.summaries

    @property
    def packets(self) -> int:
        """How many frames have been read."""
        return self._findings.now.packet

    @property
    def losses(self) -> Losses:
        """What could not be read, complete once all messages have been read."""
        return self._findings.losses

    @property
    def damage(self) -> str:
        """What is wrong with the end of the file, in a sentence, once all messages have been read; "" if nothing is."""
        return self._frames.damage

    def messages(self) -> Iterator[Message]:
        """Yield the messages, ordered by packet number."""
        with self._source:
            yield from self._conversations.read(self._frames)
        self.losses.unread_bytes = self._frames.unread


def read_capture(file: Path) -> Reading:
    """Open a capture (.pcap or .pcapng, also packed by gzip) and read its head; raises ExplainedError if it is none."""
    return Reading(file)
