"""`bin/test --fuzz MINUTES` repeats the tests of this folder with new inputs, together for that long."""

import time
from collections.abc import Iterator
from random import Random

import pytest

from tests.peer.fuzz.targets import Rounds

COUNTS = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--fuzz", type=float, metavar="MINUTES", help="repeat with new inputs, together for this long")


@pytest.fixture
def rounds(request: pytest.FixtureRequest) -> Rounds:
    """Return a function that yields a random source for each round of a test.

    There is one round, the same each time; with --fuzz there are as many as the time allows, and no two are alike.
    """
    minutes: float | None = request.config.getoption("--fuzz", default=None)
    if minutes is None:
        return lambda: iter([Random(request.node.name)])
    seconds, counts = 60 * minutes * _share(request), request.config.stash.setdefault(COUNTS, [])

    def many() -> Iterator[Random]:
        began, count = time.monotonic(), 0
        while not count or time.monotonic() - began < seconds:
            count += 1
            yield Random(time.time_ns())
        counts.append(f"{request.node.name}: {count} rounds in {time.monotonic() - began:.1f} s")

    return many


def _share(request: pytest.FixtureRequest) -> float:
    """Return which part of the time a test has: all functions have the same, shared by the parameters of each."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    functions = [item.function for item in items if "rounds" in item.fixturenames]
    return 1 / len(set(functions)) / functions.count(request.function)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for line in terminalreporter.config.stash.get(COUNTS, []):
        terminalreporter.write_line(line)
