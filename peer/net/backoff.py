"""How long to wait before retrying."""

from random import Random
from typing import Final

_MOST_DOUBLINGS: Final = 32


def backoff(failures: int, first: float, longest: float, rng: Random) -> float:
    """Return the wait after `failures` failures in a row: `first`, doubled each time up to `longest`, less up to half.

    The random part separates programs that failed at the same moment.
    """
    doublings = min(failures - 1, _MOST_DOUBLINGS)
    wait: float = min(longest, first * 2**doublings)
    return wait * rng.uniform(0.5, 1)
