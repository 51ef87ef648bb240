"""The page in a real browser: silent, accessible, and of use by mouse and by keyboard."""

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.page.conftest import Open
from tests.page.looks import OVERLAPS, WIDTHS, violations
from tests.page.swarms import EXPERIMENT, HOSTILE, hostile_run, small_run


def cells(page: Page, column: str) -> list[str]:
    """Return the cells of a column of the open table, from the top."""
    headings = page.locator("#tables thead button").all_inner_texts()
    place = next(number for number, text in enumerate(headings) if text.split(" ")[0] == column)
    return page.locator(f"#tables tbody tr td:nth-child({place + 1})").all_inner_texts()


def heading(page: Page, column: str) -> Locator:
    return page.locator("#tables thead th").filter(has=page.locator(f"button:text-matches('^{column}( |$)')"))


def opened_tab(page: Page, name: str, row: str) -> None:
    """Open a table, and wait until a row is there."""
    page.get_by_role("tab", name=name).click()
    page.wait_for_selector(f"#table td:has-text('{row}')")


def time_of(page: Page) -> float:
    return float(page.locator(".controls output").inner_text().split(" ")[0])


def numbers(texts: list[str]) -> list[float]:
    return [float(text) for text in texts if text]


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_overlaps_or_leaves_the_page(open_page: Open, small_page: Path, width: int) -> None:
    page = open_page(small_page, width=width).page
    page.get_by_text("This moment as a table").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_violation(open_page: Open, small_page: Path, theme: Any) -> None:
    page = open_page(small_page, theme=theme).page
    for summary in page.locator("summary").all():
        summary.click()
    page.wait_for_selector("figure .sheet td")
    assert violations(page) == []


def test_page_says_nothing_and_asks_nothing(open_page: Open, small_page: Path) -> None:
    watched = open_page(small_page)
    for tab in watched.page.get_by_role("tab").all():
        tab.click()
    watched.page.get_by_role("button", name="Play").click()
    expect(watched.page.locator(".play")).to_have_text("Pause")
    assert watched.said == []
    assert watched.requested == [small_page.as_uri()]


def test_policy_refuses_requests_and_foreign_scripts(open_page: Open, small_page: Path) -> None:
    watched = open_page(small_page)
    refused = watched.page.evaluate(
        """async () => {
          const script = document.createElement("script");
          script.textContent = "window.wasRun = true";
          document.body.append(script);
          return fetch("http://127.0.0.1:9/").then(() => "asked", (error) => `${error.name} ${window.wasRun}`);
        }"""
    )
    assert refused == "TypeError undefined"
    assert any("Content Security Policy" in text for text in watched.said)


def test_no_value_is_shown_as_the_program_has_it(open_page: Open, small_page: Path) -> None:
    page = open_page(small_page).page
    for tab in ("summary", "links", "timeline"):
        page.get_by_role("tab", name=tab).click()
        expect(page.get_by_role("group", name=f"rows of {tab}")).to_be_visible()
        text = page.locator("#page").inner_text()
        assert [word for word in ("null", "undefined", "NaN", "[object") if word in text] == []


def test_answer_and_expectations_are_at_the_top(open_page: Open, small_page: Path) -> None:
    page = open_page(small_page).page
    expect(page.locator("h1")).to_have_text('Free riders & <script>alert("title")</script> others')
    expect(page.locator(".answer")).to_contain_text("With BitThief instead of tit-for-tat: riders 0.")
    expect(page.locator(".outcomes li")).to_contain_text(["held", "did not hold"])
    expect(page.locator(".tally")).to_contain_text("5 of 6 trials valid")
    expect(page.locator("#trust")).to_contain_text("programs woke 30.0 ms late")


def test_table_is_sorted_by_click_and_by_key(open_page: Open, small_page: Path) -> None:
    page = open_page(small_page).page
    opened_tab(page, "peers", "riders")
    column = heading(page, "download_s")
    column.get_by_role("button").click()
    assert column.get_attribute("aria-sort") == "ascending"
    found = numbers(cells(page, "download_s"))
    assert found == sorted(found)
    page.keyboard.press("Enter")
    assert heading(page, "download_s").get_attribute("aria-sort") == "descending"
    found = numbers(cells(page, "download_s"))
    assert found == sorted(found, reverse=True)


def test_table_is_filtered(open_page: Open, small_page: Path) -> None:
    page = open_page(small_page).page
    opened_tab(page, "peers", "riders")
    page.get_by_role("searchbox", name="Filter").fill("group=riders bitthief")
    expect(page.locator("#table").get_by_role("status")).to_have_text("6 of 48 rows")
    assert set(cells(page, "strategy")) == {"bitthief"}
    page.get_by_role("searchbox", name="Filter").fill("nothing=1")
    expect(page.locator("#table").get_by_role("alert")).to_have_text("there is no column nothing")


def test_columns_without_variety_are_told_once(open_page: Open, small_page: Path) -> None:
    page = open_page(small_page).page
    expect(page.locator("#tables .same")).to_contain_text("distribution bittorrent")
    before = page.locator("#tables thead th").count()
    page.get_by_label("All columns").check()
    assert page.locator("#tables thead th").count() > before


def test_tabs_are_changed_by_arrow_keys(open_page: Open, small_page: Path) -> None:
    page = open_page(small_page).page
    page.get_by_role("tab", name="trials").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="groups")).to_have_attribute("aria-selected", "true")
    expect(page.locator("#table")).to_contain_text("download_median_s")


def test_figures_show_their_drawing_and_numbers(open_page: Open, small_page: Path) -> None:
    page = open_page(small_page).page
    for image in page.locator("figure img").all():
        image.evaluate("(image) => image.decode()")  # fails for what is no picture
    page.locator("figure").first.get_by_text("Its numbers").click()
    expect(page.locator("figure").first.locator("table")).to_contain_text("value")


def test_replay_follows_keys_and_slider(open_page: Open, small_page: Path) -> None:
    page = open_page(small_page).page
    slider = page.get_by_role("slider", name="time")
    slider.focus()
    page.keyboard.press("Home")
    assert time_of(page) == 0.0
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert time_of(page) == 2.0
    page.keyboard.press("End")
    assert time_of(page) == 20.0
    slider.fill("9.5")
    assert time_of(page) == 9.5
    assert "9.5 s" in (slider.get_attribute("aria-valuetext") or "")


def test_replay_runs_and_stops_at_the_end(open_page: Open, small_page: Path) -> None:
    page = open_page(small_page).page
    page.get_by_role("slider", name="time").fill("19.5")
    page.get_by_label("Speed").select_option("16")
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".controls output")).to_have_text("20.0 of 20.0 s")
    expect(page.get_by_role("button", name="Play")).to_be_visible()


def test_replay_shows_who_starves_arrives_and_leaves(open_page: Open, small_page: Path) -> None:
    page = open_page(small_page).page
    select_trial(page, "bitthief")
    page.get_by_text("This moment as a table").click()
    at(page, "1")
    assert classes(page, "p6") >= {"absent"}
    assert classes(page, "p7") >= {"starves"}
    expect(row(page, "p7")).to_contain_text("nobody, though it asks")
    expect(row(page, "p6")).to_contain_text("away")
    expect(row(page, "p2")).to_contain_text("p1*")
    at(page, "15")
    assert "starves" not in classes(page, "p7")
    assert classes(page, "p1") >= {"absent"}
    expect(row(page, "p2")).to_contain_text("100 %")


def test_one_host_can_be_looked_at(open_page: Open, small_page: Path) -> None:
    page = open_page(small_page).page
    at(page, "5")
    page.get_by_label("Look at").select_option("p3")
    assert classes(page, "p3") >= {"chosen"}
    assert page.locator(".edge.faded").count() > 0
    page.locator(".node:has(title:text-is('p3, others'))").click()
    assert page.locator(".edge.faded").count() == 0


def test_pieces_fill_as_they_are_completed(open_page: Open, small_page: Path) -> None:
    page = open_page(small_page).page
    row_of_p1 = "document.querySelector('canvas').getContext('2d').getImageData(0, 2, 16, 1).data.buffer"
    colours = f"new Set(new Uint32Array({row_of_p1})).size"
    at(page, "0")
    assert page.evaluate(colours) == 1
    at(page, "4")
    assert page.evaluate(colours) > 1


def test_a_piece_can_be_followed(open_page: Open, small_page: Path) -> None:
    page = open_page(small_page).page
    at(page, "1.8")
    page.get_by_label("Follow piece").fill("0")
    levels = "[...document.querySelectorAll('.node clipPath rect')].map((each) => each.getAttribute('height'))"
    assert [float(height) > 0 for height in page.evaluate(levels)] == [True, True, *[False] * 7]
    expect(page.locator(".readings")).to_contain_text("2 copies")
    page.locator("canvas").click(position={"x": 2, "y": 2})
    assert page.get_by_label("Follow piece").input_value() == ""


def test_hostile_names_are_text(open_page: Open, tmp_path: Path) -> None:
    file = hostile_run(tmp_path)
    watched = open_page(file)
    expect(watched.page.locator(".legend")).to_contain_text(HOSTILE)
    for tab in watched.page.get_by_role("tab").all():
        tab.click()
    assert watched.page.locator("#page img:not(figure img)").count() == 0
    assert watched.said == []
    assert watched.requested == [file.as_uri()]


def test_suspect_trial_says_so_in_its_replay(open_page: Open, tmp_path: Path) -> None:
    made = small_run(tmp_path, EXPERIMENT.replace("repeat: 3", "repeat: 1"))
    assert made.page is not None
    page = open_page(made.page).page
    select_trial(page, "bitthief")
    expect(page.locator("#replay")).to_contain_text("this trial is suspect")
    expect(page.locator(".answer")).to_have_text("No pair of trials that count has a result yet.")


def test_colours_change_without_a_reload(open_page: Open, small_page: Path) -> None:
    page = open_page(small_page).page
    background = "getComputedStyle(document.documentElement).backgroundColor"
    before = page.evaluate(background)
    button = page.get_by_role("button", name="Colours")
    button.click()
    button.click()
    expect(button).to_have_text("Colours: dark")
    assert page.evaluate(background) != before


def test_paper_has_no_controls_and_no_table_that_does_not_fit(open_page: Open, small_page: Path) -> None:
    page = open_page(small_page, theme="dark").page
    page.emulate_media(media="print")
    expect(page.locator(".controls")).to_be_hidden()
    expect(page.locator(".contents")).to_be_hidden()
    assert page.evaluate("getComputedStyle(document.documentElement).colorScheme") == "light"
    expect(page.locator("#tables .sheet")).to_be_hidden()
    expect(page.locator("#tables .on-paper")).to_contain_text("trials.csv")


def select_trial(page: Page, name: str) -> None:
    """Choose the replay of a trial, and wait for it."""
    options = page.get_by_role("combobox", name="Trial").locator("option").all_inner_texts()
    page.locator(".replay").evaluate("(replay) => replay.classList.add('earlier')")
    page.get_by_role("combobox", name="Trial").select_option(next(text for text in options if name in text))
    expect(page.locator(".replay:not(.earlier)")).to_be_visible()


def at(page: Page, t: str) -> None:
    page.get_by_role("slider", name="time").fill(t)


def classes(page: Page, host: str) -> set[str]:
    node = page.locator(f".node:has(text:text-is('{host}'))")
    return set((node.get_attribute("class") or "").split())


def row(page: Page, host: str) -> Locator:
    return page.locator(".replay details tr").filter(has=page.get_by_role("rowheader", name=host, exact=True))
