"""The outline in a real browser: without JavaScript, with htmx, by keyboard alone."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.builders import PASSWORD
from tests.e2e.board import SignIn, replace_text, tab_to
from tests.e2e.looks import violations

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

_numbers = itertools.count(1)
SHAPES = [
    pytest.param(width, theme, id=f"{width}-{theme}")
    for width in (1280, 390)
    for theme in ("light", "dark")
]


@pytest.fixture
def without_javascript(browser: Browser, site: str) -> Iterator[Page]:
    """A page of a browser that runs no scripts, in which alice has signed in."""
    context = browser.new_context(base_url=site, java_script_enabled=False)
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.goto("/sign-in/")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    yield page
    context.close()


def outline_of(page: Page, start: str = "classify") -> str:
    """The outline of a pipeline of its own for this test; the address of the pipeline."""
    token = next(one for one in page.context.cookies() if one.get("name") == "csrftoken")
    form: dict[str, str | float | bool] = {
        "name": f"In words {next(_numbers)}",
        "start": start,
        "csrfmiddlewaretoken": token.get("value", ""),
    }
    headers = {"referer": page.url}
    made = page.request.post(
        "/p/support/pipelines/new/", form=form, headers=headers, max_redirects=0
    )
    address = made.headers["location"]
    page.goto(f"{address}outline/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("in words")
    return address


def add_step(page: Page, name: str, signature: str) -> None:
    """One more step after the last one."""
    page.get_by_label("Kind", exact=True).last.select_option("kind:predict")
    page.locator("#add-name").fill(name)
    page.locator("#add-signature").fill(signature)
    page.get_by_role("button", name="Add the step").click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()


def test_without_javascript_two_steps_are_built_from_nothing(without_javascript: Page) -> None:
    page = without_javascript
    page.goto("/p/support/pipelines/new/")
    page.get_by_label("Name", exact=True).fill("Built in words")
    page.get_by_label("Empty").check()
    page.get_by_role("button", name="Open the canvas").click()
    page.get_by_role("link", name="Edit it in words").click()
    page.get_by_role("link", name="Edit input").click()
    page.get_by_label("Fields in one line").fill("topic")
    page.get_by_role("button", name="Save input").click()
    add_step(page, "plan", "topic -> points: list[str]")
    add_step(page, "write", "points: list[str] -> text")
    page.get_by_role("button", name="Answer text").click()
    expect(page.get_by_role("heading", name="Ready to compile")).to_be_visible()
    page.get_by_role("link", name="Edit write").or_(
        page.get_by_role("link", name="Close write")
    ).click()
    page.get_by_role("button", name="Undo the last change").click()
    expect(page.locator("#problems-title")).to_contain_text("problem")
    page.get_by_role("button", name="Redo").click()
    expect(page.get_by_role("heading", name="Ready to compile")).to_be_visible()


def test_a_saved_step_is_swapped_and_the_focus_stays(sign_in: SignIn) -> None:
    page = sign_in("alice")
    outline_of(page)
    page.evaluate("window.stays = true")
    page.get_by_role("link", name=re.compile("Edit classify")).click()
    name = page.get_by_label("Name", exact=True)
    name.fill("sort")
    name.press("Enter")
    expect(page.get_by_role("heading", name="sort", exact=True)).to_be_visible()
    expect(name).to_be_focused()
    expect(page.locator("#said")).to_contain_text("Saved.")
    assert page.evaluate("window.stays") is True
    page.get_by_role("button", name="Duplicate sort").click()
    expect(page.get_by_role("heading", name="sort_2", exact=True)).to_be_visible()
    page.get_by_role("button", name="Undo the last change").click()
    expect(page.get_by_role("heading", name="sort_2", exact=True)).to_have_count(0)
    assert page.evaluate("window.stays") is True


def test_what_is_typed_elsewhere_survives_a_swap(sign_in: SignIn) -> None:
    page = sign_in("alice")
    outline_of(page)
    page.get_by_role("link", name="Edit classify").click()
    page.get_by_label("Instruction (optional)").fill("Half a thought")
    page.get_by_role("link", name="Edit output").click()
    page.get_by_label("Fields in one line").fill("category, reason")
    page.get_by_role("button", name="Save output").click()
    expect(page.locator("#said")).to_contain_text("Saved.")
    expect(page.get_by_label("Instruction (optional)")).to_have_value("Half a thought")
    expect(page.locator("#problems-title")).to_contain_text("1 problem")


def test_buttons_of_the_table_keep_it_open_and_keep_the_focus(sign_in: SignIn) -> None:
    page = sign_in("alice")
    outline_of(page)
    page.get_by_role("link", name="Edit classify").click()
    page.get_by_text("Fields: descriptions, limits, defaults").click()
    add = page.get_by_role("button", name="Input", exact=True)
    add.click()
    expect(page.get_by_label("Name of field 2")).to_have_value("input")
    expect(add).to_be_focused()


def test_a_bad_name_is_told_beside_what_was_typed(sign_in: SignIn) -> None:
    page = sign_in("alice")
    outline_of(page)
    page.get_by_role("link", name="Edit classify").click()
    page.get_by_label("Name", exact=True).fill("Not a name")
    page.get_by_role("button", name="Save classify").click()
    expect(page.get_by_role("alert")).to_contain_text("is not a name")
    expect(page.get_by_label("Name", exact=True)).to_have_value("Not a name")


def test_a_step_is_added_and_wired_with_the_keyboard_alone(sign_in: SignIn) -> None:
    page = sign_in("alice")
    outline_of(page)
    tab_to(page, page.locator("#add-name"))
    replace_text(page, "explain")
    page.keyboard.press("Tab")
    replace_text(page, "category -> reason")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="explain", exact=True)).to_be_visible()
    answer = page.get_by_role("button", name="Answer reason")
    tab_to(page, answer)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ready to compile")).to_be_visible()


def test_one_key_leads_from_the_outline_to_the_canvas(sign_in: SignIn) -> None:
    page = sign_in("alice")
    address = outline_of(page)
    page.keyboard.press("o")
    page.wait_for_url(f"**{address}")


@pytest.mark.parametrize(("width", "theme"), SHAPES)
def test_nothing_sticks_out_and_axe_finds_nothing(sign_in: SignIn, width: int, theme: str) -> None:
    page = sign_in("alice", width=width, theme=theme)
    outline_of(page, "two-steps")
    page.get_by_role("link", name="Edit summarise").click()
    page.get_by_label("Signature", exact=True).fill("letters: list[str], count: int -> summary")
    page.get_by_role("button", name="Save summarise").click()
    expect(page.locator("#said")).to_contain_text("Saved.")
    page.get_by_text("Pinned demos: none").click()
    page.get_by_role("button", name="Add a demo").click()
    expect(page.get_by_role("group", name="Demo 1")).to_be_visible()
    page.get_by_label("Name", exact=True).fill("Not a name")
    page.get_by_role("button", name="Save summarise").click()
    expect(page.get_by_role("alert")).to_contain_text("is not a name")
    for name in ("Fields: descriptions", "Settings of", "Language model: "):
        page.locator("summary", has_text=name).click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.evaluate("window.scrollTo(0, 0)")  # what the bar at the top covers is smaller to axe
    assert violations(page) == []


def test_one_key_leads_there_and_back_and_keeps_the_place(sign_in: SignIn) -> None:
    page = sign_in("alice")
    address = outline_of(page)
    title = page.get_by_role("heading", name="classify", exact=True)
    step = page.locator("section[id^='node-']").filter(has=title)
    id_ = (step.get_attribute("id") or "").removeprefix("node-")
    step.get_by_role("link", name="Edit classify").click()
    expect(step.get_by_role("link", name="On the canvas")).to_be_visible()
    step.get_by_role("link", name="Close classify").focus()
    page.keyboard.press("o")
    page.wait_for_url(re.compile(rf"{address}#/{id_}$"))
    expect(page.locator(".inspector").get_by_label("Name", exact=True)).to_have_value("classify")
    page.keyboard.press("o")
    page.wait_for_url(re.compile(rf"/outline/\?open={id_}#node-{id_}$"))
    expect(page.get_by_role("link", name="Close classify")).to_be_visible()


def test_a_try_runs_until_the_step_where_the_button_is(sign_in: SignIn) -> None:
    page = sign_in("alice")
    outline_of(page, "two-steps")
    page.get_by_role("link", name="Edit summarise").click()
    page.locator("#try-1").fill("Where is my parcel?")
    with page.expect_request(re.compile("/outline/try/$")) as sent:
        page.get_by_role("button", name="Run until here").click()
    assert "until-here=summarise" in (sent.value.post_data or "")
    expect(page.get_by_role("link", name="The page of this run")).to_be_visible()
