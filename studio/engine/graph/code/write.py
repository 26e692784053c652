"""From a spec to Python that draws it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from studio.engine.errors import EngineError
from studio.engine.fields import shorten
from studio.engine.graph.code.names import Names, is_word
from studio.engine.graph.code.pretty import Argument, Name, call, quote
from studio.engine.graph.code.problems import CodeError
from studio.engine.graph.code.same import essence
from studio.engine.graph.columns import drawing_order
from studio.engine.graph.placing import (
    END_KEYS,
    ENDS,
    OWN_KEYS,
    STEP_KEYS,
    end_json,
    output_type,
    step_json,
)
from studio.engine.graph.shape import shape_problem
from studio.engine.graph.written import details_of, write_fields, write_signature
from studio.engine.modules import MODULES

Json = Mapping[str, Any]
_TOP = "pipeline"
_HEAD = "from studio.engine.drawing import Drawing\n"
_WORDS = frozenset(
    {
        "instruction",
        "params",
        "fields",
        "lm",
        "demos",
        "module",
        "parts",
        "at",
        "extra",
        "wires",
        "name",
        "self",
    }
)
"""What `step`, `node` and `answer` call other things: inputs of these names stand in `wires`."""


def to_python(spec: Any) -> str:
    """Python that draws the pipeline; `from_python` reads it back, and it may be run.

    Equal specs give equal texts, and an unfinished drawing is written too. Raises `CodeError`
    that names what cannot be written.
    """
    problem = shape_problem(spec)
    if problem is not None:
        raise CodeError(problem.message)
    try:
        statements = _Level(spec, _TOP, Names()).write()
    except (RecursionError, ValueError) as error:
        raise CodeError(f"The drawing holds a value that cannot be written: {error}.") from None
    statements.append("program = pipeline.build()")
    return _HEAD + "\n" + "\n\n".join(statements) + "\n"


class _Level:
    """One pipeline: statements that draw it."""

    def __init__(self, spec: Json, variable: str, names: Names) -> None:
        self.spec, self.variable, self.names = spec, variable, names
        self.nodes: dict[str, Json] = {node["id"]: node for node in spec["nodes"]}
        _check_ids(spec, self.nodes)
        self.variables: dict[str, str] = {}
        """By id, of the nodes that are written already: what to call them."""
        self.into: dict[str, list[Json]] = {id_: [] for id_ in self.nodes}
        for edge in spec["edges"]:
            self.into[edge["target"]].append(edge)
        self.late: list[Json] = []
        """Wires that are drawn when all nodes are there."""

    def write(self) -> list[str]:
        """The statements, in order."""
        given = next((node for node in self.nodes.values() if node["kind"] == "input"), None)
        statements = [self._begin(given)]
        for id_ in drawing_order(self.spec):
            if id_ not in self.variables:
                statements += self._node(self.nodes[id_])
        if self.late:
            statements.append("\n".join(map(self._late, self.late)))
        statements += map(self._note, self.spec.get("notes", ()))
        return statements

    def _begin(self, given: Json | None) -> str:
        """The drawing with its inputs, when they can be told in a line."""
        held = {
            key: value
            for key, value in self.spec.items()
            if key not in ("version", "nodes", "edges", "notes")
        }
        arguments: list[Argument] = []
        if given is not None and _can_be_told(given, _end_from(given)):
            arguments.append(("inputs", write_fields(given["fields"])))
            arguments += [("fields", details)] if (details := details_of(given["fields"])) else []
            arguments += [("name", given["name"])] if given["name"] != "input" else []
            arguments.append(("at", _place(given)))
            self.variables[given["id"]] = f"{self.variable}.given"
            self.late += self.into[given["id"]]
        if held:
            arguments.append(("extra", held))
        return call(f"{self.variable} = Drawing", arguments)

    def _node(self, node: Json) -> list[str]:
        edges = self.into[node["id"]]
        if node["kind"] == "output" and _can_be_told(node, _end_from(node)):
            return [self._answer(node, edges)]
        variable = self._free(node["name"], "step")
        inside: list[str] = []
        if node["kind"] not in ENDS and (
            node["kind"] in MODULES or isinstance(node.get("signature"), dict)
        ):
            made = _step_from(node)
            if _can_be_told(node, made):
                parts = {}
                for name, part in (node.get("parts") or {}).items():
                    drawn = self.names.free(f"{variable} {name}", "part")
                    inside += _Level(part, drawn, self.names).write()
                    parts[name] = Name(drawn)
                before = f"{variable} = {self.variable}.step"
                words = call(before, self._step(node, parts, self._wires(node, edges)))
                self.variables[node["id"]] = variable
                return [*inside, words]
        data = {key: value for key, value in node.items() if key not in OWN_KEYS}
        arguments: list[Argument] = [("", node["name"]), ("", node["kind"]), ("", data)]
        arguments += [("at", _place(node)), *self._wires(node, edges)]
        self.variables[node["id"]] = variable
        return [call(f"{variable} = {self.variable}.node", arguments)]

    def _free(self, name: str, otherwise: str) -> str:
        """A variable; inside a part it begins with the part's, so that it stays what it is."""
        if self.variable == _TOP:
            return self.names.free(name, otherwise)
        return self.names.free(f"{self.variable} {name}", otherwise)

    def _step(
        self, node: Json, parts: Mapping[str, Name], wires: list[Argument]
    ) -> list[Argument]:
        told = _told_of_step(node)
        words = [(word, value) for word, value in told.items() if value and word != "signature"]
        arguments: list[Argument] = [("", node["name"]), ("", node["kind"])]
        arguments.append(("", told["signature"]))
        arguments += words
        if parts:
            arguments.append(("parts", dict(parts)))
        return [*arguments, ("at", _place(node)), *wires]

    def _answer(self, node: Json, edges: list[Json]) -> str:
        fields = node["fields"]
        order = {field["name"]: at for at, field in enumerate(fields)}
        edges = sorted(edges, key=lambda edge: order.get(edge["target_field"], len(order)))
        wires = self._wires(node, edges)
        late = {id(edge) for edge in self.late}
        types = {edge["target_field"]: self._type(edge) for edge in edges if id(edge) not in late}
        plain = [(field["name"], field.get("type", "str")) for field in fields]
        taken = [(word, types[word]) for word, _ in wires if word != "wires"]
        arguments: list[Argument] = []
        if plain != taken or not plain or len(wires) != len(taken):
            arguments.append(("", write_fields(fields)))
            details = details_of(fields)
        else:
            # The types go without saying.
            details = {
                name: {key: value for key, value in detail.items() if key != "type"}
                if isinstance(detail, dict)
                else detail
                for name, detail in details_of(fields).items()
            }
            details = {name: detail for name, detail in details.items() if detail}
        arguments += [("fields", details)] if details else []
        arguments += [("name", node["name"])] if node["name"] != "output" else []
        extra = _without(node, END_KEYS)
        arguments += [("extra", extra)] if extra else []
        used = any(node["id"] in (edge["source"], edge["target"]) for edge in self.late) or any(
            edge["source"] == node["id"] for edge in self.spec["edges"]
        )
        variable = self._free(node["name"], "answer")
        self.variables[node["id"]] = variable
        before = f"{variable} = " if used else ""
        return call(f"{before}{self.variable}.answer", [*arguments, ("at", _place(node)), *wires])

    def _wires(self, node: Json, edges: list[Json]) -> list[Argument]:
        """What is wired while the node is made; the rest is left for later."""
        words: list[Argument] = []
        others: dict[str, Name] = {}
        signature = node.get("signature")
        if isinstance(signature, dict) and isinstance(signature.get("fields"), list):
            order = {
                field.get("name"): at
                for at, field in enumerate(signature["fields"])
                if isinstance(field, dict) and isinstance(field.get("name"), str)
            }
            edges = sorted(edges, key=lambda edge: order.get(edge["target_field"], len(order)))
        seen: set[str] = set()
        for edge in edges:
            field = edge["target_field"]
            if edge["source"] not in self.variables or field in seen or _extra(edge):
                self.late.append(edge)
                continue
            seen.add(field)
            source = Name(self._port(edge["source"], edge["source_field"]))
            if is_word(field) and field not in _WORDS and not field.startswith("_"):
                words.append((field, source))
            else:
                others[field] = source
        return [*([("wires", others)] if others else []), *words]

    def _type(self, edge: Json) -> str:
        return output_type(self.nodes[edge["source"]], edge["source_field"])

    def _late(self, edge: Json) -> str:
        arguments: list[Argument] = [
            ("", Name(self._port(edge["source"], edge["source_field"]))),
            ("", Name(self._port(edge["target"], edge["target_field"]))),
        ]
        extra = _extra(edge)
        return call(f"{self.variable}.wire", [*arguments, *([("extra", extra)] if extra else [])])

    def _port(self, node: str, field: str) -> str:
        variable = self.variables[node]
        if is_word(field) and not field.startswith("_"):
            return f"{variable}.{field}"
        return f"{variable}[{quote(field)}]"

    def _note(self, note: Json) -> str:
        arguments: list[Argument] = [("", note["text"]), ("at", _place(note))]
        extra = _without(note, frozenset({"id", "text", "position"}))
        return call(f"{self.variable}.note", [*arguments, *([("extra", extra)] if extra else [])])


def _told_of_step(node: Json) -> dict[str, Any]:
    """What `step` is told of a node, by its words; what is empty is left out there."""
    signature = node.get("signature") or {}
    fields = sorted(signature.get("fields", []), key=lambda field: field["role"] == "output")
    return {
        "signature": write_signature(fields),
        "instruction": signature.get("instruction") or "",
        "fields": details_of(fields),
        "params": node.get("params") or {},
        "lm": node.get("lm", ""),
        "demos": node.get("demos", []),
        "module": node.get("module", ""),
        "extra": _without(node, STEP_KEYS),
    }


def _step_from(node: Json) -> Json | None:
    """The step that would be made of what is told of it; None: it cannot even be told."""
    try:
        return step_json(node["name"], node["kind"], **_told_of_step(node))
    except (EngineError, AttributeError, KeyError, TypeError):
        return None  # its signature is no signature yet


def _end_from(node: Json) -> Json | None:
    try:
        fields = node["fields"]
        extra = _without(node, END_KEYS) if node["kind"] == "output" else {}
        text, details = write_fields(fields), details_of(fields)
        return end_json(node["kind"], node["name"], text, details, extra)
    except (EngineError, AttributeError, KeyError, TypeError):
        return None


def _can_be_told(node: Json, made: Json | None) -> bool:
    """Whether what is made of the words is what there is."""
    if made is None:
        return False
    bare = {key: value for key, value in node.items() if key != "parts"}
    return essence(made) == essence(bare)


def _without(node: Json, keys: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in node.items() if key not in keys}


def _extra(edge: Json) -> dict[str, Any]:
    keys = frozenset({"id", "source", "source_field", "target", "target_field"})
    return _without(edge, keys)


def _place(item: Json) -> Any:
    position = item["position"]
    numbers = (position["x"], position["y"])
    if set(position) == {"x", "y"} and not any(isinstance(one, bool) for one in numbers):
        return numbers
    return position


def _check_ids(spec: Json, nodes: Mapping[str, Json]) -> None:
    if len(nodes) < len(spec["nodes"]):
        counts = Counter(node["id"] for node in spec["nodes"])
        (twice, _) = counts.most_common(1)[0]
        raise CodeError(f"Two nodes have the id “{shorten(twice)}”: rename or remove one.")
    for edge in spec["edges"]:
        gone = [edge[end] for end in ("source", "target") if edge[end] not in nodes]
        if gone:
            raise CodeError(
                f"A wire leads to a node that is not there ({shorten(gone[0])}): remove the wire."
            )
