"""How often a comparison says what is not true, by simulation: 3 to 10 repetitions, and values of many shapes."""

from itertools import product

import numpy as np
import pytest

from testbed.results.comparison.ratios import TAIL, holm
from tests.results.comparison.samples import SHAPES, drawn

RUNS = 500
LEVEL = 2 * TAIL
NOISE = 3.3 * (LEVEL * (1 - LEVEL) / RUNS) ** 0.5
"""What a rate of 5 % can be found to be by chance, in one of a thousand simulations."""
CASES = list(product(SHAPES, (3, 5, 10), (False, True)))


@pytest.mark.parametrize(("shape", "count", "paired"), CASES)
def test_same_things_are_rarely_called_different(shape: str, count: int, *, paired: bool) -> None:
    rng = np.random.default_rng(1)
    found = [drawn(rng, SHAPES[shape], count, paired=paired).p_different() <= LEVEL for _ in range(RUNS)]
    assert np.mean(found) <= LEVEL + NOISE


@pytest.mark.parametrize(("shape", "count", "paired"), CASES)
def test_change_as_large_as_the_margin_is_rarely_called_equivalent(shape: str, count: int, *, paired: bool) -> None:
    rng = np.random.default_rng(2)
    found = [drawn(rng, SHAPES[shape], count, paired=paired, ratio=1.05).is_within(0.05) for _ in range(RUNS)]
    assert np.mean(found) <= TAIL + NOISE


@pytest.mark.parametrize(("count", "paired"), list(product((3, 5, 10), (False, True))))
def test_interval_has_the_true_ratio(count: int, *, paired: bool) -> None:
    rng = np.random.default_rng(3)
    intervals = [drawn(rng, SHAPES["normal"], count, paired=paired, ratio=1.2).interval() for _ in range(RUNS)]
    assert abs(np.mean([low <= 1.2 <= high for low, high in intervals]) - (1 - LEVEL)) <= NOISE


def test_whole_tables_of_the_same_are_rarely_called_different() -> None:
    """Nine points, three measures: by Holm's method the whole family raises a false alarm as rarely as one test."""
    rng = np.random.default_rng(4)
    tables = [[drawn(rng, SHAPES["normal"], 5, paired=False).p_different() for _ in range(27)] for _ in range(200)]
    alarms = np.mean([min(holm(table)) <= LEVEL for table in tables])
    uncorrected = np.mean([min(table) <= LEVEL for table in tables])
    assert alarms <= LEVEL + 3.3 * (LEVEL * (1 - LEVEL) / len(tables)) ** 0.5
    assert uncorrected > 0.5, "the correction is needed"


@pytest.mark.parametrize(("ratio", "paired"), list(product((1.25, 0.8), (False, True))))
def test_real_difference_is_found_with_five_repetitions(ratio: float, *, paired: bool) -> None:
    rng = np.random.default_rng(5)
    found = [drawn(rng, SHAPES["normal"], 5, paired=paired, ratio=ratio) for _ in range(100)]
    assert np.mean([each.p_different() <= LEVEL for each in found]) > 0.95
    assert not any(each.is_within(0.05) for each in found)
