"""The sender of a wrong block is found, and other senders of the same piece are not blamed."""

import hypothesis.strategies as st
from hypothesis import given

from peer.bittorrent.engine.download.corruption import MOST_ATTEMPTS, MOST_PIECES, Corruption


def digests(text: str) -> tuple[bytes, ...]:
    return tuple(letter.encode() for letter in text)


def test_lone_sender_of_a_wrong_piece_is_guilty() -> None:
    suspicion = Corruption()
    assert suspicion.failed(3, [8, 8, 8], digests("abx")) == (8,)
    assert 3 not in suspicion


def test_sender_with_a_different_digest_is_guilty() -> None:
    suspicion = Corruption()
    assert suspicion.failed(3, [1, 2, 3, 1], digests("abXd")) == ()
    assert 3 in suspicion
    assert suspicion.passed(3, digests("abcd")) == (3,)
    assert 3 not in suspicion


def test_failing_lone_retry_is_guilty_evidence_stays() -> None:
    suspicion = Corruption()
    suspicion.failed(3, [1, 2], digests("aX"))
    assert suspicion.failed(3, [2, 2], digests("aX")) == (2,)
    assert suspicion.passed(3, digests("ab")) == (2,)


def test_all_attempts_are_judged_each_guilty_named_once() -> None:
    suspicion = Corruption()
    suspicion.failed(3, [1, 2, 3], digests("Xbc"))
    suspicion.failed(3, [4, 1, 1], digests("aYZ"))
    assert suspicion.passed(3, digests("abc")) == (1,)


def test_right_piece_without_evidence_accuses_no_neighbour() -> None:
    assert Corruption().passed(3, ()) == ()


def test_without_digests_only_lone_senders_are_found() -> None:
    suspicion = Corruption()
    assert suspicion.failed(3, [1, 2], ()) == ()
    assert suspicion.passed(3, digests("ab")) == ()


def test_evidence_is_bounded_and_oldest_goes_first() -> None:
    suspicion = Corruption()
    for index in range(MOST_PIECES + 1):
        for attempt in range(MOST_ATTEMPTS + 1):
            suspicion.failed(index, [attempt, 99], digests("Xb"))
    assert [index for index in range(MOST_PIECES + 1) if index not in suspicion] == [0]
    assert suspicion.passed(1, digests("ab")) == tuple(range(1, MOST_ATTEMPTS + 1))


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=1, max_size=40), st.integers(0, 5))
def test_liar_is_found_and_honest_sender_never_blamed(blocks: list[tuple[int, bool]], liar: int) -> None:
    suspicion = Corruption()
    right = digests("r" * len(blocks))
    senders = [sender for sender, _ in blocks]
    sent = tuple(b"w" if sender == liar and lies else b"r" for sender, lies in blocks)
    has_lied = b"w" in sent
    if has_lied:
        guilty = suspicion.failed(0, senders, sent) + suspicion.passed(0, right)
        assert guilty == (liar,)
