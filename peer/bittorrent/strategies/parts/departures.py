"""When to go."""

import re
from collections.abc import Callable
from typing import Final

from peer.bittorrent.engine.actions import Leave
from peer.bittorrent.engine.strategy import Departure, ProgressView


class Stay:
    """Stays until it is told to go."""

    def decide(self, view: ProgressView) -> Leave | None:  # noqa: ARG002
        """Stay."""
        return None


class AtCompletion:
    """Goes when it has everything, or so many seconds later."""

    def __init__(self, linger: float = 0) -> None:
        self._linger = linger

    def decide(self, view: ProgressView) -> Leave | None:
        """Go once everything has been here for long enough."""
        if view.completed_at is None or view.now - view.completed_at < self._linger:
            return None
        return Leave("complete")


class AfterRatio:
    """Goes when it has everything and has sent that many times the torrent's length."""

    def __init__(self, ratio: float) -> None:
        self._ratio = ratio

    def decide(self, view: ProgressView) -> Leave | None:
        """Go once the share has been given."""
        if view.completed_at is None or view.sent < self._ratio * view.length:
            return None
        return Leave(f"ratio {self._ratio:g}")


class AfterTime:
    """Goes so many seconds after it came, whatever it has."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def decide(self, view: ProgressView) -> Leave | None:
        """Go once the time is over."""
        return Leave(f"after {self._seconds:g} s") if view.now - view.joined_at >= self._seconds else None


class MidWay:
    """Goes once, when it has a fraction of the pieces; comes back after a while, and stays.

    It goes when it sees the fraction reached, not when it finds it reached: so one that is made anew for the return, or
    that begins with more, stays.
    """

    def __init__(self, fraction: float, back_after: float) -> None:
        self._fraction = fraction
        self._back_after = back_after
        self._was_below = False
        self._has_left = False

    def decide(self, view: ProgressView) -> Leave | None:
        """Go at the moment when the fraction is reached."""
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
    """Read a departure as it is written in an experiment or on the command line; raises ValueError."""
    for form, make in _FORMS.items():
        match = re.fullmatch(form, str(text).strip())
        if match:
            return make(*map(float, match.groups()))
    raise ValueError(f'departure: expected {_EXAMPLES}, found "{text}"')
