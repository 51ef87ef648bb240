"""The info dictionary from the swarm: from honest neighbours, from silent ones, and from liars."""

from hashlib import sha1
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.engine.extensions.metadata import (
    MOST_ASKED,
    MOST_ASKED_EACH,
    MOST_METADATA,
    PATIENCE,
    REST,
    SHARE_PERIOD,
    SPARE_REQUESTS,
    MetadataFetch,
    MetadataShare,
    Outcome,
    UnusableMetadata,
    WrongMetadata,
    piece_count,
)
from peer.bittorrent.wire.extensions import (
    METADATA_PIECE,
    MetadataData,
    MetadataReject,
    MetadataRequest,
    metadata_piece_size,
)
from peer.bittorrent.wire.metainfo.metainfo import Info, make_info

HASHES = [bytes([number % 256]) * 20 for number in range(8_000)]
INFO = make_info("file", len(HASHES) * METADATA_PIECE, METADATA_PIECE, HASHES)
RAW = INFO.raw
PIECES = piece_count(len(RAW))


def data(piece: int, raw: bytes = RAW) -> MetadataData:
    return MetadataData(piece, len(raw), raw[piece * METADATA_PIECE : (piece + 1) * METADATA_PIECE])


def lie(piece: int, size: int = len(RAW)) -> MetadataData:
    return MetadataData(piece, size, bytes(metadata_piece_size(piece, size)))


def fetch(*keys: int, seed: int = 1) -> MetadataFetch:
    made = MetadataFetch(INFO.info_hash, Random(seed))
    for key in keys:
        made.offered(key, len(RAW))
    return made


class Neighbours:
    """Neighbours that answer at once, each as its entry says, or never; otherwise a second passes, as between ticks."""

    def __init__(self, made: MetadataFetch) -> None:
        self.fetch = made
        self.now = 0.0
        self.honest: set[int] = set()
        self.liars: dict[int, int] = {}
        """The size that each liar states."""
        self.outcomes: list[Outcome] = []

    def run(self, until: float = 1_000.0) -> Info:
        while self.now < until:
            asked = self.fetch.requests(self.now)
            if not asked:
                self.now += 1
            for key, request in asked:
                outcome = self._answer(key, request.piece)
                if isinstance(outcome, Info):
                    return outcome
        raise AssertionError(f"nothing found in {until} s; {self.outcomes}")

    def _answer(self, key: int, piece: int) -> Outcome | None:
        if key in self.honest:
            outcome = self.fetch.received(key, data(piece), self.now)
        elif key in self.liars:
            outcome = self.fetch.received(key, lie(piece, self.liars[key]), self.now)
        else:
            return None
        if outcome is not None:
            self.outcomes.append(outcome)
        return outcome


def test_one_neighbour_is_enough() -> None:
    assert PIECES > MOST_ASKED
    neighbours = Neighbours(fetch(1))
    neighbours.honest = {1}
    assert neighbours.run() == INFO
    assert neighbours.fetch.requests(0) == []
    assert neighbours.fetch.requests(1_000_000) == []


def test_requests_are_spread_over_neighbours() -> None:
    made = fetch(*range(20))
    asked = made.requests(0)
    assert len(asked) == MOST_ASKED
    assert [request.piece for _, request in asked] == list(range(MOST_ASKED))
    assert len({key for key, _ in asked}) == MOST_ASKED
    assert made.requests(1) == []


def test_lone_neighbour_gets_few_requests_at_once() -> None:
    assert len(fetch(1).requests(0)) == MOST_ASKED_EACH


@pytest.mark.parametrize("size", [None, 0, -1, MOST_METADATA + 1])
def test_a_size_that_cannot_be_is_no_offer(size: int | None) -> None:
    made = MetadataFetch(INFO.info_hash, Random(1))
    made.offered(1, size)
    assert made.requests(0) == []
    assert made.requests(1_000_000) == []


def test_silent_neighbour_times_out_and_others_are_asked() -> None:
    neighbours = Neighbours(fetch(1, 2))
    neighbours.honest = {2}
    assert neighbours.run() == INFO
    assert neighbours.now <= PATIENCE


def test_an_answer_that_comes_late_is_welcome() -> None:
    made = fetch(1)
    late = {request.piece for _, request in made.requests(0)}
    assert made.requests(PATIENCE) == []
    for piece in late:
        made.received(1, data(piece), PATIENCE + 1)
    asked_next = {request.piece for _, request in made.requests(PATIENCE + REST)}
    assert asked_next
    assert asked_next.isdisjoint(late)


def test_refusing_neighbour_rests_and_is_asked_again() -> None:
    made = fetch(1)
    for _, request in made.requests(0):
        made.received(1, MetadataReject(request.piece), 1)
    assert made.requests(1) == []
    assert made.requests(1 + REST - 0.1) == []
    assert made.requests(1 + REST) != []


def test_what_came_before_a_pause_is_kept() -> None:
    made = fetch(1)
    (_, first), (_, second) = made.requests(0)
    made.received(1, data(first.piece), 0)
    made.received(1, MetadataReject(second.piece), 0)
    assert made.requests(1) == []
    assert first.piece not in {request.piece for _, request in made.requests(REST)}


def test_what_was_not_asked_for_is_left_aside() -> None:
    made = fetch(1, 2)
    asked = made.requests(0)
    for piece in range(PIECES):
        assert made.received(3, lie(piece), 0) is None
    key, request = asked[0]
    made.received(key, data(request.piece), 0)
    assert made.received(key, lie(request.piece), 0) is None
    neighbours = Neighbours(made)
    neighbours.honest = {1, 2}
    assert neighbours.run() == INFO
    assert neighbours.outcomes == [INFO]


def test_pieces_of_a_departed_neighbour_go_to_others() -> None:
    made = fetch(1, 2)
    lost = {request.piece for key, request in made.requests(0) if key == 1}
    made.neighbour_left(1)
    assert lost
    for key, request in made.requests(0):
        made.received(key, data(request.piece), 0)
    neighbours = Neighbours(made)
    neighbours.honest = {2}
    assert neighbours.run() == INFO


def test_lone_liar_is_named_and_not_asked_again() -> None:
    neighbours = Neighbours(fetch(1))
    neighbours.liars = {1: len(RAW)}
    with pytest.raises(AssertionError, match="nothing found"):
        neighbours.run(until=100)
    assert neighbours.outcomes == [WrongMetadata((1,))]
    neighbours.fetch.offered(1, len(RAW) + 1)
    assert neighbours.fetch.requests(200) == []


@pytest.mark.parametrize("seed", range(5))
def test_a_liar_among_honest_neighbours_is_survived(seed: int) -> None:
    neighbours = Neighbours(fetch(*range(6), seed=seed))
    neighbours.honest, neighbours.liars = set(range(5)), {5: len(RAW)}
    assert neighbours.run() == INFO
    suspects = [outcome.contributors for outcome in neighbours.outcomes if isinstance(outcome, WrongMetadata)]
    assert suspects
    assert all(5 in contributors for contributors in suspects)


def test_other_sizes_are_tried_after_a_failure() -> None:
    neighbours = Neighbours(fetch(9))
    neighbours.honest, neighbours.liars = {9}, dict.fromkeys(range(5), 20_000)
    for key, size in neighbours.liars.items():
        neighbours.fetch.offered(key, size)
    assert neighbours.run() == INFO
    suspected, found = neighbours.outcomes
    assert isinstance(suspected, WrongMetadata)
    assert 9 not in suspected.contributors
    assert found == INFO


def test_wrong_sizes_of_silent_neighbours_are_survived() -> None:
    neighbours = Neighbours(fetch(9))
    neighbours.honest = {9}
    for key in range(5):
        neighbours.fetch.offered(key, MOST_METADATA)
    assert neighbours.run() == INFO
    assert neighbours.now <= PATIENCE * 5


def test_malformed_dictionary_is_reported_as_such() -> None:
    raw = b"d4:spam4:eggse"
    made = MetadataFetch(sha1(raw, usedforsecurity=False).digest(), Random(1))
    made.offered(1, len(raw))
    assert made.requests(0) == [(1, MetadataRequest(0))]
    outcome = made.received(1, data(0, raw), 0)
    assert isinstance(outcome, UnusableMetadata)
    assert outcome.problem.startswith("the torrent behind this magnet link cannot be used: ")
    assert made.requests(1) == []


@given(st.randoms(use_true_random=False), st.integers(0, 6), st.integers(0, 3), st.integers(0, 3))
def test_whoever_is_around_one_honest_neighbour_suffices(rng: Random, liars: int, silent: int, sizes: int) -> None:
    made = MetadataFetch(INFO.info_hash, rng)
    neighbours = Neighbours(made)
    neighbours.honest = {0}
    neighbours.liars = {10 + number: rng.choice([len(RAW), 1 + sizes]) for number in range(liars)}
    offers = [(0, len(RAW)), *neighbours.liars.items(), *((20 + number, len(RAW)) for number in range(silent))]
    rng.shuffle(offers)
    for key, size in offers:
        made.offered(key, size)
    assert neighbours.run() == INFO


def test_owner_of_the_dictionary_sends_every_piece() -> None:
    share = MetadataShare(RAW)
    assert share.size == len(RAW)
    assert [share.answer(1, MetadataRequest(piece), 0) for piece in range(PIECES)] == [*map(data, range(PIECES))]


@pytest.mark.parametrize("piece", [PIECES, 1 << 17])
def test_a_piece_behind_the_end_is_refused(piece: int) -> None:
    assert MetadataShare(RAW).answer(1, MetadataRequest(piece), 0) == MetadataReject(piece)


def test_client_without_the_dictionary_rejects_requests() -> None:
    share = MetadataShare()
    assert share.size is None
    assert share.answer(1, MetadataRequest(0), 0) == MetadataReject(0)


def test_flooding_neighbour_is_rejected_then_ignored() -> None:
    share = MetadataShare(RAW)
    answers = [share.answer(1, MetadataRequest(0), 0) for _ in range(1_000)]
    enough = 2 * PIECES + SPARE_REQUESTS
    assert answers[:enough] == [data(0)] * enough
    assert answers[enough : 2 * enough] == [MetadataReject(0)] * enough
    assert set(answers[2 * enough :]) == {None}
    assert share.answer(2, MetadataRequest(0), 0) == data(0)
    assert share.answer(1, MetadataRequest(0), SHARE_PERIOD) == data(0)
    share.neighbour_left(1)
    assert share.answer(1, MetadataRequest(0), SHARE_PERIOD) == data(0)
