"""When to announce to which tracker (BEP 3, BEP 12).

Tiers are tried in order, the trackers of a tier in a random order that is drawn once; one that answers moves to the
front of its tier. A tracker that fails is not asked for a while, and the next one is asked at once. So the tracker to
ask is the first that is not resting, and it is asked again when its interval has passed:

    first contact    -> started            then, after an answer:
    its interval     -> regular
    we completed     -> completed, at once, to each that knows us
    we leave         -> stopped, to each that knows us

A tracker's intervals are taken within limits: none is below LEAST_INTERVAL or above MOST_INTERVAL.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import inf
from random import Random
from typing import Final

from peer.bittorrent.wire.tracker.messages import AnnounceResponse, Event
from peer.net.backoff import backoff

LEAST_INTERVAL: Final = 5.0
MOST_INTERVAL: Final = 7_200.0
USUAL_MIN_INTERVAL: Final = 60.0
"""If a tracker states none; over UDP none can."""
LEAST_PERIOD: Final = 1.0
"""Of a strategy's own period: so that no tracker is flooded by mistake."""
FIRST_RETRY: Final = 10.0
LONGEST_RETRY: Final = 1_800.0


@dataclass(slots=True, eq=False)
class _Tracker:
    url: str
    asked: Event | None = None
    """The outstanding announcement."""
    knows_us: bool = False
    """It answered `started`."""
    owes_completed: bool = False
    answered_at: float = -inf
    interval: float = 0
    min_interval: float = 0
    failures: int = 0
    retry_at: float = -inf
    tracker_id: bytes | None = None


class Announcer:
    """The announcements of one of our identities."""

    def __init__(self, tiers: Iterable[Iterable[str]], rng: Random, *, is_complete: bool = False) -> None:
        """`is_complete` if there is nothing to download: then `completed` is never announced."""
        self._rng = rng
        self._tiers = _shuffled(tiers, rng)
        self._by_url = {tracker.url: tracker for tracker in self._in_order()}
        self._is_complete = is_complete
        self._is_stopped = False
        self.needs_peers = False
        """There are too few neighbours: announce as early as the tracker allows."""
        self.period: float | None = None
        """Seconds between announcements, overriding the tracker's interval; None keeps to it."""

    def due(self, now: float) -> tuple[str, Event] | None:
        """Return an announcement to make now, and regard it as made; call this again until there is none."""
        if self._is_stopped:
            return None
        tracker = next((each for each in self._in_order() if _owes(each, now)), None)
        if tracker is None:
            tracker = self._current(now)
            if tracker is None or tracker.asked is not None or now < self._due_at(tracker):
                return None
        tracker.asked = self._event(tracker)
        return tracker.url, tracker.asked

    def tracker_answered(self, url: str, response: AnnounceResponse, now: float) -> None:
        tracker = self._by_url[url]
        if tracker.asked is Event.COMPLETED:
            tracker.owes_completed = False
        tracker.asked = None
        tracker.knows_us = True
        tracker.answered_at = now
        tracker.interval = _clamped(response.interval, LEAST_INTERVAL, MOST_INTERVAL)
        least = USUAL_MIN_INTERVAL if response.min_interval is None else response.min_interval
        tracker.min_interval = _clamped(least, LEAST_INTERVAL, tracker.interval)
        tracker.failures, tracker.retry_at = 0, -inf
        tracker.tracker_id = response.tracker_id or tracker.tracker_id
        self._prefer(tracker)

    def tracker_failed(self, url: str, now: float) -> float:
        """A tracker did not answer, or refused; returns in how many seconds to ask it again."""
        tracker = self._by_url[url]
        tracker.asked = None
        tracker.failures += 1
        # A tracker that does not know us gets `started` from a peer that is complete.
        tracker.owes_completed = tracker.owes_completed and tracker.knows_us
        wait = backoff(tracker.failures, FIRST_RETRY, LONGEST_RETRY, self._rng)
        tracker.retry_at = now + wait
        return wait

    def completed(self) -> None:
        """Announce to every tracker that knows us, at once, that we have all pieces now."""
        if self._is_complete:
            return
        self._is_complete = True
        for tracker in self._in_order():
            tracker.owes_completed = tracker.knows_us or tracker.asked is Event.STARTED

    def stop(self) -> list[str]:
        """Make no more announcements; returns the trackers that know us, for `stopped`."""
        self._is_stopped = True
        return [tracker.url for tracker in self._in_order() if tracker.knows_us]

    def tracker_id(self, url: str) -> bytes | None:
        """Return what the tracker wants repeated in the next announcement."""
        return self._by_url[url].tracker_id

    def _in_order(self) -> Iterator[_Tracker]:
        return (tracker for tier in self._tiers for tracker in tier)

    def _current(self, now: float) -> _Tracker | None:
        return next((tracker for tracker in self._in_order() if tracker.retry_at <= now), None)

    def _due_at(self, tracker: _Tracker) -> float:
        if tracker.failures:
            return tracker.retry_at
        if not tracker.knows_us:
            return -inf
        if self.period is not None:
            return tracker.answered_at + max(self.period, LEAST_PERIOD)
        return tracker.answered_at + (tracker.min_interval if self.needs_peers else tracker.interval)

    def _event(self, tracker: _Tracker) -> Event:
        if not tracker.knows_us:
            return Event.STARTED
        return Event.COMPLETED if tracker.owes_completed else Event.REGULAR

    def _prefer(self, tracker: _Tracker) -> None:
        tier = next(tier for tier in self._tiers if tracker in tier)
        tier.remove(tracker)
        tier.insert(0, tracker)


def _owes(tracker: _Tracker, now: float) -> bool:
    """Whether `completed` is due now; with an outstanding announcement, only after the answer to that."""
    return tracker.owes_completed and tracker.asked is None and tracker.retry_at <= now


def _shuffled(tiers: Iterable[Iterable[str]], rng: Random) -> list[list[_Tracker]]:
    """Make the trackers of each tier, in random order; one that is listed twice stays where it came first."""
    seen: set[str] = set()
    made = []
    for tier in tiers:
        new = [url for url in dict.fromkeys(tier) if url not in seen]
        seen.update(new)
        rng.shuffle(new)
        made.append([_Tracker(url) for url in new])
    return made


def _clamped(value: float, low: float, high: float) -> float:
    return max(low, min(value, high))
