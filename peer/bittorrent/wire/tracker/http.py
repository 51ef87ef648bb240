"""The tracker protocol over HTTP: query strings to ask, bencoded dictionaries to answer (BEP 3, 7, 23, 48).

    GET /announce?info_hash=%AA%1F...&peer_id=-TB0100-...&port=6881&uploaded=0&downloaded=0&left=65536&compact=1
    GET /scrape?info_hash=...&info_hash=...

    d 8:interval i1800e  5:peers 6n: addresses                                 e      compact (BEP 23)
    d 8:interval i1800e  5:peers l d 2:ip .. 7:peer id 20:.. 4:port i..e e e   e      dictionaries (BEP 3)
    d 14:failure reason ..                                                     e
    d 5:files d 20:<info-hash> d 8:complete i..e 10:downloaded i..e 10:incomplete i..e e e e      scrape (BEP 48)

Values are percent-encoded bytes; a `+` is a plus sign. Entries may be in any order, and unknown ones are ignored; each
known one must occur once, except info_hash in a scrape.
"""

import dataclasses
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote_from_bytes, unquote_to_bytes

from peer.bencode.codec import (
    Encodable,
    Value,
    decode_leniently,
    encode,
)
from peer.bencode.fields import Fields
from peer.bittorrent.wire.compact import IPV4_STRIDE, IPV6_STRIDE
from peer.bittorrent.wire.errors import TrackerError
from peer.bittorrent.wire.handshake import INFO_HASH_LENGTH, PEER_ID_LENGTH
from peer.bittorrent.wire.tracker.messages import (
    AnnounceRequest,
    AnnounceResponse,
    Event,
    Failure,
    Peer,
    ScrapeResponse,
)
from peer.net.address import Address

_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_MOST_BYTES: Final = (1 << 64) - 1
_MOST_ENTRIES: Final = 200
_ANNOUNCE: Final = frozenset(field.name.encode() for field in dataclasses.fields(AnnounceRequest))
_EVENTS: Final = {event.value.encode(): event for event in Event}
_NUMBER: Final = re.compile(rb"[0-9]{1,20}")


def announce_url(tracker: str, request: AnnounceRequest) -> str:
    """Return the URL to fetch; the tracker's URL may already have a query."""
    entries: dict[str, bytes | int | str | None] = {
        "info_hash": request.info_hash,
        "peer_id": request.peer_id,
        "port": request.port,
        "uploaded": request.uploaded,
        "downloaded": request.downloaded,
        "left": request.left,
        "compact": int(request.compact),
        "event": request.event or None,
        "numwant": request.numwant,
        "key": request.key,
        "ip": request.ip,
        "no_peer_id": 1 if request.no_peer_id else None,
        "trackerid": request.trackerid,
    }
    return _with_query(tracker, ((name, value) for name, value in entries.items() if value is not None))


def decode_announce_query(query: bytes) -> AnnounceRequest:
    """Read the query of an announcement."""
    entries = _Query(_single(_entries(query)))
    return AnnounceRequest(
        info_hash=entries.exactly(b"info_hash", INFO_HASH_LENGTH),
        peer_id=entries.exactly(b"peer_id", PEER_ID_LENGTH),
        port=entries.number(b"port", 0xFFFF),
        uploaded=entries.number(b"uploaded", _MOST_BYTES),
        downloaded=entries.number(b"downloaded", _MOST_BYTES),
        left=entries.number(b"left", _MOST_BYTES),
        event=_EVENTS.get(entries.get(b"event", b""), Event.REGULAR),
        numwant=entries.numwant(),
        key=entries.text(b"key"),
        ip=entries.text(b"ip"),
        compact=entries.get(b"compact", b"1") != b"0",
        no_peer_id=entries.get(b"no_peer_id", b"0") != b"0",
        trackerid=entries.get(b"trackerid"),
    )


def decode_scrape_query(query: bytes) -> tuple[bytes, ...]:
    """Read the info-hashes of a scrape; without any, all swarms are meant."""
    hashes = tuple(value for name, value in _entries(query) if name == b"info_hash")
    for info_hash in hashes:
        _check_size(b"info_hash", info_hash, INFO_HASH_LENGTH)
    return hashes


def encode_announce_response(response: AnnounceResponse) -> bytes:
    """Write the body of an answer, compact or not as its peers are."""
    peers: Encodable = response.peers if isinstance(response.peers, bytes) else [*map(_peer_entry, response.peers)]
    entries: dict[bytes, Encodable | None] = {
        b"interval": response.interval,
        b"peers": peers,
        b"peers6": response.peers6 or None,
        b"complete": response.complete,
        b"incomplete": response.incomplete,
        b"min interval": response.min_interval,
        b"tracker id": response.tracker_id,
        b"warning message": None if response.warning is None else response.warning.encode(),
    }
    return encode({key: value for key, value in entries.items() if value is not None})


def encode_scrape_response(response: ScrapeResponse) -> bytes:
    """Write the body of an answer to a scrape."""
    files: dict[bytes, Encodable] = {
        info_hash: {b"complete": entry.complete, b"downloaded": entry.downloaded, b"incomplete": entry.incomplete}
        for info_hash, entry in response.files.items()
    }
    return encode({b"files": files})


def encode_failure(failure: Failure) -> bytes:
    """Write the body of a refusal, of an announcement or a scrape."""
    return encode({b"failure reason": failure.reason.encode()})


def decode_announce_response(body: bytes) -> AnnounceResponse | Failure:
    """Read the body of an answer."""
    fields = Fields(decode_leniently(body), "tracker's answer", TrackerError)
    failure = _failure(fields)
    if failure is not None:
        return failure
    return AnnounceResponse(
        interval=fields.integer(b"interval", high=1 << 31),
        peers=_peers(fields),
        peers6=_compact(fields, b"peers6", IPV6_STRIDE),
        complete=fields.optional_integer(b"complete"),
        incomplete=fields.optional_integer(b"incomplete"),
        min_interval=fields.optional_integer(b"min interval", high=1 << 31),
        tracker_id=fields.optional_string(b"tracker id"),
        warning=_message(fields, b"warning message"),
    )


class _Query:
    """The entries of an announcement, read by type."""

    __slots__ = ("_entries", "get")

    def __init__(self, entries: dict[bytes, bytes]) -> None:
        self._entries = entries
        self.get = entries.get

    def exactly(self, name: bytes, size: int) -> bytes:
        """Return an entry of `size` bytes that must be there."""
        value = self._required(name)
        _check_size(name, value, size)
        return value

    def number(self, name: bytes, most: int) -> int:
        """Return an entry that must be there and be a number from 0 to `most`."""
        text = self._required(name)
        if not _NUMBER.fullmatch(text) or int(text) > most:
            raise TrackerError(f"announce, {name.decode()}: expected 0 to {most}, found {text[:32]!r}")
        return int(text)

    def text(self, name: bytes) -> str | None:
        """Return an entry as text, if it is there."""
        value = self.get(name)
        return None if value is None else value.decode(errors="replace")

    def numwant(self) -> int | None:
        """Return how many peers are wanted; -1 leaves it to the tracker, as over UDP."""
        return None if self.get(b"numwant", b"-1").startswith(b"-") else self.number(b"numwant", 1 << 31)

    def _required(self, name: bytes) -> bytes:
        value = self.get(name)
        if value is None:
            raise TrackerError(f"announce: expected an entry {name.decode()}, found none")
        return value


def _with_query(url: str, entries: Iterable[tuple[str, bytes | int | str]]) -> str:
    query = "&".join(f"{name}={quote_from_bytes(_as_bytes(value), safe='')}" for name, value in entries)
    return f"{url}{'&' if '?' in url else '?'}{query}"


def _as_bytes(value: bytes | int | str) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


def _entries(query: bytes) -> list[tuple[bytes, bytes]]:
    broken = _BROKEN_ESCAPE.search(query)
    if broken:
        raise TrackerError(f"query, character {broken.start()}: expected two hex digits behind %")
    parts = query.split(b"&", _MOST_ENTRIES)
    if len(parts) > _MOST_ENTRIES:
        raise TrackerError(f"query: expected at most {_MOST_ENTRIES} entries")
    named = (part.partition(b"=") for part in parts if part)
    return [(name, unquote_to_bytes(value)) for name, _, value in named]


def _single(entries: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for name, value in entries:
        if name in _ANNOUNCE:
            if name in found:
                raise TrackerError(f"announce: expected one entry {name.decode()}, found two")
            found[name] = value
    return found


def _check_size(name: bytes, value: bytes, size: int) -> None:
    if len(value) != size:
        raise TrackerError(f"query, {name.decode()}: expected {size} bytes, found {len(value)}")


def _peer_entry(peer: Peer) -> dict[bytes, Encodable]:
    entry: dict[bytes, Encodable] = {b"ip": peer.address.host.encode(), b"port": peer.address.port}
    if peer.peer_id is not None:
        entry[b"peer id"] = peer.peer_id
    return entry


def _peers(fields: Fields) -> bytes | tuple[Peer, ...]:
    """Read the peers in either form; a tracker without peers may leave them out."""
    if b"peers" in fields and isinstance(fields.value(b"peers"), list):
        return tuple(_peer(number, entry) for number, entry in enumerate(fields.items(b"peers")))
    return _compact(fields, b"peers", IPV4_STRIDE)


def _peer(number: int, entry: Value) -> Peer:
    fields = Fields(entry, f"tracker's answer, peer {number}", TrackerError)
    return Peer(Address(fields.text(b"ip"), fields.integer(b"port", high=0xFFFF)), fields.optional_string(b"peer id"))


def _compact(fields: Fields, key: bytes, stride: int) -> bytes:
    packed = fields.optional_string(key) or b""
    if len(packed) % stride:
        raise fields.wrong(key, f"expected a multiple of {stride} bytes, found {len(packed)}")
    return packed


def _failure(fields: Fields) -> Failure | None:
    """Look for a refusal; BEP 48 spells the key with an underscore, which is accepted too."""
    for key in (b"failure reason", b"failure_reason"):
        reason = _message(fields, key)
        if reason is not None:
            return Failure(reason)
    return None


def _message(fields: Fields, key: bytes) -> str | None:
    text = fields.optional_string(key)
    return None if text is None else text.decode(errors="replace")
