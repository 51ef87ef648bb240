"""What a command over captures reads: a file, or the captures of one trial of a run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from contract.wording import counted
from testbed.cli.runs.naming import run_named
from testbed.cli.terminal.complaints import complain
from testbed.errors import ExplainedError
from testbed.experiment.plan.naming import trial_named
from testbed.experiment.plan.trials import Trial
from testbed.runfolder.captures import Captures, OpenCapture, Sighting, host_names, open_captures
from testbed.runfolder.clock import wall_clock_at_start
from testbed.runfolder.folder import RunFolder
from testbed.runfolder.record import TrialRecord, read_record
from testbed.values.findings import did_you_mean
from testbed.wiretap import read_capture
from testbed.wiretap.messages import Endpoint, Losses

_SUFFIXES: Final = (".pcap", ".pcapng", ".cap", ".gz")
_LOSSES: Final[Mapping[str, tuple[str, str]]] = {
    "packets": ("packet", "{} cut or damaged before the end of the headers"),
    "fragments": ("fragment", "{} of IP packets not joined"),
    "missing_bytes": ("byte", "{} of streams in no packet of the capture"),
    "cut_messages": ("message", "{} of which a part was cut off"),
    "unreadable_bytes": ("byte", "{} of streams not told apart as messages, or part of none"),
    "unread_bytes": ("byte", "{} at the end of the file, no whole packet"),
    "connections": ("packet", "{} of connections beyond the number that is followed"),
}
"""By kind of loss: what is counted, and what is wrong with it, in words that hold for one and for many."""


@dataclass
class Source:
    """Captures, and what is known of the hosts in them."""

    title: str
    captures: Captures
    groups: Mapping[str, str]
    """By host: its group, or its role if it is in none."""
    origin: int | None
    """t = 0 in nanoseconds since 1970; None for the first packet of a connection."""
    host: str | None
    """The only host that is asked for."""
    length: float | None = None
    """Of the trial, in seconds."""

    def messages(self) -> Iterator[Sighting]:
        """Yield the messages, those of one host if only one is asked for."""
        for sighting in self.captures.messages():
            if self.origin is None:
                self.origin = min(each.began for opened in self.captures.opened for each in opened.reading.connections)
            message = sighting.message
            if self.host is None or self.host in self._known_as(message.source, message.destination):
                yield sighting

    def concerns(self, one: Endpoint, other: Endpoint) -> bool:
        """Return whether a connection is one of the host that is asked for."""
        return self.host is None or self.host in self._known_as(one, other)

    def _known_as(self, *ends: Endpoint) -> set[str]:
        return {name for end in ends for name in (end.address, self.captures.name(end))}

    def seconds(self, time: int) -> float:
        """Return a time in seconds after t = 0."""
        return (time - (self.origin or 0)) / 1e9

    def name(self, end: Endpoint) -> str:
        """Return the host of an address; address and port if it is of none."""
        return self.captures.names.get(end.address) or f"{end.address}:{end.port}"

    @property
    def losses(self) -> Losses:
        """What could not be read, of all files together."""
        total = Losses()
        for opened in self.captures.opened:
            for name in _LOSSES:
                setattr(total, name, getattr(total, name) + getattr(opened.reading.losses, name))
        return total

    @property
    def packets(self) -> int:
        """How many packets were read."""
        return sum(opened.reading.packets for opened in self.captures.opened)

    def complain(self) -> int:
        """Tell what could not be read; returns 1 if a file is damaged, else 0."""
        for line in lost(self.losses):
            complain(line)
        damages = [opened.reading.damage for opened in self.captures.opened if opened.reading.damage]
        for damage in damages:
            complain(damage)
        return int(bool(damages))


def lost(losses: Losses) -> Iterator[str]:
    """Yield a line for each kind of loss."""
    for name, (noun, words) in _LOSSES.items():
        if count := getattr(losses, name):
            yield words.format(counted(count, noun))


def open_source(target: Path, runs: Path, trial: str | None, host: str | None) -> Source:
    """Open a capture file, or the captures of a run's trial."""
    if target.is_file():
        if trial is not None:
            raise ExplainedError(f"{target} is a file, which has no trials: leave out --trial, or name a run")
        return _of_file(target, host)
    if target.name.endswith(_SUFFIXES):
        raise ExplainedError(f"{target}: no such file")
    run = RunFolder.open(run_named(target, runs))
    return _of_trial(run, _chosen(run, trial), host)


def _of_file(file: Path, host: str | None) -> Source:
    reading = read_capture(file)
    captures = Captures([OpenCapture(file.name, is_host=False, reading=reading)], reading.names)
    return Source(str(file), captures, {}, None, host)


def _chosen(run: RunFolder, named: str | None) -> Trial:
    complete = run.complete()
    if named is not None:
        trial = trial_named(run.plan, named)
        if trial not in complete:
            raise ExplainedError(
                f"{run.path} has no result of {trial.id}: `testbed run` with the experiment measures it"
            )
        return trial
    if not complete:
        raise ExplainedError(f"{run.path} has no complete trial: run the experiment first")
    if len(complete) > 1:
        number = 1 + run.plan.trials.index(complete[0])
        raise ExplainedError(
            f"{run.path} has {len(complete)} trials: name one of them by its number or a part of its id, such as"
            f" `--trial {number}` for {complete[0].id}"
        )
    return complete[0]


def _of_trial(run: RunFolder, trial: Trial, host: str | None) -> Source:
    folder = run.folder_of(trial)
    record = read_record(folder, trial)
    if not record.captures:
        raise ExplainedError(
            f"{trial.id} has no captures: write `capture: all` in the experiment file, and run it again"
        )
    names = host_names(record)
    if host is not None and host not in {*names, *names.values()}:
        hint = did_you_mean(host, sorted(set(names.values())))
        raise ExplainedError(f"there is no host {host!r} in {trial.id}{hint}: {_listed(record)}")
    wanted = names.get(host or "", host)
    has_own = any(each.place == "host" and each.host == wanted for each in record.captures)
    captures = open_captures(folder, record, [wanted] if has_own and wanted else [])
    start = wall_clock_at_start(folder, record)
    return Source(
        title=f"{trial.id} of {run.path.name}",
        captures=captures,
        groups={each.name: each.group or each.role for each in record.hosts},
        origin=None if start is None else round(start * 1e9),
        host=wanted,
        length=record.seconds,
    )


def _listed(record: TrialRecord) -> str:
    names = [each.name for each in record.hosts]
    return f"its hosts are {', '.join(names[:20])}{', ...' if len(names) > 20 else ''}"
