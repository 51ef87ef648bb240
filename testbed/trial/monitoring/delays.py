"""Whether the delay boxes of a trial, which stand in for netem, did what was asked of them."""

from collections.abc import Iterable
from typing import Final

from contract.wording import counted
from testbed.network.delaybox import DelayBox, DelayBoxError

MOST_LATE_MS: Final = 4.0
"""How late the latest of a hundred packets may leave a box: as late as an idle program may wake."""


def delay_faults(boxes: Iterable[DelayBox]) -> list[str]:
    """Return what is wrong with the boxes of a trial that ends now, in words."""
    return [fault for box in boxes for fault in _faults_of(box)]


def _faults_of(box: DelayBox) -> list[str]:
    try:
        stats = box.stats()
    except DelayBoxError as error:
        return [f"a delay box did not last: {error}"]
    faults = []
    if stats.dropped:
        faults.append(f"a delay box lost {counted(stats.dropped, 'packet')} that no link was to lose")
    late_ms = stats.lateness.quantile_us(0.99) / 1000
    if late_ms > MOST_LATE_MS:
        faults.append(f"a delay box was {late_ms:.1f} ms late for one packet in a hundred (limit: {MOST_LATE_MS:g} ms)")
    return faults
