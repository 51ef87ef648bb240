"""The page of a comparison in a real browser: it looks and works as the page of a run does."""

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from testbed.experiment import Trial
from testbed.results.comparison import Guard, Pairing, Request, compare
from testbed.results.comparison.page import page as page_of
from tests.page.conftest import Open, Watched
from tests.page.looks import OVERLAPS, WIDTHS, violations
from tests.runfolder.runs import DISTURBED, GOLDEN, golden, write_run, write_trial

SHOWS = (".ratios table", "#trials")
TEXT = GOLDEN + "sweep: {time_scale: [1, 2, 4]}\nrepeat: 4\n"
HOSTILE = '<img src=x onerror="alert(1)">'
SLOWER = {1: 1.0, 2: 1.3, 4: 0.8}


def run(folder: Path, name: str, text: str = TEXT, *, changes: bool = False) -> Path:
    """Write a run; in a changed one two points take another time, a trial is suspect, and another one is missing."""
    path = folder / name
    path.mkdir()
    for trial in write_run(path, text).trials:
        if not changes:
            write_trial(path, trial, golden(late=trial.repetition / 10))
        elif trial.repetition < 4:
            write_trial(path, trial, changed(trial))
    return path


def changed(trial: Trial) -> Any:
    if trial.repetition == 3 and trial.settings.time_scale == 1:
        return golden(fidelity=DISTURBED)
    return golden(late=(5 + trial.repetition / 10) * SLOWER[int(trial.settings.time_scale)] - 5)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compared")
    runs = [run(folder, HOSTILE.replace("/", "")), run(folder, "new", f"{TEXT}seed: 2\n", changes=True)]
    guards = [Guard.read("distribution_s > 1.05"), Guard.read("jain < 0.5")]
    made = compare(runs, Request(guards=guards, pairing=Pairing()))
    file = folder / "page.html"
    file.write_text(page_of(made), encoding="utf-8")
    return file


@pytest.fixture
def opened(open_page: Open, compared: Path) -> Watched:
    return open_page(compared, shows=SHOWS)


def heading(page: Page, column: str) -> Locator:
    return page.locator(".ratios thead th").filter(has=page.locator(f"button:text-matches('^{column}( |$)')"))


def cells(page: Page, column: str) -> list[str]:
    names = [text.split(" ")[0] for text in page.locator(".ratios thead button").all_inner_texts()]
    return page.locator(f".ratios tbody tr td:nth-child({names.index(column) + 1})").all_inner_texts()


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overlaps_or_leaves_the_page(open_page: Open, compared: Path, width: int) -> None:
    page = open_page(compared, width=width, shows=SHOWS).page
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(open_page: Open, compared: Path, theme: Any) -> None:
    page = open_page(compared, theme=theme, shows=SHOWS).page
    for summary in page.locator("summary").all():
        summary.click()
    assert violations(page) == []


def test_page_says_nothing_asks_nothing_and_takes_names_as_text(opened: Watched, compared: Path) -> None:
    page = opened.page
    expect(page.locator("h1")).to_have_text(f"new against {HOSTILE}")
    page.get_by_role("searchbox", name="Filter").first.fill("jain")
    assert page.locator("#page img").count() == 0
    text = page.locator("#page").inner_text()
    assert [word for word in ("null", "undefined", "NaN", "[object") if word in text] == []
    assert (opened.said, opened.requested) == ([], [compared.as_uri()])


def test_outcome_is_a_sentence_at_the_top(opened: Watched) -> None:
    page = opened.page
    answer = page.locator(".answer").inner_text()
    assert answer.startswith("Fails distribution_s > 1.05: ")
    assert "4 of 12 comparisons are different (distribution time at time scale 2 is 1.288 times that of A," in answer
    assert len(re.findall(r"\.(?!\d)", answer)) == 1
    expect(page.locator(".tally")).to_contain_text("distribution_s > 1.05 fails")
    expect(page.locator(".tally")).to_contain_text("1 trial suspect")


def test_ratios_are_sorted_and_filtered(opened: Watched) -> None:
    page = opened.page
    for direction in ("ascending", "descending"):
        heading(page, "drawn").get_by_role("button").click()
        assert heading(page, "drawn").get_attribute("aria-sort") == direction
        found = [float(text) for text in cells(page, "ratio")]
        assert len(set(found)) > 2
        assert found == sorted(found, reverse=direction == "descending")
    page.get_by_role("searchbox", name="Filter").first.fill("outcome=different ratio>1")
    assert {text.split(" ")[-1] for text in cells(page, "outcome")} == {"different"}
    assert all(float(text) > 1 for text in cells(page, "ratio"))


def test_intervals_are_drawn_where_their_numbers_are(opened: Watched) -> None:
    """Half of the picture is below 1, and the other half above; the line in the middle is 1."""
    page = opened.page
    ratios = [float(text) for text in cells(page, "ratio")]
    places = page.locator(".ratios .plot svg").evaluate_all(
        "(all) => all.map((svg) => Number(svg.querySelectorAll('.bar')[1].getAttribute('x1')))"
    )
    assert {(ratio > 1, place > 100) for ratio, place in zip(ratios, places, strict=True) if ratio != 1} == {
        (False, False),
        (True, True),
    }


def test_runs_conditions_and_doubts_are_told(opened: Watched) -> None:
    page = opened.page
    expect(page.locator("#runs")).to_contain_text(HOSTILE)
    expect(page.locator("#runs tr").filter(has_text="seed")).to_have_text("seed12")
    expect(page.locator("#runs tr").filter(has_text="new")).to_have_text("Bnew128103")
    expect(page.locator("#trials tr").filter(has_text="suspect")).to_contain_text("programs woke 30.0 ms late")
    assert page.locator("#trials tr").filter(has_text="missing").count() == 3
    expect(page.locator("#ratios .notes")).to_contain_text("B: of 12 trials, 3 missing and 1 suspect: excluded")


def test_paper_shows_the_ratios(open_page: Open, compared: Path) -> None:
    page = open_page(compared, theme="dark", shows=SHOWS).page
    page.emulate_media(media="print")
    expect(page.locator(".ratios table")).to_be_visible()
    expect(page.get_by_role("searchbox", name="Filter").first).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
