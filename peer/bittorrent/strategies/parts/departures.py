"""When to leave the swarm."""

import re
from collections.abc import Callable
from typing import Final

from peer.bittorrent.engine.actions import Leave
from peer.bittorrent.engine.strategy import Departure, ProgressView


class Stay:
    """Stays until the program is ended."""

    def decide(self, view: ProgressView) -> Leave | None:  # noqa: ARG002
        return None


class AtCompletion:
    """Leaves at completion, or `linger` seconds later."""

    def __init__(self, linger: float = 0) -> None:
        self._linger = linger

    def decide(self, view: ProgressView) -> Leave | None:
        if view.completed_at is None or view.now - view.completed_at < self._linger:
            return None
        return Leave("complete")


class AfterRatio:
    """Leaves when the download is complete and `ratio` times the length of the torrent has been sent."""

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio

    def decide(self, view: ProgressView) -> Leave | None:
        if view.completed_at is None or view.sent < self._ratio * view.length:
            return None
        return Leave(f"ratio {self._ratio:g}")


class AfterTime:
    """Leaves `seconds` after joining, complete or not."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def decide(self, view: ProgressView) -> Leave | None:
        return Leave(f"after {self._seconds:g} s") if view.now - view.joined_at >= self._seconds else None


class MidWay:
    """Leaves once, when a fraction of the pieces is here; returns after a while, and then stays.

    It has to see the fraction being reached: a client that already starts with that many pieces stays, also when this
    object is made anew for the return.
    """

    def __init__(self, fraction: float, back_after: float) -> None:
        self._fraction = fraction
        self._back_after = back_after
        self._was_below = False
        self._has_left = False

    def decide(self, view: ProgressView) -> Leave | None:
        if self._has_left:
            return None
        if view.piece_count == 0 or view.have_count / view.piece_count < self._fraction:
            self._was_below = True
            return None
        self._has_left = self._was_below
        return Leave(f"at {self._fraction:.0%}", self._back_after) if self._has_left else None


def _mid_way(percent: float, back_after: float) -> MidWay:
    if not 0 < percent <= 100:
        raise ValueError(f"departure: expected more than 0 % and at most 100 %, found {percent:g} %")
    return MidWay(percent / 100, back_after)


_NUMBER: Final = r"(\d+(?:\.\d+)?)"
_FORMS: Final[dict[str, Callable[..., Departure]]] = {
    r"stay": Stay,
    r"at-completion": AtCompletion,
    rf"{_NUMBER} ?s after completion": AtCompletion,
    rf"after {_NUMBER} ?s": AfterTime,
    rf"at ratio {_NUMBER}": AfterRatio,
    rf"at {_NUMBER} ?% for {_NUMBER} ?s": _mid_way,
}
_EXAMPLES: Final = (
    '"stay", "at-completion", "60 s after completion", "after 60 s", "at ratio 1.5" or "at 50 % for 30 s"'
)


def parse_departure(text: str) -> Departure:
    """Parse a departure as written in an experiment or on the command line; raises ValueError."""
    for form, make in _FORMS.items():
        match = re.fullmatch(form, str(text).strip())
        if match:
            return make(*map(float, match.groups()))
    raise ValueError(f'departure: expected {_EXAMPLES}, found "{text}"')
