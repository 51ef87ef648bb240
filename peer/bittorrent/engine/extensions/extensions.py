"""Extension messages (BEP 10): the handshake, peer exchange, and the info dictionary for magnet links."""

from collections.abc import Callable
from typing import Final

from contract.events import Erred
from peer import OUR_VERSION
from peer.bittorrent.engine.actions import Open
from peer.bittorrent.engine.connections.neighbour import Neighbour
from peer.bittorrent.engine.connections.presences import Presences
from peer.bittorrent.engine.context import Context
from peer.bittorrent.engine.discovery.peer_exchange import PexPartners, pex_entry
from peer.bittorrent.engine.extensions.metadata import (
    MetadataFetch,
    MetadataShare,
    UnusableMetadata,
    WrongMetadata,
)
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
from peer.errors import WireError

MOST_MALFORMED: Final = 10
"""Extension messages of one neighbour that cannot be read, and are ignored."""
OUR_IDS: Final = {UT_PEX: 1, UT_METADATA: 2}
"""The ids under which we want the messages of each extension."""


class ExtensionProtocol:
    """The extension messages of all neighbours."""

    def __init__(self, context: Context, presences: Presences, on_failure: Callable[[str], None]) -> None:
        """`on_failure` is called with the reason if the info dictionary that comes is of no use."""
        self._outbox = context.outbox
        self._presences = presences
        self._neighbours = context.neighbours
        self._on_failure = on_failure
        self._pex = PexPartners(context.profile)
        self._share = MetadataShare()
        self._fetch: MetadataFetch | None = MetadataFetch(context.info_hash, context.rng)

    def torrent_opened(self, info: Info) -> None:
        """Stop fetching the info dictionary, and share it."""
        self._fetch = None
        self._share = MetadataShare(info.raw)
        self._pex.is_private = info.is_private

    def neighbour_joined(self, neighbour: Neighbour, *, is_upload_only: bool) -> None:
        """Send the extension handshake.

        A neighbour closes the connection if an upload-only peer has nothing that it lacks. So a seed that hides pieces
        must not say that it is one.
        """
        if not neighbour.conversation.is_extended:
            return
        ids = {name: number for name, number in OUR_IDS.items() if name != UT_PEX or not self._pex.is_private}
        ours = ExtensionHandshake(
            m=ids,
            v=OUR_VERSION,
            p=self._presences[neighbour.identity].port,
            reqq=MOST_QUEUED,
            yourip=neighbour.address.host,
            metadata_size=self._share.size,
            upload_only=is_upload_only,
        )
        self._outbox.send(neighbour, Extended(HANDSHAKE_ID, ours.encode()))

    def message_received(self, neighbour: Neighbour, message: Extended) -> None:
        """Handle an extension message; one that cannot be read is traced and ignored, and too many raise WireError."""
        try:
            self._read(neighbour, message)
        except WireError as error:
            neighbour.conversation.malformed += 1
            if neighbour.conversation.malformed > MOST_MALFORMED:
                raise
            self._outbox.record(Erred(f"{error}; the message is ignored", neighbour.key))

    def _read(self, neighbour: Neighbour, message: Extended) -> None:
        if message.extension == HANDSHAKE_ID:
            self._got_handshake(neighbour, decode_extension_handshake(message.payload))
        elif message.extension == OUR_IDS[UT_PEX]:
            found = self._pex.received(neighbour.key, decode_pex(message.payload), self._outbox.now)
            self._presences[neighbour.identity].addresses.learn(found, "pex")
        elif message.extension == OUR_IDS[UT_METADATA]:
            metadata = decode_metadata(message.payload)
            if metadata is not None:
                self._got_metadata(neighbour, metadata)

    def neighbour_left(self, neighbour: Neighbour) -> None:
        self._pex.neighbour_left(neighbour.key)
        self._share.neighbour_left(neighbour.key)
        if self._fetch is not None:
            self._fetch.neighbour_left(neighbour.key)
            self._request_metadata()

    def tick(self) -> None:
        """Send what is due; called about once a second."""
        if self._outbox.now >= self._pex.next_deadline():
            self._send_peers()
        self._request_metadata()

    def _got_handshake(self, neighbour: Neighbour, theirs: ExtensionHandshake) -> None:
        talk = neighbour.conversation
        talk.extensions.update(theirs.m)
        if theirs.reqq is not None:
            neighbour.down.pipeline.limit(theirs.reqq)
        if theirs.p is not None and not neighbour.is_outgoing:
            self._presences[neighbour.identity].connections.learn_listening_port(neighbour, theirs.p)
        if talk.extensions.get(UT_PEX):
            self._pex.add(neighbour.key, self._outbox.now)
        if self._fetch is not None and talk.extensions.get(UT_METADATA):
            self._fetch.offered(neighbour.key, theirs.metadata_size)
            self._request_metadata()

    def _got_metadata(self, neighbour: Neighbour, message: MetadataMessage) -> None:
        if isinstance(message, MetadataRequest):
            answer = self._share.answer(neighbour.key, message, self._outbox.now)
            if answer is not None:
                self._send(neighbour, UT_METADATA, answer.encode())
        elif self._fetch is not None:
            match self._fetch.received(neighbour.key, message, self._outbox.now):
                case Info() as info:
                    self._fetch = None
                    self._outbox.do(Open(info))
                case WrongMetadata(contributors):
                    self._report_wrong(contributors)
                case UnusableMetadata(problem):
                    self._fetch = None
                    self._on_failure(problem)
            self._request_metadata()

    def _report_wrong(self, contributors: tuple[int, ...]) -> None:
        names = ", ".join(map(str, contributors))
        problem = f"ut_metadata: expected the dictionary of our info-hash, found another, from {names}"
        self._outbox.record(Erred(problem))
        liar = self._neighbours.get(contributors[0])
        if len(contributors) == 1 and liar is not None:
            self._presences[liar.identity].connections.ban(liar, "sent a wrong info dictionary")

    def _request_metadata(self) -> None:
        if self._fetch is not None:
            for key, request in self._fetch.requests(self._outbox.now):
                self._send(self._neighbours[key], UT_METADATA, request.encode())

    def _send_peers(self) -> None:
        entries = {each.key: _pex_entry(each) for each in self._neighbours.values() if each.is_handshaken}
        present = {key: peer for key, peer in entries.items() if peer is not None}
        for key, message in self._pex.due(present, self._outbox.now):
            self._send(self._neighbours[key], UT_PEX, message.encode())

    def _send(self, neighbour: Neighbour, extension: str, payload: bytes) -> None:
        number = neighbour.conversation.extensions.get(extension)
        if number:
            self._outbox.send(neighbour, Extended(number, payload))


def _pex_entry(neighbour: Neighbour) -> PexPeer | None:
    return pex_entry(neighbour.listening_address, is_outgoing=neighbour.is_outgoing, is_seed=neighbour.is_seed)
