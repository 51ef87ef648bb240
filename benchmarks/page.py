"""How large the page of a run is, and how long it takes to make it and to open it in a browser.

    .venv/bin/python -m benchmarks.page             432 trials of 9 hosts that were made up: 72 points, 6 repetitions
.venv/bin/python -m benchmarks.page RUN ...     reports these runs again, and opens their pages
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, sync_playwright

from testbed.results import Report, report
from tests.page.conftest import CHROMIUM
from tests.page.swarms import EXPERIMENT, write_trials
from tests.runfolder.runs import write_run

SWEEP = "sweep: {peers.riders.strategy: [tit-for-tat, bitthief]}"
MANY = f"sweep: {{peers.riders.strategy: [tit-for-tat, bitthief], time_scale: {list(range(1, 37))}}}"


def many_trials(folder: Path) -> None:
    """Write a run of 432 trials."""
    plan = write_run(folder, EXPERIMENT.replace(SWEEP, MANY).replace("repeat: 3", "repeat: 6"))
    write_trials(folder, plan)


def measured(run: Path, browser: Browser) -> str:
    """Report a run, open its page, and say how long both took."""
    began = time.process_time()
    made = report(run)
    seconds = time.process_time() - began
    assert made.page is not None
    size = made.page.stat().st_size
    opened = ", ".join(f"{what} after {after:.2f} s" for what, after in opening(made, browser))
    return f"{made.run.path.name}: report {seconds:.1f} s of CPU, page {size / 1e6:.2f} MB, {opened}"


def opening(made: Report, browser: Browser) -> Iterator[tuple[str, float]]:
    """Yield when parts of the page were there, in seconds after it was asked for."""
    page = browser.new_page()
    began = time.monotonic()
    page.goto((made.page or made.run.path).as_uri())
    for what, selector in (("answer", ".answer"), ("replay", ".replay"), ("table", "#tables tbody tr")):
        page.wait_for_selector(selector)
        yield what, time.monotonic() - began
    page.close()


def main() -> None:
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        runs = [Path(name) for name in sys.argv[1:]]
        if not runs:
            many_trials(Path(folder))
            runs = [Path(folder)]
        for run in runs:
            print(measured(run, browser), flush=True)
        browser.close()


if __name__ == "__main__":
    main()
