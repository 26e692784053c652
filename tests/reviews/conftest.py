"""Fixtures for tests of reviews: a compile has ended, its review is open."""

from __future__ import annotations

import pytest

from studio.reviews import services
from studio.reviews.models import Review
from studio.runs.models import Artifact
from tests.runs.builders import Kit
from tests.runs.conftest import kit, lab

__all__ = ["kit", "lab"]


@pytest.fixture
def artifact(kit: Kit) -> Artifact:
    """What alice's compile made."""
    run = kit.compile()
    return Artifact.objects.get(hash=run.report["artifact"])


@pytest.fixture
def review(kit: Kit, artifact: Artifact) -> Review:
    """Its review, open."""
    return services.open_review(actor=kit.actor, artifact=artifact)
