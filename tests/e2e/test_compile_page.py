"""The compile form, the race, and the report, as a person meets them in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.board import SignIn, tab_to
from tests.e2e.looks import shoot
from tests.e2e.test_whole_loop import measure, upload
from tests.runs.builders import make_rows

pytestmark = pytest.mark.e2e
URL = "/p/support/pipelines/triage/compile/"
SIZES = ((1280, "light"), (390, "dark"), (390, "light"), (1280, "dark"))


@pytest.fixture(scope="module")
def made() -> list[str]:
    """The data and the metric of these tests, as soon as one of them has made them."""
    return []


@pytest.fixture
def alice(sign_in: SignIn, made: list[str]) -> Page:
    """Alice, in whose project the pipeline triage can be compiled."""
    page = sign_in("alice")
    if not made:
        upload(page, "race messages", a_file())
        measure(page, "race right")
        made.append("race messages")
    return page


def a_file() -> bytes:
    """A CSV of messages of two categories, split in three."""
    splits = ("train", "dev", "test")
    lines = [
        f"{row['message']},{row['category']},{splits[number % 3]}"
        for number, row in enumerate(make_rows(96))
    ]
    return "\n".join(["message,category,split", *lines]).encode()


def open_form(page: Page) -> None:
    """The form, with the data of these tests."""
    page.goto(URL)
    page.get_by_label("Dataset", exact=True).select_option(label="race messages")
    page.get_by_label("Metric", exact=True).select_option(label="race right")
    page.get_by_label("Language model", exact=True).select_option(label="Scripted")
    expect(calls(page)).to_be_visible()


def calls(page: Page) -> Locator:
    """The expected number of calls, in words."""
    return page.get_by_text(re.compile(r"^about [\d,]+ calls$"))


def preset(page: Page, title: str) -> Locator:
    """The radio button of a preset."""
    return page.get_by_role("radio", name=re.compile(f"^{title} "))


def expect_to_fit(page: Page) -> None:
    """Nothing is wider than the window."""
    wide = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    assert wide <= 0, f"The page is {wide} pixels wider than the window."


@pytest.mark.timeout(90)
def test_a_preset_fills_the_settings_and_changes_the_estimate(alice: Page) -> None:
    open_form(alice)
    usual = calls(alice).inner_text()
    preset(alice, "Light").check()
    expect(calls(alice)).not_to_have_text(usual)
    light = calls(alice).inner_text()
    alice.get_by_text("Settings: what the preset").click()
    candidates = alice.get_by_label("Random candidates", exact=True)
    few = int(candidates.input_value())
    preset(alice, "Thorough").check()
    expect(candidates).not_to_have_value(str(few))
    expect(calls(alice)).not_to_have_text(light)
    candidates.fill(str(few + 1))
    candidates.press("Tab")
    expect(preset(alice, "Custom")).to_be_checked()
    expect(candidates).to_have_value(str(few + 1))
    alice.get_by_label("LM calls at most").fill("5")
    alice.get_by_label("LM calls at most").press("Tab")
    expect(alice.get_by_text("The cap of 5 calls is below")).to_be_visible()


@pytest.mark.timeout(90)
def test_a_compiler_that_asks_shows_who_is_asked(alice: Page) -> None:
    open_form(alice)
    proposer = alice.get_by_label("Proposer", exact=True)
    expect(proposer).to_have_count(0)
    alice.get_by_role("radio", name=re.compile("^Reflect")).check()
    expect(proposer).to_be_visible()
    expect(alice.get_by_label("Merges", exact=True)).to_have_count(1)
    alice.get_by_role("radio", name=re.compile("^Labelled")).check()
    expect(proposer).to_have_count(0)


@pytest.mark.timeout(90)
def test_the_form_needs_no_mouse(alice: Page) -> None:
    open_form(alice)
    tab_to(alice, alice.get_by_role("radio", name=re.compile("^Random search")))
    alice.keyboard.press("ArrowDown")
    expect(alice.get_by_role("radio", name=re.compile("^Bootstrap"))).to_be_checked()
    tab_to(alice, preset(alice, "Medium"))
    alice.keyboard.press("ArrowUp")
    expect(preset(alice, "Light")).to_be_checked()
    expect(preset(alice, "Light")).to_be_focused()
    tab_to(alice, alice.get_by_role("button", name="Start compiling"))


@pytest.mark.timeout(120)
def test_a_race_is_watched_to_its_report(alice: Page, worker: None) -> None:
    open_form(alice)
    preset(alice, "Light").check()
    expect(preset(alice, "Light")).to_be_checked()
    shoot(alice, "compile-form", full_page=True)
    alice.get_by_role("button", name="Start compiling").click()
    alice.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}/"))
    expect(alice.get_by_role("heading", name="The race on dev")).to_be_visible()
    expect(alice.locator("#result")).to_be_visible(timeout=60_000)
    expect(alice.locator("#result")).to_have_text(re.compile("Better|Not distinguish|Worse"))
    expect(alice.locator(".race-row").first).to_be_visible()
    expect(alice.locator("#race").get_by_text("best", exact=True)).to_have_count(1)
    expect(alice.locator("#race").get_by_text("baseline", exact=True)).to_have_count(1)
    expect(alice.get_by_text(re.compile("held-out examples that the search"))).to_be_visible()
    expect(alice.get_by_role("button", name="Cancel")).to_have_count(0)
    shoot(alice, "race-report", full_page=True)
    alice.get_by_role("link", name="Compile again").click()
    expect(preset(alice, "Light")).to_be_checked()


@pytest.mark.timeout(120)
def test_a_run_is_paused_and_resumed(alice: Page, worker: None) -> None:
    open_form(alice)
    alice.get_by_text("Settings: what the preset").click()
    alice.get_by_label("Seed", exact=True).fill("7")
    alice.get_by_role("button", name="Start compiling").click()
    alice.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}/"))
    pause = alice.get_by_role("button", name="Pause")
    resume = alice.get_by_role("button", name="Resume")
    ended = alice.get_by_role("link", name="Compile again")
    expect(pause.or_(ended)).to_be_visible()
    if pause.count():  # a quick machine may have ended it already
        pause.click()
        aside = alice.get_by_text("Paused. What was scored is kept")
        expect(aside.or_(ended).first).to_be_visible()
        if aside.count():
            resume.click()
    expect(alice.locator("#result")).to_be_visible(timeout=60_000)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(("width", "theme"), SIZES)
def test_nothing_is_wider_than_the_window(
    alice: Page, worker: None, sign_in: SignIn, width: int, theme: str
) -> None:
    page = sign_in("alice", width=width, theme=theme)
    page.goto(URL)
    page.evaluate("document.querySelectorAll('main details').forEach((one) => (one.open = true))")
    expect_to_fit(page)
    shoot(page, f"form-{width}-{theme}", full_page=True)
    page.goto("/p/support/runs/?kind=compile&state=succeeded")
    ended = page.get_by_role("link", name="Compile Triage")
    if ended.count():
        ended.first.click()
    else:
        open_form(page)
        page.get_by_role("button", name="Start compiling").click()
    expect(page.locator("#result")).to_be_visible(timeout=60_000)
    expect_to_fit(page)
    shoot(page, f"run-{width}-{theme}", full_page=True)


@pytest.mark.timeout(90)
def test_a_viewer_watches_but_has_no_buttons(sign_in: SignIn) -> None:
    vera = sign_in("vera")
    vera.goto("/p/support/runs/")
    expect(vera.get_by_text("Compile a pipeline")).to_have_count(0)
    vera.goto(URL)
    expect(vera.get_by_role("heading", name="You may not do this")).to_be_visible()
