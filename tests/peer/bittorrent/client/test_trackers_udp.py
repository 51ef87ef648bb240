"""Announcing over UDP: to our own tracker, and to trackers that lose, delay, forge, or refuse."""

import asyncio
import random
from collections.abc import Callable

import pytest

from peer.bittorrent.client.trackers import Timeouts, TrackerClient, TrackerFailure
from peer.bittorrent.tracker.server import Options, serving
from peer.bittorrent.wire.tracker.messages import AnnounceRequest, AnnounceResponse, Event
from peer.bittorrent.wire.tracker.udp import (
    ConnectRequest,
    ConnectResponse,
    ErrorResponse,
    UdpAnnounceRequest,
    UdpAnnounceResponse,
    UdpRequest,
    UdpResponse,
    decode_request,
)
from tests.peer.bittorrent.client.hostile import Run, UdpScript, udp_tracker

ASK = AnnounceRequest(b"A" * 20, b"p" * 20, 6881, 0, 0, left=1, event=Event.STARTED)
LEAVE = AnnounceRequest(b"A" * 20, b"p" * 20, 6881, 0, 0, left=1, event=Event.STOPPED)
GOOD = AnnounceResponse(900, b"\xc6\x12\x00\x01\x1a\xe1", complete=3, incomplete=2)


class Waits:
    """The client's time limits, which a test can let expire."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.limits: list[float] = []
        self._begin = asyncio.timeout
        self._begun: list[asyncio.Timeout] = []
        patch.setattr(asyncio, "timeout", self._timeout)

    def _timeout(self, limit: float) -> asyncio.Timeout:
        self.limits.append(limit)
        self._begun.append(self._begin(limit))
        return self._begun[-1]

    def pass_by(self) -> None:
        """Let the limit that began last expire now."""
        self._begun[-1].reschedule(asyncio.get_running_loop().time())


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Waits:
    return Waits(monkeypatch)


class Tracker:
    """Follows the specification and remembers requests; `lost` numbers the datagrams that never arrived."""

    def __init__(self, *lost: int, when_lost: Callable[[], None] = lambda: None) -> None:
        self.asked: list[UdpRequest] = []
        self.connection = 77
        self._lost = lost
        self._when_lost = when_lost

    def __call__(self, datagram: bytes) -> list[bytes]:
        request = decode_request(datagram)
        self.asked.append(request)
        if len(self.asked) - 1 in self._lost:
            self._when_lost()
            return []
        return [self.response(request).encode()]

    def response(self, request: UdpRequest) -> UdpResponse:
        if isinstance(request, ConnectRequest):
            return ConnectResponse(request.transaction, self.connection)
        assert isinstance(request, UdpAnnounceRequest)
        if request.connection != self.connection:
            return ErrorResponse(request.transaction, "connection id expired")
        return UdpAnnounceResponse(request.transaction, 900, 2, 3, b"\xc6\x12\x00\x01\x1a\xe1")

    @property
    def kinds(self) -> str:
        return "".join("c" if isinstance(request, ConnectRequest) else "a" for request in self.asked)


async def announce_to(
    script: UdpScript, request: AnnounceRequest = ASK, timeouts: Timeouts | None = None
) -> AnnounceResponse:
    async with udp_tracker(script) as url:
        return await TrackerClient("127.0.0.1", timeouts).announce(url, request)


async def failure_of(script: UdpScript, request: AnnounceRequest = ASK, timeouts: Timeouts | None = None) -> str:
    with pytest.raises(TrackerFailure) as failed:
        await announce_to(script, request, timeouts)
    return str(failed.value)


def test_clients_meet_at_our_tracker(run: Run[None]) -> None:
    async def main() -> None:
        async with serving(Options("127.0.0.1", 0)) as tracker:
            client = TrackerClient(None)
            first = await client.announce(f"udp://{tracker}", ASK)
            other = AnnounceRequest(b"A" * 20, b"q" * 20, 7, 0, 0, left=0, key="0000000f", numwant=5)
            second = await client.announce(f"udp://{tracker}/announce", other)
        assert first.peer_count == 0
        assert [str(address) for address in second.addresses()] == ["127.0.0.1:6881"]
        assert (second.complete, second.incomplete) == (1, 1)

    run(main())


def test_connection_id_is_requested_once_a_minute(run: Run[None]) -> None:
    async def main() -> None:
        tracker, loop = Tracker(), asyncio.get_running_loop()
        async with udp_tracker(tracker) as url:
            client = TrackerClient(None)
            assert await client.announce(url, ASK) == GOOD
            assert await client.announce(url, ASK) == GOOD
            assert tracker.kinds == "caa"
            real = loop.time
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("peer.bittorrent.client.trackers.udp._now", lambda: real() + 61)
                await client.announce(url, ASK)
            assert tracker.kinds == "caaca"

    run(main())


@pytest.mark.parametrize(("lost", "kinds"), [((0,), "cca"), ((1,), "caca"), ((0, 1), "ccca"), ((1, 3), "cacaca")])
def test_lost_datagram_is_resent(run: Run[AnnounceResponse], waits: Waits, lost: tuple[int, ...], kinds: str) -> None:
    tracker = Tracker(*lost, when_lost=waits.pass_by)
    assert run(announce_to(tracker)) == GOOD
    assert tracker.kinds == kinds


def test_silent_tracker_times_out_after_doubling_waits(run: Run[str], waits: Waits) -> None:
    tracker = Tracker(*range(4), when_lost=waits.pass_by)
    assert run(failure_of(tracker)) == "no answer within 45 s"
    assert waits.limits == [45, 3, 6, 12, 24]
    assert tracker.kinds == "cccc"


def test_leaving_waits_only_briefly(run: Run[str]) -> None:
    assert run(failure_of(lambda _: [], LEAVE, Timeouts(leaving=0.03))) == "no answer within 0.03 s"


def test_closed_port_fails_at_once(run: Run[str]) -> None:
    async def main() -> str:
        async with udp_tracker(lambda _: []) as url:
            pass
        with pytest.raises(TrackerFailure) as failed:
            await TrackerClient(None).announce(url, ASK)
        return str(failed.value)

    assert run(main()) == "Connection refused"


def test_restarted_tracker_is_asked_for_new_id(run: Run[None]) -> None:
    async def main() -> None:
        tracker = Tracker()
        async with udp_tracker(tracker) as url:
            client = TrackerClient(None)
            await client.announce(url, ASK)
            tracker.connection = 78
            assert await client.announce(url, ASK) == GOOD
        assert tracker.kinds == "caaca"

    run(main())


def test_ignored_id_is_replaced(run: Run[None], waits: Waits) -> None:
    async def main() -> None:
        tracker = Tracker(2, when_lost=waits.pass_by)
        async with udp_tracker(tracker) as url:
            client = TrackerClient(None)
            await client.announce(url, ASK)
            assert await client.announce(url, ASK) == GOOD
        assert tracker.kinds == "caaca"

    run(main())


@pytest.mark.parametrize("refuses", ["c", "a"])
def test_refusal_has_tracker_message(run: Run[str], refuses: str) -> None:
    class Refusing(Tracker):
        def response(self, request: UdpRequest) -> UdpResponse:
            if self.kinds.endswith(refuses):
                return ErrorResponse(request.transaction, "not for you!")
            return super().response(request)

    assert run(failure_of(Refusing())) == "not for you!"


def test_unrelated_datagrams_are_ignored(run: Run[AnnounceResponse]) -> None:
    class Noisy(Tracker):
        def __call__(self, datagram: bytes) -> list[bytes]:
            (real,) = super().__call__(datagram)
            forged = real[:4] + bytes(byte ^ 1 for byte in real[4:8]) + real[8:]
            other = ErrorResponse(int.from_bytes(real[4:8], "big") ^ 1, "forged")
            early = UdpAnnounceResponse(int.from_bytes(real[4:8], "big"), 1, 0, 0, b"")
            wrong = early if isinstance(self.asked[-1], ConnectRequest) else ConnectResponse(early.transaction, 1)
            return [b"", b"x", bytes(7), b"\xff" * 20, forged, other.encode(), wrong.encode(), real, real]

    assert run(announce_to(Noisy())) == GOOD


def test_garbage_is_no_answer(run: Run[str]) -> None:
    chance = random.Random(1)
    short = Timeouts(first_try=0.05, tries=1)

    def garbage(_: bytes) -> list[bytes]:
        return [chance.randbytes(chance.randrange(200)) for _ in range(50)]

    assert run(failure_of(garbage, timeouts=short)) == "no answer within 0.05 s"


@pytest.mark.parametrize("url", ["udp://127.0.0.1/announce", "udp://:80/announce", "udp://127.0.0.1:0/announce"])
def test_url_needs_host_and_port(run: Run[None], url: str) -> None:
    async def main() -> None:
        with pytest.raises(TrackerFailure, match="it lacks a host or a port"):
            await TrackerClient(None).announce(url, ASK)

    run(main())


def test_oversized_key_is_a_failure(run: Run[str]) -> None:
    odd = AnnounceRequest(b"A" * 20, b"p" * 20, 6881, 0, 0, left=1, key="not hexadecimal")
    assert "8 hex digits" in run(failure_of(Tracker(), odd))


def test_cancelled_announcement_leaves_no_socket(run: Run[None]) -> None:
    async def main() -> None:
        asked = asyncio.Event()

        def note(_: bytes) -> list[bytes]:
            asked.set()
            return []

        async with udp_tracker(note) as url:
            announcing = asyncio.create_task(TrackerClient(None).announce(url, ASK))
            await asked.wait()
            announcing.cancel()
            with pytest.raises(asyncio.CancelledError):
                await announcing

    run(main())
