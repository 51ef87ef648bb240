"""Arriving files: compared or hashed, in any order, kept or not."""

import hashlib
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from peer.distribution.content import WrongContentError, arriving, open_whole
from peer.process.exit_status import ExitStatus, ProgramError

sha1 = partial(hashlib.sha1, usedforsecurity=False)
DATA = bytes(range(256)) * 4
PART = 100


def parts(order: list[int]) -> list[tuple[int, memoryview]]:
    return [(number * PART, memoryview(DATA)[number * PART : (number + 1) * PART]) for number in order]


@given(order=st.permutations(range(-(-len(DATA) // PART))))
def test_copy_is_hashed_in_any_order(tmp_path_factory: pytest.TempPathFactory, order: list[int]) -> None:
    to = tmp_path_factory.mktemp("copy") / "folder" / "file"
    with arriving(to=to, original=None, digest=sha1(DATA).digest()) as arrival:
        for offset, part in parts(order):
            arrival.arrived(offset, part)
        arrival.finish()
    assert to.read_bytes() == DATA


def test_wrong_byte_is_found(tmp_path: Path) -> None:
    (tmp_path / "original").write_bytes(DATA[:-1] + b"\0")
    with arriving(to=None, original=None, digest=sha1(DATA[:-1]).digest()) as arrival:
        arrival.arrived(0, memoryview(DATA))
        with pytest.raises(WrongContentError, match=f"the SHA-1 {sha1(DATA).hexdigest()}"):
            arrival.finish()
    with arriving(to=None, original=tmp_path / "original", digest=None) as arrival:
        arrival.arrived(0, memoryview(DATA)[:1000])
        with pytest.raises(WrongContentError, match="within bytes 1000 to 1023"):
            arrival.arrived(1000, memoryview(DATA)[1000:])


def test_restarted_file_is_hashed_anew() -> None:
    with arriving(to=None, original=None, digest=sha1(DATA).digest()) as arrival:
        arrival.arrived(0, memoryview(DATA)[:10])
        arrival.restart()
        arrival.arrived(0, memoryview(DATA))
        arrival.finish()


@pytest.mark.parametrize(
    ("name", "length", "problem"),
    [
        ("missing", None, "No such file"),
        ("empty", None, "expected at least 1 byte, found 0"),
        ("file", 5, "expected 5 bytes, found 1024"),
        ("folder", None, "expected a file, found a folder"),
    ],
)
def test_unusable_file_is_reported(tmp_path: Path, name: str, length: int | None, problem: str) -> None:
    (tmp_path / "empty").touch()
    (tmp_path / "file").write_bytes(DATA)
    (tmp_path / "folder").mkdir()
    with pytest.raises(ProgramError) as ended:
        open_whole(tmp_path / name, length)
    assert problem in str(ended.value)
    assert str(tmp_path / name) in str(ended.value)
    assert ended.value.status == ExitStatus.NO_DATA


def test_without_copy_parts_must_be_in_order() -> None:
    with arriving(to=None, original=None, digest=bytes(20)) as arrival:
        arrival.arrived(10, memoryview(DATA)[10:])
        with pytest.raises(ValueError, match="out of order"):
            arrival.arrived(0, memoryview(DATA)[:10])
