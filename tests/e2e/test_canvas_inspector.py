"""What a step can be told beside the canvas: bounds, its own LM, pinned demos, and its prompt."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.e2e.board import SignIn, expect_saved, new_pipeline, select


def inspector(page: Page) -> Locator:
    return page.locator(".inspector")


def saved_step(page: Page, address: str, name: str = "classify") -> dict[str, Any]:
    """The step as the server has it."""
    expect_saved(page)
    slug = address.rstrip("/").rsplit("/", 1)[-1]
    answer = page.request.get(f"/api/projects/support/pipelines/{slug}/").json()
    found: dict[str, Any] = next(one for one in answer["spec"]["nodes"] if one["name"] == name)
    return found


def test_the_prompt_follows_what_is_typed(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page, "One step")
    select(page, "classify")
    panel = inspector(page)
    panel.get_by_text("The prompt it sends").click()
    prompt = panel.locator(".prompt-text")
    expect(prompt).to_have_value(re.compile("Sort the message into one category"))
    expect(prompt).to_have_value(re.compile("‹message›"))
    panel.get_by_label("Instruction", exact=True).fill("Which desk should read this?")
    expect(prompt).to_have_value(re.compile("Which desk should read this"))
    panel.get_by_label("Format", exact=True).last.select_option("completion")
    expect(prompt).to_have_value(re.compile("Category:"))


def test_bounds_are_kept_and_what_is_no_bound_is_told(sign_in: SignIn) -> None:
    page = sign_in("alice")
    address = new_pipeline(page, "Two steps")
    select(page, "summarise")
    row = inspector(page).locator("[data-field='summary']")
    row.get_by_text("Bounds and default").click()
    longest = row.get_by_label("Longest, of summary")
    longest.fill("eighty")
    expect(longest).to_have_attribute("aria-invalid", "true")
    longest.fill("80")
    row.get_by_label("Matches, of summary").fill("^[A-Z]")
    fields = saved_step(page, address, "summarise")["signature"]["fields"]
    assert fields[-1]["constraints"] == {"max_length": 80, "pattern": "^[A-Z]"}
    longest.fill("")
    row.get_by_label("Matches, of summary").fill("")
    row.get_by_label("When absent").fill("Nothing to say.")
    fields = saved_step(page, address, "summarise")["signature"]["fields"]
    assert "constraints" not in fields[-1]
    assert fields[-1]["default"] == "Nothing to say."


def test_a_step_may_have_an_lm_of_its_own(sign_in: SignIn) -> None:
    page = sign_in("alice")
    address = new_pipeline(page, "One step")
    select(page, "classify")
    choice = inspector(page).get_by_label("Language model")
    slug = choice.locator("option").nth(1).get_attribute("value")
    choice.select_option(slug)
    assert saved_step(page, address)["lm"] == slug
    choice.select_option("")
    assert "lm" not in saved_step(page, address)


def test_a_demo_is_pinned_and_stands_in_the_prompt(sign_in: SignIn) -> None:
    page = sign_in("alice")
    address = new_pipeline(page, "One step")
    select(page, "classify")
    panel = inspector(page)
    panel.get_by_text("Pinned demos").click()
    panel.get_by_role("button", name="Add a demo").click()
    demo = panel.get_by_role("group", name="Demo 1")
    demo.get_by_label("Message").fill("My parcel is gone.")
    demo.get_by_label("Category").select_option("shipping")
    assert saved_step(page, address)["demos"] == [
        {"message": "My parcel is gone.", "category": "shipping"}
    ]
    panel.get_by_text("The prompt it sends").click()
    expect(panel.locator(".prompt-text")).to_have_value(re.compile("My parcel is gone"))
    panel.get_by_role("button", name="Remove demo 1").click()
    expect(panel.locator(".prompt-text")).not_to_have_value(re.compile("My parcel is gone"))
    assert "demos" not in saved_step(page, address)


def test_a_viewer_sees_the_prompt_and_changes_nothing(sign_in: SignIn) -> None:
    page = sign_in("vera")
    page.goto("/p/support/pipelines/triage/")
    select(page, "classify")
    panel = inspector(page)
    expect(panel.get_by_label("Language model")).to_be_disabled()
    panel.get_by_text("The prompt it sends").click()
    expect(panel.locator(".prompt-text")).to_have_value(re.compile("‹message›"))
