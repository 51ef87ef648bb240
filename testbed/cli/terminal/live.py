"""The last lines of a terminal, which are drawn again and again, and what they show of a trial."""

import mmap
from collections.abc import Iterator
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.control import Control
from rich.progress_bar import ProgressBar
from rich.segment import ControlType, Segment, Segments
from rich.table import Table
from rich.text import Text

from testbed.cli.terminal.output import in_words
from testbed.cli.terminal.run_progress import RunProgress, mean_of, traffic
from testbed.trial.events import Progress

_BAR_WIDTH: Final = 40
_PEERS_SHOWN: Final = 8
_GROUPS_SHOWN: Final = 8


class LiveLines:
    """Lines below all others, which can be replaced.

    Their number is in memory that forked processes share: what a process has drawn, its parent can erase, also if that
    process was killed.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._drawn = mmap.mmap(-1, 1)

    def draw(self, content: RenderableType) -> None:
        """Replace the lines."""
        with self._console:  # shown at once, so that nothing flickers
            self.erase()
            self._console.show_cursor(False)
            lines = self._console.render_lines(content, pad=False)[: min(self._console.height - 1, 255)]
            for line in lines:
                self._console.print(Segments([*line, Segment.line()]), end="")
            self._drawn[0] = len(lines)

    def erase(self) -> None:
        """Remove the lines."""
        count, self._drawn[0] = self._drawn[0], 0
        if count:
            erased = [(ControlType.CURSOR_UP, 1), (ControlType.ERASE_IN_LINE, 2)] * count
            # The terminal itself shows ^C on the line below.
            self._console.control(Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2), *erased))
            self._console.show_cursor(True)


def screen(run: RunProgress, event: Progress) -> RenderableType:
    """Show the state of the current trial."""
    fidelity = "; ".join(event.reasons) or "ok so far"
    stopping = "stopping after this trial; press Ctrl-C again to stop now and discard it"
    return Group(
        Text(run.title(), style="bold"),
        Text(_duration(run, event)),
        _bars(run, event),
        Text(run.participants(event)),
        Text(traffic(event)),
        Text(f"fidelity: {fidelity}", style="yellow" if event.reasons else ""),
        Text(run.left()),
        *([Text(stopping, style="yellow")] if event.is_last else []),
    )


def _duration(run: RunProgress, event: Progress) -> str:
    """Say how long the trial runs, and when it ends."""
    limit = "" if run.trial is None else f", or after {in_words(run.trial.settings.time_limit)} (`time_limit:`)"
    end = f"{run.trial.steps} have ended" if run.trial and event.steps else f"{run.noun} are complete"
    return f"{event.seconds:.0f} s; ends when all {end}{limit}"


def _bars(run: RunProgress, event: Progress) -> RenderableType:
    table = Table.grid(padding=(0, 1))
    for name, share in _rows(run, event):
        bar = ProgressBar(total=1.0, completed=share, width=_BAR_WIDTH)
        table.add_row(Text(name, overflow="ellipsis", no_wrap=True), bar, Text(f"{share:.0%}"))
    return table


def _rows(run: RunProgress, event: Progress) -> Iterator[tuple[str, float]]:
    """Yield the progress of all participants together, and of each one, or of each group where there are many."""
    groups = run.by_group(event)
    yield "all", mean_of(event.progress)
    if len(event.progress) <= _PEERS_SHOWN:
        for name, share in event.progress.items():
            yield (name if len(groups) == 1 else f"{name} {run.group_of(name)}"), share
        return
    for group, shares in list(groups.items())[:_GROUPS_SHOWN]:
        yield f"{group} ({len(shares)})", sum(shares) / len(shares)
