"""The replay of searches in a real browser: a directory, ultrapeers with leaves, and a ring."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.page.conftest import Open
from tests.page.looks import OVERLAPS, WIDTHS, violations
from tests.page.searches.questions import searched_run
from tests.page.test_in_browser import classes, select_trial, time_of


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = searched_run(tmp_path_factory.mktemp("asked"))
    assert made.page is not None
    return made.page


def search_of(page: Page, text: str) -> None:
    """Choose the first search whose line in the menu has a text."""
    lines = page.get_by_role("combobox", name="Search").locator("option").all_inner_texts()
    page.get_by_role("combobox", name="Search").select_option(next(line for line in lines if text in line))


def seek(page: Page, milliseconds: float) -> None:
    page.get_by_role("slider", name="time").fill(str(milliseconds / 1000))


def trails(page: Page) -> int:
    return page.locator("#replay .trail:not([visibility=hidden]):not(.legend *)").count()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("system", ["napster", "gnutella", "chord"])
def test_nothing_overlaps_or_leaves_the_page(open_page: Open, asked: Path, width: int, system: str) -> None:
    page = open_page(asked, width=width).page
    select_trial(page, system)
    page.locator("#replay").get_by_text("This moment as a table").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(open_page: Open, asked: Path, theme: Any) -> None:
    page = open_page(asked, theme=theme).page
    select_trial(page, "gnutella")
    for summary in page.locator("summary").all():
        summary.click()
    assert violations(page) == []


def test_page_says_nothing_and_asks_nothing(open_page: Open, asked: Path) -> None:
    watched = open_page(asked)
    for system in ("napster", "gnutella", "chord"):
        select_trial(watched.page, system)
        watched.page.get_by_role("button", name="Play").click()
        expect(watched.page.locator(".play")).to_have_text("Pause")
    assert watched.said == []
    assert watched.requested == [asked.as_uri()]


def test_page_is_small(asked: Path) -> None:
    assert asked.stat().st_size < 300_000


def test_menu_has_searches_with_a_right_answer_and_without(open_page: Open, asked: Path) -> None:
    page = open_page(asked).page
    groups = page.get_by_role("combobox", name="Search").locator("optgroup")
    assert [group.get_attribute("label") for group in groups.all()] == ["answered rightly", "without a right answer"]
    expect(groups.first.locator("option").first).to_contain_text("asks for")
    expect(groups.first.locator("option").first).to_contain_text("found after")
    expect(groups.last.locator("option").first).to_contain_text("not found, 2 messages")


def test_replay_follows_keys_and_slider(open_page: Open, asked: Path) -> None:
    page = open_page(asked).page
    select_trial(page, "gnutella")
    search_of(page, "found after")
    page.get_by_role("slider", name="time").focus()
    page.keyboard.press("Home")
    assert (time_of(page), trails(page)) == (0, 0)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert 0 < time_of(page) < 50
    page.keyboard.press("End")
    assert trails(page) == 5
    expect(page.locator(".readings")).to_contain_text("5 of 5")
    assert "found after" in (page.get_by_role("slider", name="time").get_attribute("aria-valuetext") or "")


def test_question_spreads_and_the_answer_comes_back(open_page: Open, asked: Path) -> None:
    page = open_page(asked).page
    select_trial(page, "gnutella")
    search_of(page, "found after")
    seek(page, 40)
    assert (trails(page), page.locator("#replay g > .dot.question[d]:not(.legend *)").count()) == (1, 1)
    seek(page, 125)
    assert page.locator("#replay .dot.answer[d]:not(.legend *)").count() == 1
    asker = page.get_by_role("combobox", name="Search").locator("option:checked").inner_text().split(" ")[0]
    assert classes(page, asker) >= {"asking"}
    assert len(page.locator(".node.was-asked:not(.legend *)").all()) == 4
    assert page.locator(".node.found:not(.legend *)").count() == 0
    page.get_by_role("slider", name="time").press("End")
    assert page.locator(".node.found:not(.legend *)").count() == 1


def test_replay_runs_and_stops_at_the_end(open_page: Open, asked: Path) -> None:
    page = open_page(asked).page
    seek(page, 0)
    page.get_by_label("Speed").select_option("5")
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".readings")).to_contain_text("2 of 2")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_another_search_is_shown_whole_and_stands(open_page: Open, asked: Path) -> None:
    page = open_page(asked).page
    page.get_by_role("button", name="Play").click()
    search_of(page, "not found")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(page.locator("#replay .facts").first).to_contain_text("not found, 2 messages")
    assert trails(page) == 2


def test_key_is_on_the_ring_of_hashes_only(open_page: Open, asked: Path) -> None:
    page = open_page(asked).page
    key = page.locator(".swarm > svg > .key path")
    assert key.count() == 0
    select_trial(page, "chord")
    assert key.count() == 1
    expect(page.locator(".legend")).to_contain_text("the key")


def test_one_host_can_be_looked_at(open_page: Open, asked: Path) -> None:
    page = open_page(asked).page
    select_trial(page, "gnutella")
    page.get_by_label("Look at").select_option("n2")
    assert classes(page, "n2") >= {"chosen"}
    faded = page.locator(".trail.faded").count()
    assert 0 < faded < trails(page)
    opacity = "(element) => Number(getComputedStyle(element).opacity)"
    assert page.locator(".trail.faded").first.evaluate(opacity) < 0.1
    assert page.locator(".trail:not(.faded)").first.evaluate(opacity) > 0.5
    page.locator(".node:has(title:text-is('n2, core'))").click()
    assert page.locator(".trail.faded").count() == 0


def test_moment_is_a_table_of_messages(open_page: Open, asked: Path) -> None:
    page = open_page(asked).page
    select_trial(page, "napster")
    page.locator("#replay").get_by_text("This moment as a table").click()
    rows = page.locator("#replay details tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("Result (an answer)")
    expect(rows.last).to_contain_text("directory")
    seek(page, 0)
    expect(rows).to_have_text(["none yet"])


def test_node_that_was_killed_is_absent(open_page: Open, asked: Path) -> None:
    page = open_page(asked).page
    searches = page.get_by_role("combobox", name="Search").locator("option")
    page.get_by_role("combobox", name="Search").select_option(str(searches.count() - 1))
    absent = page.locator(".node.absent:not(.legend *)")
    expect(absent).to_have_count(1)
