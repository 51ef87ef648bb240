"""What a link can be asked for; the network holds to the same numbers."""

from typing import Final

from testbed.units import format_rate

LEAST_RATE: Final = 56_000
MOST_RATE: Final = 1_000_000_000
RATE_STEP: Final = 8
LONGEST_DELAY: Final = 60.0


def refused_rate(rate: int) -> str:
    """Return why no link can have this rate, and what is possible; nothing for a rate that one can have."""
    if not LEAST_RATE <= rate <= MOST_RATE:
        return f"a rate of {format_rate(LEAST_RATE)} to {format_rate(MOST_RATE)}"
    if rate % RATE_STEP:
        low = rate - rate % RATE_STEP
        return f"a multiple of {RATE_STEP} bit/s (the nearest are {low} and {low + RATE_STEP} bit/s)"
    return ""


def nearest_rate(rate: float) -> int:
    """Return the possible rate that is nearest to one that was drawn."""
    return min(MOST_RATE, max(LEAST_RATE, round(rate / RATE_STEP) * RATE_STEP))
