"""Draw a pipeline by hand: the canvas as a few calls of Python.

    triage = Drawing(inputs="message")
    sort = triage.step("sort", "predict", "message -> area", message=triage.given.message)
    triage.answer(area=sort.area)
    program = triage.build()

A drawing may be unfinished, as on the canvas: `build` tells what is missing.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from studio.engine.errors import GraphError
from studio.engine.fields import shorten
from studio.engine.graph.build import build
from studio.engine.graph.columns import lay_out
from studio.engine.graph.placing import (
    a_position,
    a_text,
    an_object,
    end_json,
    more,
    output_type,
    step_json,
)
from studio.engine.graph.spec import (
    LONGEST_NOTE,
    MOST_DEEP,
    MOST_EDGES,
    MOST_NODES,
    MOST_NOTES,
    VERSION,
)
from studio.engine.graph.written import with_details
from studio.engine.program import Program

_EDGE_KEYS = frozenset({"id", "source", "source_field", "target", "target_field"})


class Port:
    """One field of a node: where a wire begins or ends."""

    __slots__ = ("field", "node")

    def __init__(self, node: Placed, field: str) -> None:
        self.node = node
        self.field = field

    def __repr__(self) -> str:
        return f"{self.node!r}.{self.field}"


class Placed:
    """A node of a drawing. Its fields are its attributes: `sort.area`, or `sort["class"]`."""

    __slots__ = ("_drawing", "_json")

    def __init__(self, drawing: Drawing, json: dict[str, Any]) -> None:
        self._drawing = drawing
        self._json = json

    def __getattr__(self, field: str) -> Port:
        if field.startswith("_"):
            raise AttributeError(field)
        return Port(self, field)

    def __getitem__(self, field: str) -> Port:
        return Port(self, a_text(field, "A field"))

    def __repr__(self) -> str:
        return shorten(str(self._json["name"]))


class Drawing:
    """A pipeline that is being drawn.

    `inputs` are its inputs with their types, such as `message: str, tone`; `fields` says more of
    them: `{"message": "What they wrote."}`, or an object with description, constraints, default.
    None: there is no input node yet.
    """

    def __init__(
        self,
        inputs: str | None = None,
        *,
        fields: Mapping[str, Any] | None = None,
        at: Any = None,
        name: str = "input",
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        self._extra = more(extra or {}, frozenset({"version", "nodes", "edges", "notes"}))
        self._nodes: list[dict[str, Any]] = []
        self._edges: list[dict[str, Any]] = []
        self._notes: list[dict[str, Any]] = []
        self._holder = ""
        """The step inside of which this pipeline runs: from then on it is finished."""
        self._size = 0
        self._depth = 0
        self._given: Placed | None = None
        if inputs is not None:
            self._place(end_json("input", name, inputs, an_object(fields or {}, "fields"), {}), at)

    @property
    def given(self) -> Placed:
        """What the pipeline is given: `triage.given.message`."""
        if self._given is None:
            raise GraphError('The drawing has no inputs yet: write Drawing(inputs="message").')
        return self._given

    @property
    def is_part(self) -> bool:
        """Whether it runs inside of a step, and is finished."""
        return bool(self._holder)

    def step(
        self,
        name: str,
        kind: str,
        signature: str = "",
        /,
        *,
        instruction: str = "",
        params: Mapping[str, Any] | None = None,
        fields: Mapping[str, Any] | None = None,
        lm: str = "",
        demos: Sequence[Mapping[str, Any]] = (),
        module: str = "",
        parts: Mapping[str, Drawing] | None = None,
        at: Any = None,
        extra: Mapping[str, Any] | None = None,
        wires: Mapping[str, Port] | None = None,
        **inputs: Port,
    ) -> Placed:
        """Add a step of a kind in `MODULES`; what is left over says what goes into its inputs.

        `fields` says more of fields, as for a `Drawing`; `lm` is a language model of its own,
        `demos` are worked examples, `module` the saved module that it comes from, `parts` the
        pipelines inside of it. An input with the name of one of these words stands in `wires`.
        """
        node = step_json(
            name,
            kind,
            signature,
            instruction=instruction,
            params=params,
            fields=fields,
            lm=lm,
            demos=demos,
            module=module,
            extra=extra,
        )
        return self._place(node, at, parts, self._sources(node, inputs, wires))

    def node(
        self,
        name: str,
        kind: str,
        data: Mapping[str, Any] | None = None,
        /,
        *,
        at: Any = None,
        wires: Mapping[str, Port] | None = None,
        **inputs: Port,
    ) -> Placed:
        """Add a node as its JSON has it: of a kind that is not known here, or half drawn."""
        held = an_object(data or {}, "A node")
        a_text(name, "A name")
        for key in ("id", "kind", "name", "position"):
            if key in held:
                raise GraphError(f"The node “{shorten(name)}” cannot hold “{key}” in its object.")
        node = {**held, "kind": a_text(kind, "A kind"), "name": name}
        return self._place(node, at, None, self._sources(node, inputs, wires))

    def answer(
        self,
        outputs: str | None = None,
        /,
        *,
        fields: Mapping[str, Any] | None = None,
        at: Any = None,
        name: str = "output",
        extra: Mapping[str, Any] | None = None,
        wires: Mapping[str, Port] | None = None,
        **inputs: Port,
    ) -> Placed:
        """Add the output node: what the pipeline answers.

        Without `outputs` (as the inputs of a `Drawing`) they have the types of what is wired.
        """
        sources = self._sources({"name": name}, inputs, wires)
        node = end_json("output", name, outputs or "", {}, extra or {})
        if outputs is None:
            taken = [(field, output_type(port.node._json, port.field)) for field, port in sources]
            node["fields"] = [
                {"name": field, "type": type_, "description": ""} for field, type_ in taken
            ]
        if fields:
            told = an_object(fields, "fields")
            node["fields"] = with_details(node["fields"], told, f"“{shorten(name)}”")
        return self._place(node, at, None, sources)

    def wire(
        self, source: Port, target: Port, /, *, extra: Mapping[str, Any] | None = None
    ) -> None:
        """Draw a wire that was not drawn with its step: `triage.wire(plan.notes, sort.notes)`."""
        self._open()
        for port in (source, target):
            if not isinstance(port, Port):
                raise GraphError("A wire leads from a field to a field: write wire(a.x, b.y).")
        held = more(extra or {}, _EDGE_KEYS)
        self._draw(source, self._own(target, "the end of a wire"), target.field, held)

    def note(
        self, text: str, /, *, at: Any = None, extra: Mapping[str, Any] | None = None
    ) -> None:
        """Put words on the board."""
        self._open()
        if len(a_text(text, "A note")) > LONGEST_NOTE:
            raise GraphError(f"A note has {LONGEST_NOTE:,} letters at most.")
        if len(self._notes) == MOST_NOTES:
            raise GraphError(f"A pipeline has {MOST_NOTES} notes at most.")
        held = more(extra or {}, frozenset({"id", "text", "position"}))
        id_ = f"t{len(self._notes) + 1}"
        self._notes.append({**held, "id": id_, "text": text, "position": a_position(at)})

    def spec(self) -> dict[str, Any]:
        """The canvas document; what has no place is laid out in columns."""
        spec = self.draft()
        lay_out(spec)
        return spec

    def draft(self) -> dict[str, Any]:
        """The document with None for the places that nobody has told."""
        spec = {
            **self._extra,
            "version": VERSION,
            "nodes": self._nodes,
            "edges": self._edges,
        }
        return copy.deepcopy(spec | ({"notes": self._notes} if self._notes else {}))

    def build(self) -> Program:
        """The program that is drawn. Raises `GraphError` with the problems when it has any."""
        return build(self.spec())

    def _place(
        self,
        node: dict[str, Any],
        at: Any,
        parts: Mapping[str, Drawing] | None = None,
        sources: Sequence[tuple[str, Port]] = (),
    ) -> Placed:
        self._open()
        position = a_position(at)
        inside = self._take_in(node, parts or {})
        if self._size == MOST_NODES:
            raise GraphError(f"A pipeline may have {MOST_NODES} nodes.")
        self._size += 1
        node = {"id": f"n{len(self._nodes) + 1}", **node, "position": position}
        if inside:
            node["parts"] = inside
        self._nodes.append(node)
        placed = Placed(self, node)
        if node["kind"] == "input" and self._given is None:
            self._given = placed
        for field, source in sources:
            self._draw(source, placed, field, {})
        return placed

    def _take_in(self, node: dict[str, Any], parts: Mapping[str, Drawing]) -> dict[str, Any]:
        if not isinstance(parts, Mapping):
            raise GraphError('parts are drawings by name: write parts={"body": body}.')
        holder = node["name"]
        for name, part in parts.items():
            if not isinstance(part, Drawing):
                raise GraphError(f"The part “{shorten(a_text(name, 'A part'))}” is no drawing.")
            if part is self:
                raise GraphError(f"“{shorten(holder)}” cannot hold the drawing that it stands in.")
            part._open()
            part._holder = holder or "a step"
            self._size += part._size
            self._depth = max(self._depth, part._depth + 1)
            if self._depth > MOST_DEEP:
                raise GraphError(
                    f"Pipelines may lie in each other {MOST_DEEP} deep, and no deeper."
                )
            if self._size > MOST_NODES:
                raise GraphError(f"A pipeline may have {MOST_NODES} nodes.")
        return {a_text(name, "A part"): part.draft() for name, part in parts.items()}

    def _sources(
        self, node: Mapping[str, Any], inputs: Mapping[str, Any], wires: Mapping[str, Any] | None
    ) -> list[tuple[str, Port]]:
        if wires is not None and not isinstance(wires, Mapping):
            raise GraphError('wires are fields by name: write wires={"at": given.at}.')
        sources = [*(wires or {}).items(), *inputs.items()]
        for field, port in sources:
            if not isinstance(port, Port):
                raise GraphError(
                    f"“{shorten(str(node['name']))}”: “{shorten(str(field))}” is neither a word "
                    "that a step knows nor a field that is wired to it, such as given.message."
                )
            self._own(port, f"what goes into “{shorten(str(node['name']))}”")
        return [(a_text(field, "A field"), port) for field, port in sources]

    def _own(self, port: Port, what: str) -> Placed:
        if port.node._drawing is not self:
            raise GraphError(f"{port!r} is a field of another drawing, and cannot be {what}.")
        return port.node

    def _draw(self, source: Port, target: Placed, field: str, extra: dict[str, Any]) -> None:
        if len(self._edges) == MOST_EDGES:
            raise GraphError(f"A pipeline may have {MOST_EDGES:,} wires.")
        edge = {
            **extra,
            "id": f"e{len(self._edges) + 1}",
            "source": self._own(source, "the beginning of a wire")._json["id"],
            "source_field": source.field,
            "target": target._json["id"],
            "target_field": field,
        }
        self._edges.append(edge)

    def _open(self) -> None:
        if self._holder:
            raise GraphError(
                f"This drawing is inside of “{shorten(self._holder)}” already: draw it to its end "
                "before it is taken in, and once for each place."
            )
