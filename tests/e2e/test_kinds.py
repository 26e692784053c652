"""Steps of other kinds than Predict on the canvas: found, set, checked by the server, run."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.board import (
    SignIn,
    drag,
    expect_saved,
    expect_wires,
    handle,
    new_pipeline,
    node,
    select,
)
from tests.e2e.looks import shoot

pytestmark = pytest.mark.e2e


def test_a_step_without_a_model_is_drawn_corrected_and_run(sign_in: SignIn, worker: None) -> None:
    page = sign_in("alice")
    new_pipeline(page)
    page.locator("#palette-search").fill("template")
    shoot(page, "palette-search")
    page.locator(".palette").get_by_role("button", name="Template").click()
    inspector = page.locator(".inspector")
    inspector.get_by_label("Signature").fill("name, tags: list[str] -> text")
    settings = inspector.locator("details", has_text="Settings")
    box = settings.get_by_role("textbox").first
    box.fill("Dear {nmae}, you chose:\n{tags}")
    expect_saved(page)
    expect(inspector.locator(".inspector-problems").get_by_text("nmae")).to_be_visible()
    shoot(page, "template-problem")

    box.fill("Dear {name}, you chose:\n{tags}")
    inspector.get_by_role("button", name="Expose as an output").click()
    select(page, "input")
    for _ in range(2):
        inspector.get_by_role("button", name="Add a field").click()
    inspector.get_by_label("Name of field 1").fill("name")
    inspector.get_by_label("Name of field 2").fill("tags")
    inspector.get_by_label("Type of tags").select_option("list")
    drag(page, handle(page, "input", "output:name"), handle(page, "fill", "input:name"))
    drag(page, handle(page, "input", "output:tags"), handle(page, "fill", "input:tags"))
    expect_wires(page, 3)
    expect(page.get_by_text("No problems")).to_be_visible()
    expect_saved(page)

    page.get_by_role("button", name="Try").click()
    panel = page.locator(".try")
    panel.get_by_label("Name").fill("Ada")
    panel.get_by_label("Tags").fill("tea\ncake")
    panel.get_by_role("button", name="Run").click()
    expect(node(page, "fill").get_by_text("Dear Ada, you chose:")).to_be_visible(timeout=60_000)
    shoot(page, "template-done")


def test_every_kind_is_in_the_palette(sign_in: SignIn) -> None:
    page = sign_in("alice")
    new_pipeline(page)
    palette = page.locator(".palette")
    for group in ("Ask", "Improve", "Search", "Flow", "Code", "Ends"):
        expect(palette.get_by_role("heading", name=group, exact=True)).to_be_visible()
    for kind in ("ReAct", "Best of N", "Retrieve", "Map", "Branch", "Subpipeline", "Python"):
        expect(palette.get_by_role("button", name=kind).first).to_be_visible()
    shoot(page, "palette")

    palette.get_by_role("button", name="ReAct").click()
    inspector = page.locator(".inspector")
    inspector.get_by_label("Signature").fill("question -> answer, day: optional[date]")
    expect_saved(page)
    expect(inspector.get_by_text("tool").first).to_be_visible()
    inspector.get_by_label("Tools", exact=True).fill("python")
    expect_saved(page)
    inspector.get_by_label("Type of day").select_option("object")
    inspector.get_by_label("Shape of day").fill("city: str, streets: list[str]")
    inspector.get_by_label("Description of day").click()
    expect(inspector.get_by_label("Signature")).to_have_value(
        'question -> answer, day: object[{"additionalProperties":false,"properties":'
        '{"city":{"type":"string"},"streets":{"items":{"type":"string"},"type":"array"}},'
        '"required":["city","streets"],"type":"object"}]'
    )
    shoot(page, "react")
