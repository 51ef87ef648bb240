"""Pages that are served, in a real browser: they follow the runs, and keep their reader's place."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from testbed.experiment import Plan
from testbed.runfolder.folder import locked
from tests.page.conftest import HEIGHT, Watched
from tests.page.swarms import EXPERIMENT
from tests.page.test_in_browser import OVERLAPS, WIDTHS, cells, heading, opened_tab
from tests.runfolder.runs import write_run
from tests.serving.servers import SESSION, Server, begun, served, trial_ends

RUN = "riders-20260102T030405Z"
DAMAGED = "damaged-20250102T030405Z"
TITLE = 'Free riders & <script>alert("title")</script> others'
WAIT = 120_000
"""Milliseconds: readers give way to whatever else this machine does."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that cannot be read, and one without a trial."""
    folder = tmp_path_factory.mktemp("runs")
    for name in (DAMAGED, RUN):
        (folder / name).mkdir()
        write_run(folder / name, EXPERIMENT)
    (folder / DAMAGED / "plan.json").write_text("{")
    (folder / RUN / "provenance.json").write_text(SESSION)
    (folder / RUN / ".lock").touch(0o600)
    return folder


@pytest.fixture(scope="module")
def plan(runs: Path) -> Plan:
    return Plan.from_json((runs / RUN / "plan.json").read_text())


@pytest.fixture(scope="module")
def server(runs: Path) -> Iterator[Server]:
    with served(runs) as server:
        yield server


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    page = browser.new_page(viewport={"width": 1600, "height": HEIGHT})
    page.set_default_timeout(WAIT)
    watched = Watched(page)
    watched.watch()
    yield watched
    page.close()
    assert watched.said == []


def violations(page: Page) -> list[Any]:
    return [(each["id"], [node["html"] for node in each["nodes"]]) for each in Axe().run(page).response["violations"]]


def assert_fits(page: Page) -> None:
    """In light and in dark, at each width."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": HEIGHT})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.evaluate(OVERLAPS) == []
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        assert violations(page) == []


def shows(page: Page, trials: int) -> None:
    """Wait until a page shows the results of so many trials."""
    expect(page.locator(".tally")).to_contain_text(f"{trials} of 6 trials valid", timeout=WAIT)


def test_run_is_followed_and_its_reader_keeps_the_place(
    server: Server, runs: Path, plan: Plan, watched: Watched
) -> None:
    run, page = runs / RUN, watched.page
    with locked(run):
        begun(run, plan, 0)
        page.goto(f"{server.address}run/{RUN}/")
        expect(page.locator(".live")).to_contain_text(
            "Running 0 of 6 trials have ended · now trial 1: strategy tit-for"
        )
        shows(page, 0)
        expect(page.locator(".tally")).to_contain_text("2 expectations not evaluated")
        expect(page.locator("#answer")).to_contain_text("6 of 6 trials are still to come")
        for trial in plan.trials[:2]:
            trial_ends(run, trial)
        shows(page, 2)
        page.wait_for_selector(".replay")

        opened_tab(page, "peers", "riders")
        heading(page, "download_s").get_by_role("button").click()
        query = page.locator("#tables").get_by_role("searchbox", name="Filter")
        query.fill("group=others")
        rows = page.get_by_role("group", name="rows of peers")
        rows.evaluate("(element) => element.scrollTo(40, 0)")
        page.locator(".seek input").fill("7.5")
        page.locator("figure").first.get_by_text("Its numbers").click()
        page.locator("figure").first.locator("table").wait_for()
        query.focus()
        place = query.bounding_box()
        assert place is not None
        shown = page.locator("#tables").get_by_role("status")
        expect(shown).to_have_text("12 of 16 rows")
        picture = page.locator("figure img").last.get_attribute("src")

        for trial in plan.trials[2:4]:
            trial_ends(run, trial)
        shows(page, 4)
        expect(shown).to_have_text("24 of 32 rows")
        assert page.locator("figure img").last.get_attribute("src") != picture
        expect(page.get_by_role("combobox", name="Trial").locator("option")).to_have_count(4)
        found = [float(text) for text in cells(page, "download_s") if text]
        assert found == sorted(found)
        assert heading(page, "download_s").get_attribute("aria-sort") == "ascending"
        assert rows.evaluate("(element) => element.scrollLeft") == 40
        assert page.evaluate("document.activeElement.type") == "search"
        expect(page.locator(".controls output")).to_have_text("7.5 of 20.0 s")
        expect(page.locator("figure").first.locator("details")).to_have_attribute("open", "")
        assert query.bounding_box() == pytest.approx(place, abs=1)

        page.get_by_role("combobox", name="Trial").select_option(index=3)
        expect(page.locator(".controls output")).not_to_have_text("7.5 of 20.0 s")
    expect(page.locator(".live")).to_contain_text("Not running", timeout=WAIT)
    assert_fits(page)


def test_list_leads_to_runs_by_keyboard_and_follows_them(
    server: Server, runs: Path, plan: Plan, watched: Watched
) -> None:
    page = watched.page
    page.goto(server.address)
    link = page.get_by_role("link", name=TITLE)
    row = page.get_by_role("row").filter(has=link)
    expect(row).to_contain_text("not complete")
    expect(page.get_by_role("row").filter(has_text=DAMAGED)).to_contain_text("is not a plan of this version")
    assert_fits(page)
    link.focus()
    with locked(runs / RUN):
        (runs / RUN / "provenance.json").write_text(SESSION)
        expect(row).to_contain_text("running", timeout=WAIT)
    assert page.evaluate("document.activeElement.textContent") == TITLE
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/run/{RUN}/")
    page.get_by_role("link", name="All runs").click()
    page.get_by_role("link", name=DAMAGED).click()
    expect(page.get_by_role("alert").first).to_contain_text("is not a plan of this version", timeout=WAIT)
    assert_fits(page)


def test_run_that_goes_and_server_that_ends_are_told(runs: Path, tmp_path: Path, watched: Watched) -> None:
    copied, page = shutil.copytree(runs / RUN, tmp_path / "runs" / RUN), watched.page
    with served(copied.parent, RUN) as server:
        page.goto(server.opened)
        page.wait_for_selector("#tables")
        shutil.rmtree(copied)
        expect(page.locator(".trouble")).to_contain_text("or it was removed", timeout=WAIT)
        expect(page.locator("#tables")).to_be_visible()
    expect(page.locator(".trouble")).to_contain_text("The server does not answer", timeout=WAIT)
    watched.said.clear()  # the browser's own lines about the connection
