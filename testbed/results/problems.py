"""What is wrong with a run, in sentences: trials that are damaged, missing, suspect or failed, and undrawn figures."""

from collections.abc import Iterator
from typing import Final

from testbed.results.made import Report

_MOST_LINES: Final = 60


def problems(made: Report, *, is_running: bool = False) -> Iterator[str]:
    """Yield a line for each problem: trials that are damaged, missing or suspect, and figures that cannot be drawn."""
    yield from map(str, made.damages)
    if made.damages:
        yield "damaged trials are not used: remove their folders and run the experiment again"
    planned = len(made.run.plan.trials)
    if made.run.missing():
        missing, advice = "missing", "run the experiment again to complete them"
        if is_running:
            missing, advice = "still to come", "these numbers will change"
        yield f"{len(made.run.missing())} of {planned} trials are {missing}: {advice}"
    if suspect := int((made.tables.trials["verdict"] == "suspect").sum()):
        use = "used" if made.with_suspect else "excluded from summary, figures and expectations"
        yield (
            f"{suspect} of {planned} trials are suspect, and {use}; trials.csv has the reasons,"
            " and `testbed run --redo-suspect` measures them again"
        )
    if made.failed:
        yield (
            f"{len(made.failed)} of {planned} trials failed, and {'is' if len(made.failed) == 1 else 'are'} never used:"
            " mend the program, or see `testbed run --redo-failed`"
        )
        yield from made.failed[:_MOST_LINES]
    yield from made.complaints
    if len(made.tables.trials):
        yield from made.undrawn
    yield from made.notes
