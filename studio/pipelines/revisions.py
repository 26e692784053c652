"""What was saved over: the last states of every drawing, each under its revision."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models.functions import Cast, Length

from studio.accounts.models import User
from studio.errors import NotFound
from studio.pipelines.models import Pipeline, Revision

MOST_REVISIONS = 100
"""So many of a pipeline are kept, the newest ones."""
MOST_LETTERS = 20_000_000
"""All revisions of a pipeline together are no longer than this, as JSON; the newest one stays."""


def keep_revision(pipeline: Pipeline, *, actor: User | None) -> Revision:
    """Store the drawing as it stands under its revision, and let go of what is too old.

    Belongs into the transaction that saves the pipeline.
    """
    kept = pipeline.revisions.create(number=pipeline.revision, spec=pipeline.spec, saved_by=actor)
    _prune(pipeline)
    return kept


def keep_what_is_saved_over(pipeline: Pipeline) -> None:
    """Store the state before a save, where it has no row yet: it is older than these rows."""
    made, is_new = Revision.objects.get_or_create(
        pipeline=pipeline,
        number=pipeline.revision,
        defaults={"spec": pipeline.spec, "saved_by": pipeline.saved_by},
    )
    if is_new:
        Revision.objects.filter(pk=made.pk).update(saved_at=pipeline.updated_at)


def revisions_of(pipeline: Pipeline) -> models.QuerySet[Revision]:
    """The kept ones, newest first."""
    return pipeline.revisions.select_related("saved_by")


def get_revision(pipeline: Pipeline, number: int) -> Revision:
    """One of those that are kept. Raises `NotFound`."""
    found = revisions_of(pipeline).filter(number=number).first()
    if found is None:
        raise NotFound(
            f"Revision {number} of {pipeline.name} is not kept: the last {MOST_REVISIONS} are. "
            "What is to stay for good, save as a version."
        )
    return found


def spec_at(pipeline: Pipeline, number: int) -> Any:
    """The spec of a revision; None when it is not kept any more."""
    if number == pipeline.revision:
        return pipeline.spec
    return pipeline.revisions.filter(number=number).values_list("spec", flat=True).first()


def _prune(pipeline: Pipeline) -> None:
    """Let go of the oldest ones, until neither number nor length is too large."""
    sizes = (
        pipeline.revisions.annotate(letters=Length(Cast("spec", models.TextField())))
        .order_by("-number")
        .values_list("pk", "letters")
    )
    total, old = 0, []
    for place, (pk, letters) in enumerate(sizes):
        total += letters
        if place and (place >= MOST_REVISIONS or total > MOST_LETTERS):
            old.append(pk)
    if old:
        pipeline.revisions.filter(pk__in=old).delete()
