"""Impairments, the helper's table and its statistics. These tests need no kernel features."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.network.delaybox import (
    DelayBoxError,
    DelayBoxStats,
    Impairment,
    Lateness,
)
from testbed.network.delaybox.table import table_text
from testbed.network.delaybox.tun import processor_mask

HISTOGRAMS = st.dictionaries(st.integers(1, 10**10), st.integers(1, 1000))


@pytest.mark.parametrize("wrong", [-1, 60_000_001, 1.5, True, "20ms"])
def test_invalid_time_is_refused(wrong: int) -> None:
    with pytest.raises(ValueError, match="whole number of microseconds"):
        Impairment(delay_us=wrong)
    with pytest.raises(ValueError, match="jitter_us"):
        Impairment(jitter_us=wrong)


@pytest.mark.parametrize("wrong", [-0.1, 1.01, math.nan, math.inf])
def test_invalid_loss_is_refused(wrong: float) -> None:
    with pytest.raises(ValueError, match="probability"):
        Impairment(loss=wrong)


def test_only_jitter_and_loss_make_an_impairment_random() -> None:
    assert not Impairment(delay_us=20_000).is_random
    assert Impairment(jitter_us=1).is_random
    assert Impairment(loss=0.001).is_random


def test_table_has_line_per_host_up_first() -> None:
    table = {"198.18.0.1": (Impairment(1, 2, 0.5), Impairment(3)), "198.18.0.2": (Impairment(), Impairment(loss=1))}
    assert table_text(table) == "198.18.0.1 1 2 0.5 3 0 0.0\n198.18.0.2 0 0 0.0 0 0 1.0\n"


@given(HISTOGRAMS, st.floats(0.01, 1))
def test_quantile_covers_requested_share_of_packets(counts: dict[int, int], share: float) -> None:
    lateness = Lateness(counts)
    within = sum(count for edge, count in counts.items() if edge / 1000 <= lateness.quantile_us(share))
    assert within >= share * lateness.packets


@given(HISTOGRAMS, HISTOGRAMS)
def test_counts_since_earlier_reading_are_the_difference(earlier: dict[int, int], added: dict[int, int]) -> None:
    later = {edge: earlier.get(edge, 0) + added.get(edge, 0) for edge in earlier | added}
    assert Lateness(later).since(Lateness(earlier)).counts == added


def test_malformed_statistics_are_refused() -> None:
    with pytest.raises(DelayBoxError, match="build it again"):
        DelayBoxStats.from_line('{"forwarded": 1, "late_ns": []}')


@pytest.mark.parametrize(
    ("processors", "mask"),
    [(1, "00000001"), (8, "000000ff"), (32, "ffffffff"), (33, "00000001,ffffffff"), (64, "ffffffff,ffffffff")],
)
def test_processor_mask_has_kernel_format(processors: int, mask: str) -> None:
    assert processor_mask(processors) == mask
