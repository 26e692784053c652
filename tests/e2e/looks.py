"""How the tests look at a page: pictures for people, and axe-core for WCAG 2.2."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.e2e.site import ROOT

SHOTS = os.environ.get("E2E_SHOTS", "")
"""A folder for pictures of the pages; none are taken without it."""
WCAG = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
_RUN = """async ([inside, tags]) => {
  const found = await axe.run(inside || document, {
    runOnly: { type: "tag", values: tags },
    resultTypes: ["violations"],
  });
  const why = ({ any, all }) => (any[0] ?? all[0])?.message ?? "";
  const told = (one) => `${one.target.join(" ")} | ${why(one)}`;
  return found.violations.map(({ id, help, nodes }) => ({
    id, help, nodes: nodes.slice(0, 5).map(told),
  }));
}"""


def shoot(page: Page, name: str, *, full_page: bool = False) -> None:
    """Keep a picture of the page, when somebody wants them."""
    if SHOTS:
        page.wait_for_timeout(400)  # what fades in is there then
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=full_page)


def violations(
    page: Page, inside: str = "", rules: tuple[str, ...] = (*WCAG, "best-practice")
) -> list[dict[str, Any]]:
    """What axe says of the page as it is, or of what a selector finds in it."""
    page.evaluate(_axe())
    found: list[dict[str, Any]] = page.evaluate(_RUN, [inside, list(rules)])
    return found


@cache
def _axe() -> str:
    script = ROOT / "frontend" / "node_modules" / "axe-core" / "axe.min.js"
    return script.read_text(encoding="utf-8")
