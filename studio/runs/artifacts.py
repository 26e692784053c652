"""Artifacts: the immutable results of compiles, named by what is in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from studio.accounts.models import Project, Role, User
from studio.accounts.services import record, require
from studio.engine.codec import content_hash
from studio.engine.example import Candidate
from studio.engine.graph import build
from studio.errors import Conflict, Invalid, NotFound
from studio.pipelines.lm_overrides import require_lms
from studio.runs.fingerprints import lm_identity, step_lm_identity
from studio.runs.models import Artifact, Run
from studio.runs.sources import Source
from studio.runs.storable import storable


def make_artifact(
    *,
    run: Run,
    candidate: Candidate,
    format: str,
    report: Mapping[str, Any],
    sources: Mapping[str, Source],
) -> Artifact:
    """The artifact of a finished compile; an equal one that exists already is returned.

    The caller holds the run's lease inside a transaction.
    """
    connection = run.connection
    if connection is None:
        raise Conflict("The LM connection of this run was deleted while it ran.")
    program = build(run.version.spec).apply(candidate)
    content: dict[str, Any] = {
        "version": 1,
        "spec": run.version.spec,
        "candidate": candidate.to_dict(),
        "signatures": {
            path: signature.to_dict() for path, signature in program.predictors.items()
        },
        "lm": lm_identity(connection),
        "format": format,
        **_steps_lms(run),
        # Of what it was only compared with it is independent.
        "hashes": {name: hash_ for name, hash_ in run.fingerprints.items() if name != "release"},
        **_roles(run),
        "compiler": run.compiler,
        "params": run.params,
        "seed": run.seed,
    }
    content = storable(content)
    artifact, _ = Artifact.objects.get_or_create(
        project=run.project,
        hash=content_hash(content),
        defaults={
            "version": run.version,
            "connection": connection,
            "run": run,
            "content": content,
            "report": {**storable(dict(report)), "sources": demo_sources(candidate, sources)},
            "created_by": run.created_by,
        },
    )
    return artifact


def _steps_lms(run: Run) -> dict[str, Any]:
    """The LMs that single steps name, and how each of them is asked; only when there are any."""
    found = require_lms(run.version.spec, run.project)
    lms = {slug: step_lm_identity(connection) for slug, connection in sorted(found.items())}
    return {"lms": lms} if lms else {}


def _roles(run: Run) -> dict[str, Any]:
    """The LMs beside the student, as people read them; only those that there were."""
    teacher, taught = run.teacher, run.teacher_artifact
    if teacher is None and taught is not None:
        teacher = taught.connection
    found = {"teacher": teacher, "proposer": run.proposer}
    return {name: lm_identity(one) for name, one in found.items() if one is not None}


@transaction.atomic
def edit_artifact(*, actor: User, parent: Artifact, candidate: Candidate) -> tuple[Artifact, bool]:
    """The artifact that differs from `parent` in its candidate only, and whether it is new.

    It has no scores yet.
    """
    require(user=actor, project=parent.project, role=Role.REVIEWER)
    content = {**parent.content, "candidate": candidate.to_dict(), "parent": parent.hash}
    kept = {
        source: row
        for source, row in parent.report.get("sources", {}).items()
        if source in candidate.demo_sources
    }
    artifact, made = Artifact.objects.get_or_create(
        project=parent.project,
        hash=content_hash(content),
        defaults={
            "version": parent.version,
            "connection": parent.connection,
            "run": None,
            "parent": parent,
            "content": content,
            "report": {"sources": kept},
            "created_by": actor,
        },
    )
    if made:
        record(
            project=parent.project,
            actor=actor,
            action="artifact.edit",
            subject=str(artifact),
            parent=parent.hash,
        )
    return artifact, made


def find_artifact(project: Project, hash: str) -> Artifact:
    """The project's artifact with this hash, of which the first 8 letters are enough.

    Raises `NotFound`, and `Invalid` when more than one begins like this.
    """
    found = list(project.artifacts.filter(hash__startswith=hash)[:2]) if len(hash) >= 8 else []
    if not found:
        raise NotFound(
            f"There is no artifact “{hash[:64]}” in {project.name}. Give its hash, or at least "
            "the first 8 letters."
        )
    if len(found) > 1:
        raise Invalid(f"Several artifacts begin with “{hash}”: give more letters of the hash.")
    return found[0]


def author_of(artifact: Artifact) -> User | None:
    """Who started the compile that the artifact, or the one it was edited from, came out of."""
    root = root_of(artifact)
    return root.run.created_by if root.run else root.created_by


def root_of(artifact: Artifact) -> Artifact:
    """The artifact that came out of a compile."""
    while artifact.parent is not None:
        artifact = artifact.parent
    return artifact


def demo_sources(candidate: Candidate, sources: Mapping[str, Source]) -> dict[str, Any]:
    """For each demo's example the row that it was read from, as it was then."""
    return {
        id_: sources[id_].to_dict() for id_ in sorted(candidate.demo_sources) if id_ in sources
    }
