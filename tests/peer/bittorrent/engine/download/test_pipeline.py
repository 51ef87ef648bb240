"""How many requests are outstanding, against a pipe of known rate and delay, in virtual time."""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from peer.bittorrent.engine.download.pipeline import Pipeline
from peer.bittorrent.engine.profile import PROFILES, Profile

PROFILE = replace(PROFILES["course"], request_seconds=1.0, least_requests=2, most_requests=500)
BLOCK = PROFILE.block_length
MBIT = 1e6 / 8


class Pipe:
    """A neighbour that sends blocks in order, at `rate` bytes/s, with a round trip of `delay` seconds."""

    def __init__(self, rate: float, delay: float, profile: Profile = PROFILE) -> None:
        self.rate, self.delay, self.now = rate, delay, 0.0
        self.pipeline = Pipeline(profile)
        self.supply = 1 << 30
        """How many more blocks there are to request."""
        self.outstanding = 0
        self.arrivals: list[float] = []
        self.queued: dict[float, int] = {}
        """How many requests waited at the neighbour each time that it sent a block."""
        self.tokens = 0
        """Blocks that go out at once, as from a full token bucket."""
        self._queue: deque[int] = deque()
        self._is_sending = False
        self._is_choked = False
        self._turn = 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._ids = count()

    def run(self, until: float) -> None:
        self._fill()
        while self._events and self._events[0][0] <= until:
            self.now, _, event = heapq.heappop(self._events)
            event()
        self.now = until

    def choke(self) -> None:
        """Drop all requests, on both sides and in flight."""
        self._turn += 1
        self._queue.clear()
        self.outstanding = 0
        self._is_choked, self._is_sending = True, False
        self.pipeline.reset()

    def unchoke(self) -> None:
        self._is_choked = False

    def stall(self, seconds: float) -> None:
        """Pause the path without loss."""
        self._events = [(at + seconds, number, event) for at, number, event in self._events]
        heapq.heapify(self._events)

    def use(self, since: float, until: float) -> float:
        """Return the share of the pipe that was used."""
        return sum(since < at <= until for at in self.arrivals) * BLOCK / (self.rate * (until - since))

    def longest_wait(self, since: float) -> float:
        """Return the seconds of data that waited at the neighbour at worst."""
        return max(waiting for at, waiting in self.queued.items() if at >= since) * BLOCK / self.rate

    def _later(self, seconds: float, event: Callable[[], None]) -> None:
        turn = self._turn
        heapq.heappush(
            self._events, (self.now + seconds, next(self._ids), lambda: event() if turn == self._turn else None)
        )

    def _fill(self) -> None:
        if self._is_choked:
            return
        for _ in range(min(self.pipeline.room(self.outstanding), self.supply)):
            self.outstanding += 1
            self.supply -= 1
            self.pipeline.requested(self.now)
            self._later(self.delay / 2, self._reach)

    def _reach(self) -> None:
        self._queue.append(0)
        if not self._is_sending:
            self._send()

    def _send(self) -> None:
        self._is_sending = bool(self._queue)
        if self._queue:
            self._queue.popleft()
            self.queued[self.now] = len(self._queue)
            self._later(0 if self.tokens > 0 else BLOCK / self.rate, self._sent)
            self.tokens -= 1

    def _sent(self) -> None:
        self._later(self.delay / 2, self._arrive)
        self._send()

    def _arrive(self) -> None:
        self.outstanding -= 1
        self.arrivals.append(self.now)
        self.pipeline.block_received(self.now)
        self._fill()


@pytest.mark.parametrize(
    ("rate", "delay"), [(100, 0.1), (100, 0.001), (10, 0.1), (10, 0.01), (1, 0.05), (0.2, 0.02), (20, 0.3), (50, 0.2)]
)
def test_pipe_fills_quickly_without_a_long_queue(rate: float, delay: float) -> None:
    pipe = Pipe(rate * MBIT, delay)
    pipe.run(until=20)
    assert pipe.use(since=2, until=20) > 0.99 - BLOCK / pipe.rate / 18
    assert pipe.longest_wait(since=0) < PROFILE.request_seconds + 2 * BLOCK / pipe.rate


def test_queue_is_as_long_as_the_profile_says() -> None:
    for seconds in (0.5, 3.0):
        pipe = Pipe(2 * MBIT, 0.05, replace(PROFILE, request_seconds=seconds))
        pipe.run(until=60)
        assert seconds * 0.8 < pipe.longest_wait(since=20) < seconds * 1.2


def test_requests_stay_between_least_and_most() -> None:
    slow, fast = Pipe(0.01 * MBIT, 0.01), Pipe(1000 * MBIT, 0.1)
    slow.run(until=60)
    fast.run(until=5)
    assert PROFILE.least_requests <= slow.outstanding <= PROFILE.least_requests + 1
    assert fast.outstanding == PROFILE.most_requests


@pytest.mark.parametrize("reqq", [1, 5, 250])
def test_neighbours_reqq_limits_the_requests(reqq: int) -> None:
    pipe = Pipe(100 * MBIT, 0.1)
    pipe.pipeline.limit(reqq)
    pipe.run(until=5)
    assert pipe.outstanding == reqq


def test_initial_burst_is_no_fast_pipe() -> None:
    """40 blocks come at once, as from a token bucket, and each adds one request; then the pipe gives 1 Mbit/s."""
    pipe = Pipe(1 * MBIT, 0.02)
    pipe.tokens = 40
    pipe.run(until=40)
    by_burst = (PROFILE.least_requests + 40) * BLOCK / pipe.rate
    assert pipe.longest_wait(since=0) < by_burst + PROFILE.request_seconds
    assert pipe.longest_wait(since=20) < PROFILE.request_seconds + 2 * BLOCK / pipe.rate


def test_pipeline_restarts_small_after_a_choke() -> None:
    pipe = Pipe(50 * MBIT, 0.1)
    pipe.run(until=5)
    pipe.choke()
    pipe.run(until=8)
    pipe.unchoke()
    assert pipe.pipeline.room(0) == PROFILE.least_requests
    pipe.run(until=12)
    assert pipe.use(since=10, until=12) > 0.99


@pytest.mark.parametrize("seconds", [0.3, 3, 30])
def test_a_stall_does_not_make_it_collapse(seconds: float) -> None:
    pipe = Pipe(50 * MBIT, 0.1)
    pipe.run(until=5)
    pipe.stall(seconds)
    pipe.run(until=5 + seconds + 6)
    assert pipe.use(since=5 + seconds + 2, until=5 + seconds + 6) > 0.99


def test_lack_of_blocks_does_not_shrink_the_pipeline() -> None:
    """Blocks become available in small portions for a while: the neighbour is fast all the same."""
    pipe = Pipe(50 * MBIT, 0.1)
    pipe.run(until=5)
    wanted = pipe.outstanding
    pipe.supply = 0
    pipe.run(until=8)
    for tenth in range(30):
        pipe.supply += 3
        pipe.run(until=8 + tenth / 10)
    assert pipe.pipeline.room(0) == pytest.approx(wanted, abs=wanted / 10)
    pipe.supply = 1 << 30
    pipe.run(until=15)
    assert pipe.use(since=11.2, until=15) > 0.99


def test_pipeline_follows_a_changing_rate() -> None:
    pipe = Pipe(20 * MBIT, 0.05)
    pipe.run(until=5)
    already_asked = pipe.outstanding * BLOCK / (2 * MBIT)
    pipe.rate = 2 * MBIT
    pipe.run(until=40)
    assert pipe.longest_wait(since=5 + 2 * already_asked) < PROFILE.request_seconds * 1.3
    pipe.rate = 20 * MBIT
    pipe.run(until=50)
    assert pipe.use(since=43, until=50) > 0.99


def test_pipeline_refills_a_path_that_became_longer() -> None:
    """Its delay is twice what we ask ahead: with the old delay in mind, we would ask for less each round, for ever."""
    pipe = Pipe(10 * MBIT, 0.01)
    pipe.run(until=5)
    pipe.delay = 2.0
    pipe.run(until=80)
    assert pipe.use(since=70, until=80) > 0.99


def test_block_that_takes_no_time_is_no_error() -> None:
    pipeline = Pipeline(PROFILE)
    for _ in range(3):
        pipeline.requested(5.0)
        pipeline.block_received(5.0)
    assert pipeline.room(0) > PROFILE.least_requests
