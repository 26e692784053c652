"""Versions: states of a drawing that people name, look at again, and bring back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db import models, transaction

from studio.accounts.models import Role, User
from studio.accounts.services import record, require
from studio.engine.graph import spec_hash
from studio.errors import Invalid, NotFound
from studio.pipelines.models import Pipeline, PipelineVersion
from studio.pipelines.revisions import get_revision
from studio.pipelines.services import add_version, require_savable, same_spec, save_pipeline

LONGEST_MESSAGE = 200


@dataclass(frozen=True, slots=True)
class Restored:
    """What came of bringing a state back."""

    pipeline: Pipeline
    version: PipelineVersion | None
    """The new version; None when the board shows that state already."""
    kept: PipelineVersion | None = None
    """The version that keeps what was on the board before, where no version had kept it."""


@transaction.atomic
def save_version(*, actor: User, pipeline: Pipeline, message: str) -> PipelineVersion:
    """The drawing as it is saved now, under a message; drafts with problems are welcome.

    The newest version is answered again when it holds just this drawing under this message: the
    button was pressed twice. Raises `Invalid` when the message is empty or too long.
    """
    require(user=actor, project=pipeline.project, role=Role.AUTHOR)
    message = clean_message(message)
    locked = Pipeline.objects.select_for_update().get(pk=pipeline.pk)
    require_savable(locked.spec)
    newest = locked.versions.first()
    if newest and newest.message == message and same_spec(newest.spec, locked.spec):
        return newest
    version = add_version(locked, actor=actor, spec=locked.spec, message=message)
    record(
        project=pipeline.project,
        actor=actor,
        action="pipeline.save-version",
        subject=str(version),
        message=message,
    )
    return version


def restore_version(
    *, actor: User, pipeline: Pipeline, number: int, base_revision: int
) -> Restored:
    """Draw what a version holds: a new revision, and a new version that says where it is from.

    Raises `NotFound`, and whatever `save_pipeline` raises: a restore is a save.
    """
    require(user=actor, project=pipeline.project, role=Role.AUTHOR)
    version = get_version(pipeline, number)
    return _bring_back(
        actor, pipeline, version.spec, base_revision, f"version {number}", restored_from=number
    )


def restore_revision(
    *, actor: User, pipeline: Pipeline, number: int, base_revision: int
) -> Restored:
    """Draw what a revision held, as `restore_version` does with a version."""
    require(user=actor, project=pipeline.project, role=Role.AUTHOR)
    revision = get_revision(pipeline, number)
    return _bring_back(actor, pipeline, revision.spec, base_revision, f"revision {number}")


def versions_of(pipeline: Pipeline) -> models.QuerySet[PipelineVersion]:
    """All of them, newest first, each with the number of its `run_count` and `artifact_count`."""
    return (
        pipeline.versions.select_related("created_by")
        .annotate(
            run_count=models.Count("runs", distinct=True),
            artifact_count=models.Count("artifacts", distinct=True),
        )
        .order_by("-number")
    )


def get_version(pipeline: Pipeline, number: int) -> PipelineVersion:
    """One version, with its counts. Raises `NotFound`."""
    found = versions_of(pipeline).filter(number=number).first()
    if found is None:
        raise NotFound(f"{pipeline.name} has no version {number}.")
    return found


def current_version(pipeline: Pipeline) -> PipelineVersion | None:
    """The newest version that is the program on the board, wherever its nodes lie."""
    try:
        hash_ = spec_hash(pipeline.spec)
    except (AttributeError, TypeError, ValueError):
        return None  # a drawing that could not be saved today has no version
    return pipeline.versions.filter(hash=hash_).first()


def count_nodes(spec: Any) -> int:
    """Nodes of a spec and of the pipelines inside of them; 0 when it cannot be read."""
    if not isinstance(spec, dict) or not isinstance(spec.get("nodes"), list):
        return 0
    parts = (node.get("parts") for node in spec["nodes"] if isinstance(node, dict))
    inside = (part for found in parts if isinstance(found, dict) for part in found.values())
    return len(spec["nodes"]) + sum(count_nodes(part) for part in inside)


def clean_message(message: str) -> str:
    """The message on one line. Raises `Invalid` when it is empty or too long."""
    message = " ".join(message.replace("\0", "").split())
    if not message:
        raise Invalid(
            "A version needs a message: say in a few words what it is, so that it is found again. "
            "What was saved without one is among the revisions."
        )
    if len(message) > LONGEST_MESSAGE:
        raise Invalid(f"The message has {len(message)} letters; {LONGEST_MESSAGE} is the most.")
    return message


@transaction.atomic
def _bring_back(
    actor: User,
    pipeline: Pipeline,
    spec: Any,
    base_revision: int,
    what: str,
    restored_from: int | None = None,
) -> Restored:
    locked = Pipeline.objects.select_for_update().get(pk=pipeline.pk)
    before = locked.spec
    saved = save_pipeline(actor=actor, pipeline=pipeline, spec=spec, base_revision=base_revision)
    if saved.revision == locked.revision:
        return Restored(saved, None)
    kept = _keep(actor, locked, before, f"Before restoring {what}")
    version = add_version(
        locked, actor=actor, spec=spec, message=f"Restored {what}", restored_from=restored_from
    )
    record(
        project=pipeline.project,
        actor=actor,
        action="pipeline.restore-version",
        subject=str(version),
        restored=what,
        revision=saved.revision,
    )
    return Restored(saved, version, kept)


def _keep(actor: User, pipeline: Pipeline, spec: Any, message: str) -> PipelineVersion | None:
    """A version of what is about to leave the board, unless one holds exactly that."""
    try:
        require_savable(spec)
    except Invalid:
        return None  # no version can be made of it; its revision is kept
    alike = pipeline.versions.filter(hash=spec_hash(spec))
    if any(same_spec(version.spec, spec) for version in alike.iterator()):
        return None
    return add_version(pipeline, actor=actor, spec=spec, message=message)
