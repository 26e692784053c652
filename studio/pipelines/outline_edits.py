"""What the outline's buttons ask for, as edits: a table of operations.

A step's form comes with whichever button is pressed in it: what was typed is saved first, then
the button's own operation is done. Reading asks for the state that the form was made of, so that
only what somebody has really changed becomes an edit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from django.http import QueryDict

from studio.accounts.models import Project
from studio.engine.errors import GraphError
from studio.engine.graph import edits
from studio.engine.graph.edits import Spec
from studio.engine.signature import Signature
from studio.errors import Invalid
from studio.pipelines.edit_services import Edit
from studio.pipelines.outline_forms import Change, step_changes
from studio.pipelines.signature_services import get_module

_MOST_CHOSEN = 500


@dataclass(frozen=True, slots=True)
class StepOp:
    """What a button of a step's form does, beside saving the form."""

    edit: Callable[[Spec, str, str], Spec]
    """From the level, the node's id, and what the button says after its colon."""
    said: str
    keeps_form: bool = True
    """Whether what was typed is saved first."""


@dataclass(frozen=True, slots=True)
class LevelOp:
    """What a form beside the steps does."""

    read: Callable[[QueryDict, Project, str], Change]
    said: str
    chosen: bool = False
    """Whether it is about the chosen steps."""


def read_edit(post: QueryDict, spec: Spec, project: Project) -> Edit:
    """The edit that a form asks for; `spec` is what the form was made of.

    Raises `Invalid` for an operation that is none, `EngineError` for what cannot be read.
    """
    at = edits.read_at(post.get("at", ""))
    name, _, value = post.get("op", "save").partition(":")
    if name in STEP_OPS:
        op, id_ = STEP_OPS[name], post.get("node", "")
        level = edits.level_at(spec, at)
        edits.find_node(level, id_)
        typed = step_changes(level, id_, post) if op.keeps_form and "form" in post else []
        changes = [*typed, lambda now: op.edit(now, id_, value)]
        return Edit(change=_all(changes), said=op.said, at=at, nodes=(id_,))
    if name in LEVEL_OPS:
        found = LEVEL_OPS[name]
        nodes = tuple(_chosen(post)) if found.chosen else ()
        change = found.read(post, project, value)
        return Edit(change=change, said=found.said, at=at, nodes=nodes)
    raise Invalid(f"“{name[:40]}” is nothing that can be done in the outline.")


def _all(changes: Sequence[Change]) -> Change:
    def change(level: Spec) -> Spec:
        for one in changes:
            level = one(level)
        return level

    return change


def _number(text: str) -> int:
    if not (text.isdecimal() and len(text) < 6):
        raise GraphError(f"“{text[:40]}” is no place in the table.")
    return int(text)


def _add_demo(level: Spec, id_: str, value: str) -> Spec:
    demos = edits.find_node(level, id_).get("demos", [])
    return edits.set_demos(level, id_, [*demos, {}])


def _remove_demo(level: Spec, id_: str, value: str) -> Spec:
    demos, number = edits.find_node(level, id_).get("demos", []), _number(value)
    if number >= len(demos):
        raise GraphError(f"There is no demo {number + 1} here any more.")
    return edits.set_demos(level, id_, [*demos[:number], *demos[number + 1 :]])


STEP_OPS: dict[str, StepOp] = {
    "save": StepOp(lambda level, id_, value: level, "Saved."),
    "add-input": StepOp(lambda s, n, v: edits.add_field(s, n, "input"), "The field is added."),
    "add-output": StepOp(lambda s, n, v: edits.add_field(s, n, "output"), "The field is added."),
    "field-remove": StepOp(
        lambda s, n, v: edits.remove_field(s, n, _number(v)), "The field is removed."
    ),
    "field-up": StepOp(
        lambda s, n, v: edits.move_field(s, n, _number(v), -1), "The field stands earlier."
    ),
    "field-down": StepOp(
        lambda s, n, v: edits.move_field(s, n, _number(v), 1), "The field stands later."
    ),
    "expose": StepOp(edits.expose, "The pipeline answers it now."),
    "add-demo": StepOp(_add_demo, "There is an empty demo: fill it in."),
    "demo-remove": StepOp(_remove_demo, "The demo is removed."),
    "add-part": StepOp(edits.add_part, "The pipeline inside is there: open it to draw it."),
    "part-remove": StepOp(edits.remove_part, "The pipeline inside is removed."),
    "ungroup": StepOp(lambda s, n, v: edits.ungroup(s, n), "Its steps stand in its place."),
    "duplicate": StepOp(lambda s, n, v: edits.duplicate(s, [n]), "The step is copied."),
    "remove": StepOp(
        lambda s, n, v: edits.remove_nodes(s, [n]), "The step is removed.", keeps_form=False
    ),
    "move": StepOp(lambda s, n, v: edits.move(s, [n], v), "It has moved on the canvas."),
}


def _chosen(post: QueryDict) -> list[str]:
    return post.getlist("chosen")[:_MOST_CHOSEN]


def _read_add(post: QueryDict, project: Project, value: str) -> Change:
    what, _, name = post.get("what", "").partition(":")
    called, after = post.get("name", "").strip(), post.get("after", "")
    text = post.get("signature", "").strip()
    signature = Signature.parse(text) if text else None
    if what == "module":
        row = get_module(project=project, slug=name)
        module = {
            "slug": row.slug,
            "kind": row.kind,
            "signature": signature.to_dict() if signature else row.signature.spec,
            "params": row.params,
        }
        return lambda level: edits.add_module(level, module, called, after=after)
    if what != "kind":
        raise GraphError("Choose what kind of step to add.")
    return lambda level: edits.add_node(level, name, called, after=after, signature=signature)


def _read_group(post: QueryDict, project: Project, value: str) -> Change:
    name = post.get("name", "").strip()
    return lambda level: edits.group(level, _chosen(post), name)


def _of_chosen(edit: Callable[[Spec, list[str], str], Spec]) -> Callable[..., Change]:
    def read(post: QueryDict, project: Project, value: str) -> Change:
        ids = _chosen(post)
        if not ids:
            raise GraphError("Choose the steps first: tick the boxes beside their names.")
        return lambda level: edit(level, ids, value)

    return read


def _read_note(post: QueryDict, project: Project, value: str) -> Change:
    text = post.get("text", "").replace("\r\n", "\n")
    if not value:
        return lambda level: edits.add_note(level, text)
    return lambda level: edits.set_note(level, value, text)


LEVEL_OPS: dict[str, LevelOp] = {
    "add": LevelOp(_read_add, "The step is added."),
    "tidy": LevelOp(lambda post, project, value: edits.tidy, "The canvas is tidy."),
    "group": LevelOp(_read_group, "The chosen steps are one step now.", chosen=True),
    "copy-chosen": LevelOp(
        _of_chosen(lambda level, ids, value: edits.duplicate(level, ids)),
        "The chosen steps are copied.",
        chosen=True,
    ),
    "remove-chosen": LevelOp(
        _of_chosen(lambda level, ids, value: edits.remove_nodes(level, ids)),
        "The chosen steps are removed.",
        chosen=True,
    ),
    "move-chosen": LevelOp(
        _of_chosen(edits.move), "The chosen steps have moved on the canvas.", chosen=True
    ),
    "note": LevelOp(_read_note, "The note is kept."),
    "note-remove": LevelOp(
        lambda post, project, value: lambda level: edits.remove_note(level, value),
        "The note is removed.",
    ),
}
