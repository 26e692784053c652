"""Whatever is done to a drawing, it stays one."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.engine.errors import EngineError, GraphError
from studio.engine.fields import CONVERTERS
from studio.engine.graph import NODE_KINDS, check, edits
from studio.engine.graph.edits import Spec
from studio.engine.graph.shape import shape_problem
from tests.builders import make_spec

NAMES = st.sampled_from(["a", "b", "sort", "output", "Bad Name", "", "x" * 70])
TYPES = st.sampled_from(["str", "int", "list[str]", "enum[a, b]", "bool", "optional[str]", "no"])
SIDES = st.lists(st.tuples(NAMES, TYPES), min_size=0, max_size=3).map(
    lambda fields: ", ".join(f"{name}: {type_}" for name, type_ in fields)
)
LINES = st.one_of(SIDES, st.tuples(SIDES, SIDES).map(" -> ".join), st.text(max_size=20))


class Draw:
    """Picks out of what a level holds, and now and then something that it does not."""

    def __init__(self, data: st.DataObject, level: Spec) -> None:
        self.data = data
        self.level = level

    def of(self, strategy: st.SearchStrategy[Any]) -> Any:
        return self.data.draw(strategy)

    def node(self) -> str:
        ids = [node["id"] for node in self.level["nodes"]]
        return str(self.of(st.sampled_from([*ids, "nobody"])))

    def nodes(self) -> list[str]:
        return list({self.node() for _ in range(self.of(st.integers(0, 3)))})

    def field(self, id_: str) -> str:
        rows = [r for n in self.level["nodes"] if n["id"] == id_ for r in edits.rows_of(n)]
        return str(self.of(st.sampled_from([*(row.name for row in rows), "nothing"])))

    def wire(self) -> tuple[str, str, str, str]:
        source, target = self.node(), self.node()
        return source, self.field(source), target, self.field(target)


def _one_field(level: Spec, draw: Draw) -> Spec:
    node = draw.node()
    return edits.set_constraints(level, node, draw.field(node), {"max_length": 3}, "long text")


EDITS: dict[str, Callable[[Spec, Draw], Spec]] = {
    "add": lambda s, d: edits.add_node(
        s, d.of(st.sampled_from([*NODE_KINDS, "magic"])), d.of(NAMES), after=d.node()
    ),
    "remove": lambda s, d: edits.remove_nodes(s, d.nodes()),
    "rename": lambda s, d: edits.rename(s, d.node(), d.of(NAMES)),
    "kind": lambda s, d: edits.set_kind(s, d.node(), d.of(st.sampled_from([*NODE_KINDS]))),
    "duplicate": lambda s, d: edits.duplicate(s, d.nodes()),
    "signature": lambda s, d: edits.set_signature_text(s, d.node(), d.of(LINES)),
    "fields": lambda s, d: edits.set_fields_text(s, d.node(), d.of(LINES)),
    "constraints": _one_field,
    "instruction": lambda s, d: edits.set_instruction(s, d.node(), d.of(st.text(max_size=9))),
    "lm": lambda s, d: edits.set_lm(s, d.node(), d.of(st.sampled_from(["", "small"]))),
    "demos": lambda s, d: edits.set_demos(s, d.node(), [{"a": 1}] * d.of(st.integers(0, 60))),
    "connect": lambda s, d: edits.connect(s, *d.wire()),
    "convert": lambda s, d: edits.insert_converter(
        s, *d.wire(), d.of(st.sampled_from([*CONVERTERS]))
    ),
    "disconnect": lambda s, d: edits.disconnect(s, *d.wire()[2:]),
    "expose": lambda s, d: edits.expose(s, *d.wire()[:2]),
    "move": lambda s, d: edits.move(s, d.nodes(), d.of(st.sampled_from(["left", "up", "off"]))),
    "tidy": lambda s, d: edits.tidy(s),
    "group": lambda s, d: edits.group(s, d.nodes(), d.of(NAMES)),
    "ungroup": lambda s, d: edits.ungroup(s, d.node()),
    "part": lambda s, d: edits.add_part(s, d.node(), d.of(st.sampled_from(["body", "otherwise"]))),
    "unpart": lambda s, d: edits.remove_part(s, d.node(), "body"),
    "note": lambda s, d: edits.add_note(s, d.of(st.text(max_size=5))),
    "unnote": lambda s, d: edits.remove_note(s, "t1"),
}


def _edit(level: Spec, *, name: str, data: st.DataObject) -> Spec:
    return EDITS[name](level, Draw(data, level))


def ways(spec: Spec, at: edits.At = ()) -> list[edits.At]:
    """The way to every level."""
    inside = [
        way
        for node in spec["nodes"]
        for name, part in node.get("parts", {}).items()
        for way in ways(part, (*at, (node["id"], name)))
    ]
    return [at, *inside]


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_whatever_is_done_to_it_a_drawing_stays_one(data: st.DataObject) -> None:
    spec: Spec = make_spec()
    for _ in range(data.draw(st.integers(1, 12))):
        at = data.draw(st.sampled_from(ways(spec)))
        name = data.draw(st.sampled_from(sorted(EDITS)))
        original, before = spec, copy.deepcopy(spec)
        with contextlib.suppress(EngineError):
            spec = edits.change_at(spec, at, partial(_edit, name=name, data=data))
        assert original == before
        assert shape_problem(spec) is None
        check(spec)
        for way in ways(spec):
            level = edits.level_at(spec, way)
            for kind in ("nodes", "edges", "notes"):
                ids = [item["id"] for item in level.get(kind, [])]
                assert len(ids) == len(set(ids)), kind
            known = {node["id"] for node in level["nodes"]}
            assert all({edge["source"], edge["target"]} <= known for edge in level["edges"])
            names = [node["name"] for node in level["nodes"]]
            assert len(names) == len(set(names))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["plan", "write", "check"]), min_size=1, unique=True))
def test_a_group_that_may_be_made_comes_apart_into_the_same_program(chosen: list[str]) -> None:
    spec = make_spec()
    after = "n2"
    for name in ("plan", "write", "check"):
        spec = edits.add_node(spec, "predict", name, after=after)
        after = spec["nodes"][-1]["id"]
        spec = edits.expose(spec, after, "answer")
    assert check(spec) == ()
    ids = [node["id"] for node in spec["nodes"] if node["name"] in chosen]
    if set(chosen) == {"plan", "check"}:
        with pytest.raises(GraphError, match="write lies between"):
            edits.group(spec, ids)
        return
    grouped = edits.group(spec, ids)
    assert check(grouped) == ()
    apart = edits.ungroup(grouped, grouped["nodes"][-1]["id"])
    assert check(apart) == ()
    assert len(apart["edges"]) == len(spec["edges"])
