"""Metrics in a browser: written beside rows, held against people, without JavaScript."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.board import SignIn
from tests.e2e.looks import violations
from tests.e2e.test_whole_loop import upload

pytestmark = pytest.mark.e2e
METRICS = "/p/support/metrics/"
ROWS = [
    f"{text} {number},{label},{draft},{'yes' if label == draft else 'no'},{split}"
    for number in range(4)
    for text, label, draft, split in (
        ("My invoice was paid twice", "billing", "billing", "train"),
        ("The parcel is late", "shipping", "billing", "dev"),
        ("A delivery to the wrong door", "shipping", "shipping", "train"),
        ("A card is charged", "billing", "billing", "dev"),
    )
]
FILE = "\n".join(["message,category,draft,human,split", *ROWS]).encode()


@pytest.fixture(scope="module")
def made() -> list[str]:
    """Whether the rows are there already."""
    return []


@pytest.fixture
def page(sign_in: SignIn, made: list[str]) -> Page:
    """Alice's, with a dataset of drafts and what people said of them."""
    page = sign_in("alice")
    if not made:
        upload(page, "metric drafts", FILE)
        made.append("rows")
    return page


def open_new(page: Page, kind: str) -> None:
    """The form of a new metric, with the drafts as the answers that are judged."""
    page.goto(f"{METRICS}new/?kind={kind}")
    choose_drafts(page)


def choose_drafts(page: Page) -> None:
    page.get_by_label("Dataset", exact=True).select_option(label="metric drafts")
    expect(page.locator("#rows-source option", has_text="draft")).to_have_count(1)
    page.get_by_label("Answers to judge").select_option(label="Column “draft”")
    expect(page.get_by_text("stand for category")).to_be_visible()


def editor(page: Page) -> Any:
    return page.get_by_role("textbox", name="Code")


def write(page: Page, *lines: str) -> None:
    """Replace the code by these lines."""
    editor(page).click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.press("Delete")
    page.keyboard.insert_text("\n".join(lines))


def results(page: Page) -> Any:
    return page.locator("#rows-result")


def test_a_metric_is_written_beside_its_rows(page: Page) -> None:
    open_new(page, "python")
    write(page, "def score(example, prediction):", "    return ")
    page.keyboard.type('prediction["', delay=20)
    offer = page.locator(".cm-tooltip-autocomplete")
    expect(offer.get_by_role("option", name="category")).to_be_visible()
    page.wait_for_timeout(150)  # the editor takes no answer to an offer that has just come
    page.keyboard.press("Enter")
    expect(page.locator("textarea[name=code]")).to_have_value(
        re.compile(r'return prediction\["category"\]$')
    )
    expect(results(page)).to_contain_text("answered the text “billing” instead of a number")
    page.keyboard.type(' == example["category"]', delay=5)
    expect(results(page)).to_contain_text("mean of 10 rows")
    expect(results(page)).not_to_contain_text("without a score")


def test_what_fails_is_marked_at_its_line(page: Page) -> None:
    open_new(page, "python")
    write(page, "def score(example, prediction):", "    x = 1", "    return example['nothing']")
    expect(results(page)).to_contain_text("KeyError: nothing")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
    results(page).get_by_role("link", name="Line 3").first.click()
    expect(editor(page)).to_be_focused()
    expect(page.locator(".cm-activeLine")).to_contain_text("nothing")
    write(page, "def score(example, prediction):", "    return (")
    expect(results(page)).to_contain_text("was never closed")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(1)
    write(page, "def score(example, prediction):", "    return 1.0")
    expect(results(page)).to_contain_text("1.000 mean")
    expect(page.locator(".cm-lint-marker-error")).to_have_count(0)


def test_the_editor_is_left_by_keyboard(page: Page) -> None:
    open_new(page, "python")
    editor(page).click()
    page.keyboard.press("ControlOrMeta+Home")
    page.keyboard.press("Tab")
    expect(page.locator("textarea[name=code]")).to_have_value(re.compile(r"^    def score"))
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(editor(page)).not_to_be_focused()
    expect(page.get_by_text("Escape, then Tab")).to_be_visible()


def test_a_judge_is_asked_by_its_button_only(page: Page) -> None:
    open_new(page, "lm_judge")
    page.get_by_label("Judge", exact=True).select_option(index=1)
    page.get_by_label("Rubric").fill("The category fits the message.")
    page.locator("input[name=field]").fill("category")
    ask = page.get_by_role("button", name="Ask the judge: 10 calls")
    expect(ask).to_be_visible()
    expect(results(page)).not_to_contain_text("mean of")
    ask.click()
    expect(results(page)).to_contain_text("mean of 10 rows")


def test_a_composite_is_put_together(page: Page) -> None:
    open_new(page, "composite")
    page.get_by_label("Another part").select_option(label="Python")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(editor(page)).to_be_visible()
    page.get_by_role("button", name="Remove part 2").click()
    expect(page.get_by_role("group", name="Part 2: Python")).to_be_visible()
    expect(results(page).get_by_role("list", name="Parts").first).to_contain_text("Python")
    page.get_by_role("button", name="As JSON").click()
    expect(page.get_by_label("Parts as JSON")).to_have_value(re.compile('"kind": "python"'))
    page.get_by_role("button", name="Make the metric").click()
    expect(page.get_by_role("group", name="Part 1: Token F1")).to_be_visible()


def test_a_metric_is_held_against_people(page: Page, worker: None) -> None:
    page.goto(f"{METRICS}new/?kind=exact_match")
    page.get_by_label("Name", exact=True).fill("as people")
    page.get_by_label("Field", exact=True).fill("category")
    page.get_by_role("button", name="Make the metric").click()
    page.get_by_role("link", name="Agreement with people").click()
    choose = page.get_by_label("Dataset", exact=True)
    choose.select_option(label="metric drafts")
    expect(page.locator("#verdicts option", has_text="human")).to_have_count(1)
    page.get_by_label("Answers to judge").select_option(label="Column “draft”")
    page.get_by_label("People’s verdicts").select_option(label="Column “human”")
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(page.get_by_text("They differ nowhere.")).to_be_visible(timeout=30_000)
    expect(page.get_by_label("Confusion matrix")).to_contain_text("12")
    assert violations(page) == []
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 390, "height": 800})
    assert violations(page) == []


def test_answers_are_labelled_by_keys(page: Page) -> None:
    page.goto(f"{METRICS}new/?kind=exact_match")
    page.get_by_label("Name", exact=True).fill("labelled")
    page.get_by_label("Field", exact=True).fill("category")
    page.get_by_role("button", name="Make the metric").click()
    page.goto(f"{METRICS}labelled/agreement/")
    page.get_by_label("Dataset", exact=True).select_option(label="metric drafts")
    expect(page.locator("#verdicts option", has_text="human")).to_have_count(1)
    page.get_by_label("Answers to judge").select_option(label="Column “draft”")
    page.get_by_role("button", name="Label these answers here").click()
    expect(page.get_by_role("heading", name="Answer 1 of 16")).to_be_visible()
    page.wait_for_load_state("load")  # keys mean something once the page's script runs
    page.keyboard.press("y")
    expect(page.get_by_role("heading", name="Answer 2 of 16")).to_be_visible()
    page.wait_for_load_state("load")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", name="Answer 3 of 16")).to_be_visible()
    page.wait_for_load_state("load")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("button", name="No", pressed=True)).to_be_visible()
    expect(page.get_by_text("2 with a verdict")).to_be_visible()
    assert violations(page) == []


def test_the_editor_has_no_fault_in_both_themes(page: Page) -> None:
    open_new(page, "python")
    write(page, "def score(example, prediction):", "    return example['nothing']  # why", "")
    expect(results(page)).to_contain_text("KeyError")
    for theme, width in (("light", 1280), ("dark", 390)):
        page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        assert violations(page) == []


def test_everything_works_without_javascript(page: Page, site: str) -> None:
    browser = page.context.browser
    assert browser is not None
    context = browser.new_context(
        base_url=site, java_script_enabled=False, storage_state=page.context.storage_state()
    )
    plain = context.new_page()
    plain.goto(f"{METRICS}new/?kind=python")
    box = plain.locator("textarea[name=code]")
    box.fill("def score(example, prediction):\n    return 0.25, 'plain'")
    plain.get_by_role("button", name="Run on rows").click()
    expect(plain.get_by_text("mean of")).to_be_visible()
    expect(plain.get_by_role("list", name="Rows")).to_contain_text("plain")
    plain.get_by_label("Dataset", exact=True).select_option(label="metric drafts")
    plain.get_by_role("button", name="Show these rows").click()
    expect(plain.get_by_text("mean of 10 rows")).to_be_visible()
    context.close()
