"""Captures of real swarms and of made-up conversations, and what can happen to a capture."""

import gzip
import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Final

from testbed.wiretap.files.opening import opened_capture
from tests.peer.fuzz.targets import mutate
from tests.wiretap.captures import (
    SLL2,
    Pcapng,
    Talk,
    as_link,
    block,
    extended,
    handshake,
    message,
    pcap,
    piece,
)

REAL: Final = Path(__file__).parent.parent / "real"
LINK_AND_IP: Final = 34
Frames = list[tuple[int, bytes]]


def read_all(file: Path) -> Frames:
    with opened_capture(file) as frames:
        return [(time, data[start:end]) for time, data, start, end, _, _ in frames]


def conversation(ends: tuple[str, str]) -> Frames:
    """Say one message of each kind."""
    talk = Talk(ends).open().say(0, handshake()).say(1, handshake())
    talk.say(1, extended(0, b"d1:md6:ut_pexi1e11:ut_metadatai2ee4:reqqi250ee"))
    talk.say(0, message(5, b"\xff\xfe") + message(1) + bytes(4) + block(4, 9) + message(9, b"\x1a\xe1"))
    talk.say(1, message(2) + b"".join(block(6, 0, at << 14, 1 << 14) for at in range(4)))
    talk.say(0, b"".join(piece(0, at << 14) for at in range(4)) + extended(1, b"d5:added6:abcdefe") + message(0))
    return talk.close().frames


def as_pcapng(frames: Frames) -> bytes:
    file = Pcapng().section("a comment").interface(SLL2).names(homes1="198.18.0.1")
    for time, frame in frames:
        file.packet(as_link(frame[14:], SLL2), time // 1000)
    return file.data


REAL_FRAMES: Final = [read_all(file) for file in sorted(REAL.glob("*.pcap.gz"))]
FRAMES: Final = [*REAL_FRAMES, conversation(("198.18.0.1", "198.18.0.2")), conversation(("2001:db8::1", "2001:db8::2"))]
FILES: Final = [
    *(gzip.decompress(file.read_bytes()) for file in sorted(REAL.glob("*.pcap.gz"))),
    as_pcapng(FRAMES[-1]),
    gzip.compress(as_pcapng(FRAMES[-2]), 1),
    pcap(FRAMES[-2], order=">", unit=1),
]


def damaged(rng: Random) -> bytes:
    """Draw a capture file that something has happened to."""
    if rng.random() < 0.1:
        return _spoil_file(rng.choice(FILES), rng)
    frames = _some(rng.choice(FRAMES), rng)
    for _ in range(rng.choice((1, 2, 4, 16))):
        if frames:
            rng.choice(_OF_FRAMES)(frames, rng)
    return pcap(frames, snaplen=rng.choice((1 << 18, 1 << 18, 128, 96, 70, 54)))


def _some(frames: Frames, rng: Random) -> Frames:
    """Return some frames that follow each other; one in four times the first ones, in which connections open."""
    at = rng.randrange(len(frames)) if rng.random() < 0.75 else 0
    return frames[at : at + rng.randrange(1, 60)]


def _spoil_file(data: bytes, rng: Random) -> bytes:
    match rng.randrange(4):
        case 0:
            return data[: rng.randrange(len(data) + 1)]
        case 1:
            return mutate(data, rng)
        case 2:
            at = rng.randrange(len(data) // 4) * 4
            return data[:at] + struct.pack("<I", rng.choice(_LENGTHS)) + data[at + 4 :]
        case _:
            # Heads of files are short: most of what happens should not happen far behind them.
            return mutate(data[:400], rng) + data[400:]


_LENGTHS: Final = (0, 1, 3, 12, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def _drop(frames: Frames, rng: Random) -> None:
    del frames[rng.randrange(len(frames))]


def _drop_many(frames: Frames, rng: Random) -> None:
    at = rng.randrange(len(frames))
    del frames[at : at + rng.randrange(1, 20)]


def _repeat(frames: Frames, rng: Random) -> None:
    frames.insert(rng.randrange(len(frames) + 1), rng.choice(frames))


def _swap(frames: Frames, rng: Random) -> None:
    a, b = rng.randrange(len(frames)), rng.randrange(len(frames))
    frames[a], frames[b] = frames[b], frames[a]


def _cut(frames: Frames, rng: Random) -> None:
    at = rng.randrange(len(frames))
    frames[at] = frames[at][0], frames[at][1][: rng.randrange(len(frames[at][1]) + 1)]


def _mutate(frames: Frames, rng: Random) -> None:
    at = rng.randrange(len(frames))
    frames[at] = frames[at][0], mutate(frames[at][1], rng)


def _spoil_head(frames: Frames, rng: Random) -> None:
    """Change bytes of the IP and TCP headers: lengths, sequence numbers, flags."""
    at = rng.randrange(len(frames))
    frame = bytearray(frames[at][1])
    for _ in range(rng.randrange(1, 4)):
        if len(frame) > LINK_AND_IP:
            frame[rng.randrange(14, min(len(frame), 74))] = rng.choice((0, 1, 2, 0xFF, rng.randrange(256)))
    frames[at] = frames[at][0], bytes(frame)


def _spoil_message(frames: Frames, rng: Random) -> None:
    """Put another head of a message into a payload."""
    at = rng.randrange(len(frames))
    frame = bytearray(frames[at][1])
    if len(frame) > 70:
        place = rng.choice((66, rng.randrange(66, len(frame))))
        frame[place : place + 5] = struct.pack(">IB", rng.choice((*_LENGTHS, 13, 16_393, 1 << 20)), rng.randrange(24))
    frames[at] = frames[at][0], bytes(frame)


def _fill(frames: Frames, rng: Random) -> None:
    """Put noise, zeros, or the densest messages in the place of a payload."""
    at = rng.randrange(len(frames))
    frame, size = frames[at][1], len(frames[at][1]) - 66
    if size > 0:
        filling = rng.choice((rng.randbytes(size), bytes(size), (message(0) * size)[:size], b"d" * size, b"l" * size))
        frames[at] = frames[at][0], frame[:66] + filling


_OF_FRAMES: Final[Sequence[Callable[[Frames, Random], None]]] = (
    _drop,
    _drop_many,
    _repeat,
    _swap,
    _cut,
    _mutate,
    _spoil_head,
    _spoil_head,
    _spoil_message,
    _spoil_message,
    _fill,
)
