"""How many hops a lookup in a perfect ring should need, from gaps alone: no messages, no identifiers, no node.

The known law, (1/2) log2 N, counts the bits of a distance that are 1. It takes fingers to stand exactly where they
should; in fact each is the first node after that place, and the gap is won for nothing. This law counts the gaps, too.

Seen from a node, the others lie on the ring as events of a Poisson process, with a mean gap of 1, and the ring is
N - 1 long. Let h(x) be the mean hops that are still to be made to the last node before a key that lies x ahead. The
best finger is the first node after the greatest 2^i <= x, in fractions of the ring. If there is one before the key, at
a distance t, one hop leads to it, and what lies beyond is as little known as before: h(x) = 1 + h(x - t). If there is
none, the key might as well lie at 2^i: h(x) = h(2^i). The mean over t is a convolution with the density of the gap.

With a list of r successors, the r-th of them can lie beyond 2^i, if fewer than r nodes lie before. Then the list leads
to the r-th, whose distance beyond 2^i is a sum of gaps; or to the last node before the key at once, if there are fewer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp

LONGEST = 2_048.0
"""Of a ring that is calculated step by step. Each doubling beyond adds half a hop, but for less than 0.0005."""
FINEST = 1 / 64
"""Mean gaps between two places at which h is known."""


def hops(n: int, successors: int = 1) -> float:
    """Return the mean hops of a lookup for a drawn key by a drawn node; a single successor stands for none."""
    if n < 2:
        return 0.0
    length, doublings = float(n - 1), 0
    while length > LONGEST:
        length, doublings = length / 2, doublings + 1
    ring = _Ring(length, successors)
    # One key of N lies between the last node and us, which we know without asking.
    return ring.mean() + doublings / 2 - ring.hops[-1] / n


class _Ring:
    """h at places FINEST apart or less, from 0 to the length of the ring. Places that are 2^-i of it are among them."""

    def __init__(self, length: float, successors: int) -> None:
        count = 1
        while length / count > FINEST:
            count *= 2
        self.step = length / count
        self.gap = _Gap.of(self.step)
        self.successors = successors
        self.hops = [0.0, 1 - exp(-self.step)]
        while len(self.hops) <= count:
            self._double()

    def mean(self) -> float:
        ends = (self.hops[0] + self.hops[-1]) / 2
        return (sum(self.hops) - ends) / (len(self.hops) - 1)

    def _double(self) -> None:
        """Go on from 2^i to 2^(i+1)."""
        start = (len(self.hops) - 1) * self.step
        before = poisson(start, self.successors)
        few = sum(before)
        if few < 1e-12:
            self._go_on_by_fingers()
            return
        gaps = [0.0] * (self.successors + 1)
        at_start = self.hops[-1] - (few - before[0])
        after = [1 + each for each in self.hops]
        for number in range(1, len(after)):
            gaps = self._convolved(gaps, after[number - 1], after[number])
            beyond = number * self.step
            value = (1 - few) * gaps[1] + exp(-beyond) * at_start
            self.hops.append(value + self._by_list(before, gaps, beyond))

    def _go_on_by_fingers(self) -> None:
        by_finger, at_start = 0.0, self.hops[-1]
        for number in range(1, len(self.hops)):
            by_finger = self.gap.next(by_finger, 1 + self.hops[number - 1], 1 + self.hops[number])
            self.hops.append(by_finger + exp(-number * self.step) * at_start)

    def _by_list(self, before: Sequence[float], gaps: Sequence[float], beyond: float) -> float:
        """Return the hops where the list of successors reaches beyond 2^i, times how likely that is."""
        here = poisson(beyond, self.successors)
        total = 0.0
        for number, likely in enumerate(before):
            missing = self.successors - number
            ends_here = sum(here[:missing]) - (here[0] if number == 0 else 0.0)
            total += likely * (gaps[missing] + ends_here)
        return total

    def _convolved(self, gaps: Sequence[float], old: float, new: float) -> list[float]:
        """Return the means of 1 + h beyond a sum of 1, 2, ... gaps, one step further."""
        found = [0.0]
        for before in gaps[1:]:
            found.append(self.gap.next(before, old, new))
            old, new = before, found[-1]
        return found


@dataclass(frozen=True, slots=True)
class _Gap:
    """The convolution with the density of one gap, e^-t, of values between which a line is drawn."""

    kept: float
    of_old: float
    of_new: float

    @classmethod
    def of(cls, step: float) -> "_Gap":
        kept = exp(-step)
        share = (1 - kept) / step
        return cls(kept, share - kept, 1 - share)

    def next(self, value: float, old: float, new: float) -> float:
        return self.kept * value + self.of_old * old + self.of_new * new


def poisson(mean: float, count: int) -> list[float]:
    """Return how likely 0, 1, ... count - 1 events are, of so many on average."""
    found = [exp(-mean)]
    for number in range(1, count):
        found.append(found[-1] * mean / number)
    return found
