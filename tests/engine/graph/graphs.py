"""Any drawing, finished or not: what property tests of the canvas document draw from."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from studio.engine.graph import VERSION
from studio.engine.modules import MODULES
from tests.engine.strategies import JSON_VALUES, NAMES, TEXTS, TRICKY, types

Json = dict[str, Any]

ODD_NAMES = st.sampled_from(
    ["", " ", "Sort mail", "class", "import", "2nd", "größer", "_x", "a.b", 'a"b', "a, b"]
) | st.sampled_from(
    ["at", "params", "given", "self", "wires", "pipeline", "Drawing", "program", "__class__"]
)
"""Names that a drawing may hold while it is unfinished, and that code may stumble over."""
WHOLE = st.integers(-5_000, 5_000)
POSITIONS: SearchStrategy[Json] = st.fixed_dictionaries(
    {"x": WHOLE, "y": WHOLE}
) | st.fixed_dictionaries({"x": st.floats(-1e12, 1e12), "y": st.floats(-1e3, 1e3)})
PLAIN_TYPES = st.sampled_from(["str", "int", "bool", "list[str]", "enum[a, b]", "optional[str]"])
TYPES = (
    PLAIN_TYPES
    | types().map(str)
    | st.sampled_from(["", "list[", "enum[", "Literal['a', \"b\"]", " str ", "a -> b", "x, y"])
)
OBJECTS = st.dictionaries(NAMES, JSON_VALUES, max_size=2)
CONSTRAINTS = st.sampled_from(
    [{"min": 1}, {"max": 2.5, "min": -1}, {"pattern": "^\\d+$"}, {"min_length": 0}, {"odd": None}]
)


@cache
def specs(odd: bool = True, depth: int = 2) -> SearchStrategy[Json]:
    """Any spec with nodes of all kinds, notes, and pipelines inside of nodes.

    `odd` ones hold what no finished drawing does: names twice, kinds of no name, wires in circles
    and into nowhere, keys that nobody knows.
    """
    return _specs(odd, depth)


@st.composite
def _specs(draw: st.DrawFn, odd: bool, depth: int) -> Json:
    names = _names(draw, odd)
    nodes = [_end(draw, "input", odd)] if draw(_mostly(odd)) else []
    nodes += [_step(draw, name, odd, depth) for name in names]
    nodes += [_end(draw, "output", odd)] if draw(_mostly(odd)) else []
    if odd and nodes and draw(st.integers(0, 9)) == 0:
        nodes += [_end(draw, draw(st.sampled_from(["input", "output"])), odd)]
    nodes = draw(st.permutations(nodes)) if draw(st.booleans()) else nodes
    prefix = draw(st.sampled_from(["n", "node-", "ä "]))
    nodes = [{"id": f"{prefix}{at}", **node} for at, node in enumerate(nodes)]
    spec: Json = {"version": VERSION, "nodes": nodes, "edges": _edges(draw, nodes, odd)}
    notes: list[tuple[str, Json]] = draw(st.lists(st.tuples(TEXTS, POSITIONS), max_size=2))
    named = draw(st.booleans())
    if notes or named:
        spec["notes"] = [
            {"id": f"t{at}", "text": text, "position": position}
            for at, (text, position) in enumerate(notes)
        ]
    if odd and draw(st.integers(0, 9)) == 0:
        spec["future"] = draw(JSON_VALUES)
    return spec


def _names(draw: st.DrawFn, odd: bool) -> list[str]:
    names = draw(st.lists(NAMES, max_size=4, unique=True))
    if odd:
        names += draw(st.lists(ODD_NAMES, max_size=2))
        names += names[:1] if draw(st.integers(0, 4)) == 0 else []
    return names


def _mostly(odd: bool) -> SearchStrategy[bool]:
    return st.integers(0, 9).map(bool) if odd else st.just(True)


def _end(draw: st.DrawFn, kind: str, odd: bool) -> Json:
    name = draw(st.sampled_from([kind, kind, "given", "answer"]))
    return {
        "kind": kind,
        "name": name,
        "position": draw(POSITIONS),
        "fields": _fields(draw, odd, 0),
        **_more(draw, odd),
    }


def _step(draw: st.DrawFn, name: str, odd: bool, depth: int) -> Json:
    kind = draw(st.sampled_from(list(MODULES)))
    node: Json = {"kind": kind, "name": name, "position": draw(POSITIONS)}
    if odd and draw(st.integers(0, 9)) == 0:
        node["kind"] = draw(st.sampled_from(["", "from-a-package", "two words"]))
        return node | draw(OBJECTS)
    signature = {"fields": _fields(draw, odd, 1), "instruction": draw(TEXTS)}
    node |= {"signature": signature, "params": draw(OBJECTS), "module": draw(_rarely("saved"))}
    if odd and draw(st.integers(0, 9)) == 0:
        node["signature"] = draw(JSON_VALUES)
    node |= {key: value for key, value in (("lm", draw(_rarely("clever"))),) if value}
    demos = draw(st.lists(OBJECTS, max_size=2))
    node |= {"demos": demos} if demos else {}
    if depth and draw(st.integers(0, 3)) == 0:
        inside = st.dictionaries(
            st.sampled_from(["body", "yes", "otherwise", "not a name"]),
            specs(odd, depth - 1),
            min_size=1,
            max_size=2,
        )
        node["parts"] = draw(inside)
    if odd and draw(st.integers(0, 9)) == 0:
        del node[draw(st.sampled_from(["signature", "params", "module"]))]
    return node | _more(draw, odd)


def _rarely(text: str) -> SearchStrategy[str]:
    return st.sampled_from(["", "", "", text])


def _more(draw: st.DrawFn, odd: bool) -> Json:
    if odd and draw(st.integers(0, 9)) == 0:
        return {"extra": draw(JSON_VALUES), "colour": "red"}
    return {}


def _fields(draw: st.DrawFn, odd: bool, least: int) -> list[Json]:
    names = draw(st.lists(NAMES, min_size=2 * least, max_size=4, unique=True))
    names += [draw(ODD_NAMES)] if odd and draw(st.integers(0, 4)) == 0 else []
    return [_field(draw, name, odd, bool(least), at) for at, name in enumerate(names)]


def _field(draw: st.DrawFn, name: str, odd: bool, role: bool, at: int) -> Json:
    field: Json = {"name": name}
    if role:
        rest = draw(st.sampled_from(["input", "output"]))
        field["role"] = {0: "input", 1: "output"}.get(at, rest)
    field["type"] = draw(TYPES if odd else PLAIN_TYPES)
    field["description"] = draw(st.just("") | TRICKY)
    if odd and draw(st.integers(0, 5)) == 0:
        field["constraints"] = draw(CONSTRAINTS)
    if odd and draw(st.integers(0, 5)) == 0:
        field["default"] = draw(JSON_VALUES)
    return field


def _edges(draw: st.DrawFn, nodes: list[Json], odd: bool) -> list[Json]:
    sources = [(node["id"], name) for node in nodes for name in _ports(node, "output")]
    targets = [(node["id"], name) for node in nodes for name in _ports(node, "input")]
    if not sources or not targets:
        return []
    pairs = draw(
        st.lists(st.tuples(st.sampled_from(sources), st.sampled_from(targets)), max_size=8)
    )
    edges = []
    for at, ((source, field), (target, into)) in enumerate(pairs):
        if odd and draw(st.integers(0, 9)) == 0:
            into = draw(ODD_NAMES)
        edge = {
            "id": f"e{at}",
            "source": source,
            "source_field": field,
            "target": target,
            "target_field": into,
        }
        edges.append({**edge, "label": "x"} if odd and draw(st.integers(0, 19)) == 0 else edge)
    return edges


def _ports(node: Json, role: str) -> list[str]:
    if node["kind"] in ("input", "output"):
        wanted = {"input": "output", "output": "input"}[node["kind"]]
        fields = node["fields"] if role == wanted else []
    else:
        signature = node.get("signature")
        fields = signature.get("fields", []) if isinstance(signature, dict) else []
        if not isinstance(fields, list):
            return []
        fields = [one for one in fields if isinstance(one, dict) and one.get("role") == role]
    return [field["name"] for field in fields if isinstance(field.get("name"), str)]
