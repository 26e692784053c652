"""Pipelines inside nodes: checked like every other, built as modules of the node."""

from __future__ import annotations

import asyncio
import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.errors import GraphError
from studio.engine.graph import VERSION, build, check, spec_hash
from studio.engine.graph.spec import MOST_DEEP, MOST_NODES
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.runtime import Runtime
from tests.engine.graph.test_graph import edit, field, json_values, node, wire
from tests.engine.modules.builders import answer_anything

AREA = "enum[a, b]"


def signature(inputs: dict[str, str], outputs: dict[str, str]) -> dict[str, Any]:
    """A signature as the canvas writes it."""
    return {
        "fields": [
            *(field(name, type_, "input") for name, type_ in inputs.items()),
            *(field(name, type_, "output") for name, type_ in outputs.items()),
        ],
        "instruction": "",
    }


def around(step: dict[str, Any], outputs: tuple[str, ...] = ()) -> dict[str, Any]:
    """A pipeline of one step, with its ports as its ends."""
    fields = step["signature"]["fields"]
    ins = [one for one in fields if one["role"] == "input"]
    outs = [one for one in fields if one["role"] == "output"]
    outs += [field(name, role="output") for name in outputs]
    return {
        "version": VERSION,
        "nodes": [
            node("given", "input", fields=[field(one["name"], one["type"]) for one in ins]),
            step,
            node("answer", "output", fields=[field(one["name"], one["type"]) for one in outs]),
        ],
        "edges": [
            *(wire("given", one["name"], step["id"], one["name"]) for one in ins),
            *(wire(step["id"], one["name"], "answer", one["name"]) for one in outs),
        ],
    }


def inner() -> dict[str, Any]:
    """message → area."""
    return around(
        node("classify", "predict", signature=signature({"message": "str"}, {"area": AREA}))
    )


def nested() -> dict[str, Any]:
    """A pipeline with a pipeline inside."""
    return around(
        node(
            "sort",
            "subpipeline",
            signature=signature({"message": "str", "hint": "str"}, {"area": AREA}),
            parts={"body": inner()},
        )
    )


def body(path: str, value: Any) -> Callable[[dict[str, Any]], None]:
    """A change of the pipeline inside `nested()`."""
    change: Callable[[dict[str, Any]], None] = edit(f"nodes.1.parts.body.{path}", value)
    return change


def test_a_pipeline_inside_is_built_and_its_predictors_have_paths() -> None:
    assert check(nested()) == ()
    program = build(nested())
    assert list(program.predictors) == ["sort.classify"]
    lm, other = ScriptedLM(answer_anything), ScriptedLM(answer_anything)
    inputs = {"message": "m", "hint": "h"}
    found = asyncio.run(program(inputs, Runtime(lm=lm, lms={"sort": other})))
    assert found.values == {"area": "a"}
    assert [step.path for step in found.steps] == ["sort.classify"]
    assert (len(lm.requests), len(other.requests)) == (0, 1)


def deep(levels: int) -> dict[str, Any]:
    """Pipelines in pipelines."""
    spec = inner()
    for _ in range(levels):
        step = node(
            "sort",
            "subpipeline",
            signature=signature({"message": "str"}, {"area": AREA}),
            parts={"body": spec},
        )
        spec = around(step)
    return spec


def test_pipelines_lie_in_each_other_so_deep_and_no_deeper() -> None:
    program = build(deep(MOST_DEEP))
    assert list(program.predictors) == [".".join(["sort"] * MOST_DEEP + ["classify"])]
    (problem,) = check(deep(MOST_DEEP + 1))
    assert (problem.code, problem.node) == ("too-large", "sort")
    assert f"{MOST_DEEP} deep" in problem.message
    assert len(check(deep(150))) == 1


def test_nodes_are_counted_over_all_levels() -> None:
    spec = nested()
    half = MOST_NODES // 2
    spec["nodes"] += [node(f"a{index}", "predict") for index in range(half)]
    spec["nodes"][1]["parts"]["body"]["nodes"] += [
        node(f"b{index}", "predict") for index in range(half)
    ]
    (problem,) = check(spec)
    assert problem.code == "too-large"


@pytest.mark.parametrize(
    ("change", "code", "says", "inside"),
    [
        (body("nodes.1.name", "Sort!"), "bad-name", "sort, body: “Sort!”", ("body", "classify")),
        (body("nodes.1.kind", "teleport"), "unknown-kind", "teleport", ("body", "classify")),
        (body("edges.0.source", "gone"), "unknown-node", "gone", ("body",)),
        (body("edges", []), "unconnected-input", "gets nothing", ("body", "classify")),
        (
            body("nodes.1.params", {"max_tokens": 0}),
            "bad-params",
            "sort, body: classify: Longest answer",
            ("body", "classify"),
        ),
        (body("version", 2), "bad-spec", "body: This pipeline is of version 2", ("body",)),
        (edit("nodes.1.parts.body", None), "bad-spec", "no pipeline", ("body",)),
        (edit("nodes.1.parts", []), "bad-spec", "parts must be pipelines", ()),
        (
            body("nodes.0.fields.+", field("mail")),
            "unknown-field",
            "sort, body: there is no “mail” to be given to it. It may take message, hint.",
            ("body",),
        ),
        (body("nodes.0.fields.0.type", "int"), "wrong-type", "cannot be filled", ("body",)),
        (
            edit("nodes.1.signature.fields.+", field("mood", role="output")),
            "missing-output",
            "sort, body: it must answer “mood”: add it to its output node.",
            ("body",),
        ),
        (body("nodes.2.fields.0.type", "str"), "wrong-type", "is of another type", ("body",)),
        (
            edit("nodes.1.parts.other", inner()),
            "unknown-part",
            "sort has no part “other”. Its parts are body.",
            ("other",),
        ),
        (
            edit("nodes.1.parts", {}),
            "missing-part",
            "sort is empty: draw its pipeline “body”.",
            ("body",),
        ),
        (edit("nodes.1.parts", ...), "missing-part", "draw its pipeline", ("body",)),
        (edit("nodes.1.kind", "predict"), "unknown-part", "It has none: remove it.", ("body",)),
    ],
)
def test_problems_inside_point_to_the_node_and_say_where(
    change: Any, code: str, says: str, inside: tuple[str, ...]
) -> None:
    spec = nested()
    change(spec)
    found = [problem for problem in check(spec) if problem.code == code]
    assert found, check(spec)
    assert any(
        says in problem.message and problem.inside == inside and problem.node == "sort"
        for problem in found
    ), found
    with pytest.raises(GraphError) as error:
        build(spec)
    json.dumps([problem.to_dict() for problem in error.value.problems])


def test_a_problem_two_levels_down_says_the_whole_way() -> None:
    spec = deep(2)
    lowest = spec["nodes"][1]["parts"]["body"]["nodes"][1]["parts"]["body"]
    lowest["nodes"][1]["params"] = {"max_tokens": 0}
    (problem,) = check(spec)
    assert problem.inside == ("body", "sort", "body", "classify")
    assert problem.message.startswith("sort, body: sort, body: classify: Longest answer")
    assert problem.to_dict()["inside"] == list(problem.inside)


def test_an_input_that_has_a_default_needs_neither_wire_nor_source() -> None:
    spec = nested()
    spec["nodes"][1]["parts"]["body"]["nodes"][0]["fields"].append(
        {**field("style"), "default": "plain"}
    )
    fields = spec["nodes"][1]["signature"]["fields"]
    fields.insert(0, {**field("tone", role="input"), "default": "calm"})
    assert check(spec) == ()
    found = asyncio.run(
        build(spec)({"message": "m", "hint": "h"}, Runtime(lm=ScriptedLM(answer_anything)))
    )
    assert found.values == {"area": "a"}


def test_what_only_the_module_knows_is_told_by_the_check() -> None:
    spec = around(
        node(
            "route",
            "router",
            signature=signature({"message": "str"}, {"area": AREA}),
            params={"cases": ["one", "two"]},
            parts={"one": inner()},
        ),
        outputs=("route",),
    )
    (problem,) = check(spec)
    assert (problem.code, problem.node) == ("bad-signature", "route")
    assert "draw “two”, or “otherwise”" in problem.message
    spec["nodes"][1]["parts"]["otherwise"] = inner()
    assert check(spec) == ()
    assert list(build(spec).predictors) == [
        "route.route",
        "route.one.classify",
        "route.otherwise.classify",
    ]


def test_wrong_code_of_a_step_is_told_by_the_check() -> None:
    spec = around(
        node(
            "sure",
            "constraint",
            signature=signature({"message": "str"}, {"area": AREA}),
            params={"check": "len("},
        )
    )
    (problem,) = check(spec)
    assert problem.code == "bad-params"
    assert "no Python" in problem.message


def test_the_hash_knows_parts_and_not_where_they_lie() -> None:
    plain, moved, told = nested(), nested(), nested()
    inside = moved["nodes"][1]["parts"]["body"]
    inside["nodes"].reverse()
    inside["nodes"][0]["position"] = {"x": 99, "y": 1}
    for wire_ in inside["edges"]:
        wire_["id"] += "x"
    told["nodes"][1]["parts"]["body"]["nodes"][1]["signature"]["instruction"] = "Sort."
    assert spec_hash(moved) == spec_hash(plain)
    assert spec_hash(told) != spec_hash(plain)


def test_no_parts_are_as_good_as_an_empty_list_of_them() -> None:
    plain, empty = inner(), inner()
    empty["nodes"][1]["parts"] = {}
    assert spec_hash(plain) == spec_hash(empty)
    assert check(empty) == ()


@given(json_values, st.sampled_from(["parts", "parts.body", "parts.body.nodes", "params"]))
def test_no_json_inside_makes_the_check_raise(value: Any, place: str) -> None:
    spec = copy.deepcopy(nested())
    edit(f"nodes.1.{place}", value)(spec)
    assert isinstance(check(spec), tuple)
