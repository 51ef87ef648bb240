"""`testbed compare`: the differences between runs of one experiment, with an exit status for CI."""

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from testbed.cli.results.comparison_text import in_short
from testbed.cli.results.report import extra_explained
from testbed.cli.terminal.as_json import print_json
from testbed.cli.terminal.complaints import complain
from testbed.cli.terminal.layout import line_width
from testbed.cli.terminal.output import print_csv
from testbed.errors import ExplainedError

if TYPE_CHECKING:
    from testbed.results.comparison import Comparison, Request

_MARGIN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(%?)")


@dataclass(frozen=True)
class CompareOptions:
    """What the command line asks for."""

    by: str | None
    measures: Sequence[str]
    margin: str
    fail_if: Sequence[str]
    fail_if_undecided: bool
    with_suspect: bool
    unpaired: bool
    html: Path | None
    as_csv: bool
    as_json: bool


def compare_runs(paths: Sequence[Path], options: CompareOptions) -> int:
    """Compare runs and print what is found; 1 if a condition of `--fail-if` says so."""
    with extra_explained():
        from testbed.results.comparison import compare
        from testbed.results.comparison.telling import complaints
    if options.fail_if_undecided and not options.fail_if:
        raise ExplainedError("--fail-if-undecided is about the conditions of --fail-if, and there is none")
    made = compare(paths, _request(options))
    _print(made, options)
    for line in complaints(made):
        complain(line)
    return int(made.fails)


def _request(options: CompareOptions) -> "Request":
    from testbed.results.comparison import Guard, Pairing, Request

    return Request(
        by=options.by,
        measures=options.measures,
        margin=_margin(options.margin),
        pairing=Pairing(with_suspect=options.with_suspect, unpaired=options.unpaired),
        guards=[Guard.read(text) for text in options.fail_if],
        fails_if_undecided=options.fail_if_undecided,
    )


def _margin(text: str) -> float:
    found = _MARGIN.fullmatch(text.strip())
    if found is None:
        raise ExplainedError(f"--margin {text!r} is no share: write it as 5% or 0.05")
    return float(found[1]) / (100 if found[2] else 1)


def _print(made: "Comparison", options: CompareOptions) -> None:
    from testbed.results.comparison.records import as_record, rows

    if options.html is not None:
        from testbed.results.comparison.page import page

        options.html.write_text(page(made), encoding="utf-8")
    if options.as_json:
        print_json(as_record(made))
    elif options.as_csv:
        print_csv(list(rows(made)))
    else:
        print("\n".join(in_short(made, line_width(sys.stdout))))
