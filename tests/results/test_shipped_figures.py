"""The figures of the documentation are drawn from the numbers beside them."""

from pathlib import Path

import pytest

from benchmarks.figures import OF_NO_EXPERIMENT, REPOSITORY, SHIPPED, kept_numbers
from testbed.results.figures import draw


def test_every_drawing_has_its_numbers() -> None:
    drawings = {file.relative_to(REPOSITORY).with_suffix("") for file in (REPOSITORY / "docs").rglob("*.svg")}
    places = [*SHIPPED, *OF_NO_EXPERIMENT]
    assert drawings == {Path(place) for place in places}
    assert all((REPOSITORY / f"{place}.csv").exists() for place in places)


@pytest.mark.parametrize("place", SHIPPED)
def test_shipped_figure_fits_its_experiment(place: str) -> None:
    numbers = kept_numbers(place)
    assert len(numbers.measured)
    assert draw(numbers).get_figwidth() in {3.4, 7.0}


@pytest.mark.parametrize("place", OF_NO_EXPERIMENT)
def test_figure_of_no_experiment_can_be_drawn_again(place: str) -> None:
    canvas = OF_NO_EXPERIMENT[place](REPOSITORY / f"{place}.csv")
    assert canvas.get_figwidth() == 3.4
    assert all(axes.lines for axes in canvas.axes)
