"""Where the keyboard's focus goes when what had it is gone, and keys that are not the board's."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.e2e.board import SignIn, expect_saved, new_pipeline, node, select


def test_a_panel_gives_the_focus_back_to_its_button(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    opener = page.locator(".toolbar").get_by_role("button", name="Versions")
    opener.click()
    page.get_by_role("button", name="Close the panel").press("Enter")
    expect(page.get_by_role("region", name="Versions")).to_have_count(0)
    expect(opener).to_be_focused()


def test_keys_in_a_comparison_change_nothing(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    expect_saved(page)
    page.get_by_role("button", name="Versions").click()
    panel = page.get_by_role("region", name="Versions")
    panel.get_by_label("What is new in it").fill("The first")
    panel.get_by_role("button", name="Save a version").click()
    panel.get_by_role("checkbox").first.check()
    compared = page.locator(".diff-board .react-flow__node").filter(has_text="classify")
    compared.focus()
    for key in ("Delete", "Backspace", "n", "Control+d", "Control+x"):
        page.keyboard.press(key)
    page.get_by_role("button", name="Back to drawing").click()
    expect(node(page, "classify")).to_be_visible()
    expect(page.locator(".board .react-flow__node")).to_have_count(3)
    expect_saved(page)


def test_buttons_of_rows_are_no_targets_where_rows_are_near(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    buttons = node(page, "classify").get_by_role("button", name="Add a step")
    select(page, "classify")
    for _ in range(4):
        page.get_by_role("button", name="Zoom Out").click()
    page.locator(".toolbar").hover()
    expect(buttons).to_have_count(0)
    # Whoever comes with the keyboard has them at every size.
    node(page, "classify").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    expect(buttons.first).to_be_visible()
