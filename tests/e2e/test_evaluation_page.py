"""Evaluations as a person meets them in a real browser: asked for, watched, read, compared."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.board import SignIn
from tests.e2e.looks import shoot, violations
from tests.e2e.site import ROOT, environment_in, running_site, running_worker
from tests.e2e.test_compile_page import expect_to_fit

pytestmark = pytest.mark.e2e
FORM = "/p/support/pipelines/triage/evaluate/"
LIST = "/p/support/pipelines/triage/evaluations/"
SETUP = """
import json
import django
django.setup()
from studio.accounts.models import Project, User
from studio.pipelines.models import Pipeline
from tests import builders
from tests.runs.builders import Kit, make_rows
from tests.runs.evaluating import evaluate
project = Project.objects.get(slug="support")
languages = ("en", "de", "fr", "")
rows = [
    {**row, "language": languages[number % 4], "urgency": str(number * 7 % 50)}
    for number, row in enumerate(make_rows(240))
]
kit = Kit(
    project, User.objects.get(username="alice"), Pipeline.objects.get(slug="triage"),
    builders.make_dataset(project, "tickets", rows=rows),
    builders.make_metric(project, "right", params={"field": "category"}),
    project.connections.get(slug="scripted"),
)
runs = [evaluate(kit, split="dev"), evaluate(kit, split="dev", repeats=3, rows="first", count=40)]
print(json.dumps([str(run.pk) for run in runs]))
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A site of its own: what these tests make is in nobody's way."""
    return environment_in(tmp_path_factory.mktemp("evaluated"))


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
def runs(environment: dict[str, str], site: str) -> list[str]:
    """Two evaluations on dev that have ended."""
    made = subprocess.run(
        [sys.executable, "-c", SETUP], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert made.returncode == 0, made.stderr
    found: list[str] = json.loads(made.stdout.splitlines()[-1])
    return found


def no_faults(page: Page) -> None:
    """Nothing that axe complains of, and nothing wider than the window."""
    assert violations(page) == []
    expect_to_fit(page)


@pytest.mark.timeout(120)
def test_an_evaluation_is_asked_for_watched_and_read(
    sign_in: SignIn, worker: None, runs: list[str]
) -> None:
    page = sign_in("alice")
    page.goto(LIST)
    page.get_by_role("link", name="Evaluate", exact=True).click()
    page.get_by_label("Dataset", exact=True).select_option(label="Tickets")
    page.get_by_label("Split", exact=True).select_option("dev")
    expect(page.get_by_text("about 80 calls")).to_be_visible()
    page.get_by_label("Answers per row").fill("2")
    page.get_by_label("Answers per row").press("Tab")
    expect(page.get_by_text("about 160 calls")).to_be_visible()
    page.get_by_label("LM calls at most").fill("30")
    page.get_by_label("LM calls at most").press("Tab")
    expect(page.get_by_text("is enough for about 15 of 80 rows")).to_be_visible()
    page.get_by_text("More: the seed").click()
    page.get_by_label("Ask everything anew").check()
    shoot(page, "evaluate-form", full_page=True)
    page.get_by_role("button", name="Start evaluating").click()
    page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}/"))
    expect(page.get_by_text(re.compile("A cap is reached: 130 answers"))).to_be_visible(
        timeout=60_000
    )
    shoot(page, "evaluation-at-cap", full_page=True)
    no_faults(page)
    page.get_by_label("LM calls at most").fill("900")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_role("link", name="Evaluate again")).to_be_visible(timeout=60_000)
    expect(page.get_by_text("160 of 160 answers")).to_be_visible()
    expect(page.get_by_text("of the rows were answered the same each time")).to_be_visible()


@pytest.mark.timeout(120)
def test_rows_are_looked_for_while_the_page_stays(sign_in: SignIn, runs: list[str]) -> None:
    page = sign_in("alice")
    page.goto(f"/p/support/runs/{runs[0]}/")
    rows = page.locator("#results tbody tr")
    expect(rows).to_have_count(50)
    page.get_by_label("Which rows").select_option(label="Wrong")
    expect(page.locator("#results")).not_to_contain_text("80 rows")
    page.get_by_label("Which rows").select_option(label="All rows")
    page.get_by_label("Search in inputs").fill("CAMERA")
    expect(page.locator("#results")).to_contain_text(re.compile(r"\b\d+ rows?\b"))
    expect(rows.first).to_contain_text("camera")
    page.get_by_label("Search in inputs").fill("")
    page.get_by_text("Columns", exact=True).click()
    page.get_by_role("checkbox", name="Cost").check()
    expect(page.locator("#results").get_by_role("columnheader", name="Cost")).to_have_count(0)
    page.get_by_label("by column").select_option("language")
    expect(page.locator("#slices tbody tr")).to_have_count(4)
    no_faults(page)
    page.locator("#slices").get_by_role("link", name="de", exact=True).click()
    expect(page.locator("#results")).to_contain_text("20 rows")
    page.locator("#results").get_by_role("link", name=re.compile("Steps")).first.click()
    expect(page.get_by_role("heading", name=re.compile("^Row "))).to_be_visible()
    expect(page.get_by_role("heading", name="Prompt")).to_be_visible()
    no_faults(page)
    shoot(page, "evaluation-row", full_page=True)


@pytest.mark.timeout(120)
def test_two_are_compared_from_the_list(sign_in: SignIn, runs: list[str]) -> None:
    page = sign_in("alice")
    page.goto(LIST)
    no_faults(page)
    shoot(page, "evaluations", full_page=True)
    page.locator(f'input[name="run"][value="{runs[1]}"]').check()
    page.locator(f'input[name="base"][value="{runs[0]}"]').check()
    page.get_by_role("button", name="Compare those that are chosen").click()
    expect(page.get_by_role("heading", name="1 evaluation against a baseline")).to_be_visible()
    expect(page.get_by_text("Not distinguishable", exact=True)).to_be_visible()
    page.get_by_label("by column").select_option("urgency")
    page.get_by_role("button", name="Cut").click()
    expect(page.get_by_role("region", name="Table of slices")).to_be_visible()
    no_faults(page)


@pytest.mark.timeout(120)
@pytest.mark.parametrize(
    ("width", "theme"), [(1280, "light"), (390, "dark"), (390, "light"), (1280, "dark")]
)
def test_every_page_fits_and_reads(
    sign_in: SignIn, runs: list[str], width: int, theme: str
) -> None:
    page = sign_in("alice", width=width, theme=theme)
    addresses = {
        "form": FORM,
        "list": LIST,
        "choose": "/p/support/evaluations/new/?dataset=tickets",
        "one": f"/p/support/runs/{runs[1]}/?by=urgency&hide=calls",
        "compared": f"/p/support/evaluations/compare/?base={runs[0]}&run={runs[1]}&by=language",
    }
    for name, address in addresses.items():
        page.goto(address)
        page.wait_for_load_state("networkidle")
        shoot(page, f"evaluations-{name}-{width}-{theme}", full_page=True)
        no_faults(page)


@pytest.mark.timeout(60)
def test_a_viewer_reads_and_starts_nothing(sign_in: SignIn, runs: list[str]) -> None:
    vera = sign_in("vera")
    vera.goto(f"/p/support/runs/{runs[0]}/")
    expect(vera.get_by_role("link", name="Evaluate again")).to_have_count(0)
    expect(vera.get_by_role("link", name="CSV")).to_be_visible()
    vera.goto(FORM)
    expect(vera.get_by_role("heading", name="You may not do this")).to_be_visible()
