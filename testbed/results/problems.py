"""What is wrong with a run, in sentences: trials that are damaged, missing, suspect or failed, and undrawn figures."""

from collections.abc import Iterator
from typing import Final

from contract.wording import counted, one_or_many
from testbed.results.made import Report

_MOST_LINES: Final = 60


def problems(made: Report, *, is_running: bool = False) -> Iterator[str]:
    """Yield a line for each problem: trials that are damaged, missing or suspect, and figures that cannot be drawn."""
    yield from map(str, made.damages)
    if made.damages:
        yield "damaged trials are not used: remove their folders and run the experiment again"
    trials = counted(len(made.run.plan.trials), "trial")
    if made.run.missing():
        missing = len(made.run.missing())
        are, them = ("is", "it") if missing == 1 else ("are", "them")
        if is_running:
            yield f"{missing} of {trials} {are} still to come: these numbers will change"
        else:
            yield f"{missing} of {trials} {are} missing: run the experiment again to complete {them}"
    if suspect := int((made.tables.trials["verdict"] == "suspect").sum()):
        use = "used" if made.with_suspect else "excluded from summary, figures and expectations"
        are, them = ("is", "it") if suspect == 1 else ("are", "them")
        yield (
            f"{suspect} of {trials} {are} suspect, and {use}; trials.csv has the reasons,"
            f" and `testbed run --redo-suspect` measures {them} again"
        )
    if made.failed:
        yield (
            f"{len(made.failed)} of {trials} failed, and {one_or_many(len(made.failed), 'is', 'are')} never used:"
            " mend the program, or see `testbed run --redo-failed`"
        )
        yield from made.failed[:_MOST_LINES]
    yield from made.complaints
    if len(made.tables.trials):
        yield from made.undrawn
    yield from made.notes
