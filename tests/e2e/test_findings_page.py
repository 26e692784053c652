"""Findings of a dataset, resolved and waived in a real browser; and a compile that they stop."""

from __future__ import annotations

import re

import pytest
from django.utils.text import slugify
from playwright.sync_api import Page, expect

from tests.e2e.board import SignIn
from tests.e2e.looks import shoot, violations
from tests.e2e.test_whole_loop import measure, upload
from tests.runs.builders import make_rows

pytestmark = pytest.mark.e2e
SIZES = ((1280, "light"), (390, "dark"), (390, "light"), (1280, "dark"))
EXTRA = (
    ("The invoice for the kettle is much too high, please look at it again.", "billing", "train"),
    ("the invoice for the kettle is much too high - please look at it, again", "billing", "test"),
    ("My parcel has not arrived yet although it was sent last week already", "shipping", "train"),
    ("My package has not arrived yet although it was sent last week already", "shipping", "test"),
    ("Write to bob.b@firm.de or call +49 30 1234567 about the lamp.", "billing", "train"),
    ("The cafÃ© machine is broken since May.", "shipping", "dev"),
    ("Who pays for the lamp that came in two parts?", "billing", "train"),
    ("Who pays for the lamp that came in two parts", "shipping", "train"),
)


def a_file() -> bytes:
    """Messages of two categories; some leak, conflict, or hold what they should not."""
    splits = ("train", "dev", "test")
    lines = [
        f'"{row["message"]}",{row["category"]},{splits[number % 3]}'
        for number, row in enumerate(make_rows(48))
    ]
    lines += [f'"{text}",{label},{split}' for text, label, split in EXTRA]
    return "\n".join(["message,category,split", *lines]).encode()


def make(page: Page, name: str) -> None:
    """A dataset of that name with a metric, and its page of findings."""
    upload(page, name, a_file())
    measure(page, f"{name} right")
    page.goto(f"/p/support/datasets/{slugify(name)}/findings/")


def test_how_it_looks(sign_in: SignIn) -> None:
    make(sign_in("alice"), "leaks to look at")
    for width, theme in SIZES:
        page = sign_in("alice", width=width, theme=theme)
        page.goto("/p/support/datasets/leaks-to-look-at/findings/")
        expect(page.get_by_text("nearly equals row 51")).to_be_visible()
        shoot(page, f"findings-{width}-{theme}", full_page=True)
        assert violations(page) == []
        page.get_by_role("link", name=re.compile("Hints of personal")).click()
        shoot(page, f"findings-personal-{width}-{theme}")
        assert violations(page) == []


def test_a_compile_stops_at_a_leak_until_it_is_resolved_and_waived(sign_in: SignIn) -> None:
    page = sign_in("alice")
    make(page, "leaky messages")
    page.goto("/p/support/pipelines/triage/compile/")
    page.get_by_label("Dataset").select_option(label="leaky messages")
    expect(page.get_by_text("has 2 leaks between test")).to_be_visible()
    shoot(page, "findings-compile-form")
    page.get_by_role("button", name="Start compiling").click()
    refused = page.get_by_role("alert").filter(has_text="This cannot be compiled yet")
    expect(refused).to_contain_text("2 leaks")
    page.get_by_role("link", name="Resolve or waive them").click()
    finding = page.get_by_role("listitem").filter(has_text="Row 50 (test) equals row 49 (train)")
    finding.get_by_role("button", name="Delete the test rows").click()
    expect(page.get_by_text("Saved as version 2: rows 1 removed")).to_be_visible()
    other = page.get_by_role("listitem").filter(has_text="nearly equals")
    expect(other.locator("mark")).to_have_text(["package", "parcel"])
    other.get_by_text("Waive …").click()
    reason = other.get_by_label("Why it may stay")
    reason.fill("Two people wrote the same.")
    reason.press("Enter")  # no button is pressed by it
    expect(page.get_by_text("Saved as version 2: rows 1 removed")).to_be_visible()
    other.get_by_role("button", name="Waive", exact=True).click()
    expect(page.get_by_text("One finding is waived.")).to_be_visible()
    page.get_by_role("link", name="Waived (1)").click()
    expect(page.get_by_text("“Two people wrote the same.”")).to_be_visible()
    shoot(page, "findings-waived")
    page.goto("/p/support/pipelines/triage/compile/")
    page.get_by_label("Dataset").select_option(label="leaky messages")
    expect(page.get_by_text(re.compile(r"about [\d,]+ calls"))).to_be_visible()
    expect(page.get_by_text("The dataset leaks")).to_have_count(0)


def test_conflicts_letters_and_what_is_personal(sign_in: SignIn) -> None:
    page = sign_in("alice")
    make(page, "odd messages")
    page.get_by_role("link", name=re.compile("Damaged letters")).click()
    expect(page.locator("del")).to_have_text("cafÃ©")
    page.get_by_role("button", name="Repair the letters: all 1 findings").click()
    expect(page.get_by_text("rows 1 changed")).to_be_visible()
    page.get_by_role("link", name=re.compile("Conflicting labels")).click()
    page.get_by_label("Label for all rows of this finding").select_option("billing")
    page.get_by_role("button", name="Give all this label").click()
    expect(page.get_by_text("rows 1 changed")).to_be_visible()
    page.get_by_role("link", name=re.compile("Hints of personal")).click()
    expect(page.get_by_text("[e-mail address]")).to_be_visible()
    expect(page.get_by_text("bob.b@firm.de")).to_be_hidden()
    page.get_by_text("Show", exact=True).click()
    expect(page.get_by_text("bob.b@firm.de")).to_be_visible()
