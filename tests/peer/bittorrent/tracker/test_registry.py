"""The registry compared with a model: a dictionary of members that gets the same announcements."""

import random
from collections import Counter
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from peer.bittorrent.tracker.registry import (
    MOST_EXPIRED_AT_ONCE,
    Change,
    Kind,
    Policy,
    Registry,
)
from peer.bittorrent.wire.tracker.messages import (
    AnnounceRequest,
    AnnounceResponse,
    Event,
    Failure,
    Peer,
    ScrapeEntry,
    ScrapeResponse,
)

TORRENTS = (b"A" * 20, b"B" * 20)
POLICY = Policy(interval=40, lifetime=100, default_numwant=5, most_numwant=8)
ASK = AnnounceRequest(TORRENTS[0], b"p" * 20, 6881, 0, 0, left=1)


def host(number: int) -> bytes:
    return bytes((198, 18, number >> 8, number & 255))


def peer_id(number: int) -> bytes:
    return b"-TB0100-%012d" % number


def registry(policy: Policy = POLICY, seed: int = 1) -> Registry:
    return Registry(policy, random.Random(seed))


def answered(answer: AnnounceResponse | Failure) -> AnnounceResponse:
    assert isinstance(answer, AnnounceResponse), answer
    return answer


def places(answer: AnnounceResponse) -> set[tuple[str, int]]:
    found = answer.addresses()
    assert len(found) == len(set(found)), "an answer names an address once"
    return {(address.host, address.port) for address in found}


@dataclass
class Known:
    host: int
    port: int
    key: str | None
    is_seed: bool
    seen: float
    is_counted: bool


@dataclass(frozen=True)
class Step:
    torrent: int
    peer: int
    host: int
    port: int
    left: int
    event: Event
    key: str | None
    numwant: int | None
    compact: bool
    pause: float


@dataclass
class Model:
    """One torrent's swarm, as simple as the rules."""

    peers: dict[int, Known] = field(default_factory=dict)
    downloaded: int = 0

    def expire(self, now: float) -> None:
        self.peers = {number: known for number, known in self.peers.items() if now - known.seen < POLICY.lifetime}

    def refuses(self, step: Step) -> bool:
        known = self.peers.get(step.peer)
        return known is not None and known.host != step.host and (step.key is None or step.key != known.key)

    def hear(self, step: Step, now: float) -> None:
        if step.event is Event.STOPPED:
            self.peers.pop(step.peer, None)
        elif step.port:
            self.enter(step, now)

    def enter(self, step: Step, now: float) -> None:
        before = self.peers.get(step.peer)
        at_place = [n for n, known in self.peers.items() if (known.host, known.port) == (step.host, step.port)]
        for number in at_place:
            del self.peers[number]
        is_counted = before is not None and before.is_counted
        if step.event is Event.COMPLETED and not is_counted:
            self.downloaded += 1
        is_counted |= step.left == 0 or step.event is Event.COMPLETED
        key = step.key or (before.key if before else None)
        self.peers[step.peer] = Known(step.host, step.port, key, step.left == 0, now, is_counted)

    def others(self, step: Step) -> set[tuple[str, int]]:
        everyone = {(f"198.18.0.{known.host}", known.port) for known in self.peers.values()}
        return everyone - {(f"198.18.0.{step.host}", step.port)}

    def entry(self) -> ScrapeEntry:
        seeds = sum(known.is_seed for known in self.peers.values())
        return ScrapeEntry(seeds, self.downloaded, len(self.peers) - seeds)


STEPS = st.builds(
    Step,
    torrent=st.sampled_from([0, 0, 0, 1]),
    peer=st.integers(0, 12),
    host=st.integers(0, 3),
    port=st.integers(0, 4),
    left=st.integers(0, 1),
    event=st.sampled_from([*Event, Event.REGULAR, Event.REGULAR]),
    key=st.sampled_from([None, "1f", "2e"]),
    numwant=st.none() | st.integers(0, 12),
    compact=st.booleans(),
    pause=st.sampled_from([0.0, 0.0, 0.0, 0.0, 1.0, 30.0, 99.0]),
)


def asked(step: Step) -> AnnounceRequest:
    return AnnounceRequest(
        TORRENTS[step.torrent],
        peer_id(step.peer),
        step.port,
        uploaded=0,
        downloaded=0,
        left=step.left,
        event=step.event,
        numwant=step.numwant,
        key=step.key,
        compact=step.compact,
    )


@settings(max_examples=150)
@given(st.lists(STEPS, min_size=30, max_size=90), st.integers(0, 9))
def test_registry_matches_model(steps: list[Step], seed: int) -> None:
    tracker, models, now = registry(seed=seed), (Model(), Model()), 0.0
    for step in steps:
        now += step.pause
        model = models[step.torrent]
        for one in models:
            one.expire(now)
        answer = tracker.announce(asked(step), host(step.host), now)
        if model.refuses(step):
            assert isinstance(answer, Failure)
            continue
        model.hear(step, now)
        check_answer(answered(answer), step, model)
    check_counts(tracker, models, now)


def check_answer(answer: AnnounceResponse, step: Step, model: Model) -> None:
    told, others = places(answer), model.others(step)
    wanted = 0 if step.event is Event.STOPPED else min(5 if step.numwant is None else step.numwant, 8)
    assert told <= others, "no strangers, nobody who left, not the asker"
    assert len(told) == min(wanted, len(others))
    assert (answer.complete, answer.incomplete) == (model.entry().complete, model.entry().incomplete)
    if not step.compact:
        assert isinstance(answer.peers, bytes) == (step.event is Event.STOPPED)


def check_counts(tracker: Registry, models: tuple[Model, Model], now: float) -> None:
    scraped = tracker.scrape(TORRENTS, now)
    assert isinstance(scraped, ScrapeResponse)
    for torrent, model in zip(TORRENTS, models, strict=True):
        assert scraped.files.get(torrent, ScrapeEntry(0, 0, 0)) == model.entry()
    assert tracker.peer_count == sum(len(model.peers) for model in models)


def crowd(tracker: Registry, count: int, now: float = 0, left: int = 1) -> None:
    for number in range(count):
        answered(tracker.announce(replace(ASK, peer_id=peer_id(number), left=left), host(number), now))


@pytest.mark.parametrize(("count", "wanted"), [(12, 4), (400, 50)])
def test_every_peer_is_equally_likely(count: int, wanted: int) -> None:
    tracker, draws = registry(replace(POLICY, most_numwant=50)), 2000 * 4 // wanted
    crowd(tracker, count)
    request = replace(ASK, peer_id=peer_id(0), numwant=wanted)
    told = Counter(place for _ in range(draws) for place in places(answered(tracker.announce(request, host(0), 1))))
    expected = draws * wanted / (count - 1)
    spread = sum((times - expected) ** 2 / expected for times in told.values())
    assert sum(told.values()) == draws * wanted
    assert len(told) == count - 1
    # Chi-squared: mean count - 2, standard deviation sqrt(2 (count - 2)); drawing without return makes it smaller.
    assert spread < count + 5 * (2 * count) ** 0.5


def test_same_seed_gives_same_answers() -> None:
    def answers(seed: int) -> list[AnnounceResponse | Failure]:
        tracker = registry(seed=seed)
        crowd(tracker, 40)
        return [tracker.announce(ASK, host(500), 1) for _ in range(5)]

    assert answers(3) == answers(3)
    assert answers(3) != answers(4)


def test_default_answer_has_fifty_peers() -> None:
    tracker = registry(Policy())
    crowd(tracker, 120)
    assert answered(tracker.announce(ASK, host(500), 1)).peer_count == 50
    assert answered(tracker.announce(replace(ASK, numwant=1000), host(500), 1)).peer_count == 50


def test_seeds_get_seeds_unless_the_policy_says_no() -> None:
    for policy, told in ((replace(POLICY, seeds_meet_seeds=False), 0), (POLICY, 3)):
        tracker = registry(policy)
        crowd(tracker, 3, left=0)
        assert answered(tracker.announce(replace(ASK, left=0), host(9), 1)).peer_count == told


def test_dictionary_answer_has_ids_unless_unwanted() -> None:
    tracker = registry()
    crowd(tracker, 1)
    (peer,) = answered(tracker.announce(replace(ASK, compact=False), host(9), 1)).peers
    assert isinstance(peer, Peer)
    assert (peer.address, peer.peer_id) == (("198.18.0.0", 6881), peer_id(0))
    (peer,) = answered(tracker.announce(replace(ASK, compact=False, no_peer_id=True), host(9), 1)).peers
    assert isinstance(peer, Peer)
    assert peer.peer_id is None


@pytest.mark.parametrize(
    ("before", "after", "is_same"),
    [("00ab12", "AB12", True), ("ab12", "ab13", False), (None, None, False), ("00000000", "00000000", False)],
)
def test_key_allows_moving_to_other_host(before: str | None, after: str | None, is_same: bool) -> None:
    tracker = registry()
    tracker.announce(replace(ASK, key=before), host(1), 0)
    answer = tracker.announce(replace(ASK, key=after), host(2), 1)
    assert isinstance(answer, AnnounceResponse) == is_same
    told = answered(tracker.announce(replace(ASK, peer_id=peer_id(9)), host(9), 2))
    assert places(told) == {("198.18.0.2" if is_same else "198.18.0.1", 6881)}


def test_other_host_cannot_stop_peer() -> None:
    tracker = registry()
    tracker.announce(replace(ASK, key="1"), host(1), 0)
    assert isinstance(tracker.announce(replace(ASK, key="2", event=Event.STOPPED), host(2), 1), Failure)
    assert tracker.peer_count == 1


def test_stated_ip_counts_only_by_policy() -> None:
    for believes, told in ((False, "198.18.0.1"), (True, "198.18.7.7")):
        tracker = registry(replace(POLICY, believes_ip=believes))
        tracker.announce(replace(ASK, ip="198.18.7.7"), host(1), 0)
        assert places(answered(tracker.announce(replace(ASK, peer_id=peer_id(9)), host(9), 1))) == {(told, 6881)}
    refused = registry(replace(POLICY, believes_ip=True)).announce(replace(ASK, ip="nowhere"), host(1), 0)
    assert refused == Failure("ip: expected an IPv4 address, found 'nowhere'")


def test_only_allowed_torrents_are_served() -> None:
    tracker = registry(replace(POLICY, allowed=frozenset([TORRENTS[1]])))
    assert tracker.announce(ASK, host(1), 0) == Failure("this tracker does not serve this torrent")
    answered(tracker.announce(replace(ASK, info_hash=TORRENTS[1]), host(1), 0))


def test_peers_beyond_limit_are_refused() -> None:
    tracker = registry(replace(POLICY, most_peers=3))
    crowd(tracker, 3)
    assert isinstance(tracker.announce(ASK, host(9), 1), Failure)
    crowd(tracker, 3, now=1)
    assert tracker.peer_count == 3


def test_empty_torrent_is_replaced() -> None:
    tracker = registry(replace(POLICY, most_torrents=2))
    for number in range(2):
        tracker.announce(replace(ASK, info_hash=TORRENTS[number]), host(1), 0)
    new = replace(ASK, info_hash=b"C" * 20)
    assert isinstance(tracker.announce(new, host(1), 1), Failure)
    tracker.announce(replace(ASK, event=Event.STOPPED), host(1), 1)
    answered(tracker.announce(new, host(1), 2))
    scraped = tracker.scrape([], 2)
    assert isinstance(scraped, ScrapeResponse)
    assert scraped.files.keys() == {TORRENTS[1], b"C" * 20}


def test_revived_torrent_is_not_replaced() -> None:
    tracker = registry(replace(POLICY, most_torrents=1))
    for event in (Event.STARTED, Event.STOPPED, Event.STARTED):
        tracker.announce(replace(ASK, event=event), host(1), 0)
    assert isinstance(tracker.announce(replace(ASK, info_hash=TORRENTS[1]), host(1), 1), Failure)


def test_former_seed_is_not_counted_as_download() -> None:
    tracker = registry()
    for left, event in ((0, Event.STARTED), (1, Event.REGULAR), (0, Event.COMPLETED)):
        tracker.announce(replace(ASK, left=left, event=event), host(1), 0)
    assert tracker.scrape([TORRENTS[0]], 0) == ScrapeResponse({TORRENTS[0]: ScrapeEntry(1, 0, 0)})


def test_stopping_unknown_torrents_takes_no_memory() -> None:
    tracker = registry()
    for number in range(50):
        tracker.announce(replace(ASK, info_hash=peer_id(number), event=Event.STOPPED), host(1), 0)
    assert tracker.torrent_count == 0


def test_one_call_removes_limited_peers() -> None:
    tracker = registry()
    crowd(tracker, 250)
    left = []
    for _ in range(3):
        tracker.expire(1000)
        left.append(tracker.peer_count)
    assert left == [250 - MOST_EXPIRED_AT_ONCE, 250 - 2 * MOST_EXPIRED_AT_ONCE, 0]


def test_large_scrape_is_refused() -> None:
    tracker = registry(replace(POLICY, most_scraped=1))
    assert isinstance(tracker.scrape(TORRENTS, 0), Failure)


def test_changes_are_reported_in_order() -> None:
    told: list[Change] = []
    tracker = Registry(POLICY, random.Random(1), told.append)
    tracker.announce(replace(ASK, event=Event.STARTED), host(1), 0)
    tracker.announce(replace(ASK, port=7), host(1), 1)
    tracker.announce(replace(ASK, port=7, left=0, event=Event.COMPLETED), host(1), 2)
    tracker.announce(replace(ASK, port=7, peer_id=peer_id(2)), host(1), 3)
    tracker.announce(replace(ASK, port=7, peer_id=peer_id(2), event=Event.STOPPED), host(1), 4)
    tracker.announce(ASK, host(1), 5)
    tracker.expire(500)
    assert [(change.kind, change.now) for change in told] == [
        (Kind.STARTED, 0),
        (Kind.MOVED, 1),
        (Kind.COMPLETED, 2),
        (Kind.REPLACED, 3),
        (Kind.STARTED, 3),
        (Kind.STOPPED, 4),
        (Kind.STARTED, 5),
        (Kind.EXPIRED, 500),
    ]
