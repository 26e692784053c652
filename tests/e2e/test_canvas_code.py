"""The code beside the canvas: each follows the other, and no code is ever run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.board import SignIn, expect_saved, expect_wires, new_pipeline, node, select
from tests.e2e.looks import shoot, violations

pytestmark = pytest.mark.e2e


def open_code(page: Page) -> Locator:
    """The box with the Python of the pipeline."""
    page.get_by_role("button", name="Code", exact=True).click()
    box = page.get_by_role("textbox", name="Python of the pipeline")
    expect(box).to_have_value(re.compile("Drawing"))
    return box


def swap(box: Locator, old: str, new: str) -> None:
    """Type `new` over `old`, which stands there once."""
    text = box.input_value()
    assert text.count(old) == 1
    box.fill(text.replace(old, new))


def test_the_code_follows_the_drawing(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    box = open_code(page)
    expect(box).to_have_value(re.compile(r"classify = pipeline\.step\("))
    shoot(page, "code-light-1280")
    select(page, "classify")
    page.locator(".inspector").get_by_label("Instruction", exact=True).fill("Say which.")
    expect(box).to_have_value(re.compile('instruction="Say which."'))
    page.get_by_role("tab", name="DSPy").click()
    dspy = page.get_by_role("textbox", name="DSPy code of the pipeline")
    expect(dspy).to_have_value(re.compile("class Pipeline"))
    expect(dspy).to_have_value(re.compile("Say which"))
    expect(dspy).not_to_be_editable()
    shoot(page, "code-dspy-light-1280")


def test_the_drawing_follows_the_code_and_undo_brings_it_back(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    box = open_code(page)
    select(page, "classify")
    before = box.input_value()
    swap(box, '"classify",', '"choose",')
    expect(node(page, "choose")).to_be_visible()
    expect(node(page, "classify")).to_have_count(0)
    expect_wires(page, 2)
    expect(page.locator(".inspector").get_by_label("Name", exact=True)).to_have_value("choose")
    expect_saved(page)
    page.get_by_role("button", name="Undo").click()
    expect(node(page, "classify")).to_be_visible()
    expect(box).to_have_value(before)

    swap(
        box,
        "program = pipeline.build()",
        'shorten = pipeline.step("shorten", "predict", "text -> gist", '
        "text=pipeline.given.message)",
    )
    expect(node(page, "shorten")).to_be_visible()
    expect_wires(page, 3)
    expect_saved(page)
    page.reload()
    expect(node(page, "shorten")).to_be_visible()


INSIDE = """
from studio.engine.drawing import Drawing

each = Drawing(inputs="messages")
sort = each.step("sort", "predict", "messages -> areas", messages=each.given.messages)
each.answer(areas=sort.areas)

post = Drawing(inputs="messages: list[str]")
all_of_them = post.step(
    "all_of_them",
    "map",
    "messages: list[str] -> areas: list[str]",
    parts={"body": each},
    messages=post.given.messages,
)
post.answer(areas=all_of_them.areas)
"""


def test_a_pipeline_inside_of_another_is_drawn_by_code(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page)
    box = open_code(page)
    box.fill(INSIDE)
    expect(node(page, "all_of_them")).to_be_visible()
    expect(page.get_by_text("No problems")).to_be_visible()
    expect_wires(page, 2)
    # What was typed is laid out as the drawing's code when the box is left.
    page.get_by_role("tab", name="DSPy").click()
    expect(page.get_by_text("The step “all_of_them” is of a kind (MapOver)")).to_be_visible()
    page.get_by_role("tab", name="Python").click()
    expect(box).to_have_value(re.compile(r'parts={"body": all_of_them_body}'))
    expect_saved(page)


def test_code_that_is_no_drawing_changes_nothing(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    box = open_code(page)
    before = box.input_value()
    panel = page.get_by_role("region", name="The pipeline as code")

    swap(box, "pipeline.step(", "pipeline.step((")
    expect(panel.get_by_text("This is no Python")).to_be_visible()
    expect(panel.get_by_text("so the drawing stays as it was")).to_be_visible()
    shoot(page, "code-broken-light-1280")

    box.fill(
        before.replace("pipeline = ", "import os\nos.system('touch /tmp/pwned')\npipeline = ")
    )
    expect(panel.get_by_text("“import os” draws nothing")).to_be_visible()
    expect(panel.get_by_role("button", name="Line 3")).to_be_visible()
    expect(panel.get_by_role("button", name="Line 4")).to_be_visible()
    assert not Path("/tmp/pwned").exists()
    panel.get_by_role("button", name="Line 4").click()
    expect(box).to_be_focused()
    picked = box.evaluate("(box) => box.value.slice(box.selectionStart, box.selectionEnd)")
    assert picked == "os.system('touch /tmp/pwned')"

    expect(node(page, "classify")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    panel.get_by_role("button", name="Take the drawing’s code").click()
    expect(box).to_have_value(before)
    expect(panel.get_by_text("draws nothing")).to_have_count(0)


def test_when_both_change_people_choose(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    box = open_code(page)
    panel = page.get_by_role("region", name="The pipeline as code")
    select(page, "classify")
    swap(box, "pipeline.answer", "pipeline.answr")
    expect(panel.get_by_text("“pipeline.answr” cannot be called")).to_be_visible()
    page.locator(".inspector").get_by_label("Instruction", exact=True).fill("Say which.")
    expect(panel.get_by_text("The drawing has changed meanwhile")).to_be_visible()
    expect(box).to_have_value(re.compile("answr"))
    shoot(page, "code-clash-light-1280")
    panel.get_by_role("button", name="Take the drawing’s code").click()
    expect(box).to_have_value(re.compile("Say which"))
    expect(box).not_to_have_value(re.compile("answr"))


def test_the_box_is_left_by_escape_and_tab(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    box = open_code(page)
    box.focus()
    box.evaluate("(box) => box.setSelectionRange(0, 0)")
    page.keyboard.press("Tab")
    expect(box).to_have_value(re.compile("^    from"))
    expect(box).to_be_focused()
    page.keyboard.press("Control+z")
    expect(box).to_have_value(re.compile("^from"))
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(box).not_to_be_focused()


def test_the_code_is_copied_and_downloaded(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    box = open_code(page)
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == box.input_value()
    with page.expect_download() as started:
        page.get_by_role("button", name="Download", exact=True).click()
    assert started.value.suggested_filename.endswith(".py")
    assert Path(started.value.path()).read_text(encoding="utf-8") == box.input_value()


def test_a_viewer_reads_the_code_and_does_not_change_it(sign_in: SignIn) -> None:
    page = sign_in("vera")
    page.goto("/p/support/pipelines/two-steps/")
    box = open_code(page)
    expect(box).not_to_be_editable()
    expect(page.get_by_text("You may read the code, not change it.")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_panel_has_nothing_that_axe_finds(sign_in: SignIn, theme: str) -> None:
    page = sign_in("alice", theme=theme)
    new_pipeline(page, "One step")
    box = open_code(page)
    assert violations(page, ".code-panel") == []
    swap(box, "pipeline.answer", "pipeline.answr")
    expect(page.get_by_text("“pipeline.answr” cannot be called")).to_be_visible()
    assert violations(page, ".code-panel") == []
    page.get_by_role("tab", name="DSPy").click()
    expect(page.get_by_role("textbox", name="DSPy code of the pipeline")).to_be_visible()
    assert violations(page, ".code-panel") == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_code_fits_on_a_phone(sign_in: SignIn, theme: str) -> None:
    page = sign_in("alice", width=390, height=844, theme=theme)
    new_pipeline(page, "Two steps")
    box = open_code(page)
    expect(box).to_be_in_viewport()
    for name in ("Copy", "Download", "Close the panel"):
        expect(page.get_by_role("button", name=name, exact=True)).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    shoot(page, f"code-{theme}-390")
    page.set_viewport_size({"width": 1280, "height": 800})
    swap(box, "pipeline.answer", "pipeline.answr")
    expect(page.get_by_text("“pipeline.answr” cannot be called")).to_be_visible()
    shoot(page, f"code-broken-{theme}-1280")
    page.set_viewport_size({"width": 390, "height": 844})
    shoot(page, f"code-broken-{theme}-390")
