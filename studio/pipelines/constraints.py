"""What the answers of a project's pipelines must satisfy: bounds on fields, and check steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from studio.accounts.models import Project, User
from studio.engine.errors import EngineError
from studio.engine.fields import Constraints, FieldType, check_applies, parse_type
from studio.engine.graph import edits
from studio.engine.graph.edits import At, Spec
from studio.errors import Invalid, NotFound
from studio.pipelines.edit_services import Edit, Edited, edit_pipeline
from studio.pipelines.models import Pipeline
from studio.pipelines.outline_tables import LIMITS

CHECK = "constraint"
"""The kind of step that checks an answer with code."""
_ENDS = ("input", "output")


@dataclass(frozen=True, slots=True)
class Place:
    """A field, or a check step, in a drawing."""

    pipeline: Pipeline
    at: At
    node: Mapping[str, Any]
    inside: str
    """The names of the steps that it is a part of, with dots."""
    field: Mapping[str, Any] | None = None
    """None: the step itself, which is a check."""

    @property
    def key(self) -> str:
        """Names it in a form."""
        name = self.field["name"] if self.field else ""
        return "|".join((self.pipeline.slug, edits.write_at(self.at), self.node["id"], name))

    @property
    def step(self) -> str:
        """The step's name, with those that it is inside of."""
        return f"{self.inside}{self.node.get('name', '')}"

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.step}.{self.field['name']}" if self.field else self.step

    @property
    def type(self) -> str:
        """Of the field."""
        return str(self.field.get("type", "str")) if self.field else ""

    @property
    def role(self) -> str:
        """Whether values come in or go out here."""
        if self.node.get("kind") in _ENDS:
            return str(self.node["kind"])
        return str((self.field or {}).get("role", "output"))

    @property
    def constraints(self) -> dict[str, Any]:
        """The bounds that are set, or the parameters of the check."""
        found = (self.field or {}).get("constraints") if self.field else self.node.get("params")
        return dict(found) if isinstance(found, dict) else {}

    @property
    def is_set(self) -> bool:
        """Whether it demands anything."""
        return bool(self.constraints) or self.field is None

    @property
    def words(self) -> str:
        """What must hold, in words."""
        if self.field is None:
            return str(self.constraints.get("check", "")).strip() or "nothing yet"
        try:
            found = Constraints.from_dict(self.constraints).describe(_type(self.type))
        except EngineError as error:
            return f"cannot be read: {error}"
        return found or "no bound"

    @property
    def consequence(self) -> str:
        """What happens when it does not hold."""
        if self.field is None:
            return _consequence_of_check(self.constraints)
        if self.node.get("kind") == "input":
            return "A call with another value is refused before any language model is asked."
        if self.node.get("kind") == "output":
            return "The pipeline’s answer is refused; of a row in a run it is scored 0, with this."
        if self.role == "input":
            return "The step is not asked: the value that reaches it is refused."
        return (
            "The model is told so in its prompt. An answer that breaks it counts as unreadable: "
            "the model is asked again as often as the step allows, then the step fails."
        )


def places(project: Project) -> list[Place]:
    """Every field and check step of the project's pipelines, in the order of the drawings."""
    return [
        place
        for pipeline in project.pipelines.order_by("name")
        for place in _walk(pipeline, pipeline.spec, (), "")
    ]


def find(project: Project, key: str) -> Place:
    """The place that `Place.key` names, or `NotFound`."""
    slug = key.partition("|")[0]
    pipeline = project.pipelines.filter(slug=slug.replace("\0", "")).first()
    for place in _walk(pipeline, pipeline.spec, (), "") if pipeline else ():
        if place.key == key:
            return place
    raise NotFound("There is no such field or step any more: reload the page.")


def set_bounds(
    *, actor: User, place: Place, base_revision: int, constraints: Mapping[str, Any]
) -> Edited:
    """Other bounds for a field; none when `constraints` is empty. One revision of the drawing.

    Raises `Invalid` for bounds that say nothing of the field's type, and `Conflict` when somebody
    has changed the step meanwhile.
    """
    field = place.field
    if field is None:
        raise Invalid("A check step has no bounds.")
    name, node = str(field["name"]), str(place.node["id"])
    default = {"default": field["default"]} if "default" in field else {}

    def change(level: Spec) -> Spec:
        return edits.set_constraints(level, node, name, constraints, **default)

    return _edit(actor, place, base_revision, change, f"Bounds of {place.name} changed.")


def set_check(
    *, actor: User, place: Place, base_revision: int, params: Mapping[str, Any]
) -> Edited:
    """Another check. One revision of the drawing; raises as `set_bounds` does."""
    if place.field is not None:
        raise Invalid("A field has no check.")
    node = str(place.node["id"])
    kept = {**place.constraints, **params}

    def change(level: Spec) -> Spec:
        return edits.set_params(level, node, kept)

    return _edit(actor, place, base_revision, change, f"Check of {place.name} changed.")


def bounds_for(type_: str) -> list[str]:
    """The bounds that say something of values of a type."""
    return [name for name in LIMITS if _says_something(name, _type(type_))]


def _says_something(name: str, type_: FieldType | None) -> bool:
    if type_ is None:
        return False
    try:
        bound = {name: "a" if name == "pattern" else 1}
        check_applies(Constraints.from_dict(bound), type_, field="")
    except EngineError:
        return False
    return True


def _edit(actor: User, place: Place, base_revision: int, change: Any, said: str) -> Edited:
    nodes = (str(place.node["id"]),)
    edit = Edit(change=change, said=said, at=place.at, nodes=nodes)
    return edit_pipeline(
        actor=actor, pipeline=place.pipeline, base_revision=base_revision, edit=edit
    )


def _walk(pipeline: Pipeline, spec: Mapping[str, Any], at: At, inside: str) -> Iterator[Place]:
    for node in spec.get("nodes", ()):
        if not isinstance(node, dict) or not isinstance(node.get("id"), str):
            continue
        signature = node.get("signature")
        fields = node.get("fields") or (signature or {}).get("fields") or ()
        for field in fields if isinstance(fields, list) else ():
            if isinstance(field, dict) and isinstance(field.get("name"), str):
                yield Place(pipeline, at, node, inside, field)
        if node.get("kind") == CHECK:
            yield Place(pipeline, at, node, inside)
        for name, part in (node.get("parts") or {}).items():
            below = (*at, (node["id"], name))
            yield from _walk(pipeline, part, below, f"{inside}{node.get('name', '')}.{name}.")


def _type(text: str) -> FieldType | None:
    try:
        return parse_type(text)
    except EngineError:
        return None


def _consequence_of_check(params: Mapping[str, Any]) -> str:
    retries = params.get("retries", 2)
    again = f"The model is told what is wrong and asked again, up to {retries} times."
    if params.get("mode") == "suggest":
        return f"{again} If it still does not hold, the pipeline goes on with the last answer."
    if params.get("otherwise") == "pass":
        return f"{again} After that the answer goes on as it is."
    return f"{again} After that the call ends with an error; of a row in a run, with a score of 0."
