"""The tables that `testbed report` makes of two old runs, of which only the tables' sources are kept.

An archive has a run's plan and its trials' records, traces and counters, uncompressed, with the names of that time.
"""

import csv
import gzip
import io
import json
import subprocess
import tarfile
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from benchmarks.behaviour.output import Output
from benchmarks.behaviour.project import (
    ADDED_COLUMNS,
    COUNTERS,
    PLAN,
    RECORD,
    RENAMED_COLUMNS,
    RENAMED_FACTS,
    RENAMED_FIELDS,
    SUMMARY,
    TESTBED,
    TRACES,
)
from benchmarks.behaviour.renaming import is_in, new_line, new_name, new_value, old_name

DATA: Final = Path(__file__).parent / "data"
_KEPT: Final = (PLAN, f"trials/*/{RECORD}", f"trials/*/{TRACES}", f"trials/*/{COUNTERS}", f"suspect/*/{RECORD}")
_PACKED: Final = ".gz"


def reported() -> Iterator[Output]:
    """Yield the printed report of each run, and its tables."""
    for archive in sorted(DATA.glob("*.tar.xz")):
        name = archive.name.removesuffix(".tar.xz")
        with tempfile.TemporaryDirectory() as folder:
            run = Path(folder, name)
            unpack(archive, run)
            yield Output.of_text(f"report {name}", _report(run))
            for file in sorted(run.glob("*.csv")):
                yield _table(f"table {name}/{file.stem}", file.stem, file.read_text())


def _report(run: Path) -> str:
    """Run the report, and return its output and exit status."""
    made = subprocess.run([TESTBED, "report", run], capture_output=True, text=True, check=False)
    said = f"{made.stdout}\n{made.stderr}\nexit status {made.returncode}\n"
    return said.replace(str(run), "RUN")


def _table(name: str, table: str, text: str) -> Output:
    """Split a table into columns; the summary by its measures, each of which is a column of another table."""
    header, *rows = csv.reader(io.StringIO(text))
    here = [k for k, column in enumerate(header) if not is_in(ADDED_COLUMNS, column, table)]
    columns = [old_name(RENAMED_COLUMNS, header[k], table) for k in here]
    cells = [[row[k] for k in here] for row in rows]
    if table == SUMMARY:
        parts = _by_measure(columns, cells)
    else:
        parts = {column: "\n".join(row[k] for row in cells) for k, column in enumerate(columns)}
    return Output(name, "".join(",".join(row) + "\n" for row in [columns, *cells]), parts)


def _by_measure(columns: list[str], rows: Iterable[list[str]]) -> Mapping[str, str]:
    where = columns.index("measure")
    parts: dict[str, list[str]] = {}
    for row in rows:
        if not is_in(ADDED_COLUMNS, row[where]):
            measure = old_name(RENAMED_COLUMNS, row[where])
            parts.setdefault(measure, [",".join(columns)]).append(",".join([*row[:where], *row[where + 1 :]]))
    return {measure: "\n".join(lines) for measure, lines in parts.items()}


def pack(run: Path, name: str) -> Path:
    """Write an archive with the parts of a run from which its tables are made."""
    archive = DATA / f"{name}.tar.xz"
    with tarfile.open(archive, "w:xz", preset=9) as packed:
        for file in sorted(file for pattern in _KEPT for file in run.glob(pattern)):
            content = file.read_bytes()
            plain = gzip.decompress(content) if file.suffix == _PACKED else content
            entry = tarfile.TarInfo(str(file.relative_to(run)).removesuffix(_PACKED))
            entry.size = len(plain)
            packed.addfile(entry, io.BytesIO(plain))
    return archive


def unpack(archive: Path, run: Path) -> None:
    """Restore the run folder as the current testbed would have written it."""
    with tarfile.open(archive) as packed:
        for entry in packed:
            content = packed.extractfile(entry)
            assert content is not None
            _write(run / entry.name, _in_new_names(entry.name, content.read().decode()))


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.suffix == ".json":
        file.write_text(text)
    else:
        file.with_name(file.name + _PACKED).write_bytes(gzip.compress(text.encode(), mtime=0))


def _in_new_names(name: str, text: str) -> str:
    if not (RENAMED_FACTS or RENAMED_FIELDS):
        return text
    if name.endswith(".json"):
        return json.dumps(new_value(json.loads(text)), indent=1) + "\n"
    if name.endswith(".csv"):
        header, rows = text.split("\n", 1)
        return ",".join(new_name(RENAMED_FIELDS, column, "counters") for column in header.split(",")) + "\n" + rows
    lines = (new_line(json.loads(line)) for line in text.splitlines())
    return "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
