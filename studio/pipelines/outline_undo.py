"""Undoing in the outline: along the revisions that every save leaves.

Undoing is a save like any other, so the newest revision may show what an older one holds. Which
one that is, and what was undone, is kept in the visitor's session; what others save in between
makes an end of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib.sessions.backends.base import SessionBase

from studio.accounts.models import User
from studio.errors import Invalid
from studio.pipelines.edit_services import restore
from studio.pipelines.models import Pipeline

_KEY = "outline-undo"
_MOST_PIPELINES = 20
_MOST_STEPS = 100


@dataclass(frozen=True, slots=True)
class Trail:
    """Where somebody stands among the revisions of a pipeline."""

    shown: int
    """The revision that the drawing equals."""
    redo: tuple[int, ...]
    """What was undone, the last one last."""
    same: dict[int, int]
    """Revisions that were made by undoing, and which ones they equal."""


def trail(session: SessionBase, pipeline: Pipeline) -> Trail:
    """What the session knows of it; a revision that it did not make ends what may be redone."""
    kept: dict[str, Any] = session.get(_KEY, {}).get(str(pipeline.pk), {})
    same = {int(made): equal for made, equal in kept.get("same", {}).items()}
    shown = same.get(pipeline.revision, pipeline.revision)
    redo = tuple(kept.get("redo", ())) if kept.get("at") == pipeline.revision else ()
    return Trail(shown, redo, same)


def can_undo(session: SessionBase, pipeline: Pipeline) -> bool:
    """Whether a state before this one is kept."""
    return _before(pipeline, trail(session, pipeline).shown) is not None


def undo(*, session: SessionBase, actor: User, pipeline: Pipeline, base_revision: int) -> Pipeline:
    """Draw what was drawn before the last change. Raises `Invalid` when there was nothing."""
    now = trail(session, pipeline)
    number = _before(pipeline, now.shown)
    if number is None:
        raise Invalid("There is nothing to undo: no earlier state is kept.")
    shown = now.same.get(number, number)
    return _go(session, actor, pipeline, base_revision, shown, (*now.redo, now.shown))


def redo(*, session: SessionBase, actor: User, pipeline: Pipeline, base_revision: int) -> Pipeline:
    """Draw again what was undone last. Raises `Invalid` when nothing was."""
    now = trail(session, pipeline)
    if not now.redo:
        raise Invalid("There is nothing to redo: nothing was undone since the last change.")
    return _go(session, actor, pipeline, base_revision, now.redo[-1], now.redo[:-1])


def _go(
    session: SessionBase,
    actor: User,
    pipeline: Pipeline,
    base_revision: int,
    number: int,
    left: tuple[int, ...],
) -> Pipeline:
    same = trail(session, pipeline).same
    saved = restore(actor=actor, pipeline=pipeline, base_revision=base_revision, number=number)
    same[saved.revision] = number
    newest = sorted(same)[-_MOST_STEPS:]
    trails: dict[str, Any] = dict(session.get(_KEY, {}))
    trails.pop(str(saved.pk), None)
    trails[str(saved.pk)] = {
        "at": saved.revision,
        "redo": list(left[-_MOST_STEPS:]),
        "same": {str(made): same[made] for made in newest},
    }
    session[_KEY] = dict(list(trails.items())[-_MOST_PIPELINES:])
    return saved


def _before(pipeline: Pipeline, number: int) -> int | None:
    """The newest kept revision before that one."""
    older = pipeline.revisions.filter(number__lt=number)
    found: int | None = older.order_by("-number").values_list("number", flat=True).first()
    return found
