"""When nodes come and go: drawn before a trial begins."""

from collections.abc import Iterator
from math import log
from random import Random
from typing import Final

from testbed.tasks.find.plan.records import Session
from testbed.tasks.find.schema.keys import Exponential, Pareto, Sessions, Span
from testbed.values.draws import Draws
from testbed.values.hosts import CsvColumn

LEAST_SECONDS: Final = 0.1
"""Drawn sessions and pauses that are shorter take this long, so that nobody comes and goes without end."""


def draw_sessions(sessions: Sessions | None, arrival: float, until: float, draws: Draws, name: str) -> list[Session]:
    """Draw the sessions of a node that begin before `until`; the first begins at its arrival."""
    if sessions is None:
        return [(arrival, None)]
    lengths = _spans(sessions.length, "length", draws, name)
    pauses = iter(()) if sessions.pause is None else _spans(sessions.pause, "pause", draws, name)
    return list(_alternating(arrival, until, lengths, pauses))


def _alternating(join: float, until: float, lengths: Iterator[float], pauses: Iterator[float]) -> Iterator[Session]:
    for length in lengths:
        yield round(join, 6), round(join + length, 6)
        pause = next(pauses, None)
        if pause is None or join + length + pause >= until:
            return
        join += length + pause


def _spans(span: Span, key: str, draws: Draws, name: str) -> Iterator[float]:
    """Yield times without end."""
    stream = draws.stream("nodes", name, "sessions", key)
    while True:
        yield max(LEAST_SECONDS, _drawn(span, key, draws, stream))


def _drawn(span: Span, key: str, draws: Draws, stream: Random) -> float:
    match span:
        case Exponential():
            return stream.expovariate(log(2) / span.exponential)
        case Pareto():
            tail = span.pareto
            return float(tail.median * (2.0 * (1.0 - stream.random())) ** (-1.0 / tail.shape))
        case CsvColumn():
            values = draws.columns[span.csv, span.column or key]
            return values[stream.randrange(len(values))]
        case float():
            return span
