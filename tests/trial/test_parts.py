"""Parts of a trial: growing traces, compressed files, interrupts, provenance, the machine monitor."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from testbed.runfolder.trial_folder import compress, write_table
from testbed.runs.provenance import session
from testbed.runs.versions import versions
from testbed.trial.applications.output import NewLines, last_words
from testbed.trial.interrupts import BuildingInterruptedError, interrupts_of_trial
from testbed.trial.monitoring.machine import MachineMonitor, machine_limits
from testbed.trial.monitoring.traces import TraceEnd, events, read_end


def test_unfinished_trace_line_is_ignored(tmp_path: Path) -> None:
    trace = tmp_path / "p1.jsonl"
    assert list(events(trace, "joined")) == []
    trace.write_text('{"t":1.0,"event":"joined"}\n{"t":2.0,"event":"lagged","seconds":0.25}\n{"t":3.5,"event":"compl')
    assert [event["t"] for event in events(trace, "joined")] == [1.0]
    assert read_end(trace, 0.0, 9.0).completed_at is None
    with trace.open("a") as more:
        more.write('eted","received":1}\n')
    assert read_end(trace, 0.0, 3.0) == TraceEnd(completed_at=3.5, worst_lag=0.25)
    assert read_end(trace, 2.5, 3.0).worst_lag == 0.0


def test_last_life_decides_whether_program_has_left(tmp_path: Path) -> None:
    trace = tmp_path / "p1.jsonl"
    trace.write_text('{"t":1.0,"event":"joined"}\n{"t":2.0,"event":"left"}\n')
    assert read_end(trace, 0.0, 9.0).has_left
    with trace.open("a") as more:
        more.write('{"t":3.0,"event":"joined"}\n')
    assert not read_end(trace, 0.0, 9.0).has_left


@pytest.mark.parametrize("line", ['{"t":1.0,"event":"completed"', '"left"', '{"event":"completed"}', '["completed"]'])
def test_damaged_trace_is_told(tmp_path: Path, line: str) -> None:
    trace = tmp_path / "p1.jsonl"
    trace.write_text(f"{line}\n")
    assert read_end(trace, 0.0, 9.0).damage.startswith("wrote a trace that cannot be read")
    assert list(events(trace, "left")) == []


def test_trace_lines_of_other_writers_count(tmp_path: Path) -> None:
    trace = tmp_path / "p1.jsonl"
    trace.write_text(
        '{"event": "left", "reason": "completed", "t": 1.0}\n{"received": 1, "event" : "completed", "t": 2.5}\n'
    )
    assert read_end(trace, 0.0, 9.0) == TraceEnd(completed_at=2.5, has_left=True)


def test_equal_contents_compress_to_equal_files(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    source.write_text("line\n" * 100)
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        assert compress(source, tmp_path / name) == "a.jsonl.gz"
        write_table(tmp_path / name / "t.csv.gz", ("t", "host"), [(1.0, "p1"), (2.0, "p2")])
    for file in ("a.jsonl.gz", "t.csv.gz"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.fixture
def usual_interrupts() -> Iterator[None]:
    """SIGINT as in a foreground program; a shell makes its background programs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("usual_interrupts")
def test_second_interrupt_is_raised() -> None:
    with interrupts_of_trial() as interrupt:
        interrupt.has_begun = True
        assert not interrupt.is_asked
        os.kill(os.getpid(), signal.SIGINT)
        assert interrupt.is_asked
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)


@pytest.mark.usefixtures("usual_interrupts")
def test_first_interrupt_before_trial_begins_is_raised() -> None:
    with interrupts_of_trial(), pytest.raises(BuildingInterruptedError):
        os.kill(os.getpid(), signal.SIGINT)


def test_session_describes_machine_and_versions() -> None:
    entry = session({"aria2": "aria2 1.36.0"})
    assert entry["clients"] == {"aria2": "aria2 1.36.0"}
    assert entry["ended"] is None
    assert entry["memory_bytes"] > 1 << 20
    assert entry["processors"] >= 1
    assert entry["versions"] == versions()
    assert entry["user"] in {"root", "user namespace"}
    assert entry["commit"] is None or len(entry["commit"]) == 40


def test_machine_is_sampled(tmp_path: Path) -> None:
    with MachineMonitor(tmp_path) as monitor:
        monitor.begin(100.0, [os.getpid()])
        sample = monitor.sample(101.0, 100.0)
        assert (sample.t, sample.softnet_drops) == (1.0, 0)
        assert 0 <= sample.idle_cpu <= 1
        assert 0 < sample.memory_available <= 1
        assert monitor.sample(101.1, 100.0) is sample
    assert machine_limits([sample]) == []
    assert machine_limits([replace(sample, memory_available=0.01)]) == ["only 1.0% of the memory was left"]


def test_output_is_read_line_by_line(tmp_path: Path) -> None:
    file, new_lines = tmp_path / "p1.out", NewLines()
    file.write_bytes(b"ready\ncomp")
    assert new_lines(file) == [b"ready"]
    with file.open("ab") as more:
        more.write(b"leted\n")
    assert new_lines(file) == [b"completed"]
    assert new_lines(file) == []


def test_long_line_of_output_is_skipped(tmp_path: Path) -> None:
    file, new_lines = tmp_path / "p1.out", NewLines()
    file.write_bytes(b"x" * (3 << 20) + b"\ncompleted\n")
    assert b"completed" in [line for _ in range(5) for line in new_lines(file)]


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ("", ""),
        ("peer: no such file\n", "peer: no such file"),
        (
            (
                'Traceback (most recent call last):\n  File "/w/own.py", line 7, in f\n    g()\n'
                '  File "/usr/lib/random.py", line 9, in choice\nIndexError: empty\n'
            ),
            "IndexError: empty (own.py, line 7)",
        ),
        (
            (
                '  + Exception Group Traceback (most recent call last):\n  |   File "/usr/lib/a.py", line 3, in f\n'
                "  | ExceptionGroup: several\n  +-+---- 1 ----\n    | ValueError: wrong\n    +------\n"
            ),
            "ValueError: wrong (a.py, line 3)",
        ),
    ],
)
def test_error_is_summarised_with_its_place(errors: str, expected: str) -> None:
    assert last_words(errors, Path("/w")) == expected
