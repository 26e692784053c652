"""Who plays which part in a compile besides the student, and whether it can play it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.engine import graph
from studio.engine.errors import EngineError
from studio.engine.example import Candidate
from studio.engine.program import Program
from studio.lms.models import Connection
from studio.pipelines.models import Pipeline
from studio.runs.checks import invalid
from studio.runs.models import Artifact

RELEASE = "production"
"""The label whose artifact a compile is compared with."""


def candidate_of(artifact: Artifact) -> Candidate:
    """How the artifact sets its program."""
    return Candidate.from_dict(artifact.content["candidate"])


def program_of(artifact: Artifact) -> Program:
    """The artifact's program, uncompiled. Raises `EngineError` when it does not build any more."""
    return graph.build(artifact.content["spec"])


def released_artifact(pipeline: Pipeline, program: Program) -> Artifact | None:
    """What answers calls of the pipeline now, if its candidate fits `program`."""
    # Releases stand on a higher floor: by the reverse relation, newest first.
    now = pipeline.releases.filter(label=RELEASE).select_related("artifact").first()
    if now is None:
        return None
    try:
        program.apply(candidate_of(now.artifact))
    except EngineError:
        return None
    return now.artifact


def check_start(program: Program, artifact: Artifact) -> None:
    """Raise `Invalid` unless a compile of `program` can begin with the artifact's candidate."""
    states = candidate_of(artifact).states
    if set(states) != set(program.predictors):
        raise invalid(
            "start_artifact",
            f"The artifact {artifact} cannot be improved here: it sets "
            f"{_listed(states)}, and the pipeline as it is drawn has "
            f"{_listed(program.predictors)}. Choose an artifact of this state of the pipeline, or "
            "start from the uncompiled program.",
        )
    before = artifact.content.get("signatures", {})
    for path, signature in program.predictors.items():
        if path in before and _shape(before[path]) != _shape(signature.to_dict()):
            raise invalid(
                "start_artifact",
                f"The artifact {artifact} cannot be improved here: the fields of {path} have "
                "changed since, so its demos do not fit any more. Start from the uncompiled "
                "program.",
            )


def check_teacher(program: Program, artifact: Artifact, teacher: Connection | None) -> None:
    """Raise `Invalid` unless what the artifact's program does can become demos of `program`."""
    if teacher is None and artifact.connection is None:
        raise invalid(
            "teacher_artifact",
            f"The language model that {artifact} was compiled for is gone, so it cannot teach. "
            "Name a teacher for it to run on.",
        )
    try:
        theirs = program_of(artifact).apply(candidate_of(artifact))
    except EngineError as error:
        raise invalid("teacher_artifact", f"{artifact} cannot teach: {error}") from None
    given = {field.name for field in program.inputs}
    missing = [field.name for field in theirs.inputs if field.required and field.name not in given]
    if missing:
        raise invalid(
            "teacher_artifact",
            f"{artifact} cannot teach this pipeline: it needs {_listed(missing)}, which the "
            "pipeline's examples do not have.",
        )
    # The members of an ensemble have the paths of the program behind their number.
    steps = {path.rpartition("/")[2]: one.to_dict() for path, one in theirs.predictors.items()}
    shared = [
        path
        for path, signature in program.predictors.items()
        if path in steps and _shape(steps[path]) == _shape(signature.to_dict())
    ]
    if not shared:
        raise invalid(
            "teacher_artifact",
            f"{artifact} cannot teach this pipeline: its steps {_listed(steps)} have "
            f"other names or fields than {_listed(program.predictors)}, so nothing that it does "
            "could become a demo.",
        )


def _shape(signature: Mapping[str, Any]) -> list[list[str]]:
    """What demos of a predictor depend on."""
    return sorted(
        [str(field.get(name, "")) for name in ("name", "role", "type")]
        for field in signature.get("fields", ())
    )


def _listed(names: Any) -> str:
    return ", ".join(sorted(names)) or "nothing"
