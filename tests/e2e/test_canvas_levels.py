"""Pipelines inside pipelines, groups, notes and problems, on the canvas in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.board import (
    SignIn,
    at_rest,
    expect_saved,
    expect_wires,
    new_pipeline,
    node,
    select,
)
from tests.e2e.looks import WCAG, shoot, violations

pytestmark = pytest.mark.e2e


def judge(page: Page) -> None:
    """Fail with whatever axe says of the page."""
    page.wait_for_timeout(400)  # what fades in has no contrast yet
    assert violations(page, rules=WCAG) == []


def crumbs(page: Page) -> Locator:
    """The way to the level that is shown; there is none at the top."""
    return page.get_by_role("navigation", name="Pipelines around this one")


def chip(page: Page, name: str, part: str) -> Locator:
    """The part on the card of a node."""
    return node(page, name).locator(".chip").filter(has_text=part)


def draw_case(page: Page) -> None:
    """A step between the ends of an empty pipeline that have their fields already."""
    page.get_by_role("button", name="Add a Predict step").click()
    expect(node(page, "predict")).to_be_visible()
    expect_wires(page, 3)


def test_a_branch_with_two_cases_is_drawn_by_hand(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page)
    inspector = page.locator(".inspector")
    page.locator(".palette").get_by_role("button", name="Branch").click()
    expect(chip(page, "branch", "yes")).to_be_visible()
    expect(chip(page, "branch", "no")).to_be_visible()
    shoot(page, "branch-new")

    at_rest(page)
    chip(page, "branch", "yes").click()
    expect(crumbs(page).get_by_role("button", name="yes")).to_have_attribute(
        "aria-current", "page"
    )
    expect(node(page, "branch")).to_have_count(0)
    shoot(page, "branch-yes-empty")
    draw_case(page)
    crumbs(page).get_by_role("button", name="no", exact=True).click()
    expect(page.get_by_text("No step yet")).to_be_visible()
    draw_case(page)
    shoot(page, "branch-no-drawn")
    page.keyboard.press("Alt+ArrowUp")
    expect(crumbs(page)).to_have_count(0)

    select(page, "branch")
    inspector.get_by_role("button", name="Expose as an output").click()
    select(page, "input")
    for name, kind in (("message", "str"), ("urgent", "bool")):
        inspector.get_by_role("button", name="Add a field").click()
        inspector.get_by_label("Name of field").last.fill(name)
        inspector.get_by_label(f"Type of {name}").select_option(kind)
    select(page, "branch")
    for name in ("message", "urgent"):
        choice = inspector.locator(f"select[data-wire='{name}']")
        choice.select_option(label=f"input.{name}")
    expect_wires(page, 3)
    expect(page.get_by_text("No problems")).to_be_visible()
    expect_saved(page)
    shoot(page, "branch-done")


def test_levels_open_and_close_by_mouse_keys_and_address(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    page.locator(".palette").get_by_role("button", name="Subpipeline").click()
    at_rest(page)
    node(page, "subpipeline").locator(".node-name").dblclick()
    expect(crumbs(page).get_by_text("subpipeline")).to_be_visible()
    expect(page).to_have_url(re.compile(r"#/[^/]+/body$"))
    expect(page.get_by_role("status").filter(has_text="Inside subpipeline")).to_have_count(1)

    page.locator(".palette").get_by_role("button", name="Map").click()
    expect(node(page, "each")).to_be_visible()
    expect_saved(page)
    page.reload()
    expect(node(page, "each")).to_be_visible()
    expect(crumbs(page).get_by_text("subpipeline")).to_be_visible()

    select(page, "each")
    page.locator("[data-part='body']").get_by_role("button", name="Begin").click()
    expect(crumbs(page).get_by_text("each")).to_be_visible()
    page.go_back()
    expect(node(page, "each")).to_be_visible()
    page.go_forward()
    expect(node(page, "each")).to_have_count(0)
    page.locator(".react-flow__pane").click(position={"x": 400, "y": 300})
    page.keyboard.press("Escape")
    expect(node(page, "each")).to_be_focused()
    page.keyboard.press("Alt+ArrowDown")
    expect(node(page, "each")).to_have_count(0)
    crumbs(page).get_by_role("button", name="Drawn").click()
    expect(node(page, "classify")).to_be_visible()
    expect(crumbs(page)).to_have_count(0)


def test_whoever_leaves_a_level_at_once_is_at_its_step(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    page.locator(".palette").get_by_role("button", name="Subpipeline").click()
    page.keyboard.press("Alt+ArrowDown")
    expect(crumbs(page)).to_be_visible()
    # Inside, the ends are called the same on every level.
    page.locator(".palette").get_by_role("button", name="Map").click()
    select(page, "each")
    page.locator("[data-part='body']").get_by_role("button", name="Begin").click()
    expect(crumbs(page).get_by_text("each")).to_be_visible()
    page.keyboard.press("Alt+ArrowUp")
    expect(node(page, "each")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Alt+ArrowDown")
        page.keyboard.press("Alt+ArrowUp")
        at_rest(page)
        expect(node(page, "each")).to_be_focused()


def test_a_changed_signature_is_taken_over_inside(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    select(page, "classify")
    page.keyboard.press("Control+g")
    expect(node(page, "group")).to_be_visible()
    expect(page.get_by_text("No problems")).to_be_visible()
    select(page, "group")
    inspector = page.locator(".inspector")
    inspector.get_by_label("Signature", exact=True).fill(
        "message -> category: enum[billing, shipping, other], mood"
    )
    page.locator(".problems-button").click()
    expect(page.locator(".problems-list")).to_contain_text("must answer “mood”")
    shoot(page, "problems-list")
    fix = page.locator(".problems-list").get_by_role("button", name="Take over the fields").first
    fix.click()
    expect(page.locator(".problems-list")).not_to_contain_text("must answer “mood”")
    expect(page.locator(".problems-list")).to_contain_text("output.mood gets nothing")
    expect(page.locator(".problem-where").first).to_have_text("group · body")
    shoot(page, "problems-after")


def test_a_saved_pipeline_is_put_into_a_step(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page)
    page.locator(".palette").get_by_role("button", name="Subpipeline").click()
    inspector = page.locator(".inspector")
    saved = inspector.get_by_label("Put a saved pipeline into body")
    saved.select_option(label="Two Steps")
    expect(page.locator(".said")).to_contain_text("A copy of “Two Steps”")
    expect(chip(page, "subpipeline", "body")).to_contain_text("2 steps")
    expect(inspector.get_by_label("Signature", exact=True)).to_have_value(
        re.compile("^message ->")
    )
    expect_saved(page)


def test_steps_are_grouped_and_come_back(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "Two steps")
    names = page.locator(".node-name")
    before = sorted(names.all_text_contents())
    wires = page.locator(".react-flow__edge").count()
    page.keyboard.press("Control+a")
    page.locator(".inspector").get_by_role("button", name="Group into a subpipeline").click()
    expect(names).to_have_count(3)
    expect(node(page, "group")).to_contain_text("2 steps")
    expect(page.get_by_text("No problems")).to_be_visible()
    shoot(page, "grouped")
    page.keyboard.press("Control+z")
    expect_wires(page, wires)
    assert sorted(names.all_text_contents()) == before
    page.keyboard.press("Control+y")
    select(page, "group")
    page.locator(".inspector").get_by_role("button", name="Take apart").click()
    expect_wires(page, wires)
    assert sorted(names.all_text_contents()) == before
    expect(page.get_by_text("No problems")).to_be_visible()


def test_a_problem_leads_into_its_box(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    inspector = page.locator(".inspector")
    select(page, "classify")
    inspector.locator("select[data-wire='message']").select_option("nothing yet")
    expect_wires(page, 1)
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    page.locator(".problems-button").click()
    page.locator(".problem").first.click()
    expect(inspector.locator("select[data-wire='message']")).to_be_focused()

    page.keyboard.press("Escape")
    page.locator(".palette").get_by_role("button", name="Router").click()
    inspector.get_by_label("Cases").fill("billing")
    page.locator(".problems-button").click()
    page.locator(".problem").filter(has_text="Router needs two cases").click()
    expect(inspector.get_by_label("Signature", exact=True)).to_be_focused()
    inspector.get_by_label("Cases").fill("billing\nshipping")

    deep = page.locator(".problem").filter(has_text="output.answer gets nothing").first
    page.locator(".problems-button").click()
    deep.click()
    expect(crumbs(page).get_by_text("router")).to_be_visible()
    expect(inspector.locator("select[data-wire='answer']")).to_be_focused()
    for _ in range(3):
        page.keyboard.press("F8")
    expect(page.locator(".said")).to_contain_text("3 of")
    page.keyboard.press("Shift+F8")
    expect(page.locator(".said")).to_contain_text("2 of")


def test_a_note_is_written_moved_and_kept(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    node(page, "classify").focus()
    page.keyboard.press("n")
    writing = page.get_by_label("Text of the note")
    expect(writing).to_be_focused()
    page.keyboard.type("Why <b>one</b> step?")
    page.keyboard.press("Escape")
    note = page.locator(".react-flow__node-note")
    expect(note).to_have_text("Why <b>one</b> step?")
    expect(note.locator("b")).to_have_count(0)
    expect(page.get_by_text("No problems")).to_be_visible()
    at_rest(page)
    before = note.bounding_box()
    assert before
    page.mouse.move(before["x"] + 20, before["y"] + 20)
    page.mouse.down()
    page.mouse.move(before["x"] + 20, before["y"] + 120, steps=5)
    page.mouse.up()
    expect_saved(page)
    shoot(page, "note")
    page.reload()
    expect(note).to_have_text("Why <b>one</b> step?")
    note.click()
    expect(page.locator(".inspector").get_by_label("Text")).to_have_value("Why <b>one</b> step?")
    page.keyboard.press("Control+d")
    expect(note).to_have_count(2)
    page.keyboard.press("Delete")
    expect(note).to_have_count(1)
    note.dblclick()
    expect(writing).to_be_focused()


@pytest.mark.parametrize(("theme", "width"), [("light", 1280), ("dark", 1280), ("light", 390)])
def test_axe_finds_nothing_in_a_level(sign_in: SignIn, theme: str, width: int) -> None:
    page = sign_in("alice", theme=theme, width=width)
    new_pipeline(page, "Two steps")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+g")
    page.keyboard.press("Escape")
    page.keyboard.press("n")
    expect(page.get_by_label("Text of the note")).to_be_focused()
    page.keyboard.type("A note.")
    page.keyboard.press("Escape")
    expect(page.locator(".react-flow__node-note")).to_have_text("A note.")
    shoot(page, f"axe-top-{theme}-{width}")
    judge(page)
    at_rest(page)
    chip(page, "group", "body").click()
    expect(crumbs(page)).to_be_visible()
    node(page, "classify").focus()
    page.keyboard.press("Delete")
    expect(page.locator(".problems-button")).to_be_visible()
    judge(page)
    page.locator(".problems-button").click()
    shoot(page, f"axe-in-{theme}-{width}")
    if width > 400:  # on a phone the open list covers half of a button behind it
        judge(page)


def test_a_viewer_looks_into_a_pipeline_and_changes_nothing(sign_in: SignIn) -> None:
    page = sign_in("alice")
    address = new_pipeline(page, "Two steps")
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+g")
    expect(node(page, "group")).to_be_visible()
    expect_saved(page)
    page = sign_in("vera")
    page.goto(address)
    at_rest(page)
    node(page, "group").locator(".chip").click()
    expect(crumbs(page)).to_be_visible()
    page.keyboard.press("n")
    expect(page.locator(".react-flow__node-note")).to_have_count(0)
    page.keyboard.press("Alt+ArrowUp")
    expect(node(page, "group")).to_be_visible()
    select(page, "group")
    expect(page.locator(".inspector").get_by_role("button", name="Take apart")).to_have_count(0)
    expect(page.get_by_role("button", name="Write a note")).to_have_count(0)
