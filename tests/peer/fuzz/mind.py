"""A session, and drawn lives of it: everything that its neighbours, trackers, sockets and hashes can do to it."""

from collections.abc import Sequence
from random import Random
from typing import Any, TypeAlias

from hypothesis import strategies as st

from peer.bittorrent.engine import actions
from peer.bittorrent.engine.actions import Action
from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.strategies.registry import make_strategy
from peer.bittorrent.wire.bitfield import Bitfield
from peer.bittorrent.wire.compact import pack
from peer.bittorrent.wire.extensions import (
    HANDSHAKE_ID,
    ExtensionHandshake,
    MetadataData,
    MetadataReject,
    MetadataRequest,
    PeerExchange,
    PexPeer,
)
from peer.bittorrent.wire.handshake import Handshake, Reserved
from peer.bittorrent.wire.messages import (
    AllowedFast,
    Cancel,
    Choke,
    Extended,
    Have,
    HaveAll,
    HaveBitfield,
    HaveNone,
    Interested,
    Message,
    NotInterested,
    PieceHeader,
    RejectRequest,
    Request,
    Unchoke,
)
from peer.bittorrent.wire.metainfo.metainfo import Info
from peer.bittorrent.wire.tracker.messages import AnnounceResponse
from peer.net.address import Address
from tests.peer.bittorrent.engine.scripted import ALL, FAST, OUR_ID, PLAIN, SessionHarness
from tests.peer.bittorrent.wire.values import BLOCKLESS, HANDSHAKES

Step: TypeAlias = tuple[str, dict[str, Any]]
"""A method of Mind, and its arguments."""

TRACKER = "http://198.18.0.1/announce"
PIECES = 8
MOST_TICKS = 10_000


def host(number: int) -> str:
    return f"198.18.0.{number + 2}"


class Mind(SessionHarness):
    """A session that is told what happens step by step; its actions are checked, and done only if a step says so."""

    def __init__(self, strategy: str, profile: Profile, info: Info, *, have: int | None, is_magnet: bool) -> None:
        """`have` is the number of pieces that it has at its start."""
        self.open: list[int] = []
        """The connections that exist, by their keys."""
        self._shaken: set[int] = set()
        """Those that sent a handshake: a stream of bytes has no block before it."""
        self._names = 0
        self._closed: set[int] = set()
        self._dials: list[actions.Dial] = []
        self._announcements: list[actions.Announce] = []
        self._checks: list[actions.Verify] = []
        self._is_known = not is_magnet
        pieces = Bitfield(info.piece_count)
        for index in range(have or 0):
            pieces.add(index)
        super().__init__(
            info,
            have=None if is_magnet else pieces,
            is_magnet=is_magnet,
            profile=profile,
            strategy=make_strategy(strategy, profile, Random(1), {}),
            trackers=((TRACKER,),),
            known=[Address(host(7), 6881)],
        )

    def live(self, steps: Sequence[Step]) -> None:
        for name, arguments in steps:
            getattr(self, name)(**arguments)

    def actions_after(self, make_input: Any) -> list[Action]:
        """Give the session an input, and check that it asks for nothing that concerns a closed connection."""
        new = super().actions_after(make_input)
        for action in new:
            self._note(action)
        return new

    def _note(self, action: Action) -> None:
        match action:
            case actions.Dial():
                self._dials.append(action)
            case actions.Announce():
                self._announcements.append(action)
            case actions.Verify():
                self._checks.append(action)
            case actions.Close(neighbour):
                assert neighbour not in self._closed, f"{action}: it is closed already"
                self._closed.add(neighbour)
                self.open = [key for key in self.open if key != neighbour]
            case actions.Greet() | actions.Send() | actions.OfferBlocks() | actions.Divert():
                assert action.neighbour not in self._closed, f"{action}: it is closed"

    # Steps

    def connect(self, host_number: int, identity: int, *, is_outgoing: bool) -> None:
        self._connect(Address(host(host_number), 6881), identity, is_outgoing=is_outgoing)

    def _connect(self, address: Address, identity: int, *, is_outgoing: bool) -> None:
        def connected() -> None:
            own = identity % self.identities
            key = self.session.connected(address, self.now, is_outgoing=is_outgoing, identity=own)
            if key is not None:
                self.open.append(key)

        self.actions_after(connected)

    def join(self, host_number: int, identity: int, reserved: Reserved, said: Message, *, is_outgoing: bool) -> None:
        """Let a neighbour connect, shake hands and say something."""
        self._names += 1
        self.connect(host_number, identity, is_outgoing=is_outgoing)
        self.shake(self._names, reserved, is_ours=False)
        if self.open:
            self.say(len(self.open) - 1, said)

    def shake(self, name: int, reserved: Reserved, *, is_ours: bool) -> None:
        """Let the latest connection without a handshake send one."""
        who = next((at for at, key in reversed([*enumerate(self.open)]) if key not in self._shaken), None)
        if who is not None:
            self._shaken.add(self.open[who])
            peer_id = OUR_ID if is_ours else f"peer {name}".encode().ljust(20, b".")
            self.say(who, Handshake(self.info.info_hash, peer_id, reserved))

    def say(self, who: int, message: Handshake | Message) -> None:
        if self.open:
            key = self.open[who % len(self.open)]
            self.actions_after(lambda: self.session.message_received(key, message, self.now))

    def send_block(self, who: int, header: PieceHeader) -> None:
        key = self.open[who % len(self.open)] if self.open else None
        if key in self._shaken and self._is_known:
            self.actions_after(lambda: self.session.block_began(key, header, self.now))
            self.actions_after(lambda: self.session.block_received(key, header, self.now))

    def answer_requests(self, who: int) -> None:
        """Let a neighbour send the blocks that it was asked for."""
        if self.open:
            key = self.open[who % len(self.open)]
            asked = [each.message for each in self.actions if isinstance(each, actions.Send) and each.neighbour == key]
            for request in [each for each in asked if isinstance(each, Request)][-8:]:
                self.send_block(who, PieceHeader(request.index, request.begin, request.length))

    def trade(self, who: int, *, is_good: bool) -> None:
        """Let a neighbour unchoke us, and send what it is asked for."""
        self.say(who, Unchoke())
        for _ in range(4):
            self.answer_requests(who)
        self.check_pieces(is_good=is_good)

    def take_block(self, who: int) -> None:
        if self.open:
            key = self.open[who % len(self.open)]
            queued = self.session.next_block(key, self.now)
            if queued is not None:
                self.actions_after(lambda: self.session.block_sent(key, queued.request, self.now))

    def check_pieces(self, *, is_good: bool) -> None:
        checks, self._checks = self._checks, []
        for check in checks:
            blocks = -(-self.info.piece_size(check.index) // (16 << 10))
            digests = (b"x" * 20,) * blocks if check.with_digests or not is_good else ()
            self.actions_after(lambda c=check, d=digests: self.session.piece_checked(c.index, is_good, self.now, d))

    def hang_up(self, who: int) -> None:
        if self.open:
            key = self.open.pop(who % len(self.open))
            self._closed.add(key)
            self.actions_after(lambda: self.session.disconnected(key, "closed by the other end", self.now))

    def break_stream(self, who: int) -> None:
        if self.open:
            key = self.open[who % len(self.open)]
            self.actions_after(lambda: self.session.protocol_error(key, "nonsense", self.now))

    def end_dials(self, *, is_answered: bool) -> None:
        dials, self._dials = self._dials, []
        for dial in dials:
            if is_answered:
                self._connect(dial.address, dial.identity, is_outgoing=True)
            else:
                self.actions_after(
                    lambda d=dial: self.session.dial_failed(d.address, "Connection refused", self.now, d.identity)
                )

    def end_announcements(self, addresses: list[Address], *, is_answered: bool) -> None:
        announcements, self._announcements = self._announcements, []
        answer = AnnounceResponse(60, pack(addresses))
        for each in announcements:
            if is_answered:
                self.actions_after(lambda e=each: self.session.tracker_answered(e.url, answer, self.now, e.identity))
            else:
                self.actions_after(lambda e=each: self.session.tracker_failed(e.url, "no answer", self.now, e.identity))

    def learn_torrent(self) -> None:
        if not self._is_known:
            self._is_known = True
            self.actions_after(lambda: self.session.torrent_opened(self.info, Bitfield(PIECES), self.now))

    def pass_time(self, seconds: float) -> None:
        """Wake the session at its deadlines; it may not ask for that again and again without an end."""
        end, ticks = self.now + seconds, 0
        while self.session.next_deadline() <= end:
            self.now = max(self.now, self.session.next_deadline())
            self.actions_after(lambda: self.session.tick(self.now))
            ticks += 1
            assert ticks < MOST_TICKS, f"woken {ticks} times before {end:g}, now at {self.now:g}"
        self.now = end

    def leave(self) -> None:
        self.actions_after(lambda: self.session.leave("asked to", self.now))


def _step(method: str, /, **arguments: st.SearchStrategy[Any]) -> st.SearchStrategy[Step]:
    return st.tuples(st.just(method), st.fixed_dictionaries(arguments))


WHO = st.integers(0, 9)
INDEXES = st.integers(0, PIECES)
BEGINS = st.sampled_from([0, 1, 16 << 10, 32 << 10, 48 << 10, 64 << 10])
LENGTHS = st.sampled_from([1, 16 << 10, 1 << 20])
HOSTS = st.integers(0, 5)
ADDRESSES = st.builds(Address, HOSTS.map(host), st.sampled_from([0, 1, 6881, 6882, 65_535]))
REQUESTS = st.builds(Request, INDEXES, BEGINS, LENGTHS)
EXTENSIONS = st.one_of(
    st.builds(
        ExtensionHandshake,
        m=st.dictionaries(st.sampled_from(["ut_pex", "ut_metadata", "x"]), st.integers(0, 255)),
        p=st.none() | st.integers(0, 65_535),
        reqq=st.none() | st.integers(0, 1_000),
        metadata_size=st.none() | st.integers(0, 1 << 24),
    ).map(lambda said: Extended(HANDSHAKE_ID, said.encode())),
    st.lists(ADDRESSES.map(PexPeer), max_size=8).map(lambda peers: Extended(1, PeerExchange(tuple(peers)).encode())),
    st.one_of(
        st.builds(MetadataRequest, st.integers(0, 3)),
        st.builds(MetadataReject, st.integers(0, 3)),
        st.builds(MetadataData, st.integers(0, 3), st.integers(0, 1 << 20), st.binary(max_size=40)),
    ).map(lambda said: Extended(2, said.encode())),
)
FIRST_MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.sampled_from([HaveAll(), HaveNone(), Interested()]), st.binary(min_size=1, max_size=1).map(HaveBitfield)
)
MESSAGES: st.SearchStrategy[Message] = st.one_of(
    BLOCKLESS,
    st.sampled_from([Unchoke(), Interested(), NotInterested(), Choke()]),
    REQUESTS,
    st.builds(Have, INDEXES),
    st.binary(min_size=1, max_size=1).map(HaveBitfield),
    st.builds(Cancel, INDEXES, BEGINS, LENGTHS),
    st.builds(RejectRequest, INDEXES, BEGINS, LENGTHS),
    st.builds(AllowedFast, INDEXES),
    EXTENSIONS,
)
RESERVED = st.sampled_from([ALL, FAST, PLAIN])
JOIN = _step("join", host_number=HOSTS, identity=WHO, reserved=RESERVED, said=FIRST_MESSAGES, is_outgoing=st.booleans())
TRADE = _step("trade", who=WHO, is_good=st.sampled_from([True, True, True, False]))
WAIT = _step("pass_time", seconds=st.sampled_from([0.01, 0.5, 3, 12, 12, 40, 400]))
SAY = _step("say", who=WHO, message=MESSAGES)
STEP = st.one_of(
    *[JOIN] * 2,
    *[TRADE] * 3,
    *[WAIT] * 3,
    *[SAY] * 4,
    _step("say", who=WHO, message=REQUESTS),
    _step("say", who=WHO, message=HANDSHAKES),
    _step("take_block", who=WHO),
    _step("answer_requests", who=WHO),
    _step("send_block", who=WHO, header=st.builds(PieceHeader, INDEXES, BEGINS, LENGTHS)),
    _step("check_pieces", is_good=st.booleans()),
    _step("connect", host_number=HOSTS, identity=WHO, is_outgoing=st.booleans()),
    _step("shake", name=WHO, reserved=RESERVED, is_ours=st.sampled_from([*[False] * 9, True])),
    _step("hang_up", who=WHO),
    _step("break_stream", who=WHO),
    _step("end_dials", is_answered=st.booleans()),
    _step("end_announcements", addresses=st.lists(ADDRESSES, max_size=4), is_answered=st.booleans()),
    _step("learn_torrent"),
)
LIVES = st.tuples(st.lists(JOIN, min_size=1, max_size=4), st.lists(STEP, min_size=8, max_size=80)).map(
    lambda parts: [*parts[0], *parts[1]]
)
