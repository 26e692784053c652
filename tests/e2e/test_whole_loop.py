"""Draw, upload, compile, review, approve, release, call: as people do it, in a real browser."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.board import SignIn, drag, expect_saved, expect_wires, handle, node, select
from tests.e2e.looks import shoot

pytestmark = pytest.mark.e2e
SAMPLE = Path(__file__).parents[2] / "studio" / "samples" / "support_triage.csv"
LABELS = "billing, shipping, technical, account, returns"


def some_rows(count: dict[str, int]) -> bytes:
    """A CSV with so many sample messages of each split."""
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    text = io.StringIO()
    writer = csv.DictWriter(text, ["id", "message", "category", "split"], lineterminator="\n")
    writer.writeheader()
    for split, most in count.items():
        writer.writerows([row for row in rows if row["split"] == split][:most])
    return text.getvalue().encode()


def connect(page: Page, kind: str, fields: dict[str, str]) -> str:
    """A language model of that kind, made and tried on its page; its name."""
    page.goto("/p/support/lms/new/")
    page.get_by_role("link", name=re.compile(kind)).first.click()
    name = f"{kind} of the loop"
    page.get_by_label("Name", exact=True).fill(name)
    for label, value in fields.items():
        page.get_by_label(label).select_option(value)
    page.get_by_role("button", name="Connect").click()
    page.get_by_role("button", name="Send a request").click()
    expect(page.locator("#test-result")).to_contain_text(re.compile("answer", re.I))
    return name


def draw(page: Page, name: str) -> None:
    """A one-step pipeline, from an empty board."""
    page.goto("/p/support/pipelines/new/")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Empty").check()
    page.get_by_role("button", name="Open the canvas").click()
    expect(node(page, "input")).to_be_visible()
    page.get_by_role("button", name="Add a Predict step").click()
    inspector = page.locator(".inspector")
    inspector.get_by_label("Signature").fill(f"message -> category: enum[{LABELS}]")
    inspector.get_by_label("Instruction").fill("Sort the message to the team that answers it.")
    inspector.get_by_label("Name", exact=True).fill("classify")
    inspector.get_by_role("button", name="Expose as an output").click()
    select(page, "input")
    inspector.get_by_role("button", name="Add a field").click()
    drag(
        page,
        handle(page, "input", "output:message"),
        handle(page, "classify", "input:message"),
    )
    expect_wires(page, 2)
    expect(page.get_by_text("No problems")).to_be_visible()
    expect_saved(page)
    shoot(page, "canvas", full_page=True)


def upload(page: Page, name: str, content: bytes) -> None:
    """A CSV becomes a dataset, with all its rows; its split column is found."""
    page.goto("/p/support/datasets/upload/")
    file: Any = {"name": f"{name}.csv", "mimeType": "text/csv", "buffer": content}
    page.locator("input[type=file]").set_input_files(file)
    # A signature with these names that another test has saved is chosen at once, and rows whose
    # labels it does not know would be left out.
    signature = page.get_by_label("Signature", exact=True)
    if signature.input_value():
        signature.select_option("")
    rows = len(content.splitlines()) - 1
    keep = page.get_by_role("button", name=f"Keep {rows:,} rows as a dataset")
    expect(keep).to_be_enabled()
    shoot(page, "upload", full_page=True)
    keep.click()
    # The page of the upload has a heading of that name, too: leaving it now would end the request.
    page.wait_for_url(lambda url: "/upload/" not in url)
    expect(page.get_by_role("heading", name=re.compile(name, re.I)).first).to_be_visible()


def measure(page: Page, name: str) -> None:
    """An exact-match metric."""
    page.goto("/p/support/metrics/new/?kind=exact_match")
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Field", exact=True).fill("category")
    page.get_by_role("button", name="Make the metric").click()
    page.goto("/p/support/metrics/")
    expect(page.get_by_role("link", name=name)).to_be_visible()


def compile_(page: Page, pipeline: str, choices: dict[str, str], *, seconds: int) -> None:
    """Compile, and watch until the result stands on the page."""
    page.goto(f"/p/support/pipelines/{pipeline}/compile/")
    for label, choice in choices.items():
        page.get_by_label(label, exact=True).select_option(label=choice)
    expect(page.get_by_text(re.compile(r"about [\d,]+ calls"))).to_be_visible()
    shoot(page, "compile", full_page=True)
    page.get_by_role("button", name="Start compiling").click()
    expect(page.get_by_text(re.compile("candidate", re.I)).first).to_be_visible()
    shoot(page, "progress", full_page=True)
    expect(page.locator("#result")).to_be_visible(timeout=seconds * 1000)
    shoot(page, "result", full_page=True)


def review(page: Page, *, reject_first: bool) -> None:
    """Decide on every demo, score again what a rejection leaves, approve and release."""
    page.goto("/p/support/reviews/")
    page.get_by_role("button", name="Open").or_(
        page.get_by_role("link", name="Review", exact=True)
    ).first.click()
    page.wait_for_url(re.compile(r"/reviews/\d+/"))
    shoot(page, "review", full_page=True)
    if reject_first:
        card = page.locator("article").first
        card.get_by_placeholder("Reason").fill("Not typical of our customers.")
        card.get_by_role("button", name="Reject").click()
        expect(card.get_by_role("button", name="Undo")).to_be_visible()
        card.focus()
        page.keyboard.press("j")
        page.keyboard.press("a")
        second = page.locator("article").nth(1)
        expect(second.get_by_role("button", name="Undo")).to_be_visible()
    rest = page.get_by_role("button", name="Accept all the rest")
    if rest.count():
        rest.click()
    if reject_first:
        again = page.locator("form[action$='/rescore/'] button")
        again.first.click()
        expect(page.get_by_role("button", name="Approve")).to_be_enabled(timeout=30_000)
    page.get_by_role("button", name="Approve").click()
    page.get_by_role("button", name=re.compile("Release")).first.click()
    page.goto("/p/support/releases/")
    expect(page.get_by_text("production").first).to_be_visible()
    shoot(page, "releases", full_page=True)


def make_key(page: Page) -> str:
    """A key for callers, which the page shows once."""
    page.goto("/p/support/keys/")
    page.get_by_label("Name").fill("Shop")
    page.get_by_role("button", name="Make a key").click()
    secret = page.locator("#secret").inner_text()
    page.goto("/p/support/keys/")
    expect(page.locator("#secret")).to_have_count(0)
    return secret


def call(url: str, key: str, inputs: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Status and JSON of the endpoint."""
    request = urllib.request.Request(
        url,
        json.dumps({"inputs": inputs}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def walk(
    sign_in: SignIn,
    site: str,
    *,
    pipeline: str,
    connection: tuple[str, dict[str, str]],
    rows: dict[str, int],
    seconds: int,
    reject_first: bool,
) -> None:
    """The whole loop: alice makes, bob judges, a shop calls."""
    alice = sign_in("alice")
    kind, fields = connection
    lm = connect(alice, kind, fields)
    draw(alice, pipeline)
    upload(alice, f"{pipeline} messages", some_rows(rows))
    measure(alice, f"{pipeline} right")
    choices = {
        "Dataset": f"{pipeline} messages",
        "Metric": f"{pipeline} right",
        "Language model": lm,
    }
    compile_(alice, pipeline, choices, seconds=seconds)
    review(sign_in("bob"), reject_first=reject_first)
    key = make_key(alice)
    url = f"{site}/api/projects/support/pipelines/{pipeline}/releases/production/predict"
    status, body = call(url, key, {"message": "I was charged twice for the same invoice."})
    assert status == 200, body
    assert body["outputs"]["category"] in LABELS.split(", ")
    status, body = call(url, key, {"text": "wrong field"})
    assert status == 422
    assert "message" in body["message"]
    assert call(url, "cs_nobody", {"message": "x"})[0] == 401


@pytest.mark.timeout(120)
def test_the_whole_loop_on_the_scripted_lm(sign_in: SignIn, site: str, worker: None) -> None:
    walk(
        sign_in,
        site,
        pipeline="loop",
        connection=("Scripted", {"Rules": "support-triage"}),
        rows={"train": 40, "dev": 30, "test": 60},
        seconds=45,
        reject_first=True,
    )


@pytest.fixture
def embedded(environment: dict[str, str]) -> Iterator[None]:
    """The embedded language model, where the site looks for it."""
    data = Path(environment["STUDIO_DATA_DIR"])
    ready = data / "lm.json"
    command = [sys.executable, "-m", "studio.engine.lm.embedded_server", "--parent-pipe"]
    command += ["--model-dir", str(data / "models"), "--ready-file", str(ready)]
    # It ends when its standard input is closed, which leaving the block does.
    with subprocess.Popen(command, env=environment, stdin=subprocess.PIPE) as server:
        for _ in range(600):
            if ready.exists() or server.poll() is not None:
                break
            time.sleep(0.1)
        assert ready.exists(), "The embedded model's server did not start."
        yield


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_whole_loop_on_the_embedded_lm(
    sign_in: SignIn, site: str, worker: None, embedded: None
) -> None:
    walk(
        sign_in,
        site,
        pipeline="real-loop",
        connection=("Embedded", {}),
        rows={"train": 80, "dev": 40, "test": 60},
        seconds=600,
        reject_first=False,
    )
