"""The trace file: whole lines whatever happens to the file, and no failure that stops the program."""

import json
import resource
import time
from pathlib import Path

import pytest

from contract.encoding import decode, decode_header
from contract.events import Joined, Snubbed, TraceEvent
from peer.trace.file import TraceError, TraceFile

HEADER = {"program": "test", "seed": 1}


def lines(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def written_events(path: Path) -> list[TraceEvent]:
    return [decode(line)[1] for line in lines(path)[1:]]


def test_header_ties_clock_to_wall_clock(tmp_path: Path) -> None:
    with TraceFile(tmp_path / "trace", HEADER):
        header = decode_header(lines(tmp_path / "trace")[0])
    assert header["program"] == "test"
    assert header["t"] == pytest.approx(time.monotonic(), abs=5)
    assert header["unix"] - header["t"] == pytest.approx(time.time() - time.monotonic(), abs=0.1)


def test_lines_wait_for_flush(tmp_path: Path) -> None:
    with TraceFile(tmp_path / "trace", HEADER) as trace:
        trace.record(Snubbed(1), 5)
        assert written_events(tmp_path / "trace") == []
        trace.flush()
        assert written_events(tmp_path / "trace") == [Snubbed(1)]
        trace.record(Snubbed(2), 6)
    assert written_events(tmp_path / "trace") == [Snubbed(1), Snubbed(2)]


def test_full_buffer_is_written_without_flush(tmp_path: Path) -> None:
    with TraceFile(tmp_path / "trace", HEADER) as trace:
        for number in range(5000):
            trace.record(Snubbed(number), 5)
        written = written_events(tmp_path / "trace")
    assert 0 < len(written) < 5000
    assert written_events(tmp_path / "trace") == [Snubbed(number) for number in range(5000)]


def test_no_path_writes_nothing() -> None:
    with TraceFile(None, HEADER) as trace:
        trace.record(Snubbed(1), 5)
        trace.flush()


def test_second_life_appends_to_file(tmp_path: Path) -> None:
    for life in range(2):
        with TraceFile(tmp_path / "trace", HEADER) as trace:
            trace.record(Snubbed(life), 5)
    assert [json.loads(line)["event"] for line in lines(tmp_path / "trace")] == ["trace", "snubbed"] * 2


def test_torn_last_line_is_removed(tmp_path: Path) -> None:
    whole = b'{"t":1.000000,"event":"snubbed","neighbour":1}\n'
    (tmp_path / "trace").write_bytes(whole + whole[:20])
    with TraceFile(tmp_path / "trace", HEADER):
        pass
    assert lines(tmp_path / "trace")[0] == whole
    assert decode_header(lines(tmp_path / "trace")[1])


def test_full_disk_is_reported_once_leaving_whole_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A limit on file sizes simulates a full disk: the kernel writes only what fits."""
    trace = TraceFile(tmp_path / "trace", HEADER)
    end_of_header = (tmp_path / "trace").stat().st_size
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (end_of_header + 200, before[1]))
    try:
        for number in range(100):
            trace.record(Snubbed(number), 5)
        trace.flush()
        trace.record(Snubbed(0), 6)
        trace.flush()
        trace.close()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert capsys.readouterr().err == f"trace {tmp_path}/trace: File too large; continuing without it\n"
    assert written_events(tmp_path / "trace") == [Snubbed(number) for number in range(4)]


def test_failing_device_is_reported_once(capsys: pytest.CaptureFixture[str]) -> None:
    with TraceFile(Path("/dev/full"), HEADER) as trace:
        trace.record(Joined("p", "h", 1), 5)
        trace.flush()
    assert capsys.readouterr().err == "trace /dev/full: No space left on device; continuing without it\n"


def test_unwritable_path_raises_trace_error(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"cannot write the trace .*/no/trace: No such file or directory; name a file"):
        TraceFile(tmp_path / "no" / "trace", HEADER)
    with pytest.raises(TraceError, match="Is a directory"):
        TraceFile(tmp_path, HEADER)


def test_close_leaves_no_descriptor(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    with TraceFile(tmp_path / "trace", HEADER) as trace:
        pass
    trace.close()
    assert len(list(Path("/proc/self/fd").iterdir())) == before
