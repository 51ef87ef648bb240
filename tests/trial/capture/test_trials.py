"""Captures of whole trials: nothing is missing, nothing is there twice, and what goes wrong is told."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from testbed.errors import TrialError
from testbed.runfolder.record import TrialRecord, read_record
from tests.trial.capture.reading import Content, Frame, content_of, segments
from tests.trial.plans import HOMES, Once, perform, plan_of, program_with_file

pytestmark = pytest.mark.kernel

AsUser = Callable[[Callable[[], Any]], Any]
FIN, SYN, RST = 1, 2, 4
SLOW = "file: {size: 1 MiB, piece_length: 32 KiB}\nservers: {up: 4 Mbit/s}\ntime_limit: 30 s\ntime_scale: 10\n"
BRIDGE = """\
from topologies.star import Star


class Bridge(Star):
    def addSwitch(self, name, **options):
        return super().addSwitch(name, forwarding="bridge", **options)
"""


def captured(capture: str, **parts: str) -> tuple[TrialRecord, dict[str, Content]]:
    """Perform a trial, and read its captures by the names of their files."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "bridge.py").write_text(BRIDGE)
        more = f"capture: {capture}\n{parts.pop('more', '')}".replace("FOLDER", name)
        trial = plan_of(folder, more=more, **parts).trials[0]
        _, place = perform(trial, folder)
        files = sorted(place.glob("*.pcapng.gz"))
        return read_record(place, trial), {file.name: content_of(file) for file in files}


def test_hosts_and_core_are_captured_from_the_first_packet_to_the_last(as_user: AsUser) -> None:
    record, files = as_user(lambda: captured("{hosts: [servers, tracker, p2], core: true}"))
    assert [(each.host, each.place, each.file, each.missed) for each in record.captures] == [
        ("server", "host", "server.pcapng.gz", 0),
        ("tracker", "host", "tracker.pcapng.gz", 0),
        ("p2", "host", "p2.pcapng.gz", 0),
        ("s1", "core", "s1.pcapng.gz", 0),
    ]
    for each in record.captures:
        found = files[each.file]
        assert tuple(found.interfaces) == each.interfaces
        assert len(found.frames) == each.packets
        assert found.missed == 0
        assert f"trial {record.id}; {each.place} {each.host}" in found.comment
        assert {host.address: host.name for host in record.hosts}.items() <= found.names.items()
        assert_complete(found.frames)
    assert max(len(frame.data) for content in files.values() for frame in content.frames) == 192


def assert_complete(frames: list[Frame]) -> None:
    """Each direction of each connection has its SYN, every byte, and its end."""
    ways: dict[tuple[bytes, bytes, int, int], list[Any]] = defaultdict(list)
    for segment in segments(frames):
        ways[segment.ends].append(segment)
    assert len(ways) >= 4
    resets = {frozenset([ends[::2], ends[1::2]]) for ends, way in ways.items() if any(one.flags & RST for one in way)}
    for ends, way in ways.items():
        if all(one.flags & RST for one in way):
            continue  # the answer to what came after the end
        begin = next(one.sequence for one in way if one.flags & SYN)
        reach = 1
        for one in sorted(way, key=lambda one: (one.sequence - begin) % 2**32):
            offset = (one.sequence - begin) % 2**32
            assert offset <= reach or one.flags & RST, f"{offset - reach} bytes are missing"
            reach = max(reach, offset + one.payload + (one.flags & FIN))
        assert any(one.flags & FIN for one in way) or frozenset([ends[::2], ends[1::2]]) in resets


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param({}, id="one core"),
        pytest.param({"more": "topology: {class: two-isps}\n"}, id="two cores"),
        pytest.param({"more": "topology: {class: FOLDER/bridge.py}\n"}, id="bridge"),
        pytest.param({"peers": HOMES.replace("3,", "3, delay: 5 ms,")}, id="delays"),
    ],
)
def test_core_has_what_all_hosts_send_and_each_packet_once(parts: dict[str, str]) -> None:
    record, files = captured("{hosts: all, core: true}", **parts)
    names = {each.file: each.host for each in record.captures if each.place == "host"}
    sent: Counter[bytes] = Counter()
    seen: Counter[bytes] = Counter()
    for file, content in files.items():
        own = [frame for frame in content.frames if content.names[frame.source] == names.get(file, "")]
        if file in names:
            sent.update(frame.data for frame in own)
        else:
            seen.update(frame.data for frame in content.frames)
    assert sent.total() > 1000
    assert sent == seen


def test_filter_and_length_apply_to_every_packet(as_user: AsUser) -> None:
    record, files = as_user(lambda: captured("{core: true, filter: tcp port 6969, snaplen: 128}"))
    frames = files["s1.pcapng.gz"].frames
    assert {6969} <= {port for segment in segments(frames) for port in segment.ends[2:]}
    assert all(6969 in segment.ends[2:] for segment in segments(frames))
    assert max(len(frame.data) for frame in frames) == 128
    assert max(frame.length for frame in frames) > 128
    assert "libpcap" in record.captures[0].program


@pytest.mark.parametrize(("files", "which"), [(1, "beyond_limit"), (2, "removed")])
def test_full_files_make_the_capture_incomplete(files: int, which: str) -> None:
    base = SLOW.replace("1 MiB", "4 MiB").replace("4 Mbit/s", "40 Mbit/s")
    capture = f"{{hosts: [p1], snaplen: full, size_limit: 1 MiB, files: {files}}}"
    record, found = captured(capture, base=base)
    (kept,) = record.captures
    assert getattr(kept, which) > 0
    assert len(found) == len(kept.all_files) == files
    assert sum(len(content.frames) for content in found.values()) == kept.packets
    (lacking,) = kept.lacks
    assert lacking.startswith(f"{getattr(kept, which)} packets ")


def test_wireshark_shows_hosts_by_name(tmp_path: Path) -> None:
    if shutil.which("tshark") is None:
        pytest.skip("no tshark")
    trial = plan_of(tmp_path, more="capture: [tracker]\n").trials[0]
    _, folder = perform(trial, tmp_path)
    words = ["tshark", "-N", "n", "-T", "fields", "-e", "_ws.col.Source", "-r", folder / "tracker.pcapng.gz"]
    shown = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    assert set(shown) == {"server", "tracker", "p1", "p2", "p3"}


def test_killed_capture_costs_the_trial(as_user: AsUser) -> None:
    def body() -> list[Path]:
        with tempfile.TemporaryDirectory() as name:
            trial = plan_of(Path(name), base=SLOW, more="capture: [servers]\n").trials[0]
            kill = Once(1.0, lambda: os.kill(program_with_file("server.pcapng"), signal.SIGKILL))
            with pytest.raises(TrialError, match="the capture on server ended early"):
                perform(trial, Path(name), kill)
            return list((Path(name) / "trials").iterdir())

    assert as_user(body) == []
