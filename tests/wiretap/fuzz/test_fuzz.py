"""Whatever happened to a capture, reading it gives an error that explains itself or counted losses."""

from contextlib import suppress
from pathlib import Path

from testbed.errors import ExplainedError
from testbed.wiretap import Reading, read_capture
from testbed.wiretap.messages import Message
from tests.peer.fuzz.targets import Rounds
from tests.wiretap.fuzz.mutations import damaged

CAPTURES_A_ROUND = 1500


def test_damaged_captures_are_read_or_refused(rounds: Rounds, tmp_path: Path) -> None:
    file = tmp_path / "capture"
    for rng in rounds():
        for _ in range(CAPTURES_A_ROUND):
            data = damaged(rng)
            file.write_bytes(data)
            try:
                read(file, len(data))
            except Exception as error:
                (tmp_path / "failed").write_bytes(data)
                error.add_note(f"{tmp_path / 'failed'}: {len(data)} bytes")
                raise


def read(file: Path, size: int) -> None:
    with suppress(ExplainedError):
        reading = read_capture(file)
        check(reading, list(reading.messages()), size)


def check(reading: Reading, messages: list[Message], size: int) -> None:
    """Check what holds for all captures, however damaged."""
    assert [each.packet for each in messages] == sorted(each.packet for each in messages)
    assert all(0 < each.packet <= reading.packets for each in messages)
    assert all(each.length > 0 and each.offset >= 0 for each in messages)
    # The shortest message has four bytes; a packed file of this size holds at most a thousand times as many.
    assert len(messages) <= 300 * size
    losses = reading.losses
    counts = [getattr(losses, name) for name in losses.__slots__]
    for connection in reading.connections:
        for way in (connection.forward, connection.back):
            counts += [way.packets, way.payload, way.retransmitted, way.out_of_order]
    assert min(counts) >= 0
