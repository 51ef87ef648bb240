"""Which protocol a TCP connection carries: told by the first bytes of each direction, and never by ports."""

from collections.abc import Callable
from typing import Final

from testbed.wiretap.messages import Losses
from testbed.wiretap.streams.fields import PROTOCOL
from testbed.wiretap.streams.http import ANSWER, REQUESTS

_BEGINNINGS: Final = {PROTOCOL: "peer wire", ANSWER: "http", **dict.fromkeys(REQUESTS, "http")}
_LONGEST: Final = max(map(len, _BEGINNINGS))


class Recognition:
    """The first reader of a direction: it waits for enough bytes, and hands them to the reader that they need."""

    def __init__(self, choose: Callable[[str, bytes, int, int, int], None], losses: Losses) -> None:
        self._choose, self._losses = choose, losses
        self._kept = b""
        self._is_unknown = False

    def feed(self, data: bytes, start: int, end: int, length: int, time: int, packet: int) -> None:
        """Look at the next bytes of the stream."""
        end = min(end, start + length)
        if self._is_unknown or not length:
            self._losses.unreadable_bytes += length
            return
        is_cut = end - start < length
        data = self._kept + data[start:end]
        length += len(self._kept)
        for beginning, protocol in _BEGINNINGS.items():
            if data.startswith(beginning):
                self._choose(protocol, data, length, time, packet)
                return
        if not is_cut and len(data) < _LONGEST and any(beginning.startswith(data) for beginning in _BEGINNINGS):
            self._kept = data
            return
        self._is_unknown = True
        self._losses.unreadable_bytes += length
