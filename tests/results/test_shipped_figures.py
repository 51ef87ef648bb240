"""The figures of the documentation are drawn from the numbers beside them."""

from pathlib import Path

import pytest

from benchmarks.figures import REPOSITORY, SHIPPED, kept_numbers
from testbed.results.figures import draw


def test_every_drawing_has_its_numbers() -> None:
    drawings = {file.relative_to(REPOSITORY).with_suffix("") for file in (REPOSITORY / "docs").rglob("*.svg")}
    assert drawings == {Path(place) for place in SHIPPED}
    assert all((REPOSITORY / f"{place}.csv").exists() for place in SHIPPED)


@pytest.mark.parametrize("place", SHIPPED)
def test_shipped_figure_fits_its_experiment(place: str) -> None:
    numbers = kept_numbers(place)
    assert len(numbers.measured)
    assert draw(numbers).get_figwidth() in {3.4, 7.0}
