"""The record of a trial, `trial.json`: the one model by which it is written and read.

Keys that a later version adds are ignored, and keys that an earlier version did not write are optional.
"""

import json
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, ValidationError

from contract.wording import counted
from testbed.experiment import Trial
from testbed.runfolder.damage import DamageError
from testbed.runfolder.handles import IN_TRIAL, read_file
from testbed.runfolder.trial_folder import write_json

RECORD: Final = "trial.json"
VERSION: Final = 1
OTHER_VERSION: Final = "report with the version of the testbed that ran it, which provenance.json names"

Verdict: TypeAlias = Literal["valid", "suspect", "failed"]
"""`failed`: a program did not do what it should; `suspect`: the machine disturbed the emulation; else `valid`."""
MOST_NAMED: Final = 3
"""The most programs that the reasons of a verdict name."""


class Entry(BaseModel):
    """A part of the record."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class HostRecord(Entry):
    """A host, what was asked of it, and how its application ended."""

    name: str
    role: str
    address: str
    up: int | float | None = None
    down: int | float | None = None
    strategy: dict[str, Any] | None = None
    profile: str | None = None
    application: str | None = None
    program: str | None = None
    """Its name and version, as its trace has them."""
    group: str | None = None
    arrival_s: float | None = None
    exit_code: int | None = None
    signal: int | str | None = None
    why: str | None = None
    """Why it ended, if it did not end as it should."""
    failed: bool | None = None
    """Whether that was a fault of the program; None in records of version 0.1."""
    cpu_s: float | None = None
    """The processor time that it took from its start to its end, with all that it started."""
    complaint: str | None = None
    """The end of its standard error."""
    trace: str | None = None
    """The name of its trace; None for an application that writes none."""

    @property
    def has_failed(self) -> bool:
        """Whether its program crashed, never started, or ended when it should not have."""
        return bool(self.exit_code) or self.signal is not None if self.failed is None else self.failed

    @property
    def ended_well(self) -> bool:
        """Whether the application had the time to finish its trace."""
        return self.why is None and self.signal is None


LONG_BUSY_SECONDS: Final = 5.0
"""A link that was busy for less may never have had a whole second of data, so its rate says little."""


class LinkRecord(Entry):
    """One direction of a link: what was asked of it, and what it gave while it was busy (bit/s)."""

    host: str
    direction: str
    """`up` or `down`; `trunk` between cores."""
    asked: int | float | None = None
    measured: int | float | None = None
    """The mean; None if it never was busy."""
    fastest: int | float | None = None
    """Of one busy second."""
    busy_s: float = 0.0
    looks: int = 0
    """How often data was seen to wait in busy seconds."""
    bytes: int | None = None
    drops: int | None = None


class Fidelity(Entry):
    """The verdict on the emulation, its reasons, and the figures that it is based on."""

    verdict: Literal["valid", "suspect"]
    reasons: tuple[str, ...] = ()
    lowest_idle_cpu: float | None = None
    worst_lateness_ms: float | None = None
    loop_lateness_ms: float | None = None
    run_delay_ms_per_s: float | None = None
    psi_cpu: float | None = None
    core_drops: int | None = None
    limits: tuple[str, ...] = ()


class CaptureRecord(Entry):
    """The packets that were captured at one place. Records of version 0.1 have the first three fields."""

    host: str
    """The name of the host, or of the core."""
    file: str
    """The file, or the newest of them."""
    missed: int | None = None
    """Packets that the kernel had no room for; None where that is not known."""
    place: Literal["host", "core"] = "host"
    files: tuple[str, ...] = ()
    """All files, the oldest first."""
    interfaces: tuple[str, ...] = ()
    """Of a host, both directions are captured; of a core, what arrives."""
    filter: str = ""
    snaplen: int | None = None
    """The most bytes that were kept of a packet; None where that is not known."""
    packets: int | None = None
    """In the files."""
    beyond_limit: int = 0
    """Packets that came when the size limit was reached, and were not written."""
    removed: int = 0
    """Packets in older files, which were removed to make room."""
    cpu_s: float | None = None
    """Seconds of a processor that the program used; the kernel's work for it is partly done elsewhere."""
    program: str = ""
    """What captured."""

    @property
    def all_files(self) -> tuple[str, ...]:
        """All files, the oldest first."""
        return self.files or (self.file,)

    @property
    def lacks(self) -> tuple[str, ...]:
        """What is missing in the files, in words; empty if they are complete."""
        packets = {
            "that the kernel had no room for": self.missed,
            "that came after the size limit": self.beyond_limit,
            "in files that were removed": self.removed,
        }
        return tuple(f"{counted(count, 'packet')} {which}" for which, count in packets.items() if count)


class AuditRecord(Entry):
    """What the audit of the traces against the captures came to."""

    agree: int
    """How many events, bytes and pieces agree."""
    explained: dict[str, int] = {}
    """Differences by their reason."""
    disagreements: int = 0
    examples: tuple[str, ...] = ()
    """The first of them."""
    left_out: dict[str, str] = {}
    """The hosts that could not be audited, and why."""
    failed: str = ""
    """Why there is no outcome."""

    @property
    def outcome(self) -> str:
        """What tables say of it."""
        if self.failed:
            return f"failed: {self.failed}"
        if not self.agree and not self.disagreements:
            return "nothing to compare"
        if not self.disagreements:
            return "agrees"
        return counted(self.disagreements, "disagreement")


class TrialRecord(Entry):
    """One trial. `t0` and `end` are of CLOCK_MONOTONIC, as the times in traces are."""

    version: Literal[1]
    id: str
    trial: Trial
    t0: float
    end: float
    t0_unix: float | None = None
    """The wall clock at t0, in seconds since 1970; None in records of version 0.1."""
    stopped: str
    hosts: tuple[HostRecord, ...]
    links: tuple[LinkRecord, ...] = ()
    trunks: tuple[LinkRecord, ...] = ()
    """Links between cores."""
    fidelity: Fidelity
    captures: tuple[CaptureRecord, ...] = ()
    audit: AuditRecord | None = None
    """None unless `audit: true`. The verdict does not depend on it."""

    @property
    def verdict(self) -> Verdict:
        """Whether to trust the trial: no program failed, and the emulation was faithful."""
        return "failed" if self._failures else self.fidelity.verdict

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not to be trusted: which programs failed and how, then what disturbed the emulation."""
        failures = self._failures
        more = len(failures) - MOST_NAMED
        others = (f"and {counted(more, 'other program')} failed",) if more > 0 else ()
        return (*failures[:MOST_NAMED], *others, *self.fidelity.reasons)

    @property
    def _failures(self) -> list[str]:
        return [f"{host.name} {host.why or 'failed'}" for host in self.hosts if host.has_failed]

    @property
    def seconds(self) -> float:
        """The length of the trial, from t = 0 to its end."""
        return self.end - self.t0

    def of_role(self, *roles: str) -> tuple[HostRecord, ...]:
        """Return the hosts that have one of these roles."""
        return tuple(host for host in self.hosts if host.role in roles)


def write_record(folder: Path, record: TrialRecord) -> None:
    """Write a trial's record into its folder."""
    write_json(folder / RECORD, record.model_dump(mode="json"))


def read_record(folder: Path, planned: Trial) -> TrialRecord:
    """Read a trial's record; one of another trial than was planned is damage."""
    file = folder / RECORD
    try:
        record = TrialRecord.model_validate_json(read_file(file, IN_TRIAL))
    except FileNotFoundError as error:
        raise DamageError(file, "is missing") from error
    except ValidationError as error:
        raise DamageError(file, _refusal(error)) from error
    if record.trial != planned:
        raise DamageError(file, f"is of another trial than {planned.id} in plan.json")
    _check_hosts(file, record)
    return record


def read_trial_id(folder: Path) -> str:
    """Return which trial a folder holds, without reading the rest; raises DamageError where no record can be read."""
    file = folder / RECORD
    try:
        found = json.loads(read_file(file, IN_TRIAL))["id"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DamageError(file, "is not a readable record") from error
    return str(found)


def _refusal(error: ValidationError) -> str:
    """Say why a record cannot be used. A record of another version is in order, and that version can read it."""
    by_place = {".".join(map(str, each["loc"])): each for each in error.errors()}
    if "version" in by_place and isinstance(version := by_place["version"]["input"], int):
        return f"is of version {version}, and this testbed reads version {VERSION}: {OTHER_VERSION}"
    place, first = next(iter(by_place.items()))
    return f"cannot be used: {f'{place}: ' if place else ''}{first['msg']}"


def _check_hosts(file: Path, record: TrialRecord) -> None:
    """Refuse a record that lacks a planned host: its results would be missing without a sign of it."""
    planned = {host.name for host in record.trial.hosts.all}
    found = {host.name for host in record.hosts}
    if planned != found:
        raise DamageError(file, f"has other hosts than plan.json: {', '.join(sorted(planned ^ found))}")
