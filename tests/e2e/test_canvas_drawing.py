"""Drawing on the canvas: adding in place, wiring, converting, copying, arranging, by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import FloatRect, Locator, Page, expect

from tests.e2e.board import (
    SignIn,
    at_rest,
    drag,
    expect_saved,
    expect_wires,
    handle,
    new_pipeline,
    node,
    replace_text,
    select,
)

pytestmark = pytest.mark.e2e


def chooser(page: Page) -> Locator:
    """The list that is open over the board."""
    return page.locator(".chooser")


def empty_spot(page: Page) -> tuple[float, float]:
    """A point of the board where nothing is."""
    board = page.locator(".board").bounding_box()
    assert board
    return board["x"] + board["width"] * 0.3, board["y"] + board["height"] * 0.85


def wire_middle(page: Page, index: int) -> tuple[float, float]:
    """The point in the middle of a wire."""
    at_rest(page)
    path = page.locator(".react-flow__edge-path").nth(index)
    x, y = path.evaluate(
        """(path) => {
            const at = path.getPointAtLength(path.getTotalLength() / 2);
            const point = at.matrixTransform(path.getScreenCTM());
            return [point.x, point.y];
        }"""
    )
    return x, y


def box(found: Locator) -> FloatRect:
    """Where it is on the screen."""
    at_rest(found.page)
    place = found.bounding_box()
    assert place
    return place


def test_a_double_click_opens_the_search_in_place(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    x, y = empty_spot(page)
    page.mouse.dblclick(x, y)
    search = chooser(page).get_by_role("combobox")
    expect(search).to_be_focused()
    page.keyboard.type("chain")
    expect(chooser(page).get_by_role("option").first).to_contain_text("Chain of thought")
    page.keyboard.press("Enter")
    expect(chooser(page)).to_have_count(0)
    added = node(page, "reason")
    expect(added).to_be_focused()
    place = box(added)
    assert place["x"] - 60 <= x <= place["x"] + place["width"] + 60
    assert place["y"] - 60 <= y <= place["y"] + place["height"] + 60

    page.mouse.dblclick(x, y - 200)
    page.keyboard.press("Escape")
    expect(chooser(page)).to_have_count(0)
    expect(added).to_be_focused()


def test_a_slash_opens_the_search_and_escape_gives_the_focus_back(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    select(page, "classify")
    node(page, "classify").focus()
    page.keyboard.press("/")
    expect(chooser(page).get_by_role("combobox")).to_be_focused()
    page.keyboard.type("input")
    first = chooser(page).get_by_role("option").first
    expect(first).to_have_attribute("aria-disabled", "false")
    page.keyboard.press("Escape")
    expect(node(page, "classify")).to_be_focused()

    page.keyboard.press("/")
    page.keyboard.type("where values enter the pipeline")
    page.keyboard.press("Control+a")
    page.keyboard.type("nothing is called like this")
    expect(chooser(page).get_by_text("Nothing is called like that.")).to_be_visible()


def test_a_step_goes_into_a_wire(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    x, y = wire_middle(page, 0)
    page.mouse.move(x, y)
    page.get_by_role("button", name="Add a step into this wire").click()
    page.keyboard.type("predict")
    page.keyboard.press("Enter")
    expect(node(page, "predict")).to_be_visible()
    expect_wires(page, 3)
    expect(page.get_by_text("No problems")).to_be_visible()
    left, middle, right = (box(node(page, name)) for name in ("input", "predict", "classify"))
    assert left["x"] + left["width"] < middle["x"]
    assert middle["x"] + middle["width"] < right["x"]

    page.keyboard.press("Control+z")
    expect(node(page, "predict")).to_have_count(0)
    expect_wires(page, 2)
    page.mouse.move(*empty_spot(page))
    page.mouse.move(*wire_middle(page, 0))
    page.get_by_role("button", name="Add a step into this wire").click()
    page.keyboard.type("map")
    refused = chooser(page).get_by_role("option", name=re.compile("^Map"))
    expect(refused).to_have_attribute("aria-disabled", "true")
    expect(refused).to_contain_text("does not fit into list[str]")


def test_a_step_is_added_after_an_output(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    node(page, "classify").hover()
    page.get_by_role("button", name="Add a step after category").click()
    page.keyboard.type("predict")
    page.keyboard.press("Enter")
    expect_wires(page, 3)
    expect(node(page, "predict").locator("[data-port='input:category']")).to_be_visible()

    # A wire that is dropped on the empty board asks what should be there.
    source = box(handle(page, "input", "output:message"))
    x, y = empty_spot(page)
    page.mouse.move(source["x"] + 6, source["y"] + 6)
    page.mouse.down()
    page.mouse.move(x, y, steps=8)
    page.mouse.up()
    expect(chooser(page).get_by_role("combobox")).to_be_focused()
    page.keyboard.type("chain")
    page.keyboard.press("Enter")
    expect(node(page, "reason")).to_be_visible()
    expect_wires(page, 4)


def test_one_key_puts_the_conversion_between(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    source = handle(page, "input", "output:message")
    target = handle(page, "output", "input:category")
    drag(page, source, target, drop=False)
    expect(page.locator(".wire-hint")).to_contain_text("Press C to put “Read a label” between")
    page.keyboard.press("c")
    page.mouse.up()
    expect(node(page, "read_label")).to_be_visible()
    expect_wires(page, 3)
    expect(page.locator(".said")).to_contain_text("“Read a label” was put between.")
    page.keyboard.press("Control+z")
    expect(node(page, "read_label")).to_have_count(0)
    expect_wires(page, 2)

    drag(page, source, target)
    offered = page.locator(".said").get_by_role("button", name="Put “Read a label” between")
    expect(offered).to_be_visible()
    offered.click()
    expect(node(page, "read_label")).to_be_focused()
    expect_wires(page, 3)
    select(page, "read_label")
    how = page.locator(".inspector").get_by_label("How", exact=True)
    expect(how).to_have_value("read_label")
    page.keyboard.press("Escape")
    expect_saved(page)


def test_nodes_are_copied_into_another_pipeline(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "Two steps")
    select(page, "summarise")
    node(page, "classify").locator(".node-name").click(modifiers=["Shift"])
    page.keyboard.press("Control+c")
    expect(page.locator(".said")).to_contain_text("2 things were copied.")

    other = page.context.new_page()
    new_pipeline(other)
    other.locator(".react-flow__pane").click(position={"x": 300, "y": 60})
    other.keyboard.press("Control+v")
    expect(node(other, "summarise")).to_be_visible()
    expect(node(other, "classify")).to_be_visible()
    expect_wires(other, 1)
    other.keyboard.press("Control+x")
    expect(node(other, "classify")).to_have_count(0)
    other.keyboard.press("Control+v")
    expect(node(other, "classify")).to_be_visible()
    expect_saved(other)

    # In the pipeline it came from, the wires into it may come along.
    page.bring_to_front()
    page.keyboard.press("Control+c")
    page.keyboard.press("Control+Shift+v")
    expect(node(page, "classify_2")).to_be_visible()
    expect_wires(page, 8)


def test_a_paste_of_anything_else_is_refused(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    select(page, "classify")
    instruction = page.locator(".inspector").get_by_label("Instruction")
    instruction.fill('{"nodes": [{"id": "n1"}], "edges": []}')
    instruction.press("Control+a")
    instruction.press("Control+c")
    instruction.press("Control+v")
    expect(page.locator(".react-flow__node")).to_have_count(3)
    page.keyboard.press("Escape")
    expect(node(page, "classify")).to_be_focused()
    page.keyboard.press("Control+v")
    expect(page.locator(".said")).to_contain_text("is no part of a pipeline")
    expect(page.locator(".react-flow__node")).to_have_count(3)


def test_several_nodes_are_put_in_line(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "Two steps")
    arrange = page.get_by_role("toolbar", name="Arrange what is selected")
    select(page, "summarise")
    expect(arrange).to_have_count(0)
    node(page, "classify").locator(".node-name").click(modifiers=["Control"])
    node(page, "input").locator(".node-name").click(modifiers=["Shift"])
    expect(arrange).to_be_visible()
    arrange.get_by_role("button", name="Align top").click()
    tops = {round(box(node(page, name))["y"]) for name in ("input", "summarise", "classify")}
    assert len(tops) == 1
    page.keyboard.press("Alt+a")
    lefts = {round(box(node(page, name))["x"]) for name in ("input", "summarise", "classify")}
    assert len(lefts) == 1
    arrange.get_by_role("button", name="Tidy up").click()
    xs = [box(node(page, name))["x"] for name in ("input", "summarise", "classify")]
    assert xs == sorted(xs)
    assert len(set(xs)) == 3

    # A box that is drawn with Shift selects what is in it.
    page.keyboard.press("Escape")
    page.keyboard.press("f")
    expect(arrange).to_have_count(0)
    board = box(page.locator(".board"))
    page.keyboard.down("Shift")
    page.mouse.move(board["x"] + 20, board["y"] + 20)
    page.mouse.down()
    page.mouse.move(board["x"] + board["width"] - 190, board["y"] + board["height"] - 20, steps=6)
    page.mouse.up()
    page.keyboard.up("Shift")
    expect(arrange).to_be_visible()


def test_two_steps_are_drawn_from_nothing_by_keyboard(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page)
    inspector = page.locator(".inspector")
    said = page.locator("[data-said]", has_text=re.compile("."))

    # The input gets its field.
    page.keyboard.press("ArrowRight")
    expect(node(page, "input")).to_be_focused()
    page.keyboard.press("Enter")
    expect(inspector.get_by_label("Name", exact=True)).to_be_focused()
    for _ in range(20):
        page.keyboard.press("Tab")
        if inspector.get_by_role("button", name="Add a field").evaluate(
            "(button) => button === document.activeElement"
        ):
            break
    page.keyboard.press("Enter")
    expect(node(page, "input").locator(".port")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(node(page, "input")).to_be_focused()

    # A step after its field, by the row's own button; another one after that.
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name=re.compile("^Add a step after"))).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("predict")
    page.keyboard.press("Enter")
    expect(node(page, "predict")).to_be_focused()
    expect_wires(page, 1)
    page.keyboard.press("/")
    page.keyboard.type("chain")
    page.keyboard.press("Enter")
    expect(node(page, "reason")).to_be_focused()

    # A wire from the first to the second, chosen from lists.
    page.keyboard.press("ArrowLeft")
    expect(node(page, "predict")).to_be_focused()
    page.keyboard.press("w")
    page.keyboard.type("reason.text")
    page.keyboard.press("Enter")
    expect_wires(page, 2)
    expect(said).to_contain_text("A wire was drawn to reason.text")
    page.keyboard.press("ArrowRight")
    expect(node(page, "reason")).to_be_focused()
    page.keyboard.press("Shift+ArrowDown")
    expect(said).to_contain_text(re.compile(r"reason moved to column -?\d+, row -?\d+"))
    page.keyboard.press("Enter")
    expect(inspector.get_by_label("Name", exact=True)).to_be_focused()
    replace_text(page, "conclude")
    inspector.get_by_role("button", name="Expose as an output").last.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("No problems")).to_be_visible()

    # Along the wires, and back.
    page.keyboard.press("Escape")
    expect(node(page, "conclude")).to_be_focused()
    page.keyboard.press("e")
    expect(page.locator(".react-flow__edge.selected")).to_have_count(1)
    page.keyboard.press("ArrowLeft")
    expect(node(page, "conclude")).to_be_focused()
    page.keyboard.press("?")
    keys = page.get_by_role("dialog", name="Keys of the canvas")
    expect(keys.get_by_text("Draw a wire from the node")).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_have_count(0)
    expect(node(page, "conclude")).to_be_focused()
    page.keyboard.press("Control+s")
    expect_saved(page)


def test_a_viewer_opens_no_list(sign_in: SignIn) -> None:
    page = sign_in("vera")
    page.goto("/p/support/pipelines/triage/")
    expect(page.get_by_text("You may look, not change")).to_be_visible()
    page.mouse.dblclick(*empty_spot(page))
    node(page, "classify").focus()
    page.keyboard.press("/")
    page.keyboard.press("w")
    page.keyboard.press("Control+v")
    expect(chooser(page)).to_have_count(0)
    expect(page.locator(".react-flow__node")).to_have_count(3)
    expect(page.locator(".plus")).to_have_count(0)
