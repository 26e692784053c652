"""Labels that point to approved artifacts: releasing, and going back."""

from __future__ import annotations

import re

from django.db import transaction

from studio.accounts.models import Role, User
from studio.accounts.services import record, require
from studio.errors import Conflict, Invalid
from studio.pipelines.models import Pipeline
from studio.reviews.models import Release, Review
from studio.reviews.states import State
from studio.runs.models import Artifact

_LABEL = re.compile(r"[a-z][a-z0-9-]{0,39}\Z")


@transaction.atomic
def release(*, actor: User, artifact: Artifact, label: str = "production") -> Release:
    """Point the label to the artifact, which has to be approved."""
    require(user=actor, project=artifact.project, role=Role.REVIEWER)
    if not _LABEL.match(label):
        raise Invalid(
            f"“{label}” is not a label: small letters, digits and -, such as production."
        )
    if not is_approved(artifact):
        raise Conflict(f"{artifact} is not approved, so it cannot be released.")
    pipeline = Pipeline.objects.select_for_update().get(pk=artifact.version.pipeline_id)
    now = current(pipeline, label)
    if now is not None and now.artifact_id == artifact.pk:
        raise Conflict(f"{label} of {pipeline} is this artifact already.")
    made = Release.objects.create(
        project=artifact.project,
        pipeline=pipeline,
        label=label,
        artifact=artifact,
        released_by=actor,
    )
    record(
        project=artifact.project,
        actor=actor,
        action="release.make",
        subject=f"{pipeline} {label}",
        hash=artifact.hash,
        before=now.artifact.hash if now else "",
    )
    return made


def roll_back(*, actor: User, to: Release) -> Release:
    """Point a label to what it pointed to in an earlier release; history only grows."""
    return release(actor=actor, artifact=to.artifact, label=to.label)


def current(pipeline: Pipeline, label: str) -> Release | None:
    """The release in force."""
    return (
        Release.objects.filter(pipeline=pipeline, label=label)
        .select_related("artifact__connection", "artifact__project", "artifact__version")
        .first()
    )


def is_approved(artifact: Artifact) -> bool:
    """Whether a person has approved exactly this artifact."""
    return Review.objects.filter(artifact=artifact, state=State.APPROVED).exists()
