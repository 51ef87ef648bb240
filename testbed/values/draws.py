"""Random draws that are made before a trial begins.

Each draw has its own stream, named after what is drawn, so that a change of one value of an experiment leaves all other
draws as they were. The k-th host of a group takes the k-th value of a stream, so a group that grows keeps its hosts.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from math import log
from random import Random
from typing import TypeAlias

from testbed.values.hosts import (
    Arrival,
    At,
    Choice,
    CsvColumn,
    Lognormal,
    Poisson,
    Rates,
    Uniform,
    UniformArrival,
)
from testbed.values.quantities import nearest_rate

ColumnName: TypeAlias = tuple[str, str]
"""A CSV file as the experiment names it, and a heading."""
Columns: TypeAlias = Mapping[ColumnName, tuple[float, ...]]


@dataclass(frozen=True)
class Draws:
    """The random streams of one trial, and the columns of files from which rows are drawn."""

    seed: int
    columns: Columns

    def stream(self, *names: object) -> Random:
        """Return a new generator at the beginning of the stream of this name."""
        return Random("/".join(map(str, (self.seed, *names))))

    def number(self, *names: object) -> int:
        """Return a number of 32 bits, to be used as a seed."""
        return self.stream(*names).getrandbits(32)


def draw_rates(rates: Rates, count: int, draws: Draws, group: str, key: str) -> list[int]:
    stream = draws.stream(group, key)
    match rates:
        case int():
            return [rates] * count
        case list():
            return list(rates)
        case Choice():
            return stream.choices(list(rates.choice), list(rates.choice.values()), k=count)
        case Uniform():
            least, most = rates.uniform.least, rates.uniform.most
            return [nearest_rate(stream.uniform(least, most)) for _ in range(count)]
        case Lognormal():
            middle, sigma = log(rates.lognormal.median), rates.lognormal.sigma
            return [nearest_rate(stream.lognormvariate(middle, sigma)) for _ in range(count)]
        case CsvColumn():
            return _rows(rates, count, draws, group, key)


def _rows(table: CsvColumn, count: int, draws: Draws, group: str, key: str) -> list[int]:
    """All keys of a group that use the same file use the same rows."""
    values = draws.columns[table.csv, table.column or key]
    stream = draws.stream(group, "row", table.csv)
    return [int(values[stream.randrange(len(values))]) for _ in range(count)]


def draw_arrivals(arrival: Arrival, count: int, draws: Draws, group: str) -> list[float]:
    """Draw when each of `count` peers joins, in seconds after t = 0."""
    stream = draws.stream(group, "arrival")
    match arrival:
        case Poisson():
            return list(accumulate(stream.expovariate(arrival.poisson) for _ in range(count)))
        case UniformArrival():
            return [stream.uniform(0, arrival.uniform) for _ in range(count)]
        case At():
            return list(arrival.at) if isinstance(arrival.at, list) else [arrival.at] * count
        case CsvColumn():
            return list(draws.columns[arrival.csv, arrival.column or "arrival"][:count])
        case "flash":
            return [0.0] * count


def shuffled(values: Sequence[int], stream: Random) -> list[int]:
    order = list(values)
    stream.shuffle(order)
    return order
