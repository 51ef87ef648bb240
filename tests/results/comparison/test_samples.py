"""Which trials are compared, which of them as pairs, and what is counted of the others."""

from dataclasses import replace
from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from testbed.results.comparison.samples import Observation, Pairing, compared
from tests.results.comparison.samples import observed

OBSERVATIONS = st.lists(
    st.builds(
        Observation,
        repetition=st.integers(1, 8),
        seed=st.integers(1, 2),
        verdict=st.sampled_from(["valid", "suspect", "failed", "missing"]),
        value=st.sampled_from([nan, 1.0, 2.0, 3.0]),
    ),
    unique_by=lambda each: each.draw,
    max_size=8,
)


def test_same_draws_are_pairs() -> None:
    """Also in another order, and what one run has more of is left out."""
    found = compared(observed([1, 10, 100]), observed([2, 20, 200, 1])[::-1], Pairing())
    assert (found.ratio.is_paired, found.ratio.counts, found.ratio.value) == (True, (3, 3), pytest.approx(2))
    assert not found.ratio.varies
    assert found.of_other.left_out() == ["1 without a partner"]


def test_other_draws_are_not_paired() -> None:
    found = compared(observed([1, 10, 100]), observed([2, 20, 200, 1], seed=2), Pairing())
    assert (found.ratio.is_paired, found.ratio.counts) == (False, (3, 4))


def test_pairs_can_be_ignored() -> None:
    assert compared(observed([1, 10]), observed([2, 20]), Pairing(unpaired=True)).ratio.is_paired is False


def test_pair_is_left_out_for_either_trial() -> None:
    first, other = observed([1, 2, 3, 4, 5]), observed([1, 2, 3, 4, 5])
    first[0] = replace(first[0], verdict="suspect")
    other[1] = replace(other[1], verdict="failed")
    other[2] = replace(other[2], value=nan)
    found = compared(first, other, Pairing())
    assert found.ratio.counts == (2, 2)
    assert found.of_first.left_out() == ["1 suspect", "2 without a partner"]
    assert found.of_other.left_out() == ["1 failed", "1 no value", "1 without a partner"]
    assert (found.of_first.lost, found.of_other.lost) == (0, pytest.approx(2 / 5))
    assert compared(first, other, Pairing(with_suspect=True)).ratio.counts == (3, 3)


@pytest.mark.parametrize(
    ("first", "why"),
    [([0.0, 1.0], "values of 0 or less have no ratio"), ([nan, nan], "no pair can be used")],
)
def test_missing_ratio_has_a_reason(first: list[float], why: str) -> None:
    found = compared(observed(first), observed([1.0, 2.0]), Pairing())
    assert found.why_not == why
    assert not found.ratio.is_repeated


def test_run_without_usable_trials_has_no_ratio() -> None:
    found = compared(observed([1.0], verdict="failed"), observed([1.0, 2.0], seed=2), Pairing())
    assert found.why_not == "a run has no trial that can be used"


@given(OBSERVATIONS, OBSERVATIONS, st.booleans(), st.booleans())
def test_every_planned_trial_is_accounted_for(
    first: list[Observation], other: list[Observation], with_suspect: bool, unpaired: bool
) -> None:
    found = compared(first, other, Pairing(with_suspect, unpaired))
    for sample, use, count in zip((first, other), (found.of_first, found.of_other), found.ratio.counts, strict=True):
        assert use.planned == len(sample)
        assert use.used == count
        assert use.used + sum(int(words.split()[0]) for words in use.left_out()) == use.planned
    assert bool(found.why_not) == (0 in found.ratio.counts)
