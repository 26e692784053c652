"""An artifact as a file, for people who take it elsewhere."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from studio.accounts.models import Role, User
from studio.accounts.services import require
from studio.engine.errors import EngineError
from studio.engine.example import Candidate
from studio.engine.graph import build
from studio.engine.saving.dspy_export import export_dspy
from studio.engine.saving.messages import export_jsonl, export_messages
from studio.engine.saving.programs import dump_program
from studio.engine.saving.reading import to_text
from studio.errors import Invalid, NotFound
from studio.reviews.items import candidate_of
from studio.runs.models import Artifact

_MADE_AT = (1980, 1, 1, 0, 0, 0)
"""The time that files in an archive bear: equal artifacts give equal archives."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A file to be downloaded."""

    name: str
    """Letters, digits, `-`, `_` and `.` only."""
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Export:
    """One kind of file that an artifact can become."""

    title: str
    summary: str
    ending: str
    """What follows the name of the pipeline and the hash."""
    media_type: str
    write: Callable[[Artifact, Candidate], bytes]


def export_artifact(*, actor: User, artifact: Artifact, kind: str) -> Exported:
    """The artifact as the kind of file that `EXPORTS` describes.

    Raises `NotFound` for an unknown kind, and `Invalid` with the way out when this artifact cannot
    be written so.
    """
    require(user=actor, project=artifact.project, role=Role.VIEWER)
    if kind not in EXPORTS:
        raise NotFound(f"There is no download “{kind}”. Choose {', '.join(EXPORTS)}.")
    export = EXPORTS[kind]
    try:
        content = export.write(artifact, candidate_of(artifact))
    except EngineError as error:
        raise Invalid(str(error)) from None
    stem = f"{artifact.version.pipeline.slug}-{artifact}"
    return Exported(f"{stem}{export.ending}", export.media_type, content)


def _program(artifact: Artifact, candidate: Candidate) -> bytes:
    spec = artifact.content["spec"]
    return _json(dump_program(spec, candidate, provenance=_provenance(artifact)))


def _messages(artifact: Artifact, candidate: Candidate) -> bytes:
    program = build(artifact.content["spec"])
    layout = artifact.content.get("format") or "chat"
    return _json(export_messages(program, candidate, format=layout))


def _finetuning(artifact: Artifact, candidate: Candidate) -> bytes:
    text = export_jsonl(build(artifact.content["spec"]), candidate, format="chat")
    if not text:
        raise Invalid(
            "This artifact has no demos with all their fields, so there are no rows to learn "
            "from. Compile with demos, or download the messages."
        )
    return text.encode()


def _dspy(artifact: Artifact, candidate: Candidate) -> bytes:
    files = export_dspy(build(artifact.content["spec"]), candidate)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, _MADE_AT)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            packed.writestr(entry, text.encode())
    return archive.getvalue()


def _provenance(artifact: Artifact) -> dict[str, Any]:
    """Where it comes from; not the address of the LM, which may be an inner one."""
    content, pipeline = artifact.content, artifact.version.pipeline
    return {
        "pipeline": pipeline.name,
        "pipeline_version": artifact.version.number,
        "artifact": artifact.hash,
        "compiler": content.get("compiler", ""),
        "seed": content.get("seed", 0),
        "lm": content.get("lm", {}).get("model", ""),
        "layout": content.get("format", ""),
        "hashes": content.get("hashes", {}),
    }


def _json(data: Mapping[str, Any]) -> bytes:
    return f"{to_text(data)}\n".encode()


EXPORTS: dict[str, Export] = {
    "program": Export(
        title="Program (JSON)",
        summary="Drawing, instructions and demos, for this or another studio.",
        ending=".json",
        media_type="application/json",
        write=_program,
    ),
    "messages": Export(
        title="Messages (JSON)",
        summary="What each step says to an LM, for any client.",
        ending="-messages.json",
        media_type="application/json",
        write=_messages,
    ),
    "finetuning": Export(
        title="Finetuning rows, chat (JSONL)",
        summary="Its demos as conversations to train on.",
        ending="-finetuning.jsonl",
        media_type="application/jsonl",
        write=_finetuning,
    ),
    "dspy": Export(
        title="DSPy (zip)",
        summary="program.py and program.json for DSPy 3.",
        ending="-dspy.zip",
        media_type="application/zip",
        write=_dspy,
    ),
}
