"""Extension messages (BEP 10): who understands which, peer exchange, and the info dictionary for magnet links."""

from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from contract.events import Erred
from peer.bittorrent.engine.actions import Open
from peer.bittorrent.engine.connections.identities import Face
from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.discovery.peer_exchange import Exchange, introduction
from peer.bittorrent.engine.extensions.metadata import (
    MetadataFetch,
    MetadataShare,
    UnusableMetadata,
    WrongMetadata,
)
from peer.bittorrent.engine.outbox import Outbox
from peer.bittorrent.engine.profile import Profile
from peer.bittorrent.engine.upload.upload import MOST_QUEUED
from peer.bittorrent.wire.extensions import (
    HANDSHAKE_ID,
    UT_METADATA,
    UT_PEX,
    ExtensionHandshake,
    MetadataMessage,
    MetadataRequest,
    PexPeer,
    decode_extension_handshake,
    decode_metadata,
    decode_pex,
)
from peer.bittorrent.wire.messages import Extended
from peer.bittorrent.wire.metainfo.metainfo import Info
from peer.bittorrent.wire.peer_id import OUR_VERSION

OUR_IDS: Final = {UT_PEX: 1, UT_METADATA: 2}
"""The ids under which we want the messages of each extension."""


class Extending:
    """What neighbours say beyond the protocol's own messages."""

    def __init__(
        self,
        *,
        info_hash: bytes,
        profile: Profile,
        rng: Random,
        outbox: Outbox,
        faces: Sequence[Face],
        neighbours: dict[int, Neighbour],
        fail: Callable[[str], None],
    ) -> None:
        """`fail` is called with the reason if the torrent that comes is of no use."""
        self._outbox = outbox
        self._faces = faces
        self._neighbours = neighbours
        self._fail = fail
        self._exchange = Exchange(profile)
        self._share = MetadataShare()
        self._fetch: MetadataFetch | None = MetadataFetch(info_hash, rng)

    def open(self, info: Info) -> None:
        """Take note of the torrent: there is nothing to fetch any more, and something to share."""
        self._fetch = None
        self._share = MetadataShare(info.raw)
        self._exchange.is_private = info.is_private

    def introduce(self, neighbour: Neighbour, *, is_seed: bool) -> None:
        """Say what we understand."""
        if not neighbour.conversation.is_extended:
            return
        ids = {name: number for name, number in OUR_IDS.items() if name != UT_PEX or not self._exchange.is_private}
        ours = ExtensionHandshake(
            m=ids,
            v=OUR_VERSION,
            p=self._faces[neighbour.face].port,
            reqq=MOST_QUEUED,
            yourip=neighbour.address.host,
            metadata_size=self._share.size,
            upload_only=is_seed,
        )
        self._outbox.send(neighbour, Extended(HANDSHAKE_ID, ours.encode()))

    def received(self, neighbour: Neighbour, message: Extended) -> None:
        """Take an extension message; raises WireError for one that makes no sense."""
        if message.extension == HANDSHAKE_ID:
            self._got_handshake(neighbour, decode_extension_handshake(message.payload))
        elif message.extension == OUR_IDS[UT_PEX]:
            found = self._exchange.heard(neighbour.key, decode_pex(message.payload), self._outbox.now)
            self._faces[neighbour.face].addresses.learn(found, "pex")
        elif message.extension == OUR_IDS[UT_METADATA]:
            metadata = decode_metadata(message.payload)
            if metadata is not None:
                self._got_metadata(neighbour, metadata)

    def parted(self, neighbour: Neighbour) -> None:
        """Forget a neighbour."""
        self._exchange.parted(neighbour.key)
        self._share.parted(neighbour.key)
        if self._fetch is not None:
            self._fetch.parted(neighbour.key)
            self._ask_for_metadata()

    def look_around(self) -> None:
        """Do what is due about once a second."""
        if self._outbox.now >= self._exchange.next_deadline():
            self._tell_of_others()
        self._ask_for_metadata()

    def _got_handshake(self, neighbour: Neighbour, theirs: ExtensionHandshake) -> None:
        talk = neighbour.conversation
        talk.extensions.update(theirs.m)
        if theirs.reqq is not None:
            neighbour.down.pipeline.allow(theirs.reqq)
        if theirs.p is not None and not neighbour.is_outgoing:
            self._faces[neighbour.face].doors.listens(neighbour, theirs.p)
        if talk.extensions.get(UT_PEX):
            self._exchange.joined(neighbour.key, self._outbox.now)
        if self._fetch is not None and talk.extensions.get(UT_METADATA):
            self._fetch.offered(neighbour.key, theirs.metadata_size)
            self._ask_for_metadata()

    def _got_metadata(self, neighbour: Neighbour, message: MetadataMessage) -> None:
        if isinstance(message, MetadataRequest):
            answer = self._share.answer(neighbour.key, message, self._outbox.now)
            if answer is not None:
                self._say(neighbour, UT_METADATA, answer.encode())
        elif self._fetch is not None:
            match self._fetch.received(neighbour.key, message, self._outbox.now):
                case Info() as info:
                    self._fetch = None
                    self._outbox.do(Open(info))
                case WrongMetadata(contributors):
                    self._found_wrong(contributors)
                case UnusableMetadata(problem):
                    self._fetch = None
                    self._fail(problem)
            self._ask_for_metadata()

    def _found_wrong(self, contributors: tuple[int, ...]) -> None:
        names = ", ".join(map(str, contributors))
        self._outbox.tell(Erred(f"ut_metadata: expected the dictionary of our info-hash, found another, from {names}"))
        liar = self._neighbours.get(contributors[0])
        if len(contributors) == 1 and liar is not None:
            self._faces[liar.face].doors.ban(liar, "sent a wrong info dictionary")

    def _ask_for_metadata(self) -> None:
        if self._fetch is not None:
            for key, request in self._fetch.requests(self._outbox.now):
                self._say(self._neighbours[key], UT_METADATA, request.encode())

    def _tell_of_others(self) -> None:
        told = {each.key: _introduction(each) for each in self._neighbours.values() if each.is_handshaken}
        present = {key: peer for key, peer in told.items() if peer is not None}
        for key, message in self._exchange.due(present, self._outbox.now):
            self._say(self._neighbours[key], UT_PEX, message.encode())

    def _say(self, neighbour: Neighbour, extension: str, payload: bytes) -> None:
        number = neighbour.conversation.extensions.get(extension)
        if number:
            self._outbox.send(neighbour, Extended(number, payload))


def _introduction(neighbour: Neighbour) -> PexPeer | None:
    return introduction(neighbour.listening_address, is_outgoing=neighbour.is_outgoing, is_seed=neighbour.is_seed)
