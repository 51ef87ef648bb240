"""`testbed audit`: compare the traces of a run with its captures."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from contract.wording import counted
from testbed.audit.findings import KINDS, Count, Disagreement, Findings, Quantiles, joined, quantiles
from testbed.audit.trials import audit_trial
from testbed.cli.runs.naming import run_named
from testbed.cli.terminal.as_json import print_json
from testbed.cli.terminal.complaints import complain
from testbed.cli.terminal.layout import Column, format_table, line_width, wrapped
from testbed.cli.terminal.output import decimal
from testbed.cli.terminal.pipes import reader_may_leave
from testbed.errors import ExplainedError
from testbed.experiment import Trial
from testbed.experiment.plan.naming import trial_named
from testbed.runfolder.captures import capture_of
from testbed.runfolder.folder import RunFolder
from testbed.runfolder.record import TrialRecord, read_record

_MOST_LISTED: Final = 40
_COUNTS: Final = (Column(""), Column("in traces"), Column("in captures"), Column("agree"), Column("explained"))
_HEADER: Final = (*_COUNTS, Column("disagree"))
_DIFFERENCES: Final = (
    Column("difference (ms)"),
    Column("count", 1),
    Column("5 %"),
    Column("median"),
    Column("95 %"),
    Column("least"),
    Column("most"),
)


def show_audit(run: Path, runs: Path, trials: Sequence[str], *, json: bool) -> int:
    """Audit trials of a run, and print what was found; returns 1 if anything is unexplained, else 0."""
    folder = RunFolder.open(run_named(run, runs))
    found: dict[str, Findings] = {}
    with reader_may_leave():
        for trial in _chosen(folder, trials):
            record = read_record(folder.folder_of(trial), trial)
            found[trial.id] = findings = audit_trial(folder.folder_of(trial), record)
            if not json:
                print("\n".join(_lines(folder, trial, findings, line_width(sys.stdout))), flush=True)
        if json:
            print_json({"agrees": _agree(found), "trials": [_plain(name, each) for name, each in found.items()]})
        elif len(found) > 1:
            print(f"\n{_outcome(joined(found.values()))}, in {len(found)} trials")
    return 0 if _agree(found) else 1


def _agree(found: Mapping[str, Findings]) -> bool:
    return all(findings.agrees for findings in found.values())


def _chosen(folder: RunFolder, named: Sequence[str]) -> Iterator[Trial]:
    """Yield the trials that are named, or all that have traces and captures of one host; without any, explain."""
    complete = folder.complete()
    wanted = [trial_named(folder.plan, name) for name in named]
    for trial in wanted:
        if trial not in complete:
            raise ExplainedError(f"{folder.path} has no result of {trial.id}: run the experiment first")
        if not _auditable(read_record(folder.folder_of(trial), trial)):
            raise ExplainedError(_advice(trial.id))
    able = wanted or [each for each in complete if _auditable(read_record(folder.folder_of(each), each))]
    if not able:
        raise ExplainedError(_advice(str(folder.path)))
    if not wanted and len(able) < len(complete):
        lacking = len(complete) - len(able)
        have, are = ("has", "is") if lacking == 1 else ("have", "are")
        complain(f"{lacking} of {len(complete)} trials {have} no captures of hosts, and {are} left out")
    yield from able


def _auditable(record: TrialRecord) -> bool:
    return any(host.trace is not None and capture_of(record, host.name) is not None for host in record.hosts)


def _advice(what: str) -> str:
    return (
        f"{what} has no captures of hosts to compare the traces with: write"
        " `capture: {hosts: all, snaplen: full}` in the experiment file, and run it again"
    )


def _lines(folder: RunFolder, trial: Trial, findings: Findings, width: int | None) -> Iterator[str]:
    number = 1 + [each.id for each in folder.plan.trials].index(trial.id)
    yield wrapped(f"trial {number} of {len(folder.plan.trials)}, {trial.id}: {_outcome(findings)}", width)
    yield format_table(_HEADER, [_row(kind, findings.counts[kind]) for kind in KINDS if kind in findings.counts], width)
    differences = {
        "received: trace after packet": quantiles(findings.received),
        "sent: packet after trace": quantiles(findings.sent),
        "piece: trace after last block": quantiles(findings.verified),
    }
    if rows := [_quantile_row(name, each) for name, each in differences.items() if each is not None]:
        yield format_table(_DIFFERENCES, rows, width)
    for reason, count in findings.explained.most_common():
        yield wrapped(f"explained {counted(count, 'time')}: {reason}", width)
    for host, why in findings.left_out.items():
        yield wrapped(f"{host} is left out: {why}", width)
    yield from (wrapped(_told(each), width) for each in findings.disagreements[:_MOST_LISTED])
    if (more := findings.disagreeing - _MOST_LISTED) > 0 or findings.more:
        hidden = max(more, findings.more.total())
        yield f"... and {counted(hidden, 'more disagreement')} (--json lists those of each kind)"


def _outcome(findings: Findings) -> str:
    explained = findings.explained.total()
    agree = f"{findings.compared} agree, {explained} differences are explained"
    return f"{agree}, nothing disagrees" if findings.agrees else f"{agree}, {findings.disagreeing} disagree"


def _row(kind: str, count: Count) -> list[str]:
    numbers = (count.traced, count.seen, count.agree, count.explained, count.disagree)
    return [kind, *map(str, numbers)]


def _quantile_row(name: str, found: Quantiles) -> list[str]:
    values = (found.low, found.median, found.high, found.least, found.most)
    return [name, str(found.number), *(decimal(1000 * value, 3) for value in values)]


def _told(found: Disagreement) -> str:
    """Write a disagreement with its two places: `p3 4.512 s trace:117 packet 2031: ...`."""
    places = [
        *([f"trace line {found.line}"] if found.line is not None else []),
        *([f"packet {found.packet}"] if found.packet is not None else []),
    ]
    return f"{found.host} at {found.t:.3f} s ({', '.join(places) or 'no line'}): {found.what}"


def _plain(name: str, findings: Findings) -> dict[str, Any]:
    return {
        "trial": name,
        "agrees": findings.agrees,
        "counts": {kind: _fields(count) for kind, count in findings.counts.items()},
        "explained": dict(findings.explained),
        "differences_s": {
            "received": _quantiles(findings.received),
            "sent": _quantiles(findings.sent),
            "piece": _quantiles(findings.verified),
        },
        "disagreements": [each._asdict() for each in findings.disagreements],
        "more_disagreements": dict(findings.more),
        "left_out": findings.left_out,
    }


def _fields(count: Count) -> dict[str, int]:
    return {name: getattr(count, name) for name in ("traced", "seen", "agree", "explained", "disagree")}


def _quantiles(differences: Sequence[float]) -> dict[str, float] | None:
    found = quantiles(differences)
    return None if found is None else found._asdict()
