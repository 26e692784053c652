"""Living with a dataset in a real browser: cells, undo, conflicts, many rows, versions."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.board import SignIn
from tests.e2e.looks import violations

pytestmark = pytest.mark.e2e
TABLE = "/p/support/datasets/edited/"
CSV = (
    "message,category,split\n"
    "My invoice was paid twice.,billing,train\n"
    "The parcel is  late.,shipping,train\n"
    "Where is my parcel?,shipping,dev\n"
    "Send the bill again.,billing,test\n"
)
PAGES = ("", "versions/", "versions/compare/", "bulk/?kind=set", "rows/add/", "rows/1/edit/")
_made: list[str] = []


@pytest.fixture
def alice(sign_in: SignIn) -> Page:
    """Alice in front of a dataset of four rows."""
    page = sign_in("alice")
    if not _made:
        page.request.get("/p/support/datasets/")
        token = next(c["value"] for c in page.context.cookies() if c["name"] == "csrftoken")
        answer = page.request.post(
            "/api/projects/support/datasets/",
            multipart={
                "file": {"name": "edited.csv", "mimeType": "text/csv", "buffer": CSV.encode()},
                "name": "Edited",
            },
            headers={"X-CSRFToken": token, "Referer": page.url},
        )
        assert answer.ok, answer.text()
        _made.append("it")
    page.goto(TABLE)
    return page


def cell(page: Page, row: int, column: str) -> Locator:
    """A cell of the table."""
    return page.locator(f'tr[data-row="{row}"] td[data-cell="{column}"]')


def test_a_cell_is_edited_by_keys_and_taken_back(alice: Page) -> None:
    here = cell(alice, 1, "message")
    before = here.inner_text()
    here.focus()
    alice.keyboard.press("Enter")
    editor = here.get_by_role("textbox")
    expect(editor).to_be_focused()
    editor.fill("Typed in place.")
    alice.keyboard.press("Enter")
    expect(here).to_have_text("Typed in place.")
    expect(here).to_be_focused()
    alice.keyboard.press("ArrowDown")
    expect(cell(alice, 2, "message")).to_be_focused()
    alice.keyboard.press("F2")
    expect(cell(alice, 2, "message").get_by_role("textbox")).to_be_focused()
    alice.keyboard.type(" more")
    alice.keyboard.press("Escape")
    expect(cell(alice, 2, "message")).to_have_text("The parcel is  late.")
    alice.wait_for_load_state("networkidle")
    answer = alice.request.get("/api/projects/support/datasets/edited/rows/2/")
    assert answer.json()["values"]["message"] == "The parcel is  late."
    alice.keyboard.press("Control+z")
    expect(here).to_have_text(before)
    expect(alice.locator("#problems")).to_contain_text("is taken back")
    here.click()
    editor.fill("Left by a click.")
    alice.locator("h1").click()
    expect(here).to_have_text("Left by a click.")
    alice.get_by_role("button", name="Undo").click()
    expect(here).to_have_text(before)
    assert violations(alice) == []


def test_a_row_moves_to_another_split(alice: Page) -> None:
    here = cell(alice, 3, "@split")
    here.click()
    here.get_by_role("combobox").select_option("train")
    alice.keyboard.press("Enter")
    expect(here).to_have_text("train")
    alice.reload()
    expect(here).to_have_text("train")


def test_two_people_edit_one_cell(alice: Page, sign_in: SignIn) -> None:
    other = sign_in("bob")
    other.goto(TABLE)
    for page, text in ((alice, "Mine."), (other, "Theirs.")):
        cell(page, 4, "message").click()
        page.get_by_role("textbox", name="message of row 4").fill(text)
    other.keyboard.press("Enter")
    expect(cell(other, 4, "message")).to_have_text("Theirs.")
    alice.bring_to_front()
    alice.keyboard.press("Enter")
    here = cell(alice, 4, "message")
    expect(here.get_by_role("alert")).to_contain_text("Theirs.")
    assert violations(alice) == []
    here.get_by_role("button", name="Save mine").click()
    expect(here).to_have_text("Mine.")
    alice.reload()
    expect(here).to_have_text("Mine.")


def test_many_rows_are_changed_compared_and_restored(alice: Page) -> None:
    alice.get_by_role("button", name="Change many").click()
    alice.get_by_role("button", name="Find and replace").click()
    alice.get_by_label("Column").select_option("message")
    alice.get_by_label("Find", exact=True).fill("parcel")
    alice.get_by_label("Replace by").fill("letter")
    alice.get_by_role("button", name="Look at what it does").click()
    expect(alice.locator("#preview")).to_contain_text("2 rows will be different")
    assert violations(alice) == []
    alice.get_by_role("button", name="Do it").click()
    expect(cell(alice, 3, "message")).to_have_text("Where is my letter?")
    alice.get_by_role("navigation", name="Pages of Edited").get_by_role(
        "link", name="Versions"
    ).click()
    alice.get_by_role("button", name="Compare the two that are chosen").click()
    expect(alice.locator("del").first).to_contain_text("parcel")
    assert violations(alice) == []
    alice.go_back()
    alice.get_by_role("link", name="Restore … version 1", exact=False).last.click()
    alice.get_by_role("button", name="Restore version 1").click()
    expect(alice.get_by_text("The dataset is as version 1 was")).to_be_visible()
    alice.goto(TABLE)
    expect(cell(alice, 3, "message")).to_have_text("Where is my parcel?")


def test_ticked_rows_are_deleted_and_come_back(alice: Page) -> None:
    alice.get_by_label("Tick row 2").check()
    alice.get_by_role("button", name="Delete the ticked").click()
    expect(alice.get_by_text("Row 2 deleted.")).to_be_visible()
    expect(cell(alice, 2, "message")).to_have_count(0)
    alice.get_by_role("button", name="Undo").click()
    expect(cell(alice, 2, "message")).to_be_visible()


def test_rows_are_pasted(alice: Page) -> None:
    alice.get_by_role("link", name="Add rows").click()
    alice.get_by_label("CSV, cells copied").fill("message\tcategory\nPasted here.\tbilling")
    alice.get_by_role("button", name="Look at what it is").click()
    expect(alice.locator("#preview")).to_contain_text("1 row found")
    assert violations(alice) == []
    alice.get_by_role("button", name="Add 1 row", exact=True).click()
    expect(alice.get_by_text("Pasted here.")).to_be_visible()


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_the_pages_look_right(sign_in: SignIn, alice: Page, width: int, theme: str) -> None:
    page = sign_in("alice", width=width, theme=theme)
    for path in (
        "",
        "versions/",
        "versions/compare/",
        "bulk/?kind=set",
        "rows/add/",
        "rows/1/edit/",
    ):
        page.goto(f"{TABLE}{path}")
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, path
        assert violations(page) == [], path


def test_a_try_becomes_a_row(alice: Page, worker: None) -> None:
    token = next(c["value"] for c in alice.context.cookies() if c["name"] == "csrftoken")
    started = alice.request.post(
        "/api/projects/support/pipelines/triage/try/",
        data={"inputs": {"message": "A try about an invoice."}, "connection": "scripted"},
        headers={"X-CSRFToken": token, "Referer": alice.url},
    )
    assert started.ok, started.text()
    run = started.json()["run"]
    alice.goto(f"/p/support/runs/{run}/")
    alice.get_by_role("link", name="Add to a dataset").click(timeout=60_000)
    alice.get_by_label("Dataset", exact=True).select_option("edited")
    alice.get_by_label("category", exact=True).fill("shipping")
    assert violations(alice) == []
    alice.get_by_role("button", name="Add the row").click()
    expect(alice.get_by_text("The row is in “Edited” now.")).to_be_visible()
    alice.goto(TABLE)
    expect(alice.get_by_text("A try about an invoice.")).to_be_visible()
