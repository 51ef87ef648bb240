"""Compare what the programs do with a record of what they did, for changes that must not change behaviour.

    .venv/bin/python -m benchmarks.behaviour record --keep DIR      before the change: digests here, whole texts in DIR
    .venv/bin/python -m benchmarks.behaviour check --against DIR    after it: shows what differs, with lines from DIR
    .venv/bin/python -m benchmarks.behaviour check --only swarm plan

Compares the traces of 40 swarms in virtual time, the plans of all experiments, and the tables and printed reports of
two runs. Titles and questions of experiments are not compared. project.py lists names that were changed on purpose.
Reports have bootstrap intervals: record and check with the same versions of numpy and scipy. Exit status 1 if anything
differs.
"""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import unified_diff
from itertools import islice
from pathlib import Path
from typing import Final

from benchmarks.behaviour.output import Output
from benchmarks.behaviour.plans import planned
from benchmarks.behaviour.project import DROPPED_COLUMNS
from benchmarks.behaviour.renaming import is_in
from benchmarks.behaviour.swarms import profile_headers, swarm_traces
from benchmarks.behaviour.tables import pack, reported

RECORDED: Final = Path(__file__).parent / "recorded.json"
KINDS: Final = ("swarm", "profile", "ids", "plan", "report", "table")
MOST_LINES: Final = 12
MOST_CHARACTERS: Final = 200

Record = Mapping[str, Mapping[str, str]]


def outputs(kinds: Sequence[str]) -> Iterator[Output]:
    """Yield all outputs of these kinds."""
    sources = {"swarm": swarm_traces, "profile": profile_headers, "plan": planned, "table": reported}
    beside = {"plan": {"plan", "ids"}, "table": {"table", "report"}}
    for kind, source in sources.items():
        if beside.get(kind, {kind}) & set(kinds):
            yield from (output for output in source() if output.name.partition(" ")[0] in kinds)


def record(keep: Path | None) -> int:
    """Record the digests of all outputs."""
    found: dict[str, Mapping[str, str]] = {}
    for output in outputs(KINDS):
        found[output.name] = output.digests
        if keep is not None:
            keep_text(keep, output)
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(digests)}" for name, digests in found.items())
    RECORDED.write_text(f"{{\n{lines}\n}}\n")
    print(f"{len(found)} outputs recorded")
    return 0


def keep_text(folder: Path, output: Output) -> None:
    """Keep the whole text of an output, to be compared line by line."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / output.file_name).write_text(output.text)


def check(kinds: Sequence[str], against: Path | None, keep: Path | None) -> int:
    """Print what differs from the record; return the exit status."""
    recorded: Record = json.loads(RECORDED.read_text())
    expected = {name: parts for name, parts in recorded.items() if name.partition(" ")[0] in kinds}
    wrong, seen = 0, set()
    for output in outputs(kinds):
        seen.add(output.name)
        if keep is not None:
            keep_text(keep, output)
        if difference := compared(output, expected.get(output.name)):
            wrong += 1
            print(f"{output.name}: {difference}")
            print("".join(lines_that_differ(output, against)), end="")
    for name in (gone := sorted(expected.keys() - seen)):
        print(f"{name}: is missing")
    wrong += len(gone)
    print(f"{wrong} of {len(expected | dict.fromkeys(seen))} outputs differ")
    return 1 if wrong else 0


def compared(output: Output, recorded: Mapping[str, str] | None) -> str:
    """Return how an output differs from the record; "" if it does not."""
    if recorded is None:
        return "was not recorded"
    table = output.name.rpartition("/")[2]
    before = {part: digest for part, digest in recorded.items() if not is_in(DROPPED_COLUMNS, part, table)}
    now = output.digests
    if list(before.items()) == list(now.items()):
        return ""
    return "; ".join(_parts_that_differ(before, now)) or "the order of columns differs"


def _parts_that_differ(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    changes = {
        "differs": [part for part in before if part in now and before[part] != now[part]],
        "is new": [part for part in now if part not in before],
        "is gone": [part for part in before if part not in now],
    }
    yield from (f"{', '.join(parts)} {how}" for how, parts in changes.items() if parts)


def lines_that_differ(output: Output, against: Path | None) -> Iterator[str]:
    """Yield the first lines of a diff from the earlier text."""
    if against is None:
        return
    file = against / output.file_name
    before = file.read_text() if file.exists() else ""
    for line in islice(_diff(before.splitlines(), output.text.splitlines()), MOST_LINES):
        yield f"    {line[:MOST_CHARACTERS]}\n"


def _diff(before: Sequence[str], now: Sequence[str]) -> Iterable[str]:
    """Compare from just before the first line that differs, as a trace is too long for a whole diff."""
    pairs = enumerate(zip(before, now, strict=False))
    first = next((k for k, (old, new) in pairs if old != new), min(len(before), len(now)))
    begin = max(0, first - 1)
    yield f"from line {begin + 1}:"
    diff = unified_diff(before[begin : begin + 200], now[begin : begin + 200], "before", "now", n=1, lineterm="")
    yield from islice(diff, 3, None)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    recording = commands.add_parser("record", help="record what the programs do now")
    checking = commands.add_parser("check", help="show what differs from the record")
    for command in (recording, checking):
        command.add_argument("--keep", type=Path, metavar="DIR", help="write whole texts to this folder")
    checking.add_argument(
        "--against", type=Path, metavar="DIR", help="folder with earlier texts, to show lines that differ"
    )
    checking.add_argument("--only", nargs="+", choices=KINDS, default=KINDS, metavar="KIND", help=", ".join(KINDS))
    packing = commands.add_parser("pack", help="pack a run folder, so that its tables are compared")
    packing.add_argument("run", type=Path)
    packing.add_argument("name")
    chosen = parser.parse_args()
    if chosen.command == "record":
        return record(chosen.keep)
    if chosen.command == "pack":
        print(pack(chosen.run, chosen.name))
        return 0
    return check(chosen.only, chosen.against, chosen.keep)


if __name__ == "__main__":
    sys.exit(main())
