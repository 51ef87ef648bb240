"""The audit of a real trial, and of the same trial with one lie: it is found at once."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testbed.audit.findings import Disagreement
from tests.audit.trials import Line, audited, change_record, copied, edit_capture, lines_of, messages_of, rewrite

pytestmark = pytest.mark.kernel
HOST = "p2"


def is_event(line: Line, event: str, **fields: Any) -> bool:
    return line["event"] == event and all(line.get(name) == value for name, value in fields.items())


def middle_one(lines: list[Line], event: str, **fields: Any) -> int:
    """Return which line is the middle one of an event."""
    found = [number for number, line in enumerate(lines) if is_event(line, event, **fields)]
    return found[len(found) // 2]


def lied(truth: Path, tmp_path: Path, change: Callable[[list[Line]], list[Line]]) -> list[Disagreement]:
    """Return what the audit finds in a trial with a changed trace, all of it at the host whose trace was changed."""
    folder = copied(truth, tmp_path / "lie")
    rewrite(folder, HOST, change)
    found = audited(folder).disagreements
    assert {each.host for each in found} <= {HOST}
    return found


def test_traces_and_captures_of_real_trial_agree(truth: Path) -> None:
    found = audited(truth)
    assert found.disagreements == []
    assert not found.left_out
    for kind in ("connection", "unchoke", "interested", "request", "block", "bytes", "piece", "have", "completion"):
        assert found.counts[kind].agree > 0, kind
    assert found.counts["request"].agree == found.counts["request"].traced
    assert found.counts["piece"].agree == found.counts["piece"].traced == 3 * 32


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        ("unchoked", {"by_us": False}),
        ("unchoked", {"by_us": True}),
        ("interested", {"by_us": False}),
        ("interested", {"by_us": True}),
        ("requested", {"by_us": False}),
        ("requested", {"by_us": True}),
        ("block", {"by_us": False}),
        ("block", {"by_us": True}),
        ("piece_completed", {}),
    ],
)
def test_line_that_was_removed_is_missed(truth: Path, tmp_path: Path, event: str, fields: dict[str, Any]) -> None:
    lines = lines_of(truth, HOST)
    number = next(k for k, line in enumerate(lines) if is_event(line, event, **fields))
    found = lied(truth, tmp_path, lambda lines: [*lines[:number], *lines[number + 1 :]])
    assert any(each.packet is not None for each in found)


@pytest.mark.parametrize(
    ("event", "fields", "change"),
    [
        ("requested", {"by_us": True}, {"begin": 1}),
        ("requested", {"by_us": False}, {"index": 31}),
        ("block", {"by_us": False}, {"length": 1000}),
        ("piece_completed", {}, {"index": 99}),
        ("disconnected", {}, {"received": 12_345_678}),
        ("disconnected", {}, {"sent": 12_345_678}),
        ("connected", {}, {"address": "198.18.0.77:6881"}),
        ("interested", {"by_us": False}, {"t": 0.0}),
    ],
)
def test_changed_line_is_found_with_its_number(
    truth: Path, tmp_path: Path, event: str, fields: dict[str, Any], change: dict[str, Any]
) -> None:
    number = middle_one(lines_of(truth, HOST), event, **fields)

    def lie(lines: list[Line]) -> list[Line]:
        lines[number] = lines[number] | change
        return lines

    found = lied(truth, tmp_path, lie)
    assert found
    if event != "disconnected":
        assert number + 1 in {each.line for each in found}


def test_invented_line_is_found(truth: Path, tmp_path: Path) -> None:
    number = middle_one(lines_of(truth, HOST), "requested", by_us=True)

    def lie(lines: list[Line]) -> list[Line]:
        return [*lines[:number], lines[number] | {"begin": 0, "length": 16, "index": 3}, *lines[number:]]

    assert [each.line for each in lied(truth, tmp_path, lie)] == [number + 1]


def test_piece_that_was_complete_before_its_blocks_is_found(truth: Path, tmp_path: Path) -> None:
    lines = lines_of(truth, HOST)
    number = middle_one(lines, "piece_completed")
    first = next(line for line in lines if is_event(line, "unchoked", by_us=False))

    def lie(lines: list[Line]) -> list[Line]:
        lines[number] = lines[number] | {"t": first["t"]}
        return lines

    found = lied(truth, tmp_path, lie)
    assert any(each.kind == "piece" and each.line == number + 1 for each in found)


@pytest.mark.parametrize("kind", ["unchoke", "request", "piece", "have", "interested"])
def test_dropped_packet_is_found(truth: Path, tmp_path: Path, kind: str) -> None:
    folder = copied(truth, tmp_path / "lie")
    packets = [message.packet for message in messages_of(folder, HOST) if message.kind == kind]
    edit_capture(folder, HOST, str(packets[len(packets) // 2]))
    found = audited(folder)
    assert {each.host for each in found.disagreements} == {HOST}


def test_dropped_packet_that_the_record_knows_of_is_explained(truth: Path, tmp_path: Path) -> None:
    folder = copied(truth, tmp_path / "lie")
    packets = [message.packet for message in messages_of(folder, HOST) if message.kind == "request"]
    edit_capture(folder, HOST, str(packets[len(packets) // 2]))

    def admit(entries: dict[str, Any]) -> None:
        for each in entries["captures"]:
            each["missed"] = int(each["host"] == HOST)

    change_record(folder, admit)
    found = audited(folder)
    assert found.disagreements == []
    assert found.explained["the capture lacks packets, as its record says"] > 0


@pytest.mark.parametrize("seconds", ["-0.5", "-0.005", "0.005", "0.5"])
def test_shifted_clock_of_capture_is_found(truth: Path, tmp_path: Path, seconds: str) -> None:
    folder = copied(truth, tmp_path / "lie")
    edit_capture(folder, HOST, "-t", seconds)
    found = audited(folder).disagreements
    assert {each.host for each in found} == {HOST}
    assert any(each.kind == "clock" and "one of the clocks is off" in each.what for each in found)


@pytest.mark.parametrize("seconds", [-0.5, -0.005, 0.005, 0.5])
def test_shifted_clock_of_trace_is_found(truth: Path, tmp_path: Path, seconds: float) -> None:
    found = lied(truth, tmp_path, lambda lines: [line | {"t": line["t"] + seconds} for line in lines])
    assert any(each.kind == "clock" for each in found)


def test_host_without_trace_or_capture_is_left_out(truth: Path, tmp_path: Path) -> None:
    folder = copied(truth, tmp_path / "lie")

    def forget(entries: dict[str, Any]) -> None:
        entries["captures"] = [each for each in entries["captures"] if each["host"] != "p1"]
        for host in entries["hosts"]:
            if host["name"] == "p3":
                host["trace"] = None

    change_record(folder, forget)
    found = audited(folder)
    assert found.agrees
    assert found.left_out == {"p1": "its packets were not captured", "p3": "it writes no trace"}
