"""Bits that flip and files that are cut short: files with a checksum never give a wrong number, others no traceback."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.errors import ExplainedError
from testbed.results import report
from tests.runfolder.runs import GOLDEN, golden, write_run, write_trial

COMPRESSED = ["server.jsonl.gz", "p1.jsonl.gz", "p2.jsonl.gz", "counters.csv.gz"]
"""Each has a checksum."""
TEXTS = ["trial.json", "plan.json", "provenance.json", "experiment.yaml"]
TABLES = ["trials.csv", "peers.csv", "groups.csv", "transfers.csv"]
PLACES = st.floats(0, 1, exclude_max=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of one trial, with its tables."""
    folder = tmp_path_factory.mktemp("whole")
    plan = write_run(folder, GOLDEN)
    write_trial(folder, plan.trials[0], golden())
    (folder / "provenance.json").write_text('{"sessions": []}')
    assert report(folder).damages == ()
    return folder


@contextmanager
def copy_of(run: Path) -> Iterator[Path]:
    with TemporaryDirectory() as name:
        yield Path(shutil.copytree(run, name, dirs_exist_ok=True))


def find(run: Path, name: str) -> Path:
    (file,) = [*run.glob(name), *run.glob(f"trials/*/{name}")]
    return file


def tables(run: Path) -> dict[str, bytes]:
    return {name: (run / name).read_bytes() for name in TABLES}


def flip(file: Path, place: float, bit: int) -> None:
    data = bytearray(file.read_bytes())
    data[int(place * len(data))] ^= 1 << bit
    file.write_bytes(data)


@given(st.sampled_from(COMPRESSED), PLACES, st.integers(0, 7))
@settings(max_examples=20)
def test_flipped_bit_is_found_or_changes_no_table(whole: Path, name: str, place: float, bit: int) -> None:
    with copy_of(whole) as run:
        flip(find(run, name), place, bit)
        made = report(run)
        assert (tables(run) == tables(whole)) == (made.damages == ())
        assert [damage.file.name for damage in made.damages] in ([], [name])


@given(st.sampled_from([*COMPRESSED, "trial.json"]), PLACES)
@settings(max_examples=15)
def test_cut_file_is_found(whole: Path, name: str, place: float) -> None:
    with copy_of(whole) as run:
        file = find(run, name)
        file.write_bytes(file.read_bytes()[: int(place * file.stat().st_size)])
        assert [damage.file.name for damage in report(run).damages] == [name]


@given(st.sampled_from(TEXTS), PLACES, st.integers(0, 7))
@settings(max_examples=20)
def test_flipped_bit_in_a_text_causes_no_traceback(whole: Path, name: str, place: float, bit: int) -> None:
    with copy_of(whole) as run:
        flip(find(run, name), place, bit)
        with suppress(ExplainedError):
            report(run)
