"""From a drawing to an answered call, through the pages that people use."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from studio.reviews.models import Review
from studio.runs.execute import execute
from studio.runs.models import Run
from tests.runs.builders import Kit, Lab

pytestmark = pytest.mark.django_db


def test_draw_compile_review_approve_and_call(
    kit: Kit, lab: Lab, as_alice: Client, as_bob: Client, client: Client
) -> None:
    page = as_alice.get("/p/support/pipelines/triage/compile/")
    assert page.status_code == 200
    form = kit.form()
    estimate = as_alice.get("/p/support/pipelines/triage/compile/estimate/", form)
    assert b"about" in estimate.content
    started = as_alice.post("/p/support/pipelines/triage/compile/", form)
    assert started.status_code == 302, started.content.decode()
    run = Run.objects.get()
    assert as_alice.get(started.headers["Location"]).status_code == 200
    execute(run.pk)
    assert "Better than uncompiled" in as_alice.get(started.headers["Location"]).content.decode()

    run.refresh_from_db()
    assert as_bob.get("/p/support/reviews/").status_code == 200
    opened = as_alice.post("/p/support/reviews/open/", {"artifact": run.report["artifact"]})
    review = Review.objects.get()
    address = opened.headers["Location"]
    page_ = as_bob.get(address).content.decode()
    assert "bootstrapped" in page_
    assert as_bob.post(f"{address}accept-rest/").status_code == 302
    voted = as_bob.post(f"{address}vote/", {"vote": "approve", "hash": review.artifact.hash})
    assert voted.status_code == 302
    assert as_bob.post(f"{address}release/").status_code == 302
    assert "curl -X POST" in as_bob.get("/p/support/releases/").content.decode()

    shown = as_alice.post("/p/support/keys/", {"name": "web shop"}).content.decode()
    secret = "cs_" + shown.split("cs_", 1)[1].split("<")[0]
    answer = client.post(
        "/api/projects/support/pipelines/triage/releases/production/predict",
        json.dumps({"inputs": {"message": "The parcel with the lamp is lost."}}),
        content_type="application/json",
        headers={"Authorization": f"Bearer {secret}"},
    )
    assert answer.status_code == 200, answer.content
    assert answer.json() == {
        "outputs": {"category": "shipping"},
        "artifact": run.report["artifact"],
        "release": "production",
    }
    assert "shipping" in as_alice.get("/p/support/keys/").content.decode()
