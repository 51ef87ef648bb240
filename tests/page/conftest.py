"""A browser without a window, and pages in it that are watched."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request, sync_playwright

from testbed.results import Report
from testbed.results.page.inlining import script
from tests.page.swarms import small_run

CHROMIUM = shutil.which("chromium")
HEIGHT = 900


@dataclass
class Watched:
    """A page, and what it did that a page must not do: complain, ask the network, open a dialog."""

    page: Page
    said: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)

    def watch(self) -> None:
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", self._dialog)
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        self.said.append(message.text)

    def _dialog(self, dialog: Dialog) -> None:
        self.said.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        if not request.url.startswith("data:"):
            self.requested.append(request.url)


Open = Callable[..., Watched]
Call = Callable[..., Any]
Theme = Literal["light", "dark"]


# Not for the whole session: while it is open, an event loop runs, and other tests begin their own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no chromium here: Debian has it as a package, Ubuntu only as a snap")
    with sync_playwright() as playwright:
        # Chromium's own sandbox does not work for root, nor inside most containers.
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def call(browser: Browser) -> Call:
    """Return a function that evaluates an expression, in which `use` gives what a module exports."""
    page = browser.new_page()

    def called(expression: str) -> Any:
        return page.evaluate(f"() => {{ {script()}\nconst use = (name) => modules[name];\nreturn {expression}; }}")

    return called


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Return a function that opens a file at a width, and waits until all of it is there."""
    pages: list[Page] = []

    def opened(
        file: Path, *, width: int = 1600, theme: Theme = "light", shows: Sequence[str] = ("#tables table", ".replay")
    ) -> Watched:
        page = browser.new_page(viewport={"width": width, "height": HEIGHT}, color_scheme=theme)
        pages.append(page)
        watched = Watched(page)
        watched.watch()
        page.goto(file.as_uri())
        for each in shows:
            page.wait_for_selector(each)
        return watched

    yield opened
    for page in pages:
        page.close()


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Report:
    return small_run(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="session")
def small_page(small: Report) -> Path:
    assert small.page is not None
    return small.page
