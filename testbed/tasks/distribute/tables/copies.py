"""How many copies of each piece were in a swarm, second by second."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from testbed.results.observations import Observed
from testbed.runfolder.counters import Numbers
from testbed.runfolder.traces import HostTrace, InitialPieces

Indices: TypeAlias = NDArray[np.int64]


@dataclass(slots=True)
class Holding:
    """What one host has: pieces by their index, and how many more it has that no trace names."""

    named: set[int] = field(default_factory=set)
    unnamed: int = 0

    @property
    def count(self) -> int:
        """How many pieces these are."""
        return len(self.named) + self.unnamed


@dataclass(frozen=True, slots=True)
class Change:
    """Copies that came or went at one time."""

    t: float
    pieces: Indices
    by: int
    unnamed: int = 0
    """Copies of pieces that no trace names, which came or went too."""


@dataclass(frozen=True, slots=True)
class Copies:
    """At each time: copies of the rarest piece, and of a piece on average, among the hosts that were there.

    The rarest is nan while a host is there that has pieces which no trace names.
    """

    rarest: Numbers
    mean: Numbers


class UnknownPiecesError(Exception):
    """How many pieces a host had cannot be told from its trace."""


def copies_at(observed: Observed, times: Numbers) -> Copies:
    """Count copies at some times, in order; nan throughout where the traces do not tell which pieces hosts had."""
    unknown = np.full(len(times), np.nan)
    if observed.trial.settings.distribution != "bittorrent" or observed.trial.settings.trace_level == "summary":
        return Copies(unknown, unknown)
    try:
        changes = sorted(_all_changes(observed), key=lambda change: change.t)
    except UnknownPiecesError:
        return Copies(unknown, unknown)
    return _counted(changes, times, max(_piece_counts(observed), default=0))


def _piece_counts(observed: Observed) -> Iterator[int]:
    for trace in observed.traces.values():
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
        rarest[k] = np.nan if unnamed else counts.min()
        mean[k] = counts.mean() + unnamed / len(counts)
    return Copies(rarest, mean)


def _all_changes(observed: Observed) -> Iterator[Change]:
    for host in (*observed.servers, *observed.peers):
        trace = observed.traces.get(host)
        if trace is None:
            raise UnknownPiecesError(host)
        deaths = [] if observed.host(host).ended_well or trace.has_left else [trace.last]
        yield from _changes(trace, deaths)


def _changes(trace: HostTrace, deaths: list[float]) -> Iterator[Change]:
    """Follow one host: what it holds comes with it, grows by its pieces, and goes with it."""
    holds = Holding()
    for t, what in _history(trace, deaths):
        if isinstance(what, InitialPieces):
            holds = _held(what, holds, trace)
            yield Change(t, _indices(holds.named), 1, holds.unnamed)
        elif what is None:
            yield Change(t, _indices(holds.named), -1, -holds.unnamed)
        elif what not in holds.named:
            holds.named.add(what)
            yield Change(t, np.array([what]), 1)


def _history(trace: HostTrace, deaths: list[float]) -> list[tuple[float, InitialPieces | int | None]]:
    """Return what happened to one host's pieces: lives that began, pieces that were completed, lives that ended."""
    openings = [(opening.t, opening) for opening in trace.initial_pieces]
    departures = [(t, None) for t in (*trace.leave_times, *deaths)]
    return sorted([*openings, *trace.pieces, *departures], key=itemgetter(0))


def _held(opening: InitialPieces, before: Holding, trace: HostTrace) -> Holding:
    """Return what a host begins a life with: all, or what it had when it left, or what it held at first."""
    if opening.have_count == opening.piece_count:
        return Holding(set(range(opening.piece_count)))
    return before if opening.have_count == before.count else _held_at_first(opening, trace)


def _held_at_first(opening: InitialPieces, trace: HostTrace) -> Holding:
    """A host that completed the file held what it did not get; of another one, only how much it held is known."""
    got = {index for _, index in trace.pieces}
    never_got = opening.piece_count - len(got)
    if opening.have_count > never_got:
        raise UnknownPiecesError(f"{opening.have_count} pieces at first, and all but {never_got} came later")
    if opening.have_count < never_got:
        return Holding(unnamed=opening.have_count)
    return Holding(set(range(opening.piece_count)) - got)


def _indices(pieces: set[int]) -> Indices:
    return np.fromiter(pieces, dtype=np.int64, count=len(pieces))
