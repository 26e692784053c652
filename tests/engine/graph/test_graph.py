"""A spec is checked with sentences, and builds the program that was drawn."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.errors import EngineError, GraphError
from studio.engine.graph import NODE_KINDS, build, check, empty_spec, spec_hash
from studio.engine.graph.spec import MOST_NODES


def node(id_: str, kind: str, **more: Any) -> dict[str, Any]:
    """A node at the origin."""
    return {"id": id_, "kind": kind, "name": id_, "position": {"x": 0, "y": 0}, **more}


def field(name: str, type_: str = "str", role: str = "") -> dict[str, str]:
    """A field as the canvas writes it."""
    found = {"name": name, "type": type_, "description": ""}
    return {**found, "role": role} if role else found


def wire(source: str, source_field: str, target: str, target_field: str) -> dict[str, str]:
    """A wire between two fields."""
    return {
        "id": f"{source}.{source_field}-{target}.{target_field}",
        "source": source,
        "source_field": source_field,
        "target": target,
        "target_field": target_field,
    }


def two_steps() -> dict[str, Any]:
    """message → problem → area."""
    plan = {"fields": [field("message", role="input"), field("problem", role="output")]}
    classify = {
        "fields": [field("problem", role="input"), field("area", "enum[a, b]", role="output")],
        "instruction": "Choose.",
    }
    return {
        "version": 1,
        "nodes": [
            node("given", "input", fields=[field("message")]),
            node("plan", "chain_of_thought", signature=plan),
            node("classify", "predict", signature=classify, params={"max_tokens": 8}),
            node("answer", "output", fields=[field("area", "enum[a, b]")]),
        ],
        "edges": [
            wire("given", "message", "plan", "message"),
            wire("plan", "problem", "classify", "problem"),
            wire("classify", "area", "answer", "area"),
        ],
    }


def test_a_good_spec_has_no_problems_and_builds() -> None:
    assert check(two_steps()) == ()
    program = build(two_steps())
    assert {path: str(signature) for path, signature in program.predictors.items()} == {
        "plan": "message -> reasoning, problem",
        "classify": "problem -> area: enum[a, b]",
    }
    assert program.candidate().states["classify"].instruction == "Choose."


def test_an_empty_canvas_says_what_to_do() -> None:
    assert {problem.code for problem in check(empty_spec())} == {"no-fields"}
    with pytest.raises(GraphError, match="has no fields yet"):
        build(empty_spec())


def edit(path: str, value: Any) -> Any:
    """A change of `two_steps()` at a dotted path; `...` deletes."""

    def change(spec: dict[str, Any]) -> None:
        *way, last = (int(part) if part.isdigit() else part for part in path.split("."))
        place: Any = spec
        for part in way:
            place = place[part]
        if value is ...:
            del place[last]
        elif last == "+":
            place.append(value)
        else:
            place[last] = value

    return change


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (edit("version", 99), "bad-spec", "version 99"),
        (edit("version", "1"), "bad-spec", "version"),
        (edit("nodes", {}), "bad-spec", "list of nodes"),
        (edit("nodes.0.position", {"x": float("nan"), "y": 0}), "bad-spec", "position"),
        (edit("nodes.1.name", 3), "bad-spec", "name"),
        (edit("nodes.1.params", []), "bad-spec", "params"),
        (edit("edges.0.source", ...), "bad-spec", "wire"),
        (edit("nodes.1.kind", "exec"), "unknown-kind", "exec"),
        (edit("nodes.1.name", "<b>x</b>"), "bad-name", "<b>"),
        (edit("nodes.1.name", "classify"), "duplicate-name", "rename"),
        (edit("nodes.+", node("plan", "output", fields=[])), "duplicate-id", "plan"),
        (edit("nodes.0", node("x", "predict")), "no-input", "no input"),
        (edit("nodes.3", node("x", "predict")), "no-output", "no output"),
        (edit("nodes.+", node("i2", "input", fields=[field("a")])), "two-inputs", "second"),
        (edit("nodes.+", node("o2", "output", fields=[field("a")])), "two-outputs", "second"),
        (edit("nodes.0.fields", []), "no-fields", "no fields"),
        (edit("nodes.0.fields.+", field("message")), "bad-signature", "twice"),
        (edit("nodes.0.fields.+", field("a", "nope")), "bad-signature", "nope"),
        (edit("nodes.2.signature", ...), "bad-signature", "no signature"),
        (edit("edges.0.source", "gone"), "unknown-node", "gone"),
        (edit("edges.0.source_field", "gone"), "unknown-field", "gone"),
        (edit("edges.+", wire("given", "message", "classify", "problem")), "two-wires", "two"),
        (edit("nodes.3.fields.0.type", "int"), "wrong-type", "does not fit"),
        (edit("edges.0", wire("plan", "problem", "plan", "message")), "cycle", "circle"),
        (edit("edges.1", wire("given", "message", "answer", "area")), "unconnected-input", "wire"),
    ],
)
def test_every_mistake_has_a_code_and_a_sentence(change: Any, code: str, says: str) -> None:
    spec = copy.deepcopy(two_steps())
    change(spec)
    found = [problem for problem in check(spec) if problem.code == code]
    assert found, [problem.code for problem in check(spec)]
    assert any(says in problem.message for problem in found)
    with pytest.raises(GraphError):
        build(spec)


def test_a_step_that_nobody_uses_is_told() -> None:
    spec = two_steps()
    spec["nodes"].append(
        node(
            "idle",
            "predict",
            signature={"fields": [field("m", role="input"), field("o", role="output")]},
        )
    )
    spec["edges"].append(wire("given", "message", "idle", "m"))
    assert [problem.code for problem in check(spec)] == ["unreachable"]


def test_too_many_nodes_are_refused_before_they_are_read() -> None:
    spec = two_steps()
    spec["nodes"] = [node(f"n{index}", "predict") for index in range(MOST_NODES + 1)]
    assert [problem.code for problem in check(spec)] == ["too-large"]


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=10,
)


@given(json_values, st.sampled_from(["", "nodes", "edges", "nodes.0", "nodes.1.signature"]))
def test_no_json_makes_the_check_raise(value: Any, place: str) -> None:
    spec: Any = two_steps()
    if place:
        edit(place, value)(spec)
    else:
        spec = value
    assert isinstance(check(spec), tuple)


def test_parameters_are_checked() -> None:
    spec = two_steps()
    spec["nodes"][2]["params"] = {"max_tokens": 0}
    with pytest.raises(EngineError, match="Longest answer"):
        build(spec)
    spec["nodes"][2]["params"] = {"shell": "rm"}
    with pytest.raises(EngineError, match="no parameter"):
        build(spec)


def test_positions_do_not_change_the_hash_and_instructions_do() -> None:
    moved, told = two_steps(), two_steps()
    moved["nodes"][1]["position"] = {"x": 9, "y": 9}
    moved["nodes"].reverse()
    told["nodes"][2]["signature"]["instruction"] = "Choose well."
    assert spec_hash(moved) == spec_hash(two_steps())
    assert spec_hash(told) != spec_hash(two_steps())


def test_every_kind_has_a_title_and_a_sentence() -> None:
    for kind in NODE_KINDS.values():
        assert kind.title
        assert kind.summary.endswith(".")
