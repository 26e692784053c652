"""Runs on a sealed test split: each is written down, and none shows what its rows say."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from studio.datasets.models import Opening
from studio.datasets.splits import sealing
from studio.errors import Invalid
from studio.reviews.services import open_review
from studio.runs import services
from studio.runs.models import Artifact, Run
from studio.runs.openings import notice, opened_for
from tests import builders
from tests.runs.builders import Kit

pytestmark = pytest.mark.django_db


@pytest.fixture
def sealed(kit: Kit) -> Kit:
    """A kit whose test split is sealed."""
    sealing.seal(actor=kit.actor, dataset=kit.dataset)
    return kit


def evaluate(kit: Kit, split: str, **options: Any) -> Run:
    """Queue scoring the pipeline on a split."""
    return services.start_evaluate(
        actor=kit.actor,
        version=builders.make_version(kit.pipeline),
        dataset=kit.dataset,
        metric=kit.metric,
        connection=kit.connection,
        max_calls=100,
        split=split,
        kick=False,
        **options,
    )


def test_a_compile_opens_the_sealed_split_once(sealed: Kit) -> None:
    run = sealed.start()
    opening = Opening.objects.get()
    assert opening.purpose == "Compile Triage v1"
    assert (opening.run, opening.number) == (run.pk, 1)
    assert opening.created_by == sealed.actor


def test_each_lm_of_a_matrix_opens_it(sealed: Kit) -> None:
    other = builders.make_connection(sealed.project, "other")
    options = {
        "dataset": sealed.dataset, "metric": sealed.metric, "compiler": "random-search",
        "params": {}, "seed": 1, "max_calls": 100, "kick": False,
    }  # fmt: skip
    services.start_matrix(
        actor=sealed.actor, pipeline=sealed.pipeline, connections=[sealed.connection, other],
        **options,
    )  # fmt: skip
    assert Opening.objects.count() == 2


def test_only_what_reads_test_opens_it(sealed: Kit) -> None:
    evaluate(sealed, "train")
    evaluate(sealed, "dev")
    sealed.start_try()
    assert not Opening.objects.exists()
    run = evaluate(sealed, "test")
    assert Opening.objects.get().run == run.pk
    assert Opening.objects.get().purpose.startswith("Evaluate Triage v")


def test_without_a_seal_nothing_is_counted(kit: Kit) -> None:
    kit.start()
    evaluate(kit, "test")
    assert not Opening.objects.exists()


def test_a_run_that_is_not_made_opens_nothing(sealed: Kit) -> None:
    with pytest.raises(Invalid):
        sealed.start(max_calls=0)
    with transaction.atomic():
        sealed.start()
        assert Opening.objects.count() == 1
        transaction.set_rollback(True)
    assert not Run.objects.exists()
    assert not Opening.objects.exists()


def test_people_are_told_before(sealed: Kit) -> None:
    assert "nobody has opened it" in notice(sealed.dataset, sealed.pipeline)
    other = builders.make_pipeline(sealed.project, "other")
    sealed.start()
    assert "once, never for this pipeline" in notice(sealed.dataset, other)
    told = notice(sealed.dataset, sealed.pipeline)
    assert "opened once, once for this pipeline. The more often it is opened" in told
    assert opened_for(sealed.dataset, sealed.pipeline) == 1
    sealing.unseal(actor=sealed.actor, dataset=sealed.dataset, reason="The labels are wrong.")
    assert notice(sealed.dataset, sealed.pipeline) == ""
    assert notice(None, sealed.pipeline) == ""


def test_the_compile_form_says_so(sealed: Kit, as_alice: Client) -> None:
    url = f"/p/support/pipelines/{sealed.pipeline.slug}/compile/estimate/"
    page = as_alice.get(url, sealed.form()).content.decode()
    assert "is sealed. This opens it, and is counted" in page
    sealing.unseal(actor=sealed.actor, dataset=sealed.dataset, reason="The labels are wrong.")
    assert "is sealed" not in as_alice.get(url, sealed.form()).content.decode()


def test_rows_of_a_run_are_numbers_and_scores(sealed: Kit, lab: object, as_alice: Client) -> None:
    run = sealed.compile()
    secrets = [row.values["message"] for row in builders.rows_of(sealed.dataset, "test")]
    for way in ("better", "worse", "same"):
        for part in ("", "rows/"):
            page = as_alice.get(f"{run.get_absolute_url()}{part}?way={way}").content.decode()
            assert not [text for text in secrets if text in page]
    answer = as_alice.get(f"/api/projects/support/runs/{run.pk}/").content.decode()
    assert not [text for text in secrets if text in answer]
    sealing.unseal(actor=sealed.actor, dataset=sealed.dataset, reason="The labels are wrong.")
    pages = [
        as_alice.get(f"{run.get_absolute_url()}rows/?way={way}").content.decode()
        for way in ("better", "worse", "same")
    ]
    assert [text for text in secrets if any(text in page for page in pages)]


def test_a_review_shows_no_sealed_row(sealed: Kit, lab: object, as_alice: Client) -> None:
    run = sealed.compile()
    artifact = Artifact.objects.get(hash=run.report["artifact"])
    review = open_review(actor=sealed.actor, artifact=artifact)
    page = as_alice.get(review.get_absolute_url()).content.decode()
    assert "sealed, not shown" in page
    for row in builders.rows_of(sealed.dataset, "test"):
        assert row.values["message"] not in page
