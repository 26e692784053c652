"""A stranger sees 404 on every page and API of runs, reviews, releases and keys."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import NoReverseMatch, URLPattern, reverse

from studio.accounts.models import Project
from studio.reviews import urls as review_urls
from studio.reviews.models import Release, Review
from studio.runs import urls as run_urls
from studio.serving import urls as serving_urls
from studio.serving.models import ApiKey
from tests import builders

pytestmark = pytest.mark.django_db


def addresses() -> list[str]:
    """The name of every address of ours that needs a session."""
    return [
        f"{prefix}{module.app_name}:{pattern.name}"
        for module in (run_urls, review_urls, serving_urls)
        for prefix, patterns in (
            ("", module.urlpatterns),
            ("api:", getattr(module, "api_urlpatterns", [])),
        )
        for pattern in patterns
        if isinstance(pattern, URLPattern) and pattern.name != "predict"
    ]


@pytest.mark.parametrize("name", addresses())
def test_a_stranger_cannot_tell_it_from_what_does_not_exist(
    name: str, project: Project, as_charlie: Client
) -> None:
    run = builders.make_run(project, matrix=uuid4())
    artifact = builders.make_artifact(project)
    review = Review.objects.create(project=project, artifact=artifact)
    release = Release.objects.create(
        project=project, pipeline=run.version.pipeline, artifact=artifact
    )
    key = ApiKey.objects.create(project=project, name="k", prefix="cs_aaaaaa", hash="h")
    pks = {"reviews:roll-back": release.pk, "serving:revoke": key.pk}
    slug = run.version.pipeline.slug
    for kwargs in (
        {"project": "support"},
        {"project": "support", "slug": slug},
        {"project": "support", "pipeline": slug},
        {"project": "support", "run": run.pk},
        {"project": "support", "kind": "python"},
        {"project": "support", "slug": slug, "pk": 1},
        {"project": "support", "run": run.pk, "kind": "csv"},
        {"project": "support", "run": run.pk, "example": "e" * 64},
        {"project": "support", "matrix": run.matrix},
        {"project": "support", "pk": pks.get(name, review.pk)},
        {"project": "support", "hash": artifact.hash, "kind": "program"},
    ):
        try:
            url = reverse(name, kwargs=kwargs)
        except NoReverseMatch:
            continue
        answers = {as_charlie.get(url).status_code, as_charlie.post(url).status_code}
        assert answers <= {404, 405}
        assert 404 in answers
        elsewhere = url.replace("/support/", "/nowhere/")
        assert as_charlie.get(elsewhere).status_code in (404, 405)
        assert Client().get(url).status_code in (302, 401, 405)
        return
    pytest.fail(f"No address for {name}")
