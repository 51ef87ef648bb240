"""The encrypted handshake: two ends over a cut stream, what they agree to, and what is refused."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.bittorrent.client.connections.encryption import rc4
from peer.bittorrent.wire.encryption import (
    KEY_LENGTH,
    MOST_PAD,
    MOST_PAYLOAD,
    Agreement,
    Called,
    Caller,
    Method,
    Negotiation,
)
from peer.bittorrent.wire.errors import HandshakeError
from peer.bittorrent.wire.handshake import HEADER

TORRENT = b"t" * 20
PLAINTEXT, RC4 = Method.PLAINTEXT, Method.RC4
BOTH = (RC4, PLAINTEXT)
HELLO = b"hello " * 20


def a_caller(methods: Sequence[Method] = BOTH, *, seed: int = 1, torrent: bytes = TORRENT) -> Caller:
    return Caller(torrent, methods, Random(seed).randbytes, rc4)


def a_called(methods: Sequence[Method] = BOTH, *, seed: int = 2, takes_plaintext: bool = True) -> Called:
    return Called(TORRENT, methods, Random(seed).randbytes, rc4, takes_plaintext=takes_plaintext)


def talk(caller: Negotiation, called: Negotiation, cuts: Random | None = None) -> tuple[Agreement, Agreement]:
    """Carry bytes to and fro, cut anywhere, until both agree."""
    coming = {called: caller.take(), caller: b""}
    while not (caller.agreement and called.agreement):
        assert any(coming.values()), "nobody says anything any more"
        for end, other in ((called, caller), (caller, called)):
            count = len(coming[end]) if cuts is None else cuts.randint(0, len(coming[end]))
            if count and end.agreement is None:
                data, coming[end] = coming[end][:count], coming[end][count:]
                coming[other] += end.receive(data)
    return caller.agreement, called.agreement


def read(agreement: Agreement, data: bytes) -> bytes:
    return agreement.received + (data if agreement.decrypt is None else agreement.decrypt.update(data))


def write(agreement: Agreement, data: bytes) -> bytes:
    return data if agreement.encrypt is None else agreement.encrypt.update(data)


@pytest.mark.parametrize("seed", range(40))
def test_both_ends_understand_each_other_however_the_stream_is_cut(seed: int) -> None:
    caller, called = a_caller(seed=seed), a_called(seed=100 + seed)
    caller.payload = HELLO
    ours, theirs = talk(caller, called, Random(seed))
    assert ours.method == theirs.method == RC4
    assert caller.payload_sent == len(HELLO)
    assert theirs.received == HELLO
    assert read(theirs, write(ours, b"request")) == HELLO + b"request"
    assert read(ours, write(theirs, b"block")) == b"block"


@pytest.mark.parametrize(
    ("calls", "answers", "agreed"),
    [
        (BOTH, (PLAINTEXT, RC4), PLAINTEXT),
        (BOTH, (RC4, PLAINTEXT), RC4),
        ((RC4,), (PLAINTEXT, RC4), RC4),
        ((PLAINTEXT,), BOTH, PLAINTEXT),
        (BOTH, (RC4,), RC4),
    ],
)
def test_the_called_one_chooses_among_what_is_offered(
    calls: Sequence[Method], answers: Sequence[Method], agreed: Method
) -> None:
    ours, theirs = talk(a_caller(calls), a_called(answers))
    assert (ours.method, theirs.method) == (agreed, agreed)
    is_plain = agreed is PLAINTEXT
    assert [each is None for each in (ours.encrypt, ours.decrypt, theirs.encrypt, theirs.decrypt)] == [is_plain] * 4


def test_what_follows_at_once_is_part_of_the_stream() -> None:
    caller, called = a_caller(), a_called()
    answer = called.receive(caller.take())
    last = called.receive(caller.receive(answer))
    assert called.agreement is not None
    caller.receive(last + write(called.agreement, b"handshake"))
    assert caller.agreement is not None
    assert caller.agreement.received == b"handshake"


def test_nothing_is_readable_by_who_only_listens() -> None:
    caller, called = a_caller(), a_called()
    caller.payload = HEADER + bytes(48)
    heard = [caller.take()]
    heard.append(called.receive(heard[-1]))
    heard.append(caller.receive(heard[-1]))
    heard.append(called.receive(heard[-1]))
    assert not any(word in b"".join(heard) for word in (HEADER, TORRENT, bytes(8)))


@given(st.binary(max_size=60), st.integers(1, 20))
def test_a_plaintext_handshake_passes_unchanged(rest: bytes, cut: int) -> None:
    called = a_called()
    stream = HEADER + rest
    for front in (stream[:cut], stream[cut:]):
        if called.agreement is None:
            assert called.receive(front) == b""
        else:
            assert called.agreement == Agreement(None, stream[:cut])
            return
    assert called.agreement == Agreement(None, stream)


def test_a_plaintext_handshake_is_refused_where_encryption_is_required() -> None:
    with pytest.raises(HandshakeError, match="expected an encrypted handshake, found one in plaintext"):
        a_called(takes_plaintext=False).receive(HEADER)


def test_another_protocol_is_refused_by_its_first_bytes() -> None:
    with pytest.raises(HandshakeError, match=r"expected .* or an encrypted handshake, found b'GET / HTTP"):
        a_called().receive(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")


def test_a_caller_for_another_torrent_is_refused() -> None:
    with pytest.raises(HandshakeError, match="expected one for our torrent"):
        talk(a_caller(torrent=b"another torrent....."), a_called())


def test_no_common_method_is_an_error() -> None:
    with pytest.raises(HandshakeError, match="expected method 2, found 1"):
        talk(a_caller((PLAINTEXT,)), a_called((RC4,)))


def test_a_method_that_was_not_offered_is_refused() -> None:
    class Insists(Called):
        def _choose(self, offered: int) -> Method:  # noqa: ARG002
            return PLAINTEXT

    with pytest.raises(HandshakeError, match="expected one of our methods, found 1"):
        talk(a_caller((RC4,)), Insists(TORRENT, BOTH, Random(3).randbytes, rc4))


@pytest.mark.parametrize("end", [a_caller, a_called])
def test_the_search_behind_a_pad_is_bounded(end: type) -> None:
    negotiation = end()
    with pytest.raises(HandshakeError, match="expected a pad of 512 bytes at most, found more"):
        negotiation.receive(Random(5).randbytes(KEY_LENGTH + MOST_PAD + 20))


def test_a_long_payload_is_refused() -> None:
    class Chatty(Caller):
        @property
        def _offered(self) -> bytes:
            return RC4.to_bytes(4, "big") + bytes(2) + (MOST_PAYLOAD + 1).to_bytes(2, "big")

    with pytest.raises(HandshakeError, match="expected 4096 first bytes at most, found 4097"):
        talk(Chatty(TORRENT, BOTH, Random(3).randbytes, rc4), a_called())


@given(st.binary(max_size=2_000), st.booleans())
def test_any_bytes_are_read_or_refused(data: bytes, is_caller: bool) -> None:
    negotiation = a_caller() if is_caller else a_called()
    try:
        negotiation.receive(data)
    except HandshakeError:
        return
    assert len(data) < KEY_LENGTH + MOST_PAD + 20 or negotiation.agreement is not None
