"""The canvas as a hand and an eye meet it: what its tests press, drag and look for."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

SignIn = Callable[..., Page]
"""The fixture `sign_in`: a page of whoever is named, signed in."""
_numbers = itertools.count(1)
_AT_REST = """() => new Promise((done, fail) => {
  const places = () =>
    [...document.querySelectorAll(".board .react-flow__node")]
      .map((node) => node.getBoundingClientRect())
      .map(({ x, y }) => `${x} ${y}`)
      .join();
  let [before, still, frames] = ["", 0, 0];
  const look = () => {
    const now = places();
    still = now === before ? still + 1 : 0;
    before = now;
    if (still === 6) done();
    else if (++frames > 1200) fail(new Error("The board does not come to rest."));
    else requestAnimationFrame(look);
  };
  look();
})"""


def new_pipeline(page: Page, start: str = "Empty") -> str:
    """A pipeline of its own for this test, opened on the canvas; its address."""
    page.goto("/p/support/pipelines/new/")
    page.get_by_label("Name", exact=True).fill(f"Drawn {next(_numbers)}")
    page.get_by_label(start).check(force=True)  # its label lies over it
    page.get_by_role("button", name="Open the canvas").click()
    expect(node(page, "input")).to_be_visible()
    at_rest(page)
    return page.url


def at_rest(page: Page) -> None:
    """Wait until no node moves any more: a level that opens, a new step and a panel have the
    board fit itself to the room, and a hand waits for that before it presses."""
    page.evaluate(_AT_REST)


def node(page: Page, name: str) -> Locator:
    """The node that is called `name`."""
    title = page.locator(".node-name").get_by_text(name, exact=True)
    return page.locator(".react-flow__node").filter(has=title)


def select(page: Page, name: str) -> None:
    """Click on the head of a node."""
    at_rest(page)
    node(page, name).locator(".node-name").click()
    expect(page.locator(".inspector").get_by_label("Name", exact=True)).to_have_value(name)


def handle(page: Page, name: str, port: str) -> Locator:
    """The handle of `output:message` or `input:category`."""
    return node(page, name).locator(f"[data-port='{port}'] .handle")


def drag(page: Page, source: Locator, target: Locator, *, drop: bool = True) -> None:
    """Draw a wire as a hand does, in small steps."""
    at_rest(page)
    start, end = source.bounding_box(), target.bounding_box()
    assert start
    assert end
    x, y = start["x"] + start["width"] / 2, start["y"] + start["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 30, y + 10, steps=3)
    page.mouse.move(end["x"] + end["width"] / 2, end["y"] + end["height"] / 2, steps=8)
    if drop:
        page.mouse.up()


def expect_wires(page: Page, count: int) -> None:
    """So many wires are on the board."""
    expect(page.locator(".react-flow__edge")).to_have_count(count)


def expect_saved(page: Page) -> None:
    """The toolbar says so."""
    expect(page.locator(".save-words")).to_have_text("Saved")


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until `target` has the focus: nothing here may need a mouse."""
    for _ in range(120):
        page.keyboard.press("Tab")
        if target.evaluate_all("(found) => found.includes(document.activeElement)"):
            return
    pytest.fail(f"{target} cannot be reached with Tab.")


def replace_text(page: Page, text: str) -> None:
    """Type over what the focused box holds."""
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
