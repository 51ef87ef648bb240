"""The audit of a trial: its folder is read, one host after the other."""

from pathlib import Path

from testbed.audit.findings import Findings
from testbed.audit.hosts import audit_host
from testbed.audit.seen import Gathering
from testbed.audit.traced import TracedHost, TraceLineError, read_traced
from testbed.audit.witness import Witness
from testbed.runfolder.captures import addresses_of, capture_of, open_captures
from testbed.runfolder.clock import wall_clock_at_start
from testbed.runfolder.damage import DamageError
from testbed.runfolder.record import AuditRecord, HostRecord, TrialRecord
from testbed.runfolder.trace_lines import trace_lines
from testbed.values.captures import WHOLE

INTRODUCERS = ("tracker", "bootstrap")
"""The roles of those that are no part of the swarm, and have no connections of it."""
MOST_EXAMPLES = 10
"""Disagreements that the record of a trial names."""
NO_TRACE = "it writes no trace"
NO_CAPTURE = "its packets were not captured"
OTHER_TASK = "its trace tells of searches, and captures of messages"
TELLS_LITTLE = "it is another client, whose trace has no messages"
OURS = ("ours", None)
"""What records call our programs; None in old ones."""


def audit_trial(folder: Path, record: TrialRecord) -> Findings:
    """Compare the trace of each host with the capture of its own interface; a DamageError names what is unusable."""
    origin = wall_clock_at_start(folder, record)
    total = Findings()
    for host in record.hosts:
        if host.role in INTRODUCERS:
            continue
        if not record.trial.settings.can_be_audited:
            total.left_out[host.name] = OTHER_TASK
        elif host.trace is None or origin is None:
            total.left_out[host.name] = NO_TRACE
        elif capture_of(record, host.name) is None:
            total.left_out[host.name] = NO_CAPTURE
        elif host.application not in OURS:
            total.left_out[host.name] = TELLS_LITTLE
        else:
            total.add(_audit(folder, record, host, host.trace, origin))
    return total


def _audit(folder: Path, record: TrialRecord, host: HostRecord, trace: str, origin: float) -> Findings:
    traced = _read_trace(folder / trace, record, host)
    captures = open_captures(folder, record, [host.name])
    own = capture_of(record, host.name)
    gathering = Gathering(round(origin * 1e9))
    total = Findings()
    for capture in captures.opened:
        for message in capture.reading.messages():
            gathering.take(message)
        witness = Witness(
            addresses=addresses_of(record, host.name),
            level=_level(record),
            was_killed=not host.ended_well,
            is_lacking=own is not None and (bool(own.lacks) or own.missed is None or len(own.all_files) > 1),
            is_cut=own is not None and own.snaplen is not None and own.snaplen < WHOLE,
            trackers=frozenset(each.address for each in record.of_role("tracker")),
            origin=origin,
        )
        total.add(audit_host(traced, witness, gathering.connections(capture.reading.connections)))
    return total


def _level(record: TrialRecord) -> str:
    """Return how much traces say: only those of BitTorrent have pieces and requests."""
    settings = record.trial.settings
    return settings.trace_level if settings.exchanges_pieces else ""


def _read_trace(file: Path, record: TrialRecord, host: HostRecord) -> TracedHost:
    try:
        return read_traced(host.name, trace_lines(file), record.t0, may_be_torn=not host.ended_well)
    except TraceLineError as error:
        raise DamageError(file, f"is not a line of a trace: {error}", error.line) from error


def as_record(findings: Findings) -> AuditRecord:
    """Return what a trial's record keeps of its audit."""
    return AuditRecord(
        agree=findings.compared,
        explained=dict(findings.explained),
        disagreements=findings.disagreeing,
        examples=tuple(f"{each.host}: {each.what}" for each in findings.disagreements[:MOST_EXAMPLES]),
        left_out=findings.left_out,
    )
