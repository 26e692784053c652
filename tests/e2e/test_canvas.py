"""The canvas in a real browser: drawn by mouse and by keyboard, refused, undone, disputed."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Dialog, Route, expect

from tests.e2e.board import (
    SignIn,
    drag,
    expect_saved,
    expect_wires,
    handle,
    new_pipeline,
    node,
    replace_text,
    select,
    tab_to,
)

pytestmark = pytest.mark.e2e


def test_a_pipeline_is_drawn_by_mouse(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page)
    expect(page.get_by_text("No step yet")).to_be_visible()
    expect(page.get_by_text("2 problems")).to_be_visible()

    page.get_by_role("button", name="Add a Predict step").click()
    inspector = page.locator(".inspector")
    inspector.get_by_label("Signature").fill("message -> category: enum[billing, shipping]")
    inspector.get_by_label("Instruction").fill("Sort the message.")
    inspector.get_by_label("Name", exact=True).fill("Sort mail")
    expect(node(page, "sort_mail").get_by_text("enum[billing, shipping]")).to_be_visible()
    inspector.get_by_role("button", name="Expose as an output").click()
    expect_wires(page, 1)

    select(page, "input")
    inspector.get_by_role("button", name="Add a field").click()
    drag(
        page,
        handle(page, "input", "output:message"),
        handle(page, "sort_mail", "input:message"),
    )
    expect_wires(page, 2)
    expect(page.get_by_text("No problems")).to_be_visible()
    expect_saved(page)

    page.reload()
    expect_wires(page, 2)
    select(page, "sort_mail")
    expect(inspector.get_by_label("Instruction")).to_have_value("Sort the message.")


def test_a_pipeline_is_drawn_by_keyboard_alone(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page)
    inspector = page.locator(".inspector")
    board = page.locator(".react-flow__node")

    page.keyboard.press("/")
    page.keyboard.type("predict")
    page.keyboard.press("Enter")
    expect(node(page, "predict")).to_be_visible()

    tab_to(page, board.filter(has_text="Predict"))
    page.keyboard.press("Enter")
    expect(inspector.get_by_label("Name", exact=True)).to_be_focused()
    replace_text(page, "classify")
    tab_to(page, inspector.get_by_label("Signature"))
    replace_text(page, "message -> category: enum[billing, shipping]")
    tab_to(page, inspector.get_by_role("button", name="Expose as an output"))
    page.keyboard.press("Enter")
    expect_wires(page, 1)

    page.keyboard.press("Escape")
    expect(node(page, "classify")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(node(page, "input")).to_be_focused()
    page.keyboard.press("Enter")
    tab_to(page, inspector.get_by_role("button", name="Add a field"))
    page.keyboard.press("Enter")

    page.get_by_role("button", name="Undo").focus()
    tab_to(page, node(page, "input"))
    page.keyboard.press("ArrowRight")
    expect(node(page, "classify")).to_be_focused()
    page.keyboard.press("Enter")
    expect(inspector.get_by_label("Name", exact=True)).to_be_focused()
    source = inspector.locator(".wire-choice").get_by_label("message")
    tab_to(page, source)
    page.keyboard.type("input.m")
    expect_wires(page, 2)
    expect(page.get_by_text("No problems")).to_be_visible()
    page.keyboard.press("Control+s")
    expect_saved(page)


def test_nodes_move_by_arrow_keys_and_go_by_delete(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    select(page, "classify")
    before = node(page, "classify").bounding_box()
    node(page, "classify").focus()
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
    after = node(page, "classify").bounding_box()
    assert before
    assert after
    assert after["y"] > before["y"]
    page.keyboard.press("Delete")
    expect(node(page, "classify")).to_have_count(0)
    expect_wires(page, 0)
    page.keyboard.press("Control+z")
    expect(node(page, "classify")).to_be_visible()
    expect_wires(page, 2)
    page.keyboard.press("Control+z")
    expect_saved(page)
    back = node(page, "classify").bounding_box()
    assert back
    assert abs(back["y"] - before["y"]) < 2


def test_a_wrong_wire_is_refused_with_the_reason(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    select(page, "input")
    page.locator(".inspector").get_by_label("Type of message").select_option("list")
    expect(page.locator(".react-flow__edge.is-wrong")).to_have_count(1)
    expect(page.get_by_text("1 problem", exact=True)).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_text("No problems")).to_be_visible()

    source = handle(page, "input", "output:message")
    target = handle(page, "output", "input:category")
    drag(page, source, target, drop=False)
    expect(page.locator(".wire-hint")).to_contain_text("str does not fit into enum")
    expect(node(page, "output").locator("[data-port='input:category']")).to_have_class(
        re.compile("is-dim")
    )
    expect(node(page, "classify").locator("[data-port='input:message']")).to_have_class(
        re.compile("is-offered")
    )
    page.mouse.up()
    expect(page.locator(".said")).to_contain_text("str does not fit into enum")
    expect_wires(page, 2)

    select(page, "output")
    choice = page.locator(".wire-choice").get_by_label("category")
    refused = choice.locator("option[disabled]")
    expect(refused).to_have_text(re.compile("input.message – str does not fit into enum"))


def test_a_wire_dropped_on_a_taken_input_takes_its_place(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "Two steps")
    source = handle(page, "input", "output:message")
    drag(page, source, handle(page, "classify", "input:summary"))
    expect_wires(page, 5)
    select(page, "classify")
    choice = page.locator(".wire-choice").get_by_label("summary")
    expect(choice.locator("option:checked")).to_have_text("input.message")
    page.keyboard.press("Escape")
    page.locator("body").press("Control+z")
    expect(choice).to_have_count(0)
    select(page, "classify")
    expect(choice.locator("option:checked")).to_have_text("summarise.summary")


def test_a_problem_leads_to_its_node(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page)
    page.get_by_text("2 problems").click()
    page.get_by_role("button", name="output has no fields yet").click()
    expect(page.locator(".inspector").get_by_label("Name", exact=True)).to_have_value("output")


def test_edits_that_were_never_saved_come_back_after_a_reload(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    page.route("**/api/**", lambda route: route.abort())
    select(page, "classify")
    page.locator(".inspector").get_by_label("Instruction").fill("Never lose this.")
    expect(page.locator(".save-words")).to_contain_text("Not saved: The server does not answer")
    asked: list[str] = []

    def accept(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", accept)
    page.reload()
    assert asked == ["beforeunload"]
    page.unroute("**/api/**")
    expect(page.get_by_text("You have edits that were never saved")).to_be_visible()
    page.get_by_role("button", name="Bring them back").click()
    expect_saved(page)
    page.reload()
    select(page, "classify")
    instruction = page.locator(".inspector").get_by_label("Instruction")
    expect(instruction).to_have_value("Never lose this.")
    assert asked == ["beforeunload"]


def is_write(route: Route) -> bool:
    """Whether something is to be changed on the server."""
    return route.request.method != "GET"


@pytest.mark.parametrize("choice", ["theirs", "mine"])
def test_of_two_people_who_draw_nobody_loses_anything(sign_in: SignIn, choice: str) -> None:
    alice, bob = sign_in("alice"), sign_in("bob")
    bob.goto(new_pipeline(alice, "One step"))
    # Without unsaved edits Alice's page would load what Bob has saved.
    alice.route("**/api/**", lambda route: route.continue_() if is_write(route) else route.abort())
    for page, text in ((bob, "Bob's instruction"), (alice, "Alice's instruction")):
        select(page, "classify")
        page.locator(".inspector").get_by_label("Instruction").fill(text)
        if page is bob:
            expect(page.locator(".save-words")).to_have_text("Unsaved edits")
            expect_saved(page)
    expect(alice.get_by_text("bob has saved this pipeline too")).to_be_visible()
    expect(alice.locator(".save-words")).to_have_text("Not saved: bob has saved")
    instruction = alice.locator(".inspector").get_by_label("Instruction")
    expect(instruction).to_have_value("Alice's instruction")

    if choice == "theirs":
        alice.get_by_role("button", name="Load theirs, keep mine aside").click()
        expect(instruction).to_have_value("Bob's instruction")
        expect(alice.get_by_role("button", name="Download mine")).to_be_visible()
        with alice.expect_download() as download:
            alice.get_by_role("button", name="Download mine").click()
        assert "Alice's instruction" in download.value.path().read_text()
        alice.get_by_role("button", name="Undo").click()
        expect(instruction).to_have_value("Alice's instruction")
    else:
        alice.get_by_role("button", name="Decide").click()
        alice.get_by_role("button", name="Take all mine").click()
        alice.get_by_role("button", name="Save the merged pipeline").click()
        with alice.expect_download() as download:
            alice.get_by_role("button", name="Download theirs").click()
        assert "Bob's instruction" in download.value.path().read_text()
    expect_saved(alice)
    bob.reload()
    select(bob, "classify")
    expect(bob.locator(".inspector").get_by_label("Instruction")).to_have_value(
        "Alice's instruction"
    )


@pytest.mark.usefixtures("worker")
def test_it_is_tried_on_one_input_and_every_step_is_told(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    page.get_by_role("button", name="Try").click()
    panel = page.locator(".try")
    panel.get_by_role("button", name="Run").click()
    expect(panel.get_by_text("Write something.")).to_be_visible()
    panel.get_by_label("Message").fill("I was charged <b>twice</b>.")
    panel.get_by_role("button", name="Run").click()
    expect(panel.locator(".try-phase")).to_contain_text("Done", timeout=90_000)
    expect(node(page, "classify").get_by_text("Done")).to_be_visible()
    expect(node(page, "classify").locator(".node-answer")).to_contain_text("category")
    panel.locator(".try-step > summary").click()
    panel.get_by_text("What the model read").click()
    expect(panel.locator(".prompt").first).to_contain_text("I was charged <b>twice</b>.")


def test_a_viewer_looks_and_changes_nothing(sign_in: SignIn) -> None:
    page = sign_in("vera")
    page.goto("/p/support/pipelines/triage/")
    expect(page.get_by_text("You may look, not change")).to_be_visible()
    select(page, "classify")
    expect(page.locator(".inspector").get_by_label("Instruction")).to_be_disabled()
    page.keyboard.press("Escape")
    node(page, "classify").focus()
    page.keyboard.press("Delete")
    expect(node(page, "classify")).to_be_visible()


def test_it_works_on_a_phone(sign_in: SignIn) -> None:
    page = sign_in("alice", width=390, height=844, theme="dark")
    new_pipeline(page, "One step")
    overflow = "document.documentElement.scrollWidth - window.innerWidth"
    assert page.evaluate(overflow) <= 0
    page.get_by_role("button", name="Add a node").click()
    page.locator(".palette").get_by_role("button", name="Chain of thought").click()
    expect(node(page, "reason")).to_be_visible()
    page.get_by_role("button", name="Edit what is selected").click()
    expect(page.locator(".inspector").get_by_label("Name", exact=True)).to_have_value("reason")
    page.locator(".inspector").get_by_role("button", name="Remove", exact=True).click()
    expect(node(page, "reason")).to_have_count(0)


def test_without_javascript_the_canvas_leads_to_the_words(sign_in: SignIn) -> None:
    page = sign_in("alice")
    html = page.request.get("/p/support/pipelines/triage/").text()
    words = html[html.index("<noscript>") :]
    assert "Drawing needs JavaScript" in words
    assert "/p/support/pipelines/triage/outline/" in words
