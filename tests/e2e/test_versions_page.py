"""Versions and what differs between them, as a person sees and restores them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.builders import PASSWORD, make_spec
from tests.e2e.board import SignIn, new_pipeline
from tests.e2e.looks import SHOTS

pytestmark = pytest.mark.e2e
SIZES = [(1280, 800, "light"), (1280, 800, "dark"), (390, 844, "light"), (390, 844, "dark")]


def shoot(page: Page, name: str) -> None:
    """Keep a picture of the page in both themes and two widths, when somebody wants them."""
    if not SHOTS:
        return
    for width, height, theme in SIZES:
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        picture = Path(SHOTS) / f"{name}-{width}-{theme}.png"
        page.screenshot(path=picture, full_page=True, animations="disabled")
    page.set_viewport_size({"width": 1280, "height": 800})
    page.emulate_media(color_scheme="light")


def save(page: Page, url: str, spec: dict[str, Any]) -> None:
    """Save a drawing as the canvas does."""
    api = url.replace("/p/", "/api/projects/")
    revision = page.request.get(api).json()["revision"]
    token = next(one["value"] for one in page.context.cookies() if one["name"] == "csrftoken")
    answer = page.request.put(
        api,
        data={"spec": spec, "base_revision": revision},
        headers={"X-CSRFToken": token, "Referer": url},
    )
    assert answer.ok, answer.text()


def redrawn() -> dict[str, Any]:
    """The usual drawing with a rewritten step, one more, and one wire elsewhere."""
    spec = make_spec()
    classify = spec["nodes"][1]
    classify["signature"]["instruction"] = "Sort the message into one of the categories, please."
    classify["params"] = {"temperature": 0.7}
    step = {
        "id": "n9",
        "kind": "chain_of_thought",
        "name": "summarise",
        "position": {"x": 300, "y": 260},
        "signature": {
            "fields": [
                {"name": "message", "role": "input", "type": "str", "description": ""},
                {"name": "summary", "role": "output", "type": "str", "description": ""},
            ],
            "instruction": "Say in one short sentence what the writer wants.",
        },
        "params": {},
        "module": "",
    }
    spec["nodes"].append(step)
    spec["edges"].append(
        {
            "id": "e9",
            "source": "n1",
            "source_field": "message",
            "target": "n9",
            "target_field": "message",
        }
    )
    spec["notes"] = [{"id": "t1", "text": "Ask <b>Bob</b>.", "position": {"x": 0, "y": -120}}]
    return spec


def test_a_version_is_saved_compared_and_restored(sign_in: SignIn) -> None:
    page = sign_in("alice")
    url = new_pipeline(page, "One step")
    page.goto(f"{url}versions/")
    shoot(page, "versions-empty")
    page.get_by_role("button", name="Save a version").click()
    expect(page.get_by_role("alert")).to_contain_text("A version needs a message")
    page.get_by_label("Message").fill("Before <i>the</i> summary")
    page.get_by_role("button", name="Save a version").click()
    expect(page.get_by_text("The board is kept as version 1.")).to_be_visible()
    expect(page.get_by_role("cell", name="Before <i>the</i> summary")).to_be_visible()

    save(page, url, redrawn())
    page.reload()
    page.get_by_text("What was saved by itself").click()
    shoot(page, "versions")
    page.get_by_role("button", name="Compare the two that are chosen").click()
    expect(page.get_by_role("heading", name="From version 1 to the board now")).to_be_visible()
    expect(page.get_by_text("summarise is new.")).to_be_visible()
    expect(page.get_by_text("classify: Temperature is 0.7 now.")).to_be_visible()
    expect(page.get_by_role("img", name="Nodes: 1 added, 0 removed, 2 changed.")).to_be_visible()
    shoot(page, "compare")
    page.get_by_role("link", name="Swap the two").click()
    expect(page.get_by_text("summarise is gone.")).to_be_visible()
    shoot(page, "compare-back")

    page.get_by_role("button", name="Restore version 1").click()
    expect(page.get_by_text("What was there before is version 2.")).to_be_visible()
    expect(page.get_by_role("cell", name="Restored version 1")).to_be_visible()
    page.goto(f"{url}versions/compare/?from=1&to=now")
    expect(page.get_by_text("Both are the same program.")).to_be_visible()


def test_choosing_two_states_compares_them_at_once(sign_in: SignIn) -> None:
    page = sign_in("alice")
    url = new_pipeline(page, "One step")
    save(page, url, redrawn())
    page.goto(f"{url}versions/compare/?from=now&to=now")
    page.get_by_role("combobox", name="From").select_option("r1")
    expect(page.get_by_text("summarise is new.")).to_be_visible()
    expect(page).to_have_url(f"{url}versions/compare/?from=r1&to=now")


def test_it_all_works_without_javascript(browser: Browser, site: str, sign_in: SignIn) -> None:
    url = new_pipeline(sign_in("alice"), "One step")
    context = browser.new_context(base_url=site, java_script_enabled=False)
    page = context.new_page()
    page.goto("/sign-in/")
    page.get_by_label("Username").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.goto(f"{url}versions/")
    page.get_by_label("Message").fill("First")
    page.get_by_role("button", name="Save a version").click()
    page.get_by_role("link", name="Compare version 1 with the board").click()
    expect(page.get_by_text("Both are the same program.")).to_be_visible()
    page.get_by_role("button", name="Restore version 1").click()
    expect(page.get_by_text("The board shows version 1 already")).to_be_visible()
    context.close()


def test_a_viewer_compares_and_restores_nothing(sign_in: SignIn) -> None:
    alice, vera = sign_in("alice"), sign_in("vera")
    url = new_pipeline(alice, "One step")
    save(alice, url, redrawn())
    vera.goto(f"{url}versions/")
    expect(vera.get_by_role("button", name="Save a version")).to_have_count(0)
    expect(vera.get_by_role("button", name="Restore")).to_have_count(0)
    vera.goto(f"{url}versions/compare/?from=r1&to=now")
    expect(vera.get_by_text("summarise is new.")).to_be_visible()
    expect(vera.get_by_role("button", name="Restore")).to_have_count(0)


def test_what_to_begin_with_is_shown_as_cards(sign_in: SignIn) -> None:
    page = sign_in("alice")
    page.goto("/p/support/pipelines/new/")
    expect(page.get_by_role("radio")).to_have_count(8)
    shoot(page, "new-pipeline")
    page.get_by_label("Multi-hop search").check()
    page.get_by_label("Name", exact=True).fill("Two searches")
    page.get_by_role("button", name="Open the canvas").click()
    expect(page.locator(".react-flow__node")).to_have_count(7)
    shoot(page, "multi-hop")
