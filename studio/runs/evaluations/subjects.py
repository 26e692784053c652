"""What can be evaluated: a pipeline as it is drawn, a version, an artifact, a release."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from studio.accounts.models import User
from studio.engine.errors import EngineError
from studio.engine.program import Program
from studio.errors import Invalid, NotFound
from studio.lms.models import Connection
from studio.numerals import read_whole
from studio.pipelines.models import Pipeline, PipelineVersion
from studio.pipelines.services import build, freeze
from studio.runs.artifacts import find_artifact
from studio.runs.models import Artifact, Run
from studio.runs.roles import candidate_of

NOW = "now"
"""The pipeline as it is drawn."""
_OFFERED = 30
"""Versions and artifacts that a form offers, newest first."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A program that is to be scored."""

    version: PipelineVersion | None
    """None: the pipeline as it is drawn, of which a version is made when the run starts."""
    artifact: Artifact | None = None
    label: str = ""
    """The release by which it was named."""

    @property
    def connection(self) -> Connection | None:
        """The language model that it was compiled for."""
        return self.artifact.connection if self.artifact else None

    def frozen(self, actor: User, pipeline: Pipeline) -> PipelineVersion:
        """Its version, made now if there is none."""
        return self.version or freeze(actor=actor, pipeline=pipeline)


def find_subject(pipeline: Pipeline, name: str) -> Subject:
    """What is called `now`, `version:3`, `artifact:<hash>` or `release:<label>`.

    Of a hash its first 8 letters are enough. Raises `NotFound`, and `Invalid` for an artifact of
    another pipeline.
    """
    kind, _, rest = name.partition(":")
    if kind == NOW and not rest:
        return Subject(None)
    if kind == "version" and (number := read_whole(rest)) is not None:
        version = pipeline.versions.filter(number=number).first()
        if version is None:
            raise NotFound(f"{pipeline} has no version {number}.")
        return Subject(version)
    if kind == "artifact":
        artifact = find_artifact(pipeline.project, rest)
        if artifact.version.pipeline_id != pipeline.pk:
            raise Invalid(
                f"The artifact {artifact} was compiled from {artifact.version.pipeline}, not from "
                f"{pipeline}. Evaluate it from the page of {artifact.version.pipeline}.",
                problems=[{"field": "subject", "message": "It is of another pipeline."}],
            )
        return Subject(artifact.version, artifact)
    if kind == "release":
        # Releases stand on a higher floor: by the reverse relation, newest first.
        release = pipeline.releases.filter(label=rest).select_related("artifact__version").first()
        if release is None:
            raise NotFound(f"Nothing of {pipeline} is released as “{rest[:60]}”.")
        return Subject(release.artifact.version, release.artifact, release.label)
    raise Invalid(
        f"“{name[:60]}” cannot be evaluated: say {NOW}, version:3, artifact:<hash> or "
        "release:<label>.",
        problems=[{"field": "subject", "message": "Not known."}],
    )


def offered(pipeline: Pipeline) -> list[tuple[str, list[tuple[str, str]]]]:
    """What a form offers, in groups: `(title, [(name, label)])`."""
    groups = [
        ("As it is drawn", [(NOW, "The pipeline as it is drawn now")]),
        ("Releases", list(_releases(pipeline))),
        ("Artifacts", [(f"artifact:{one.hash}", artifact_label(one)) for one in _made(pipeline)]),
        (
            "Versions",
            [
                (f"version:{number}", f"Version {number}" + (f": {said}" if said else ""))
                for number, said in pipeline.versions.order_by("-number").values_list(
                    "number", "message"
                )[:_OFFERED]
            ],
        ),
    ]
    return [(title, choices) for title, choices in groups if choices]


def name_of_run(run: Run) -> str:
    """What a run evaluates, by the name that finds it again."""
    if run.params.get("label"):
        return f"release:{run.params['label']}"
    if run.params.get("artifact"):
        return f"artifact:{run.params['artifact']}"
    return f"version:{run.version.number}"


def words_of_run(run: Run) -> str:
    """What a run evaluates, for people."""
    artifact, label = str(run.params.get("artifact") or ""), run.params.get("label")
    if not artifact:
        return f"version {run.version.number}"
    return f"{label}, artifact {artifact[:12]}" if label else f"artifact {artifact[:12]}"


def candidate_hash(subject: Subject, program: Program) -> str:
    """The candidate that is scored. Raises `Invalid` when it does not fit the program any more."""
    if subject.artifact is None:
        return program.candidate().hash
    candidate = candidate_of(subject.artifact)
    try:
        program.apply(candidate)
    except EngineError as error:
        raise Invalid(f"The artifact {subject.artifact} does not run any more: {error}") from None
    return candidate.hash


def program_of_subject(subject: Subject, pipeline: Pipeline) -> Program:
    """Its program, uncompiled; raises `EngineError` when it does not build."""
    from studio.engine import graph

    return graph.build(pipeline.spec) if subject.version is None else build(subject.version)


def artifact_label(artifact: Artifact) -> str:
    """An artifact in a list."""
    made = artifact.created_at.strftime("%-d %b")
    by = artifact.run.compiler if artifact.run and artifact.run.compiler else "edited"
    return f"{artifact}: {by}, version {artifact.version.number}, {made}"


def _made(pipeline: Pipeline) -> list[Artifact]:
    rows = Artifact.objects.filter(version__pipeline=pipeline).select_related("version", "run")
    return list(rows.defer("content", "report", "run__report", "version__spec")[:_OFFERED])


def _releases(pipeline: Pipeline) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for release in pipeline.releases.select_related("artifact").defer("artifact__content"):
        if release.label not in seen:
            seen.add(release.label)
            yield f"release:{release.label}", f"{release.label}: {release.artifact}"
