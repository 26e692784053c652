"""Small changes of a drawing: one edit, one save, one revision. And back again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from studio.accounts.models import Role, User
from studio.accounts.services import require
from studio.engine.errors import EngineError
from studio.engine.graph import edits
from studio.engine.graph.diff import diff_specs
from studio.engine.graph.edits import At, Spec
from studio.errors import Conflict, Invalid
from studio.pipelines.models import Pipeline
from studio.pipelines.revisions import spec_at
from studio.pipelines.services import save_pipeline

_TRIES = 5
"""Saves of others may come between reading and saving; so often it is read again."""
_MOST_TOLD = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What somebody wants done, and where."""

    change: Callable[[Spec], Spec]
    """From the level to the level; raises `EngineError`."""
    said: str
    """What was done, as a sentence."""
    at: At = edits.TOP
    nodes: tuple[str, ...] = ()
    """The nodes that it depends on."""


@dataclass(frozen=True, slots=True)
class Edited:
    """What came of an edit."""

    pipeline: Pipeline
    changed: bool
    others: tuple[str, ...] = ()
    """What somebody else had changed in the meantime; the edit was made on top of it."""
    by: str = ""
    """Who that was."""


def edit_pipeline(*, actor: User, pipeline: Pipeline, base_revision: int, edit: Edit) -> Edited:
    """Make an edit that was thought of at `base_revision`, and save it.

    When somebody has saved since, the edit is made on what they saved, provided that the node
    that it is about is as it was. Raises `Conflict`, which carries the newer revision, who saved
    it, and what is different there in words, when it is not; `Invalid` when the edit cannot be
    made.
    """
    require(user=actor, project=pipeline.project, role=Role.AUTHOR)
    for _ in range(_TRIES):
        pipeline.refresh_from_db()
        found = pipeline.revision
        others: tuple[str, ...] = ()
        if base_revision != found:
            base = spec_at(pipeline, base_revision)
            others = changes_in_words(base, pipeline.spec)
            if not _is_as_it_was(base, pipeline.spec, edit):
                raise _conflict(pipeline, others)
        by = pipeline.saved_by.username if others and pipeline.saved_by else ""
        try:
            spec = edits.change_at(pipeline.spec, edit.at, edit.change)
        except EngineError as error:
            if others:
                raise _conflict(pipeline, others, str(error)) from None
            raise Invalid(str(error)) from None
        try:
            saved = save_pipeline(actor=actor, pipeline=pipeline, spec=spec, base_revision=found)
        except Conflict:
            continue
        return Edited(saved, saved.revision != found, others, by)
    raise _conflict(pipeline, ())


def restore(*, actor: User, pipeline: Pipeline, base_revision: int, number: int) -> Pipeline:
    """Draw what a revision held, as a new revision: undoing is a save like any other.

    Raises `Invalid` when that revision is not kept any more, and what `save_pipeline` raises.
    """
    require(user=actor, project=pipeline.project, role=Role.AUTHOR)
    spec = spec_at(pipeline, number)
    if spec is None:
        raise Invalid(f"Revision {number} of {pipeline.name} is not kept any more.")
    return save_pipeline(actor=actor, pipeline=pipeline, spec=spec, base_revision=base_revision)


def changes_in_words(before: Any, after: Any) -> tuple[str, ...]:
    """What differs between two specs, a sentence for each change."""
    if before is None:
        return ("What was changed cannot be told: that revision is not kept any more.",)
    told = [change.sentence for change in diff_specs(before, after) if change.how != "moved"]
    more = len(told) - _MOST_TOLD
    return (*told[:_MOST_TOLD], *((f"And {more} more changes.",) if more > 0 else ()))


def _is_as_it_was(base: Any, now: Any, edit: Edit) -> bool:
    """Whether the nodes of an edit, and what leads into them, are the same in both."""
    if not edit.nodes:
        return True
    if base is None:
        return False
    try:
        before, after = (_concerned(spec, edit) for spec in (base, now))
    except EngineError:
        return False
    return bool(before == after)


def _concerned(spec: Mapping[str, Any], edit: Edit) -> Any:
    """What an edit is about, places on the board left aside."""
    level = edits.level_at(edits.mended(spec), edit.at)
    nodes = [{**edits.find_node(level, id_), "position": None} for id_ in edit.nodes]
    wires = {
        (edge["source"], edge["source_field"], edge["target"], edge["target_field"])
        for edge in level["edges"]
        if edge["target"] in edit.nodes
    }
    return nodes, wires


def _conflict(pipeline: Pipeline, others: tuple[str, ...], why: str = "") -> Conflict:
    by = pipeline.saved_by.username if pipeline.saved_by else "Somebody"
    return Conflict(
        f"{by} has saved {pipeline.name} since this page was shown. {why}".strip(),
        problems=list(others),
        revision=pipeline.revision,
        by=by,
    )
