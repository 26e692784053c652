"""The splits of a dataset in a real browser: choose, look, split, take it back, seal."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.looks import violations

pytestmark = pytest.mark.e2e

ROWS = "\n".join(
    f'{{"message": "Message {n}: my order is late", "category": '
    f'"{("billing", "shipping")[n % 2]}", "customer": "customer {n % 12}"}}'
    for n in range(120)
)


@pytest.fixture
def splits_url(sign_in: Callable[..., Page]) -> str:
    """The page of a dataset that alice has just uploaded."""
    page = sign_in("alice")
    answer = page.request.post(
        "/api/projects/support/datasets/",
        multipart={
            "file": {"name": "late.jsonl", "mimeType": "text/plain", "buffer": ROWS.encode()},
            "train": "100", "dev": "0", "test": "0", "split_by": "random",
        },
        headers={"X-CSRFToken": _token(page)},
    )  # fmt: skip
    assert answer.status == 201, answer.text()
    return f"{answer.json()['url']}splits/"


def _token(page: Page) -> str:
    return str(
        page.evaluate("JSON.parse(document.body.getAttribute('hx-headers'))['X-CSRFToken']")
    )


def settle(page: Page) -> None:
    """Until what htmx has put in listens."""
    expect(page.locator(".htmx-request, .htmx-added, .htmx-settling")).to_have_count(0)


def test_split_by_group_take_it_back_and_seal(
    sign_in: Callable[..., Page], splits_url: str
) -> None:
    page = sign_in("alice")
    page.goto(splits_url)
    page.get_by_label("By group: no group in two splits").check()
    expect(page.get_by_label("Group column")).to_be_visible()
    settle(page)
    page.get_by_label("Group column").select_option("customer")
    plan = page.get_by_role("region", name="What would come of it")
    expect(plan).to_contain_text("12 groups of customer, 0 of them in more than one split")
    page.get_by_role("button", name=re.compile("Split: move")).click()
    expect(page.get_by_text("rows moved: version 2")).to_be_visible()
    page.get_by_role("button", name="Undo the last split").click()
    expect(page.get_by_text("As version 1 was.")).to_be_visible()
    page.get_by_label("At random, a column’s values spread evenly").check()
    expect(page.get_by_label("Spread evenly", exact=True)).to_be_visible()
    settle(page)
    page.get_by_label("Spread evenly", exact=True).select_option("category")
    page.get_by_role("button", name=re.compile("Split: move 48 rows")).click()
    page.get_by_role("button", name="Seal 24 test rows").click()
    expect(page.get_by_role("heading", name="The test split is sealed")).to_be_visible()
    page.get_by_text("Unseal it").click()
    page.get_by_label("Reason").fill("The labels of May are wrong.")
    page.get_by_role("button", name="Unseal, and log it").click()
    expect(page.get_by_role("cell", name="Unsealed: The labels of May are wrong.")).to_be_visible()


def test_it_works_without_javascript(sign_in: Callable[..., Page], splits_url: str) -> None:
    signed_in = sign_in("alice")
    browser = signed_in.context.browser
    assert browser is not None
    context = browser.new_context(
        java_script_enabled=False, storage_state=signed_in.context.storage_state(),
        base_url=signed_in.url.partition("/p/")[0],
    )  # fmt: skip
    page = context.new_page()
    page.goto(splits_url)
    page.get_by_label("By group: no group in two splits").check()
    page.get_by_role("button", name="Preview").click()
    page.get_by_label("Group column").select_option("customer")
    page.get_by_role("button", name="Preview").click()
    page.get_by_role("button", name=re.compile("Split: move")).click()
    expect(page.get_by_text("rows moved: version 2")).to_be_visible()
    context.close()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_it_fits_and_can_be_read(
    sign_in: Callable[..., Page], splits_url: str, width: int, theme: str
) -> None:
    page = sign_in("alice", width=width, theme=theme)
    page.goto(splits_url)
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_role("heading", name="What would come of it")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert not violations(page)
