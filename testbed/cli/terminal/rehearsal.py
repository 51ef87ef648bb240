"""What a trial in virtual time led to, in at most 80 columns."""

from collections.abc import Iterator, Mapping, Sequence
from statistics import mean
from typing import Final

from testbed.cli.terminal.layout import format_table
from testbed.experiment.plan.trials import Trial
from testbed.tasks.rehearsal import Ended, Failed, Participant
from testbed.tasks.task import LeastTime

_MOST_LISTED: Final = 50
"""Participants that are listed one by one; the groups of more are still summed up."""
_NONE: Final = "-"
_WIDTH: Final = 80


def result_lines(ended: Ended, trial: Trial) -> list[str]:
    """Return the result, a table of the groups, and a table of the participants."""
    groups = _group_table(ended.participants, trial.participants)
    listed = _participant_table(ended.participants) if len(ended.participants) <= _MOST_LISTED else ""
    return ["", _result(ended, trial), "", groups, *(["", listed] if listed else [])]


def failure_lines(failed: Failed) -> list[str]:
    """Return who failed and why, and the lines that led there, the innermost last."""
    who, when = f"{failed.who} ({failed.group})", f"after {failed.now:.2f} s"
    if not failed.who:
        who, when = "a strategy", f"{when} or later"
    return [f"testbed: {who} failed {when}: {failed.problem}", *_code(failed)]


def _code(failed: Failed) -> Iterator[str]:
    for line in failed.lines:
        yield f"testbed:   {line.place}"
        if line.text:
            yield f"testbed:     {line.text}"


def _result(ended: Ended, trial: Trial) -> str:
    completion = ended.completion_s
    if completion is None:
        complete = sum(each.completed is not None for each in ended.participants)
        noun = trial.participants
        return f"{ended.stopped} after {ended.now:.2f} s: {complete} of {len(ended.participants)} {noun} complete"
    return f"{ended.stopped} after {completion:.2f} s{_against_theory(completion, trial.least_time)}"


def _against_theory(seconds: float, least: LeastTime | None) -> str:
    return "" if least is None else f", {seconds / least.seconds:.3f} times the {least.name} ({least.seconds:.2f} s)"


def _group_table(participants: Sequence[Participant], noun: str) -> str:
    names = dict.fromkeys(each.group for each in participants)
    rows = [_group_row(name, [each for each in participants if each.group == name]) for name in names]
    return format_table(["group", noun, "complete", "first s", "mean s", "last s"], rows)


def _group_row(name: str, members: Sequence[Participant]) -> list[str]:
    times = [each.completed for each in members if each.completed is not None]
    of_times = [_seconds(of(times)) if times else _NONE for of in (min, mean, max)]
    return [name, str(len(members)), str(len(times)), *of_times]


def _participant_table(participants: Sequence[Participant]) -> str:
    """List participants; columns in which all are alike, as nobody came late or lacks anything, are left out."""
    columns = {
        "peer": [each.name for each in participants],
        "group": [each.group for each in participants],
        "joined": [_seconds(each.joined) for each in participants],
        "complete": [_NONE if each.completed is None else _seconds(each.completed) for each in participants],
        "has": [f"{each.share:.0%}" for each in participants],
        "received": [_megabytes(each.received) for each in participants],
        "sent": [_megabytes(each.sent) for each in participants],
    }
    usual = {"joined": {"0.00"}, "has": {"100%"}}
    lines = _table({name: cells for name, cells in columns.items() if set(cells) != usual.get(name)})
    if any(each.left for each in participants):
        room = _WIDTH - max(map(len, lines))
        left = ["left", *(each.left or _NONE for each in participants)]
        lines = [f"{line}  {_shortened(text, max(room - 2, 4))}" for line, text in zip(_even(lines), left, strict=True)]
    return "\n".join(lines)


def _table(columns: Mapping[str, Sequence[str]]) -> list[str]:
    return format_table(list(columns), list(zip(*columns.values(), strict=True))).splitlines()


def _even(lines: Sequence[str]) -> list[str]:
    return [line.ljust(max(map(len, lines))) for line in lines]


def _shortened(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 3]}..."


def _seconds(value: float) -> str:
    return f"{value:.2f}"


def _megabytes(value: int) -> str:
    return f"{value / 1e6:.1f} MB"
