"""Files sent in pieces by a real browser: broken connections, pauses, reloads, several at once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.board import SignIn
from tests.e2e.looks import shoot, violations
from tests.e2e.site import environment_in, running_site

pytestmark = pytest.mark.e2e
UPLOAD = "/p/support/datasets/upload/"
KEEP = re.compile("Keep .* rows as a dataset")
DATA = re.compile(r"/data/\?offset=")


def make_large(folder: Path, name: str = "large.csv", megabytes: float = 3) -> Path:
    """A CSV of so many megabytes; it takes several pieces."""
    path = folder / name
    line = "Where is my parcel, I have been waiting for it since Monday?,shipping\n"
    path.write_text("message,category\n" + line * int(megabytes * 1_000_000 / len(line)))
    return path


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A site of its own: what these tests leave is in nobody's way."""
    return environment_in(tmp_path_factory.mktemp("uploads"))


@pytest.fixture(scope="module")
def site(environment: dict[str, str]) -> Iterator[str]:
    """The address of that site."""
    with running_site(environment) as address:
        yield address


class Line:
    """What goes over the line: pieces are counted, held up, and lost."""

    def __init__(self, page: Page) -> None:
        self.offsets: list[int] = []
        self.lose: set[int] = set()
        """Numbers of the pieces that get lost, from 1."""
        self.hold_after: int | None = None
        """So many pieces come through; the others wait for good."""
        page.route(DATA, self._pass)

    def _pass(self, route: Route) -> None:
        self.offsets.append(int(parse_qs(urlsplit(route.request.url).query)["offset"][0]))
        number = len(self.offsets)
        if number in self.lose:
            route.abort("connectionreset")
        elif self.hold_after is None or number <= self.hold_after:
            route.continue_()


def choose(page: Page, *paths: Path) -> None:
    """Choose files as in the dialog of the browser."""
    page.locator("input[type=file]").set_input_files([str(path) for path in paths])


def test_a_broken_connection_costs_a_piece(sign_in: SignIn, tmp_path: Path) -> None:
    page = sign_in("alice")
    page.goto(UPLOAD)
    line = Line(page)
    line.lose = {2, 3}
    choose(page, make_large(tmp_path))
    page.wait_for_url(re.compile(r"/upload/[0-9a-f]{32}/"))
    expect(page.get_by_role("button", name=KEEP)).to_be_visible()
    assert line.offsets[1] == line.offsets[2] == line.offsets[3] > 0, "the lost piece came again"


def test_a_reload_goes_on_where_it_was(sign_in: SignIn, tmp_path: Path) -> None:
    page = sign_in("alice")
    page.goto(UPLOAD)
    path = make_large(tmp_path, "reloaded.csv")
    first = Line(page)
    first.hold_after = 1
    choose(page, path)
    row = page.locator("[data-file]")
    expect(row).to_contain_text(re.compile(r"1\.0 MB of 2\.\d MB"))
    page.wait_for_function("() => document.querySelector('[data-bar]').value > 0.3")
    row.get_by_role("button", name="Pause").click()
    expect(row).to_contain_text("Paused")
    shoot(page, "upload-paused")
    page.unroute(DATA)
    page.reload()
    expect(page.get_by_text("reloaded.csv")).to_be_visible()  # it says that it waits
    second = Line(page)
    choose(page, path)
    page.wait_for_url(re.compile(r"/upload/[0-9a-f]{32}/"))
    assert second.offsets[0] >= 1_000_000
    expect(page.get_by_role("button", name=KEEP)).to_be_visible()


def test_pause_and_resume(sign_in: SignIn, tmp_path: Path) -> None:
    page = sign_in("alice")
    page.goto(UPLOAD)
    line = Line(page)
    line.hold_after = 1
    choose(page, make_large(tmp_path, "paused.csv"))
    page.wait_for_function("() => document.querySelector('[data-bar]').value > 0.3")
    page.get_by_role("button", name="Pause").click()
    line.hold_after = None
    page.get_by_role("button", name="Resume").click()
    page.wait_for_url(re.compile(r"/upload/[0-9a-f]{32}/"))


def test_several_files_one_after_the_other(sign_in: SignIn, tmp_path: Path) -> None:
    page = sign_in("alice")
    page.goto(UPLOAD)
    good = make_large(tmp_path, "several-1.csv", 0.1)
    bad = tmp_path / "several-2.csv"
    bad.write_bytes(b"%PDF-1.7 something")
    strange = tmp_path / "picture.png"
    strange.write_bytes(b"\x89PNG")
    other = make_large(tmp_path, "several-3.csv", 0.1)
    choose(page, good, bad, strange, other)
    rows = page.locator("[data-file]")
    expect(rows.nth(3).get_by_role("link", name="Look at it")).to_be_visible()
    expect(rows.nth(0).get_by_role("link", name="Look at it")).to_be_visible()
    expect(rows.nth(1).get_by_role("alert")).to_contain_text("PDF")
    expect(rows.nth(2).get_by_role("alert")).to_contain_text("not a file that can be read here")
    shoot(page, "upload-several", full_page=True)
    rows.nth(3).get_by_role("link", name="Look at it").click()
    expect(page.get_by_role("heading", name="several-3.csv")).to_be_visible()


def test_cancel_leaves_nothing(sign_in: SignIn, tmp_path: Path) -> None:
    page = sign_in("alice")
    page.goto(UPLOAD)
    line = Line(page)
    line.hold_after = 1
    choose(page, make_large(tmp_path, "cancelled.csv"))
    page.wait_for_function("() => document.querySelector('[data-bar]').value > 0.3")
    page.get_by_role("button", name="Cancel").click()
    expect(page.locator("[data-file]")).to_have_count(0)
    page.goto("/p/support/datasets/")
    expect(page.get_by_text("cancelled.csv")).to_have_count(0)


def make_messy(folder: Path) -> Path:
    """A file with something wrong in many rows, whose columns have other names than fields."""
    path = folder / "messy.csv"
    lines = ["ticket,text,kind,stars,paid,who"]
    for number in range(1, 301):
        kind = ("billing", "shipping", "refund")[number % 3]
        stars = "many" if number % 5 == 0 else number % 5
        lines.append(f"t{number},Where is parcel {number}?,{kind},{stars},yes,c{number % 7}")
    path.write_text("\n".join(lines) + "\n")
    return path


def save_signature(page: Page, name: str) -> None:
    """A signature with types that not every cell has; its fields are no columns."""
    page.goto("/p/support/signatures/new/")
    page.get_by_label("Name", exact=True).fill(name)
    line = page.get_by_label("In one line")
    line.fill("letter -> kind: enum[billing, shipping], stars: int, paid: bool")
    expect(page.get_by_label("Name of field 4")).to_have_value("paid")
    page.get_by_role("button", name=re.compile("^(Save|Make)")).first.click()
    page.wait_for_url(lambda url: "/new/" not in url)


@pytest.mark.parametrize(("width", "theme"), [(1280, "light"), (390, "dark")])
def test_columns_are_mapped_and_every_problem_is_listed(
    sign_in: SignIn, tmp_path: Path, width: int, theme: str
) -> None:
    page = sign_in("alice", width=width, theme=theme)
    name = f"letters-{width}"
    save_signature(page, name)
    page.goto(UPLOAD)
    shoot(page, f"upload-{width}-{theme}", full_page=True)
    choose(page, make_messy(tmp_path))
    page.wait_for_url(re.compile(r"/upload/[0-9a-f]{32}/"))
    page.get_by_label("Signature", exact=True).select_option(name)
    letter = page.get_by_label("letter", exact=True)
    expect(page.get_by_text("Choose a column for “letter”.")).to_be_visible()
    if width > 1000:
        page.locator("[data-columns] [data-column=text]").drag_to(letter)
    else:
        letter.select_option("text")
    expect(page.get_by_text("Choose a column for “letter”.")).to_have_count(0)
    expect(page.get_by_label("letter", exact=True)).to_have_value("text")
    expect(page.get_by_text("Kept beside them")).to_contain_text("ticket, who")
    problems = page.locator("#problems-listed")
    expect(problems.get_by_role("row")).to_have_count(51)
    problems.get_by_role("link", name="Next").click()
    expect(problems).to_contain_text("51 to 100 of 160")
    problems.get_by_role("link", name=re.compile("not of the field")).click()
    expect(problems).to_contain_text("1 to 50 of 60")
    assert violations(page) == []
    with page.expect_download() as download:
        problems.get_by_role("link", name="Download as CSV").click()
    lines = download.value.path().read_text().splitlines()
    assert len(lines) == 61
    assert "many" in lines[1]
    shoot(page, f"map-{width}-{theme}", full_page=True)
    page.get_by_label("Leave the 140 rows with problems out").check()
    page.get_by_role("button", name="Keep 160 rows as a dataset").click()
    page.wait_for_url(lambda url: "/upload/" not in url)
