"""Every page of the studio under axe-core: WCAG 2.2 A and AA, in both themes, wide and narrow.

The pages are found by following links, so that a new one is looked at without being listed here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, get_resolver, resolve
from django.urls.resolvers import URLPattern, URLResolver
from playwright.sync_api import Page, expect

from tests.e2e.board import SignIn, new_pipeline, node, select
from tests.e2e.looks import violations
from tests.e2e.site import environment_in, running_site, running_worker
from tests.e2e.test_compile_page import a_file
from tests.e2e.test_whole_loop import compile_, connect, make_key, measure, review, upload

pytestmark = pytest.mark.e2e
NO_PAGES = re.compile(
    r"health|sign-out|home|:delete|-to-dataset$|datasets:(again|cell|undo|compare-versions)$"
    r"|:(change-role|remove-member|rename|revoke|cancel|pause|resume|decide|vote"
    r"|release|rescore|accept-rest|open|roll-back|download|estimate|evaluate-estimate|go-on|export|rows|asked|demos|try-metric"
    r"|outline-edit|outline-history|outline-try|metric-rows|retry-agreement|try-constraint"
    r"|undo-split|seal|unseal|upload-problems|test-connection|restore-version|upload-state|upload-program)$"
)
"""Names of addresses that only take a form, answer with a part of a page, or lead on."""


def pages() -> set[str]:
    """The names of all addresses that are pages of their own."""
    return {name for name in _names(get_resolver().url_patterns, "") if not NO_PAGES.search(name)}


def _names(patterns: list[Any], space: str) -> Iterator[str]:
    for one in patterns:
        if isinstance(one, URLResolver):
            inner = f"{one.namespace}:" if one.namespace else ""
            if inner not in ("api:", "admin:"):
                yield from _names(one.url_patterns, space + inner)
        elif isinstance(one, URLPattern) and one.name:
            yield space + one.name


def named(url: str) -> str:
    """The name of an address; empty when it is none of ours."""
    try:
        return resolve(urlsplit(url).path).view_name
    except Resolver404:
        return ""


class Judge:
    """What axe says of the pages, page by page."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def look(self, page: Page, what: str) -> None:
        """Run axe on the page as it is."""
        for found in violations(page):
            places = "\n    ".join(found["nodes"])
            self.found.append(f"{what}: {found['id']}: {found['help']}\n    {places}")

    def verdict(self) -> None:
        """Fail with everything that was found."""
        assert self.found == [], "\n".join(self.found)


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A site of its own: what these tests make is in nobody's way."""
    return environment_in(tmp_path_factory.mktemp("looked-at"))


@pytest.fixture(scope="module")
def site(environment: dict[str, str]) -> Iterator[str]:
    """Its address."""
    with running_site(environment) as address:
        yield address


@pytest.fixture(scope="module")
def worker(environment: dict[str, str], site: str) -> Iterator[None]:
    """Its worker."""
    with running_worker(environment):
        yield


@pytest.fixture(scope="module")
def made() -> list[str]:
    """Whether the world of these tests is there already."""
    return []


@pytest.fixture
def world(sign_in: SignIn, worker: None, made: list[str]) -> None:
    """A project in which everything has happened once: two compiles, one of them released."""
    if made:
        return
    alice = sign_in("alice")
    lm = connect(alice, "Scripted", {"Rules": "support-triage"})
    upload(alice, "axe messages", a_file())
    measure(alice, "axe right")
    new_signature(alice)
    choices = {"Dataset": "axe messages", "Metric": "axe right", "Language model": lm}
    compile_(alice, "triage", choices, seconds=60)
    review(sign_in("bob"), reject_first=False)
    compile_(alice, "two-steps", choices, seconds=60)
    make_key(alice)
    made.append("the world")


def new_signature(page: Page) -> None:
    """A saved signature and a saved module of it."""
    page.goto("/p/support/signatures/new/")
    page.get_by_label("Name", exact=True).fill("Sorting")
    page.get_by_role("button", name=re.compile("^(Save|Make|Keep)")).first.click()
    page.goto("/p/support/modules/new/")
    page.get_by_label("Name", exact=True).fill("Sorter")
    page.get_by_role("button", name=re.compile("^(Save|Make|Keep)")).first.click()


@pytest.mark.timeout(400)
@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_no_page_has_a_fault(
    sign_in: SignIn, world: None, site: str, width: int, theme: str
) -> None:
    judge = Judge()
    page = sign_in("alice", width=width, theme=theme)
    seen: set[str] = set()
    waiting = ["/p/support/", "/projects/", "/p/support/pipelines/triage/versions/"]
    while waiting:
        address = waiting.pop(0)
        name = named(address)
        if not name or name in seen or name not in pages():
            continue
        seen.add(name)
        page.goto(address)
        page.wait_for_load_state("networkidle")
        judge.look(page, name)
        links = page.evaluate("[...document.links].map((link) => link.href)")
        waiting += [url.removeprefix(site) for url in links if url.startswith(site)]
    stranger = page.context.browser.new_page(base_url=site) if page.context.browser else page
    for address in ("/sign-in/", "/nowhere/"):
        stranger.goto(address)
        judge.look(stranger, address)
    stranger.close()
    judge.verdict()
    elsewhere = {"runs:compare", "runs:result-row"}  # looked at in test_evaluation_page
    elsewhere |= {"runs:agreement", "runs:label-rows"}  # looked at in test_metric_page
    unseen = {"accounts:sign-in", "runs:matrix", "datasets:map-upload"} | elsewhere
    assert pages() - seen == unseen & pages()


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("width", "theme"), [(1280, "dark"), (390, "light")])
def test_the_canvas_has_no_fault_whatever_is_open(sign_in: SignIn, width: int, theme: str) -> None:
    judge = Judge()
    page = sign_in("alice", width=width, theme=theme)
    new_pipeline(page, "Two steps")
    select(page, "classify")
    # What only shows under the pointer or the focus has its equals in the palette and in the keys.
    page.mouse.move(0, 0)
    page.locator(".inspector [data-first-field]").focus()
    judge.look(page, "a step")
    page.evaluate(
        "document.querySelectorAll('.inspector details').forEach((one) => { one.open = true })"
    )
    judge.look(page, "a step, everything open")
    for button in page.locator(".toolbar-end button[aria-pressed]").all():
        if not button.is_visible():
            continue
        button.click()
        page.wait_for_timeout(500)
        judge.look(page, f"the panel {button.inner_text()}")
        button.click()
    page.keyboard.press("Escape")
    page.goto(new_pipeline(page, "Empty"))
    expect(node(page, "input")).to_be_visible()
    judge.look(page, "an empty pipeline")
    judge.verdict()
