"""The copies of each piece in a swarm, second by second."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from contract.programs import PIECES
from testbed.runfolder.counters import Numbers
from testbed.runfolder.traces import HostTrace, InitialPieces
from testbed.runfolder.trial_data import TrialData
from testbed.tasks.distribute.tables.hosts import peer_names, server_names

Indices: TypeAlias = NDArray[np.int64]


@dataclass(slots=True)
class HeldPieces:
    """The pieces of one host: those with a known index, and the number of the others."""

    named: set[int] = field(default_factory=set)
    unnamed: int = 0

    @property
    def count(self) -> int:
        """The number of all its pieces."""
        return len(self.named) + self.unnamed


@dataclass(frozen=True, slots=True)
class Change:
    """Copies added (`by` 1) or removed (`by` -1) at one time."""

    t: float
    pieces: Indices
    by: int
    unnamed: int = 0
    """The change in copies of pieces whose index is unknown."""


@dataclass(frozen=True, slots=True)
class Copies:
    """At each time, the copies of the rarest piece and the mean over all pieces, among the hosts in the swarm.

    The rarest is nan while a host is there whose pieces are not all known.
    """

    rarest: Numbers
    mean: Numbers


class UnknownPiecesError(Exception):
    """The trace of a host does not say which pieces it had."""


def copies_at(data: TrialData, times: Numbers) -> Copies:
    """Count copies at some times, in order; nan throughout if the traces do not say which pieces hosts had."""
    unknown = np.full(len(times), np.nan)
    if not data.knows_pieces:
        return Copies(unknown, unknown)
    try:
        changes = sorted(_all_changes(data), key=lambda change: change.t)
    except UnknownPiecesError:
        return Copies(unknown, unknown)
    return _counted(changes, times, max(_piece_counts(data), default=0))


def _piece_counts(data: TrialData) -> Iterator[int]:
    for trace in data.traces.values():
        for opening in trace.initial_pieces:
            yield opening.piece_count


def _counted(changes: list[Change], times: Numbers, piece_count: int) -> Copies:
    counts = np.zeros(max(piece_count, 1), dtype=np.int64)
    rarest, mean = np.zeros(len(times)), np.zeros(len(times))
    done = unnamed = 0
    for k, t in enumerate(times):
        while done < len(changes) and changes[done].t <= t:
            counts[changes[done].pieces] += changes[done].by
            unnamed += changes[done].unnamed
            done += 1
        rarest[k] = np.nan if unnamed else np.min(counts)
        mean[k] = counts.mean() + unnamed / len(counts)
    return Copies(rarest, mean)


def _all_changes(data: TrialData) -> Iterator[Change]:
    for host in (*server_names(data), *peer_names(data)):
        trace = data.traces.get(host)
        if trace is None or not _tells_pieces(trace):
            raise UnknownPiecesError(host)
        deaths = [] if data.host(host).ended_well or trace.has_left else [trace.last]
        yield from _changes(trace, deaths)


def _tells_pieces(trace: HostTrace) -> bool:
    """Whether the trace says which pieces the host had: what it had from the beginning is known anyway."""
    return PIECES not in trace.untold or all(each.have_count == each.piece_count for each in trace.initial_pieces)


def _changes(trace: HostTrace, deaths: list[float]) -> Iterator[Change]:
    """Yield the changes by one host: its pieces come with it, grow in number, and leave with it."""
    holds = HeldPieces()
    for t, what in _history(trace, deaths):
        if isinstance(what, InitialPieces):
            holds = _pieces_at_start(what, holds, trace)
            yield Change(t, _indices(holds.named), 1, holds.unnamed)
        elif what is None:
            yield Change(t, _indices(holds.named), -1, -holds.unnamed)
        elif what not in holds.named:
            holds.named.add(what)
            yield Change(t, np.array([what]), 1)


def _history(trace: HostTrace, deaths: list[float]) -> list[tuple[float, InitialPieces | int | None]]:
    """Return in time order the starts of a host's lives, its completed pieces, and the ends of its lives (None)."""
    openings = [(opening.t, opening) for opening in trace.initial_pieces]
    departures = [(t, None) for t in (*trace.leave_times, *deaths)]
    return sorted([*openings, *trace.pieces, *departures], key=itemgetter(0))


def _pieces_at_start(opening: InitialPieces, before: HeldPieces, trace: HostTrace) -> HeldPieces:
    """Return the pieces at the start of a life: all, or those of the life before, or its first ones."""
    if opening.have_count == opening.piece_count:
        return HeldPieces(set(range(opening.piece_count)))
    return before if opening.have_count == before.count else _first_pieces(opening, trace)


def _first_pieces(opening: InitialPieces, trace: HostTrace) -> HeldPieces:
    """Return the pieces at the first start: those that a complete host never received; of others, their number."""
    got = {index for _, index in trace.pieces}
    never_got = opening.piece_count - len(got)
    if opening.have_count > never_got:
        raise UnknownPiecesError(f"{opening.have_count} pieces at first, and all but {never_got} came later")
    if opening.have_count < never_got:
        return HeldPieces(unnamed=opening.have_count)
    return HeldPieces(set(range(opening.piece_count)) - got)


def _indices(pieces: set[int]) -> Indices:
    return np.fromiter(pieces, dtype=np.int64, count=len(pieces))
