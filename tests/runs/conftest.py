"""Fixtures for tests of runs, reviews and serving."""

from __future__ import annotations

import pytest

from studio.accounts.models import Project, User
from tests.runs.builders import Kit, Lab, make_kit


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Lab:
    """The LMs that runs open."""
    lab = Lab()
    for place in ("runs.jobs", "runs.estimates", "serving.predict"):
        monkeypatch.setattr(f"studio.{place}.open_lm", lab.open)
    return lab


@pytest.fixture
def kit(project: Project, alice: User, lab: Lab) -> Kit:
    """A pipeline of alice's that can be compiled."""
    return make_kit(project, alice)
