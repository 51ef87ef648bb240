"""Ratios, their intervals and tests, against scipy and by hand."""

from math import exp, inf, isnan, log, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats  # type: ignore[import-untyped]

from testbed.results.comparison.ratios import (
    TAIL,
    Ratio,
    holm,
    least_p,
    ratio_of_pairs,
    ratio_of_samples,
    repetitions_to_decide,
)
from tests.results.comparison.samples import SHAPES, drawn

VALUES = st.lists(st.floats(0.1, 1000), min_size=2, max_size=10)


def test_ratio_is_that_of_geometric_means() -> None:
    assert ratio_of_samples([1, 4], [4, 9, 6]).value == pytest.approx((4 * 9 * 6) ** (1 / 3) / 2)
    assert ratio_of_pairs([1, 4], [2, 8]).value == pytest.approx(2)


@pytest.mark.filterwarnings("ignore:Precision loss")
@given(VALUES, VALUES)
def test_samples_are_tested_as_scipy_does(first: list[float], other: list[float]) -> None:
    found = ratio_of_samples(first, other)
    if not found.varies:
        return
    expected = stats.ttest_ind(np.log(other), np.log(first), equal_var=False)
    low, high = expected.confidence_interval(0.95)
    assert found.p_different() == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)
    if max(abs(low), abs(high)) < 500:
        assert found.interval() == pytest.approx((exp(low), exp(high)), rel=1e-6)


@pytest.mark.filterwarnings("ignore:Precision loss")
@given(st.lists(st.tuples(st.floats(0.1, 1000), st.floats(0.1, 1000)), min_size=2, max_size=10))
def test_pairs_are_tested_as_scipy_does(pairs: list[tuple[float, float]]) -> None:
    first, other = zip(*pairs, strict=True)
    found = ratio_of_pairs(first, other)
    if not found.varies:
        return
    expected = stats.ttest_1samp(np.log(other) - np.log(first), 0.0)
    assert found.p_different() == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)


@given(VALUES, VALUES)
def test_order_of_the_runs_only_turns_the_ratio_round(first: list[float], other: list[float]) -> None:
    forth, back = ratio_of_samples(first, other), ratio_of_samples(other, first)
    assert forth.value * back.value == pytest.approx(1)
    assert forth.p_different() == pytest.approx(back.p_different())
    assert forth.is_within(0.1) == back.is_within(0.1)


@given(VALUES, VALUES)
def test_equivalence_is_an_interval_within_the_margin(first: list[float], other: list[float]) -> None:
    found = ratio_of_samples(first, other)
    low, high = found.interval()
    if found.varies:
        assert found.is_within(0.5) == (low >= 1 / 1.5 and high <= 1.5)
        assert (found.p_above(1.05) <= TAIL) == (low >= 1.05)


@pytest.mark.parametrize("values", [[], [3.0]])
def test_single_repetition_decides_nothing(values: list[float]) -> None:
    for found in (ratio_of_pairs(values, values), ratio_of_samples(values, [1.0, 2.0, 3.0])):
        assert not found.is_repeated
        assert isnan(found.p_different())
        assert not found.is_within(0.5)
        assert repetitions_to_decide(found, 0.05, 1) is None


def test_values_that_never_vary_need_as_many_repetitions_as_a_permutation_test() -> None:
    three, four = ratio_of_samples([5.0] * 3, [6.0] * 3), ratio_of_samples([5.0] * 4, [6.0] * 4)
    assert (three.p_different(), four.p_different()) == (pytest.approx(2 / 20), pytest.approx(2 / 70))
    assert all(map(isnan, three.interval()))
    assert repetitions_to_decide(three, 0.05, 1) == 4
    five, six = ratio_of_pairs([5.0] * 5, [5.0] * 5), ratio_of_pairs([5.0] * 6, [5.0] * 6)
    assert (five.p_different(), six.p_different()) == (1, 1)
    assert (five.is_within(0.05), six.is_within(0.05)) == (False, True)
    assert repetitions_to_decide(five, 0.05, 1) == 6


def test_least_p_is_that_of_an_exact_permutation_test() -> None:
    found = stats.permutation_test(
        ([1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]), lambda x, y: np.mean(x) - np.mean(y), alternative="less"
    )
    assert least_p((3, 4), is_paired=False) == pytest.approx(found.pvalue)
    assert least_p((3, 3), is_paired=True) == 1 / 8


def test_holm_corrects_by_rank() -> None:
    corrected = holm([0.01, 0.04, float("nan"), 0.03, 0.005])
    assert corrected[:2] + corrected[3:] == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert isnan(corrected[2])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_corrected_values_are_between_the_bare_ones_and_bonferronis(p_values: list[float]) -> None:
    for bare, corrected in zip(p_values, holm(p_values), strict=True):
        assert bare <= corrected <= min(1.0, len(p_values) * bare) + 1e-12
    assert min(holm(p_values)) == pytest.approx(min(1.0, len(p_values) * min(p_values)))


@pytest.mark.parametrize("ratio", [1.0, 1.02, 1.1])
def test_recommended_repetitions_decide_most_comparisons(ratio: float) -> None:
    known = Ratio(False, (3, 3), log(ratio), (0.05**2, 0.05**2))
    needed = repetitions_to_decide(known, 0.05, 1)
    assert needed is not None
    assert share_decided(ratio, needed) > 0.72
    assert share_decided(ratio, needed // 3) < 0.6


def share_decided(ratio: float, count: int) -> float:
    rng = np.random.default_rng(6)
    found = [drawn(rng, SHAPES["normal"], count, paired=False, ratio=ratio) for _ in range(300)]
    return float(np.mean([each.is_within(0.05) or each.p_different() <= 2 * TAIL for each in found]))


def test_more_tests_need_more_repetitions() -> None:
    found = Ratio(True, (3, 3), 0.1, (0.01,))
    one, many = repetitions_to_decide(found, 0.05, 1), repetitions_to_decide(found, 0.05, 50)
    assert one is not None
    assert many is not None
    assert 3 < one < many


def test_change_that_is_the_margin_is_never_decided() -> None:
    assert repetitions_to_decide(Ratio(False, (3, 3), 1e-4, (4.0, 4.0)), 0.05, 1) is None


def test_wild_values_stay_numbers() -> None:
    found = ratio_of_samples([1e-300, 1e300], [1e300, 1e-300])
    low, high = found.interval()
    assert 0 < low < high < inf
    assert found.error == pytest.approx(sqrt(2 * np.var(np.log([1e-300, 1e300]), ddof=1) / 2))
