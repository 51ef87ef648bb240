"""Fairness, intervals and paired tests."""

from math import isnan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from testbed.results.statistics import bootstrap_interval, paired_test, summarise
from testbed.tasks.distribute.tables.trials import jain

numbers = st.floats(min_value=-1e6, max_value=1e6, allow_nan=False)
positive = st.floats(min_value=0.01, max_value=1e6)


@given(st.lists(positive, min_size=1, max_size=50))
def test_jains_index_is_between_one_of_n_and_one(values: list[float]) -> None:
    assert 1 / len(values) - 1e-9 <= jain(values) <= 1 + 1e-9


@given(st.lists(positive, min_size=1, max_size=50), positive)
def test_jains_index_is_scale_free(values: list[float], factor: float) -> None:
    assert jain(value * factor for value in values) == pytest.approx(jain(values))


def test_jains_index_of_known_shares() -> None:
    assert jain([5, 5, 5]) == pytest.approx(1)
    assert jain([1, 0, 0, 0]) == pytest.approx(1 / 4)
    assert jain([1, 2, 3]) == pytest.approx(36 / 42)
    assert isnan(jain([]))
    assert jain([4, float("nan"), 4]) == pytest.approx(1)


@settings(max_examples=30)
@given(st.lists(numbers, min_size=2, max_size=20))
def test_interval_contains_the_mean(values: list[float]) -> None:
    found = summarise(values, "s")
    margin = 1e-9 * max(1.0, *map(abs, values))
    assert min(values) - margin <= found.low <= found.mean + margin
    assert found.mean - margin <= found.high <= max(values) + margin
    assert found.sd == pytest.approx(float(np.std(values, ddof=1)))


@settings(max_examples=10)
@given(st.lists(numbers, min_size=2, max_size=12), st.text(max_size=5))
def test_interval_is_reproducible(values: list[float], stream: str) -> None:
    assert summarise(values, stream) == summarise(values, stream)


def test_intervals_have_their_documented_coverage() -> None:
    source = np.random.default_rng(7)
    samples = [source.exponential(10.0, size=40) for _ in range(200)]
    covered = [
        low <= 10.0 <= high for k, each in enumerate(samples) for low, high in [bootstrap_interval(each, str(k))]
    ]
    assert 0.88 <= np.mean(covered) <= 0.98


def test_few_values_have_no_interval() -> None:
    assert summarise([], "s").n == 0
    one = summarise([3.0, float("nan")], "s")
    assert (one.n, one.mean) == (1, 3.0)
    assert isnan(one.sd)
    assert isnan(one.low)


def test_permutation_test_tries_all_signs() -> None:
    assert paired_test([1.0, 2.0, 3.0], "s").p_permutation == pytest.approx(2 / 8)
    assert paired_test([1.0] * 6, "s").p_permutation == pytest.approx(2 / 64)
    assert paired_test([3.0, -1.0], "s").p_permutation == pytest.approx(1.0)


def test_t_test_matches_known_value() -> None:
    found = paired_test([1.0, 2.0, 3.0], "s")
    assert found.p_t == pytest.approx(0.0741799, abs=1e-6)


def test_equal_pairs_have_p_value_one() -> None:
    found = paired_test([0.0, 0.0, 0.0], "s")
    assert (found.p_permutation, found.p_t) == (1.0, 1.0)
    assert isnan(paired_test([4.0], "s").p_t)


@settings(max_examples=20)
@given(st.lists(numbers.filter(bool), min_size=2, max_size=8))
def test_tests_are_two_sided(differences: list[float]) -> None:
    there, back = paired_test(differences, "s"), paired_test([-each for each in differences], "s")
    assert there.p_permutation == pytest.approx(back.p_permutation)
    assert there.p_t == pytest.approx(back.p_t)
