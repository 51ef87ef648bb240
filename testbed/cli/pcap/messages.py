"""`testbed pcap messages`: each message of a capture on a line, as it is read."""

import csv as csvlib
import json as jsonlib
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final, TextIO

from testbed.cli.pcap.rows import COLUMNS, in_words, object_of, row_of
from testbed.cli.pcap.source import Source, open_source
from testbed.cli.terminal.complaints import complain
from testbed.cli.terminal.layout import line_width
from testbed.cli.terminal.pipes import reader_may_leave
from testbed.errors import ExplainedError
from testbed.runfolder.captures import Sighting
from testbed.values.findings import did_you_mean

KINDS: Final = (
    *("handshake", "keep-alive", "choke", "unchoke", "interested", "not interested", "have", "bitfield", "request"),
    *("piece", "cancel", "port", "suggest piece", "have all", "have none", "reject request", "allowed fast"),
    *("extended", "announce", "announce answer", "scrape", "scrape answer", "connect", "connect answer", "error"),
    *("http request", "http answer"),
)
"""The messages that have a name; any other one is `unknown N`."""
STANDARD_OUTPUT: Final = Path("-")
_WIDEST_ADDRESS: Final = len("198.18.255.255:65535")


@dataclass(frozen=True)
class Wanted:
    """Which messages, and in which form."""

    trial: str | None = None
    host: str | None = None
    kinds: Sequence[str] = ()
    csv: Path | None = None
    parquet: Path | None = None
    json: bool = False


def show_messages(target: Path, runs: Path, wanted: Wanted) -> int:
    """Print the messages; returns the exit status."""
    if sum((wanted.csv is not None, wanted.parquet is not None, wanted.json)) > 1:
        raise ExplainedError("--csv, --parquet and --json are forms of the same messages: use only one of them")
    kinds = known_kinds(wanted.kinds)
    source = open_source(target, runs, wanted.trial, wanted.host)
    counted = _Counted(each for each in source.messages() if not kinds or each.message.kind in kinds)
    with reader_may_leave():
        _write(counted, source, wanted)
    if not counted.number:
        complain(f"there is no such message in {source.title}")
    return source.complain()


class _Counted:
    """Counts what passes."""

    def __init__(self, sightings: Iterable[Sighting]) -> None:
        self._sightings: Final = sightings
        self.number = 0

    def __iter__(self) -> Iterator[Sighting]:
        for sighting in self._sightings:
            self.number += 1
            yield sighting


def known_kinds(words: Sequence[str]) -> frozenset[str]:
    """Return the kinds that the user names, with - or _ for spaces."""
    found = set()
    for word in words:
        kind = word if word in KINDS else word.replace("_", " ").replace("-", " ")
        if kind not in KINDS and not (kind.startswith("unknown ") and kind[8:].isdecimal()):
            hint = did_you_mean(word, KINDS)
            raise ExplainedError(f"there is no message {word!r}{hint}: they are {', '.join(KINDS)}, and `unknown N`")
        found.add(kind)
    return frozenset(found)


def _write(sightings: Iterable[Sighting], source: Source, wanted: Wanted) -> None:
    if wanted.parquet is not None:
        _write_parquet(sightings, source, wanted.parquet)
    elif wanted.json:
        for each in sightings:
            print(jsonlib.dumps(object_of(each, source), separators=(",", ":")))
    elif wanted.csv is not None:
        with _text_file(wanted.csv) as file:
            _write_csv(file, (row_of(each, source) for each in sightings))
    else:
        _print_table(sightings, source)


def _write_csv(file: TextIO, rows: Iterable[Mapping[str, Any]]) -> None:
    writer = csvlib.DictWriter(file, list(COLUMNS), lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow(row)


@contextmanager
def _text_file(path: Path) -> Iterator[TextIO]:
    """A file to write, which gets its name when it is whole; `-` is standard output."""
    if path == STANDARD_OUTPUT:
        yield sys.stdout
        return
    with _whole(path) as part, part.open("w", encoding="utf-8", newline="") as file:
        yield file


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink()


def _write_parquet(sightings: Iterable[Sighting], source: Source, path: Path) -> None:
    from testbed.results.parquet import write_rows

    with _whole(path) as part:
        write_rows(part, COLUMNS, (row_of(each, source) for each in sightings))


def _print_table(sightings: Iterable[Sighting], source: Source) -> None:
    """Print lines as they come: the widths of the columns are known before, from the names of the hosts."""
    rest = iter(sightings)
    first = next(rest, None)
    if first is None:
        return
    names = [*source.captures.names.values()]
    widest = max([len(name) for name in names], default=_WIDEST_ADDRESS)
    line = _line_maker(max(widest, len("from")), line_width(sys.stdout))
    print(line(("t (s)", "packet", "from", "to", "message")))
    for each in chain([first], rest):
        message = each.message
        time = f"{source.seconds(message.time):.6f}"
        ends = (source.name(message.source), source.name(message.destination))
        print(line((time, str(message.packet), *ends, in_words(message))))


def _line_maker(widest: int, width: int | None) -> Callable[[Sequence[str]], str]:
    def line(cells: Sequence[str]) -> str:
        time, packet, sender, receiver, what = cells
        text = f"{time:>12}  {packet:>7}  {sender:{widest}}  {receiver:{widest}}  {what}".rstrip()
        return text if width is None or len(text) <= width else f"{text[: width - 3]}..."

    return line
