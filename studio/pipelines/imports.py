"""Files that somebody uploads: a saved program becomes a pipeline, a DSPy state instructions.

Nothing in a file is ever run.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from django.db import transaction

from studio.accounts.models import Project, Role, User
from studio.accounts.services import record, require
from studio.engine.errors import EngineError, GraphError, StateError
from studio.engine.example import Candidate
from studio.engine.graph import build
from studio.engine.saving.dspy_state import read_dspy_state
from studio.engine.saving.programs import PROGRAM, STATE, load_program
from studio.engine.saving.reading import read_object
from studio.errors import Invalid
from studio.pipelines.instructions import left_out, with_instructions
from studio.pipelines.models import Pipeline
from studio.pipelines.services import clean_name, create_pipeline, save_pipeline

MOST_FILE = 2_000_000
"""Bytes of a file."""

_HASH = re.compile(r"[0-9a-f]{64}\Z")
_STATE_ONLY = (
    "This file holds instructions and demos without a drawing, so no pipeline can be made from "
    "it. Upload a whole program: on the page of a review it is “Download”, “Program (JSON)”."
)
_DSPY_STATE = (
    "This is a state that DSPy saved. It holds instructions and demos but no steps, so no "
    "pipeline can be made from it. Draw the pipeline first, with a step for each predictor under "
    "the same name; then upload this file on its page in words, under “Instructions from DSPy”."
)


@dataclass(frozen=True, slots=True)
class Imported:
    """A pipeline after a file was read, and in sentences what was not taken over."""

    pipeline: Pipeline
    notes: tuple[str, ...] = ()
    changed: bool = True


@transaction.atomic
def import_pipeline(
    *, actor: User, project: Project, data: bytes, name: str = "", filename: str = ""
) -> Imported:
    """A new pipeline out of a saved program: its drawing and its instructions.

    Without a `name` it is called as the program says, or as the file. Raises `Invalid` when the
    file is no saved program, or one that does not build here.
    """
    require(user=actor, project=project, role=Role.AUTHOR)
    read = _read(data)
    try:
        loaded = load_program(read)
        spec, left = with_instructions(loaded.spec, loaded.candidate)
    except EngineError as error:
        raise _refused(error) from None
    except RecursionError:
        raise Invalid("A type in the file is nested too deeply to be read.") from None
    provenance = read.get("provenance", {})
    pipeline = create_pipeline(
        actor=actor,
        project=project,
        name=clean_name(name) if name.strip() else _name(provenance, filename),
        spec=spec,
    )
    record(
        project=project,
        actor=actor,
        action="pipeline.import",
        subject=pipeline.name,
        artifact=_artifact(provenance),
    )
    return Imported(pipeline, _sayable(*left_out(left), *_demos(loaded.candidate)))


@transaction.atomic
def take_over_instructions(
    *, actor: User, pipeline: Pipeline, data: bytes, base_revision: int
) -> Imported:
    """The instructions of a state that DSPy saved, written into the drawing, and saved.

    Raises `Invalid` when the drawing does not build or the file is no such state, and `Conflict`
    when somebody has saved since `base_revision`.
    """
    require(user=actor, project=pipeline.project, role=Role.AUTHOR)
    read = _read(data, dspy=True)
    try:
        found = read_dspy_state(build(pipeline.spec), read)
        spec, left = with_instructions(pipeline.spec, found.candidate)
    except GraphError as error:
        raise Invalid(
            f"{error} Put the drawing right first, then upload the file again.",
            problems=list(error.problems),
        ) from None
    except EngineError as error:
        raise _refused(error) from None
    changed = spec != pipeline.spec
    if changed:
        pipeline = save_pipeline(
            actor=actor, pipeline=pipeline, spec=spec, base_revision=base_revision
        )
        record(
            project=pipeline.project,
            actor=actor,
            action="pipeline.take-over-instructions",
            subject=pipeline.name,
            revision=pipeline.revision,
        )
    notes = _sayable(*found.notes, *left_out(left), *_demos(found.candidate))
    return Imported(pipeline, notes, changed)


def _read(data: bytes, *, dspy: bool = False) -> dict[str, Any]:
    """The file as JSON, when it is of the wanted kind."""
    if len(data) > MOST_FILE:
        raise Invalid(f"The file is larger than {MOST_FILE // 1_000_000} MB.")
    if not data.strip():
        raise Invalid("The file is empty.")
    try:
        read = read_object(data, what="The file")
    except StateError as error:
        raise _refused(error) from None
    format_ = read.get("format")
    if dspy:
        if isinstance(format_, str):
            raise Invalid(
                "This file was not saved by DSPy. A saved program of a studio becomes a pipeline "
                "of its own: upload it on the page “New pipeline”."
            )
        return read
    if format_ == PROGRAM:
        return read
    if format_ == STATE:
        raise Invalid(_STATE_ONLY)
    if _is_dspy_state(read):
        raise Invalid(_DSPY_STATE)
    raise Invalid(
        "This is no saved program. Download one on the page of a review, as “Program (JSON)”, or "
        "save one with dump_program."
    )


def _is_dspy_state(read: dict[str, Any]) -> bool:
    return any(
        isinstance(state, dict) and {"signature", "demos"} <= set(state)
        for state in (read, *read.values())
    )


def _refused(error: EngineError) -> Invalid:
    (message,) = _sayable(str(error))
    return Invalid(message, problems=[{"field": "file", "message": message}])


def _sayable(*texts: str) -> tuple[str, ...]:
    """The texts as a page can hold them: halves of surrogate pairs have no UTF-8."""
    return tuple(text.encode(errors="replace").decode() for text in texts)


def _name(provenance: dict[str, Any], filename: str) -> str:
    """What to call a pipeline that was given no name."""
    told = provenance.get("pipeline")
    for name in (told if isinstance(told, str) else "", PurePath(filename).stem):
        # A database takes no zero.
        (name,) = _sayable(" ".join(name.replace("\0", "").split()))
        if name:
            return name[:80].strip()
    return "Imported pipeline"


def _artifact(provenance: dict[str, Any]) -> str:
    told = provenance.get("artifact")
    return told if isinstance(told, str) and _HASH.match(told) else ""


def _demos(candidate: Candidate) -> list[str]:
    states = candidate.states.values()
    count = sum(len(state.demos) for state in states)
    notes = []
    if count:
        what = "1 demo is" if count == 1 else f"{count} demos are"
        notes.append(f"{what} not taken over: only a compile makes demos.")
    if any(state.calibration for state in states):
        notes.append("The calibration is not taken over: only a compile makes it.")
    return notes
