"""Every pair of types as a wire: what does not fit is refused with a reason, here and there.

The browser is asked through the lists of the inspector, which hold every source there is; the
server through a save of each wire that the browser refuses.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from studio.engine.fields import accepts, parse_type
from studio.engine.graph import check
from tests.e2e.board import node

pytestmark = pytest.mark.e2e
FIXTURE = Path(__file__).parents[1] / "fixtures" / "type_rules.json"
TYPES: list[str] = sorted({row[1] for row in json.loads(FIXTURE.read_text())["types"]})
"""Every type of the table that both sides keep."""
OPTIONS = """() => [...document.querySelectorAll(".wire-choice select")].map((select) =>
  [...select.options].filter((one) => one.value).map((one) => ({
    source: JSON.parse(one.value)[1], text: one.textContent, legal: !one.disabled })))"""


def all_types(*wires: tuple[int, int]) -> dict[str, Any]:
    """An input and an output with a field of every type, and these wires."""
    fields = [{"name": f"f{i}", "type": type_, "description": ""} for i, type_ in enumerate(TYPES)]
    place = {"x": 0, "y": 0}
    return {
        "version": 1,
        "nodes": [
            {"id": "a", "kind": "input", "name": "given", "position": place, "fields": fields},
            {
                "id": "z",
                "kind": "output",
                "name": "wanted",
                "position": {"x": 700, "y": 0},
                "fields": fields,
            },
        ],
        "edges": [
            {
                "id": f"e{number}",
                "source": "a",
                "source_field": f"f{source}",
                "target": "z",
                "target_field": f"f{target}",
            }
            for number, (source, target) in enumerate(wires)
        ],
    }


PAIRS = [(s, t) for s in range(len(TYPES)) for t in range(len(TYPES))]


def reason(source: int, target: int) -> str:
    """Why the engine refuses the pair; empty: it does not."""
    return accepts(parse_type(TYPES[source]), parse_type(TYPES[target]))


def test_the_server_refuses_every_pair_that_does_not_fit() -> None:
    for source, target in PAIRS:
        found = [one for one in check(all_types((source, target))) if one.code == "wrong-type"]
        why = reason(source, target)
        assert bool(found) == bool(why), (TYPES[source], TYPES[target])
        assert all(why in one.message for one in found)


@pytest.mark.timeout(180)
def test_the_browser_refuses_them_for_the_same_reasons(sign_in: Callable[..., Page]) -> None:
    page = sign_in("alice")
    page.goto("/p/support/pipelines/new/")
    page.get_by_label("Name", exact=True).fill("Every type")
    page.get_by_label("Empty").check()
    page.get_by_role("button", name="Open the canvas").click()
    expect(node(page, "input")).to_be_visible()
    address = page.url
    slug = address.rstrip("/").rsplit("/", 1)[-1]
    token = next(c["value"] for c in page.context.cookies() if c["name"] == "csrftoken")
    saved = page.request.put(
        f"/api/projects/support/pipelines/{slug}/",
        data={"spec": all_types(), "base_revision": 1},
        headers={"X-CSRFToken": token, "Referer": address},
    )
    assert saved.ok, saved.text()
    page.reload()
    page.locator(".inspector").get_by_role("button", name="wanted").click()
    expect(page.locator(".wire-choice select")).to_have_count(len(TYPES))
    for target, options in enumerate(page.evaluate(OPTIONS)):
        told = {int(one["source"][1:]): one for one in options if one["source"].startswith("f")}
        for source in range(len(TYPES)):
            why = reason(source, target)
            assert told[source]["legal"] == (why == ""), (TYPES[source], TYPES[target])
            assert why in told[source]["text"]
