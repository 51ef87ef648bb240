"""What a trial said about itself: `trial.json`, typed. Keys that a later version adds are passed over."""

from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from testbed.experiment import Trial
from testbed.runfolder.damage import DamageError

RECORD: Final = "trial.json"
VERSION: Final = 1
OTHER_VERSION: Final = "report with the version of the testbed that ran it, which provenance.json names"


class Entry(BaseModel):
    """A part of the record."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class HostRecord(Entry):
    """A host, and how its application ended; what was planned for it stands in the plan."""

    name: str
    role: Literal["server", "peer", "tracker"]
    address: str
    exit_code: int | None = None
    signal: int | str | None = None
    why: str | None = None
    """Why it ended, if not well."""
    trace: str | None = None
    """The name of its trace; None for an application that writes none."""

    @property
    def ended_well(self) -> bool:
        """Whether the application had the time to finish its trace."""
        return self.why is None and self.signal is None


class LinkRecord(Entry):
    """One direction of a link: what was asked of it, and what it gave while it was busy (bit/s)."""

    host: str
    direction: str
    """`up` or `down`; another word for links between cores."""
    asked: float | None = None
    measured: float | None = None
    """The mean; None if it never was busy."""
    fastest: float | None = None
    """Of one busy second."""
    busy_s: float = 0.0


class Fidelity(Entry):
    """How far the emulated network kept its promise."""

    verdict: Literal["valid", "suspect"]
    reasons: tuple[str, ...] = ()
    lowest_idle_cpu: float | None = None
    worst_lateness_ms: float | None = None
    loop_lateness_ms: float | None = None
    run_delay_ms_per_s: float | None = None
    psi_cpu: float | None = None
    core_drops: int | None = None


class TrialRecord(Entry):
    """One trial. `t0` and `end` are of CLOCK_MONOTONIC, as the times in traces are."""

    version: Literal[1]
    id: str
    trial: Trial
    t0: float
    end: float
    stopped: str
    hosts: tuple[HostRecord, ...]
    links: tuple[LinkRecord, ...] = ()
    fidelity: Fidelity

    @property
    def seconds(self) -> float:
        """How long it was watched."""
        return self.end - self.t0

    def of_role(self, *roles: str) -> tuple[HostRecord, ...]:
        """The hosts that play one of these parts."""
        return tuple(host for host in self.hosts if host.role in roles)


def read_record(folder: Path, planned: Trial) -> TrialRecord:
    """Read a trial's record, which must be of the trial that was planned."""
    file = folder / RECORD
    try:
        record = TrialRecord.model_validate_json(file.read_bytes())
    except FileNotFoundError as error:
        raise DamageError(file, "is missing") from error
    except ValidationError as error:
        raise DamageError(file, _refusal(error)) from error
    if record.trial != planned:
        raise DamageError(file, f"is of another trial than {planned.id} in plan.json")
    _check_hosts(file, record)
    return record


def _refusal(error: ValidationError) -> str:
    """Say why a record cannot be used; what another version wrote is in order, and for another version to read."""
    by_place = {".".join(map(str, each["loc"])): each for each in error.errors()}
    if "version" in by_place and isinstance(version := by_place["version"]["input"], int):
        return f"is of version {version}, and this testbed reads version {VERSION}: {OTHER_VERSION}"
    place, first = next(iter(by_place.items()))
    return f"cannot be used: {f'{place}: ' if place else ''}{first['msg']}"


def _check_hosts(file: Path, record: TrialRecord) -> None:
    """Every host that was planned is there, or what is missing would not be missed."""
    hosts = record.trial.hosts
    planned = {host.name for host in (*hosts.servers, *hosts.peers)}
    there = {host.name for host in record.of_role("server", "peer")}
    if planned != there:
        raise DamageError(file, f"has other hosts than plan.json: {', '.join(sorted(planned ^ there))}")
