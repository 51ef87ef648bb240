"""A trial's folder while it is written: hidden beside its final name, and renamed when it is complete.

docs/runs.md lists the files.
"""

import csv
import gzip
import io
import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from testbed.runfolder.handles import opened_own

COUNTERS: Final = "counters.csv.gz"
MACHINE: Final = "machine.csv.gz"
_LEVEL: Final = 5
_COPIED_AT_A_TIME: Final = 1 << 20


@contextmanager
def unfinished_folder(trials: Path, trial_id: str) -> Iterator[Path]:
    """An empty hidden folder for a trial, by a path that this process and its forks can use.

    At the end it gets the trial's name, and the owner of the run; after an error it is removed.
    """
    hidden = f".{trial_id}.part"
    with opened_own(trials.parent) as run, run.own_subfolder(trials.name) as folder:
        folder.remove(hidden)
        with folder.new_folder(hidden, trial_id) as inside:
            yield inside


def as_json(content: object) -> str:
    """Return JSON that people can read too."""
    return json.dumps(content, indent=1) + "\n"


def write_json(path: Path, content: object) -> None:
    """Write JSON that people can read too."""
    path.write_text(as_json(content), encoding="utf-8")


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a compressed CSV file."""
    with _compressed(path) as packed, io.TextIOWrapper(packed, encoding="utf-8", newline="") as text:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def compress(source: Path, folder: Path) -> str:
    """Compress a file into a folder, and return its name there."""
    target = folder / f"{source.name}.gz"
    with source.open("rb") as plain, _compressed(target) as packed:
        shutil.copyfileobj(plain, packed, _COPIED_AT_A_TIME)
    return target.name


@contextmanager
def _compressed(path: Path) -> Iterator[gzip.GzipFile]:
    """A compressed file whose bytes depend on its content alone."""
    with (
        path.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=_LEVEL, mtime=0) as packed,
    ):
        yield packed
