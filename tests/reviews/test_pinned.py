"""Demos that are pinned in the drawing: a reviewer sees them, and decides on the others."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from studio.reviews import services
from studio.reviews.exports import export_artifact
from studio.reviews.items import items_of
from studio.runs.models import Artifact
from tests.runs.builders import Kit

pytestmark = pytest.mark.django_db

PINNED = {"message": "The <i>fox</i> ate my invoice.", "category": "billing"}


@pytest.fixture
def pinned(kit: Kit) -> Artifact:
    """What a compile of a drawing with a pinned demo made."""
    kit.pipeline.spec["nodes"][1]["demos"] = [PINNED]
    kit.pipeline.save()
    run = kit.compile()
    return Artifact.objects.get(hash=run.report["artifact"])


def test_they_are_shown_and_not_decided(pinned: Artifact, kit: Kit, as_bob: Client) -> None:
    (item,) = items_of(pinned).predictors
    assert [demo.values for demo in item.pinned] == [PINNED]
    assert PINNED["message"] not in [demo.demo.values["message"] for demo in item.demos]
    review = services.open_review(actor=kit.actor, artifact=pinned)
    page = as_bob.get(review.get_absolute_url()).content.decode()
    assert "One demo that somebody has pinned in the drawing stands first" in page
    assert "The &lt;i&gt;fox&lt;/i&gt; ate my invoice." in page  # in the exact prompt
    assert "<i>fox</i>" not in page


def test_the_exact_prompt_has_them_also_when_nothing_was_scored(
    pinned: Artifact, kit: Kit, as_bob: Client
) -> None:
    pinned.run = None
    pinned.save()
    review = services.open_review(actor=kit.actor, artifact=pinned)
    page = as_bob.get(review.get_absolute_url()).content.decode()
    assert "&lt;/i&gt; ate my invoice." in page


def test_they_are_in_the_messages_that_are_downloaded(pinned: Artifact, kit: Kit) -> None:
    file = export_artifact(actor=kit.actor, artifact=pinned, kind="messages")
    said = json.loads(file.content)["predictors"]["classify"]["messages"]
    assert PINNED["message"] in said[1]["content"]
