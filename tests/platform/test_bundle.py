"""How much JavaScript a page makes a browser load, compressed as a server sends it."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.test import Client

from studio.accounts.models import Project
from tests import builders

KB = 1_000
CANVAS, EDITOR, OTHERS = 250 * KB, 250 * KB, 40 * KB


@pytest.fixture
def project(db: None) -> Project:
    project = builders.make_project(admin=builders.make_user("alice"))
    builders.make_pipeline(project, "triage")
    return project


def scripts(project: Project, address: str) -> dict[str, int]:
    """Every script of the page with its bytes after gzip."""
    alice = builders.make_client(project.memberships.get().user)
    page = alice.get(f"/p/{project.slug}/{address}").content.decode()
    sources = re.findall(r'<script[^>]* src="/static/([^"?]+)', page)
    assert len(sources) >= 2, "The page loads no scripts any more: look for them elsewhere."
    found = {}
    for source in sources:
        path = finders.find(source)
        assert path, f"{source} is not built: run `make setup`."
        found[source] = len(gzip.compress(Path(path).read_bytes(), 9))
    return found


def test_the_canvas_stays_light(project: Project) -> None:
    sizes = scripts(project, "pipelines/triage/")
    assert "canvas.js" in sizes
    assert sum(sizes.values()) <= CANVAS, sizes


def test_the_code_editor_is_on_the_page_where_code_is_written(project: Project) -> None:
    sizes = scripts(project, "metrics/new/?kind=python")
    assert "editor.js" in sizes
    assert sum(sizes.values()) <= EDITOR, sizes
    assert "editor.js" not in scripts(project, "metrics/new/?kind=exact_match")


@pytest.mark.parametrize(
    "address", ["", "pipelines/", "pipelines/triage/outline/", "datasets/", "runs/", "reviews/"]
)
def test_every_other_page_is_lighter(client: Client, project: Project, address: str) -> None:
    sizes = scripts(project, address)
    assert not {"canvas.js", "editor.js"} & set(sizes)
    assert sum(sizes.values()) <= OTHERS, sizes
