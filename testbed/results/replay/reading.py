"""A trial's traces, read once more for its replay: this time the events themselves, and not their sums."""

import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from contract.encoding import HEADER, make_event, parse, time_and_kind
from contract.events import BlockMoved, BlockRequested, RequestEnded
from testbed.experiment import Trial
from testbed.results.replay.history import FOLLOWED, Timed, history_of
from testbed.results.replay.searches import SearchReplay
from testbed.results.replay.swarm import Replay
from testbed.runfolder.damage import DamageError
from testbed.runfolder.record import HostRecord, read_record
from testbed.runfolder.trace_lines import trace_lines
from testbed.tasks.tables import TABLES

_OF_BLOCKS: Final = re.compile(
    "|".join(f'^{{"t":[0-9.]+,"event":"{kind.event}"' for kind in (BlockMoved, BlockRequested, RequestEnded)).encode()
)
"""Nine of ten lines of a full trace, which are not worth parsing here."""


def read_replay(folder: Path, trial: Trial) -> Replay | SearchReplay:
    """Read the replay of a trial from its folder: of what its task has; a DamageError names what is unusable."""
    tables = TABLES[trial.settings.task]
    searches = tables.searches(folder, trial)
    if searches is not None:
        return SearchReplay(trial.id, read_record(folder, trial).seconds, searches)
    return read_swarm(folder, trial, traced=tables.traced_roles)


def read_swarm(folder: Path, trial: Trial, *, traced: Collection[str]) -> Replay:
    """Read who gave what to whom, from the traces of hosts of some roles."""
    record = read_record(folder, trial)
    hosts = tuple(_in_group(host, record.trial) for host in record.of_role(*traced))
    histories = {
        host.name: history_of(_events(folder / host.trace, host, record.t0)) for host in hosts if host.trace is not None
    }
    return Replay(trial.id, record.seconds, hosts, histories)


def _in_group(host: HostRecord, trial: Trial) -> HostRecord:
    """Return a host with its group, which records of earlier versions leave to the plan."""
    return host.model_copy(update={"group": host.group or trial.hosts.groups.get(host.name)})


def size_of_traces(folder: Path) -> int:
    """Return how many bytes the traces of a trial take, compressed as they are; 0 if there are none."""
    try:
        return sum(file.stat(follow_symlinks=False).st_size for file in folder.glob("*.jsonl.gz"))
    except OSError:
        return 0


def _events(file: Path, host: HostRecord, t0: float) -> Iterator[Timed]:
    """Yield the events of a trace; of a program that was killed, the last line may be torn."""
    try:
        for line in trace_lines(file):
            if line.endswith(b"\n") or host.ended_well:
                yield from _event(line, t0)
    except DamageError as error:
        raise DamageError(file, f"cannot be replayed: it {error.damage.what}") from error
    except (TypeError, ValueError) as error:
        raise DamageError(file, f"cannot be replayed: {error}") from error


def _event(line: bytes, t0: float) -> Iterator[Timed]:
    if _OF_BLOCKS.match(line):
        return
    entries = parse(line)
    if entries.get("event") == HEADER:
        return
    t, kind = time_and_kind(entries)
    if kind in FOLLOWED:
        yield t - t0, make_event(kind, entries)
