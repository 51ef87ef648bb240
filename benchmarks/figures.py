"""Draw the figures of the documentation again, from the numbers that are kept beside them.

    .venv/bin/python -m benchmarks.figures                     all of them
    .venv/bin/python -m benchmarks.figures scaling defences    some of them
    .venv/bin/python -m benchmarks.figures --look FOLDER       also as PNG, in colours and in grey, to be looked at

Each figure is declared in `experiments/NAME.yaml`, its numbers are in `NAME.csv` beside `NAME.svg`. After a new
measurement, copy `figures/FIGURE.csv` of the run folder there, and run this. Figures of no experiment are listed apart,
with what draws them; the program that measured them has written their CSV files.

The numbers of quickstart are those of its run. The run folders of the other figures were not kept: their numbers were
read back from the coordinates of earlier drawings, with four to five digits, and those of heat maps from the three
digits in their cells. So `n` is empty.
"""

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from matplotlib.figure import Figure as Canvas
from PIL import Image

from benchmarks.overlays.scale import drawing as scale
from testbed.experiment import make_plan, read_experiment
from testbed.results.figures.drawing import choose, save
from testbed.results.figures.numbers import Numbers, read_numbers
from testbed.runfolder.handles import opened

REPOSITORY: Final = Path(__file__).resolve().parents[1]
SHIPPED: Final = {
    "docs/experiments/chunks": "pieces",
    "docs/experiments/flashcrowd": "time",
    "docs/experiments/heterogeneous": "clustering",
    "docs/experiments/interop": "interop",
    "docs/experiments/quickstart": "time",
    "docs/experiments/regimes": "ratio",
    "docs/experiments/scaling": "scaling",
    "docs/experiments/three-hundred": "completions",
    "docs/strategies/bittyrant": "gain",
    "docs/strategies/bittyrant-all": "classes",
    "docs/strategies/bittyrant-knobs": "gain",
    "docs/strategies/course-example": "received",
    "docs/strategies/defences": "matrix",
    "docs/strategies/free-riding": "gain",
    "docs/strategies/free-riding-connections": "gain",
    "docs/strategies/large-view": "ahead",
    "docs/strategies/liogkas": "gain",
    "docs/strategies/pollution": "paid_by_others",
    "docs/strategies/propshare": "gain",
    "docs/strategies/seed-attack": "victims",
    "docs/strategies/seed-policies": "time",
    "docs/strategies/swift": "ratio",
    "docs/strategies/sybil": "gain",
    "docs/strategies/whitewash": "gain",
}
"""The figure of the experiment file of the same name, by the place of its drawing."""

OF_NO_EXPERIMENT: Final[Mapping[str, Callable[[Path], Canvas]]] = {"docs/find/scale": scale.draw_file}
"""What draws each of the other figures from its CSV file."""


def kept_numbers(place: str) -> Numbers:
    """Read the numbers of a shipped figure."""
    path, name = REPOSITORY / place, SHIPPED[place]
    plan = make_plan(read_experiment(REPOSITORY / "experiments" / f"{path.name}.yaml"))
    figure = plan.figures[name]
    return Numbers(name, figure, plan, choose(name, figure, plan), read_numbers(path.with_suffix(".csv")))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="of experiments; all by default")
    parser.add_argument("--look", type=Path, metavar="FOLDER", help="write PNG files there, too")
    options = parser.parse_args()
    for place in SHIPPED:
        name = Path(place).name
        if options.names and name not in options.names:
            continue
        numbers = kept_numbers(place)
        with opened((REPOSITORY / place).parent) as folder:
            save(numbers, folder, [f"{name}.svg"])
        if options.look:
            _write_images(numbers, options.look, name)
        print(f"{place}.svg")
    for place, draw_file in OF_NO_EXPERIMENT.items():
        path = REPOSITORY / place
        if options.names and path.name not in options.names:
            continue
        canvas = draw_file(path.with_suffix(".csv"))
        scale.save(canvas, path.with_suffix(".svg"))
        if options.look:
            options.look.mkdir(parents=True, exist_ok=True)
            scale.save(canvas, options.look / f"{path.name}.png")
            _write_in_grey(options.look, path.name)
        print(f"{place}.svg")


def _write_images(numbers: Numbers, folder: Path, name: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with opened(folder) as here:
        save(numbers, here, [f"{name}.png"])
    _write_in_grey(folder, name)


def _write_in_grey(folder: Path, name: str) -> None:
    Image.open(folder / f"{name}.png").convert("L").save(folder / f"{name}-grey.png")


if __name__ == "__main__":
    main()
