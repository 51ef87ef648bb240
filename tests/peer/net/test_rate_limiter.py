"""Upload rates in virtual time: exact in the long run, fair among neighbours, without bursts."""

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from math import inf

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peer.net.rate_limiter import BURST_SECONDS, RateLimiter, TokenBucket

BLOCK = 16 << 10


class Uplink:
    """Neighbours that always have a block waiting, and a loop that wakes a little late."""

    def __init__(self, limiter: RateLimiter, blocks: Mapping[int, int], lateness: float = 0.0005) -> None:
        self.limiter = limiter
        self.blocks = dict(blocks)
        self.lateness = lateness
        self.now = 0.0
        self.sent: Counter[int] = Counter()
        self.log: list[tuple[float, int]] = []

    def run(self, until: float) -> None:
        for key in self.blocks:
            self.ask(key)
        while (at := self.limiter.next_turn_at(self.now)) + self.lateness < until:
            self.now = max(self.now, at) + self.lateness
            while (key := self.limiter.next_turn(self.now)) is not None:
                self.send(key)
                self.ask(key)
        self.now = until

    def ask(self, key: int) -> None:
        while key in self.blocks and self.limiter.may_begin(key, self.now):
            self.send(key)

    def send(self, key: int) -> None:
        self.limiter.began(key, self.blocks[key], self.now)
        self.sent[key] += self.blocks[key]
        self.log.append((self.now, self.blocks[key]))


def test_without_limits_every_block_begins_at_once() -> None:
    limiter = RateLimiter(None, 0)
    assert all(limiter.may_begin(key, 0) for key in (1, 2, 1, 1))
    assert limiter.next_turn_at(0) == inf


@settings(max_examples=50)
@given(
    rate=st.floats(2e4, 1e7),
    blocks=st.lists(st.integers(4 << 10, 128 << 10), min_size=1, max_size=6),
    lateness=st.floats(0, BURST_SECONDS / 2),
)
def test_rate_is_exact_and_bursts_are_bounded(rate: float, blocks: list[int], lateness: float) -> None:
    uplink = Uplink(RateLimiter(rate, 0), dict(enumerate(blocks)), lateness)
    depth, largest = rate * BURST_SECONDS, max(blocks)
    uplink.run(500 * largest / rate)
    assert sum(uplink.sent.values()) == pytest.approx(rate * uplink.now, rel=0.01, abs=depth + largest)
    assert most_above(rate, uplink.log) <= depth + largest


def most_above(rate: float, log: list[tuple[float, int]]) -> float:
    """Return by how many bytes the traffic exceeded the rate at most, over all intervals."""
    ahead = most = last = 0.0
    for at, size in log:
        ahead = max(0.0, ahead - (at - last) * rate) + size
        most, last = max(most, ahead), at
    return most


def test_idle_client_saves_only_bucket_depth() -> None:
    uplink = Uplink(RateLimiter(1e6, 0), {1: BLOCK}, lateness=0)
    uplink.now = 1000
    uplink.run(1000.0001)
    assert uplink.sent[1] == 2 * BLOCK  # one for the depth of 20 kB, begun before it was empty


def test_blocks_are_spread_evenly() -> None:
    uplink = Uplink(RateLimiter(1e6, 0), {1: BLOCK}, lateness=0.001)
    uplink.run(10)
    times = [at for at, _ in uplink.log][5:]
    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert max(gaps) < 2 * BLOCK / 1e6


def test_neighbours_share_by_bytes() -> None:
    uplink = Uplink(RateLimiter(1e6, 0), {1: BLOCK, 2: 8 * BLOCK, 3: 1000})
    uplink.run(60)
    shares = [uplink.sent[key] / 20e6 for key in (1, 2, 3)]
    assert shares == pytest.approx([1, 1, 1], rel=0.02)


def test_own_limit_leaves_rest_to_others() -> None:
    limiter = RateLimiter(1e6, 0)
    limiter.limit(1, 1e5, 0)
    limiter.limit(2, 2e5, 0)
    uplink = Uplink(limiter, {1: BLOCK, 2: BLOCK, 3: BLOCK, 4: BLOCK})
    uplink.run(60)
    rates = [uplink.sent[key] / 60 for key in (1, 2, 3, 4)]
    assert rates == pytest.approx([1e5, 2e5, 3.5e5, 3.5e5], rel=0.01)


@pytest.mark.parametrize("rate", [5e4, 3e5, 3e6])
@pytest.mark.parametrize("parts", [(40, 10, 10, 10, 10, 10, 10), (30, 25, 20, 15, 10), (90, 1, 2, 3, 4)])
def test_limits_that_add_up_are_all_kept(rate: float, parts: tuple[int, ...]) -> None:
    """Each waits for the others' turns, and loses nothing by that."""
    limiter = RateLimiter(rate, 0)
    for key, percent in enumerate(parts):
        limiter.limit(key, rate * percent / 100, 0)
    uplink = Uplink(limiter, dict.fromkeys(range(len(parts)), BLOCK), lateness=1e-6)
    seconds = 500 * len(parts) * BLOCK / rate
    uplink.run(seconds)
    attained = [100 * uplink.sent[key] / (seconds * rate) for key in range(len(parts))]
    assert attained == pytest.approx(parts, rel=0.03, abs=0.1)


def test_idle_limited_neighbour_does_not_catch_up() -> None:
    limiter = RateLimiter(1e6, 0)
    limiter.limit(1, 1e5, 0)
    uplink = Uplink(limiter, {})
    uplink.run(60)
    uplink.blocks = {1: BLOCK}
    uplink.run(61)
    assert uplink.sent[1] <= 1e5 * (1 + BURST_SECONDS) + BLOCK


def test_own_limits_hold_without_client_limit() -> None:
    limiter = RateLimiter(None, 0)
    limiter.limit(1, 3e5, 0)
    limiter.limit(2, 5e4, 0)
    uplink = Uplink(limiter, {1: BLOCK, 2: BLOCK})
    uplink.run(60)
    assert [uplink.sent[1] / 60, uplink.sent[2] / 60] == pytest.approx([3e5, 5e4], rel=0.01)


def test_own_limits_do_not_raise_client_rate() -> None:
    limiter = RateLimiter(1e6, 0)
    for key in (1, 2):
        limiter.limit(key, 1e6, 0)
    uplink = Uplink(limiter, {1: BLOCK, 2: BLOCK})
    uplink.run(60)
    assert [uplink.sent[1] / 60, uplink.sent[2] / 60] == pytest.approx([5e5, 5e5], rel=0.01)


def test_removed_limit_gives_no_catching_up() -> None:
    limiter = RateLimiter(1e6, 0)
    limiter.limit(1, 1e4, 0)
    uplink = Uplink(limiter, {1: BLOCK, 2: BLOCK})
    uplink.run(30)
    limiter.limit(1, None, uplink.now)
    before = Counter(uplink.sent)
    uplink.run(40)
    assert [uplink.sent[key] - before[key] for key in (1, 2)] == pytest.approx([5e6, 5e6], rel=0.02)


def test_late_neighbour_gets_share_but_no_arrears() -> None:
    uplink = Uplink(RateLimiter(1e6, 0), {1: BLOCK})
    uplink.run(30)
    uplink.blocks[2] = BLOCK
    before = Counter(uplink.sent)
    uplink.run(40)
    assert [uplink.sent[key] - before[key] for key in (1, 2)] == pytest.approx([5e6, 5e6], rel=0.02)


@pytest.mark.parametrize("count", [2, 40, 80])
def test_no_neighbour_starves(count: int) -> None:
    uplink = Uplink(RateLimiter(1e6, 0), dict.fromkeys(range(count), BLOCK))
    uplink.run(60)
    assert min(uplink.sent.values()) >= max(uplink.sent.values()) - 2 * BLOCK
    assert len(uplink.sent) == count


def test_changed_limit_applies_at_once() -> None:
    limiter = RateLimiter(None, 0)
    limiter.limit(1, 1e6, 0)
    uplink = Uplink(limiter, {1: BLOCK})
    uplink.run(10)
    limiter.limit(1, 1e5, uplink.now)
    before = uplink.sent[1]
    uplink.run(110)
    assert (uplink.sent[1] - before) / 100 == pytest.approx(1e5, rel=0.01)


def test_forgotten_neighbour_does_not_wait() -> None:
    limiter = RateLimiter(1e4, 0)
    limiter.began(1, BLOCK, 0)
    assert not limiter.may_begin(1, 0)
    limiter.forget(1)
    assert limiter.next_turn_at(0) == inf
    assert limiter.next_turn(100) is None


@given(rate=st.floats(1, 1e8), taken=st.integers(0, 1 << 30), now=st.floats(0, 1e6))
def test_bucket_opens_when_predicted(rate: float, taken: int, now: float) -> None:
    bucket = TokenBucket(rate, now)
    bucket.take(taken, now)
    at = bucket.opens_at(now)
    assert at >= now
    assert bucket.opens_at(at) <= at


@pytest.mark.parametrize("rate", [0, -1, inf, float("nan")])
def test_invalid_rate_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="positive number of bytes/s"):
        TokenBucket(rate, 0)
