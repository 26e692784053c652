"""What people do with pipelines: make, draw, rename, freeze."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from studio.accounts.models import AuditEntry, Project, Role, User
from studio.accounts.services import get_project, record, require
from studio.accounts.slugs import free_slug
from studio.engine import graph
from studio.engine.codec import canonical_json
from studio.engine.errors import EngineError, GraphError
from studio.engine.program import Program
from studio.errors import Conflict, Invalid, NotFound
from studio.pipelines.lm_overrides import lm_problems, require_lms
from studio.pipelines.models import Pipeline, PipelineVersion
from studio.pipelines.revisions import keep_revision, keep_what_is_saved_over, spec_at
from studio.pipelines.starts import STARTS, begin

MOST_BYTES = 1_000_000
"""A spec may be this long as JSON: 2,000 nodes with a long instruction each."""
MOST_NESTED = 150
"""Lists and objects inside each other, in the JSON of a spec; five pipelines deep take 25."""
SITTING = timedelta(minutes=15)
"""Saves of one person that are closer together than this are one line of the log."""

_ZERO = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""The character zero as JSON writes it."""
_CANNOT_BE_SAVED = frozenset({"bad-spec", "too-large"})
"""Problems of the shape; with any other problem a drawing is a draft, and may be saved."""


def get_pipeline(*, user: User, project: str, slug: str, role: Role = Role.VIEWER) -> Pipeline:
    """The pipeline, if `user` has at least `role` in its project. Raises `NotFound`."""
    found = get_project(user=user, slug=project, role=role)
    pipeline = found.pipelines.select_related("project").filter(slug=slug).first()
    if pipeline is None:
        raise NotFound(f"There is no pipeline “{slug}” in {found.name}.")
    return pipeline


@transaction.atomic
def create_pipeline(
    *,
    actor: User,
    project: Project,
    name: str,
    slug: str = "",
    start: str = "empty",
    spec: dict[str, Any] | None = None,
) -> Pipeline:
    """A new pipeline that begins with `spec`, or with one of `STARTS`.

    Raises `Invalid` when the name is empty or too long, or the spec cannot be saved.
    """
    require(user=actor, project=project, role=Role.AUTHOR)
    if start not in STARTS:
        raise Invalid(f"“{start}” is nothing to begin with. Choose {', '.join(STARTS)}.")
    spec = begin(start, project) if spec is None else spec
    require_savable(spec)
    # The lock keeps two people from taking one slug at the same time.
    Project.objects.select_for_update().get(pk=project.pk)
    name = clean_name(name)
    pipeline = Pipeline.objects.create(
        project=project,
        name=name,
        slug=free_slug(project.pipelines.all(), slug or name, fallback="pipeline"),
        spec=spec,
        saved_by=actor,
    )
    keep_revision(pipeline, actor=actor)
    record(project=project, actor=actor, action="pipeline.create", subject=name, start=start)
    return pipeline


@transaction.atomic
def rename_pipeline(*, actor: User, pipeline: Pipeline, name: str) -> Pipeline:
    """Another name; the address stays, because others may have kept it."""
    require(user=actor, project=pipeline.project, role=Role.AUTHOR)
    before, pipeline.name = pipeline.name, clean_name(name)
    if pipeline.name != before:
        pipeline.save(update_fields=["name"])
        record(
            project=pipeline.project,
            actor=actor,
            action="pipeline.rename",
            subject=pipeline.name,
            before=before,
        )
    return pipeline


@transaction.atomic
def save_pipeline(*, actor: User, pipeline: Pipeline, spec: Any, base_revision: int) -> Pipeline:
    """Save a drawing that was made from `base_revision`; drafts with problems are welcome.

    What is saved already makes no new revision, so that a save whose answer was lost may be sent
    again. Raises `Conflict`, which carries the newer revision and its spec, the spec at
    `base_revision` if it is still kept, and who has saved last, when somebody has saved since;
    `Invalid` when the spec cannot be saved at all.
    """
    require(user=actor, project=pipeline.project, role=Role.AUTHOR)
    require_savable(spec)
    # The lock lets exactly one of two saves of one revision through.
    locked = Pipeline.objects.select_for_update().get(pk=pipeline.pk)
    is_saved = base_revision <= locked.revision and same_spec(spec, locked.spec)
    if not is_saved and base_revision != locked.revision:
        pipeline.refresh_from_db()
        raise _conflict(locked, base_revision)
    if not is_saved:
        keep_what_is_saved_over(locked)
        locked.spec, locked.revision, locked.saved_by = spec, locked.revision + 1, actor
        locked.save(update_fields=["spec", "revision", "saved_by", "updated_at"])
        keep_revision(locked, actor=actor)
    pipeline.refresh_from_db()
    if not is_saved:
        _record_save(actor, pipeline)
    return pipeline


@transaction.atomic
def freeze(*, actor: User, pipeline: Pipeline) -> PipelineVersion:
    """The drawing as it is now, as a version that runs may refer to.

    Equal programs give the same version, wherever their nodes lie. Raises `Invalid` with the
    problems when the drawing does not build.
    """
    require(user=actor, project=pipeline.project, role=Role.AUTHOR)
    locked = Pipeline.objects.select_for_update().get(pk=pipeline.pk)
    require_sound(locked.spec)
    require_lms(locked.spec, locked.project)
    hash_ = graph.spec_hash(locked.spec)
    version = locked.versions.filter(hash=hash_).first()
    if version is not None:
        return version
    version = add_version(locked, actor=actor, spec=locked.spec)
    record(
        project=pipeline.project,
        actor=actor,
        action="pipeline.freeze",
        subject=str(version),
        hash=hash_,
    )
    return version


def add_version(
    pipeline: Pipeline,
    *,
    actor: User,
    spec: dict[str, Any],
    message: str = "",
    restored_from: int | None = None,
) -> PipelineVersion:
    """The next version of a pipeline whose row is locked."""
    last = pipeline.versions.aggregate(last=models.Max("number"))["last"] or 0
    return pipeline.versions.create(
        number=last + 1,
        spec=spec,
        hash=graph.spec_hash(spec),
        message=message,
        restored_from=restored_from,
        created_by=actor,
    )


def build(version: PipelineVersion) -> Program:
    """The program of a version. Raises `EngineError` when it does not build any more."""
    return graph.build(version.spec)


def problems_of(spec: Any, project: Project | None = None) -> list[dict[str, str]]:
    """What is wrong with a spec, as JSON; in a project also which language models it lacks."""
    lms = lm_problems(spec, project) if project is not None else []
    return [problem.to_dict() for problem in (*graph.check(spec), *lms)]


def require_sound(spec: Any) -> None:
    """Raise `Invalid` with every problem unless the spec builds."""
    try:
        graph.build(spec)
    except GraphError as error:
        raise Invalid(str(error), problems=list(error.problems)) from None
    except EngineError as error:
        raise Invalid(f"The pipeline cannot run yet: {error}") from None


def same_spec(one: Any, other: Any) -> bool:
    """Whether two specs are equal to the letter, positions included: `1` is not `true`."""
    return canonical_json(one) == canonical_json(other)


def require_savable(spec: Any) -> None:
    """Raise `Invalid` when a spec is no spec, too large, or holds what no database takes."""
    if _is_deeper(spec, MOST_NESTED):
        raise Invalid(f"The JSON of the pipeline is nested deeper than {MOST_NESTED} levels.")
    try:
        text = canonical_json(spec)
        size = len(text.encode())
    except (TypeError, ValueError, RecursionError):
        raise Invalid("This is no pipeline: its JSON holds what no text can.") from None
    if size > MOST_BYTES:
        raise Invalid(
            f"The pipeline is {size:,} bytes long; {MOST_BYTES:,} is the most. "
            "Shorten instructions, or split it into two pipelines.",
            problems=[graph.Problem(code="too-large", message="The pipeline is too large.")],
        )
    if holds_zero(text):
        raise Invalid("A text of the pipeline holds the character zero: remove it.")
    try:
        shape = [found for found in graph.check(spec) if found.code in _CANNOT_BE_SAVED]
    except RecursionError:
        raise Invalid("A type of the pipeline is nested too deeply to be read.") from None
    if shape:
        raise Invalid(shape[0].message, problems=shape)


def holds_zero(text: str) -> bool:
    """Whether JSON holds the character zero, which Postgres takes in no text."""
    return _ZERO.search(text) is not None


def clean_name(name: str) -> str:
    """The name without spaces around it. Raises `Invalid` when it is empty or too long."""
    name = " ".join(name.replace("\0", "").split())
    if not name:
        raise Invalid("The pipeline needs a name.")
    if len(name) > 80:
        raise Invalid(f"The name has {len(name)} letters; 80 is the most.")
    return name


def _is_deeper(data: Any, most: int) -> bool:
    """Whether lists and objects lie in each other more than `most` deep; level by level."""
    level = [data] if isinstance(data, (dict, list)) else []
    for _ in range(most):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, (dict, list))
        ]
    return bool(level)


def _conflict(pipeline: Pipeline, base: int) -> Conflict:
    """What whoever saves too late needs, in order to bring both drawings together."""
    return Conflict(
        f"Somebody has saved {pipeline.name} since you opened it: it is at revision "
        f"{pipeline.revision}, and yours began at {base}.",
        revision=pipeline.revision,
        spec=pipeline.spec,
        base=spec_at(pipeline, base),
        saved_by=pipeline.saved_by.username if pipeline.saved_by else "",
    )


def _record_save(actor: User, pipeline: Pipeline) -> None:
    """One line of the log a sitting: drawing saves once a second."""
    sitting = AuditEntry.objects.filter(
        project=pipeline.project,
        actor=actor,
        action="pipeline.save",
        detail__pipeline=pipeline.slug,
        at__gt=timezone.now() - SITTING,
    )
    if not sitting.exists():
        record(
            project=pipeline.project,
            actor=actor,
            action="pipeline.save",
            subject=pipeline.name,
            pipeline=pipeline.slug,
            revision=pipeline.revision,
        )
