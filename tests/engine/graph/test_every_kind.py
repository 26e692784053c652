"""One pipeline with a node of every kind: drawn, built, run and compiled."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.compilers import CompileTask, compile_program
from studio.engine.compilers.events import CandidateMade
from studio.engine.evaluation import MemoryLedger
from studio.engine.example import Candidate, Example
from studio.engine.graph import VERSION, build, check
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.metrics import make_metric
from studio.engine.modules import MODULES
from studio.engine.modules.base import Module
from studio.engine.modules.subpipeline import Subpipeline
from studio.engine.program import INPUT
from studio.engine.runtime import Runtime
from studio.engine.trace import Prediction
from tests.engine.graph.test_graph import field, json_values, node, wire
from tests.engine.modules.builders import CASES, Case

CASE: Mapping[str, Case] = {kind: make() for kind, make in CASES.items()}


def drawn(part: Module) -> dict[str, Any]:
    """The spec of a part that is made of Predicts."""
    assert isinstance(part, Subpipeline)
    program = part.program
    nodes = [
        node("given", "input", fields=[field.to_dict() for field in program.inputs]),
        node("answer", "output", fields=[field.to_dict() for field in program.outputs]),
    ]
    edges = []
    for place in (place for layer in program.layers for place in layer):
        signature = place.module.signature.to_dict()
        nodes.append(node(place.name, "predict", signature=signature))
        for name, source in place.wires.items():
            start = "given" if source.node == INPUT else source.node
            edges.append(wire(start, source.field, place.name, name))
    for name, source in program.wires.items():
        edges.append(wire(source.node, source.field, "answer", name))
    return {"version": VERSION, "nodes": nodes, "edges": edges}


def everything() -> dict[str, Any]:
    """Each kind beside the others, with inputs and outputs of its own."""
    nodes, edges = [], []
    inputs, outputs = [], []
    for kind, case in CASE.items():
        parts = {name: drawn(part) for name, part in case.parts.items()}
        nodes.append(
            node(
                kind,
                kind,
                signature=case.signature.to_dict(),
                params=dict(case.params),
                parts=parts,
            )
        )
        ports = MODULES[kind].ports(case.signature)
        for port in ports.inputs:
            inputs.append({**port.to_dict(), "name": f"{kind}_{port.name}"})
            edges.append(wire("given", f"{kind}_{port.name}", kind, port.name))
        for port in ports.outputs:
            outputs.append({**port.to_dict(), "name": f"{kind}_{port.name}"})
            edges.append(wire(kind, port.name, "answer", f"{kind}_{port.name}"))
    ends = [node("given", "input", fields=inputs), node("answer", "output", fields=outputs)]
    return {"version": VERSION, "nodes": [*ends, *nodes], "edges": edges}


def good_inputs() -> dict[str, Any]:
    """Good inputs for all of them."""
    return {
        f"{kind}_{name}": value
        for kind, case in CASE.items()
        for name, value in case.inputs.items()
    }


def runtime() -> Runtime:
    """What each of them needs, together; each has an LM of its own, and none the common one."""
    own = {kind: case.runtime(ScriptedLM([])) for kind, case in CASE.items()}
    return Runtime(
        lm=ScriptedLM([]),
        lms={kind: ScriptedLM(case.answer) for kind, case in CASE.items()},
        tools={name: tool for one in own.values() for name, tool in one.tools.items()},
        retrievers={name: found for one in own.values() for name, found in one.retrievers.items()},
        embedder=next((one.embedder for one in own.values() if one.embedder), None),
        sandbox=next(one.sandbox for one in own.values() if one.sandbox),
    )


def test_every_kind_is_drawn() -> None:
    assert set(CASE) == set(MODULES), "Add a builder to tests/engine/modules/builders.py."


def test_it_builds_and_its_predictors_stand_below_their_nodes() -> None:
    assert check(everything()) == ()
    program = build(everything())
    for kind, case in CASE.items():
        below = [
            path.removeprefix(kind).removeprefix(".")
            for path in program.predictors
            if path.partition(".")[0] == kind
        ]
        assert below == list(case.module.predictors())


def test_it_runs_and_every_step_stands_below_its_node() -> None:
    program = build(everything())

    async def run() -> Prediction:
        made = runtime()
        try:
            return await program(good_inputs(), made)
        finally:
            assert made.sandbox is not None
            await made.sandbox.aclose()

    found = asyncio.run(run())
    assert set(found.values) == {field.name for field in program.outputs}
    assert {step.path.partition(".")[0] for step in found.steps} <= set(CASE)
    asked = {step.path for step in found.steps if step.usage.calls}
    assert asked <= set(program.predictors)


@pytest.mark.parametrize("compiler", ["bootstrap", "labeled"])
def test_it_compiles_and_every_predictor_that_ran_gets_its_demos(compiler: str) -> None:
    """Labels for the nodes are in columns, those of steps inside come from traces."""
    program = build(everything())

    def example(number: int) -> Example:
        values = {**good_inputs(), "predict_message": f"message {number}", "predict_area": "a"}
        return Example({**values, "predict_count": 3, "predict_notes": ["fine"]})

    async def run() -> list[Candidate]:
        made = runtime()
        task = CompileTask(
            program=program,
            train=[example(number) for number in range(6)],
            dev=[example(number) for number in range(10, 13)],
            test=[example(number) for number in range(20, 24)],
            metric=make_metric("exact_match", {"field": "predict_area"}),
            runtime=made,
            ledger=MemoryLedger(),
            compiler=compiler,
            params={"max_labeled": 1} | ({"max_bootstrapped": 2} if compiler != "labeled" else {}),
        )
        try:
            return [
                event.candidate
                async for event in compile_program(task)
                if isinstance(event, CandidateMade)
            ]
        finally:
            assert made.sandbox is not None
            await made.sandbox.aclose()

    made = asyncio.run(run())[-1]
    demos = {path: state.demos for path, state in made.states.items()}
    assert [demo.values["count"] for demo in demos["predict"] if not demo.bootstrapped] == [3]
    if compiler == "labeled":
        return
    for path in ("branch.yes.step2", "map.step", "router.billing.step1", "constraint.step"):
        assert [demo.bootstrapped for demo in demos[path]].count(True) == 2, path
    assert demos["branch.otherwise.step1"] == ()
    applied = program.apply(made)
    assert applied.candidate() == made


def test_an_lm_may_be_set_for_a_step_deep_inside() -> None:
    program = build(everything())
    mine = ScriptedLM(CASE["branch"].answer)

    async def run() -> None:
        made = runtime()
        try:
            await program(good_inputs(), replace(made, lms={**made.lms, "branch.yes.step2": mine}))
        finally:
            assert made.sandbox is not None
            await made.sandbox.aclose()

    asyncio.run(run())
    assert len(mine.requests) == 1


PARAMS = [
    (kind.name, field.name)
    for kind in MODULES.values()
    for field in dataclasses.fields(kind.params)
]


@given(
    st.sampled_from(PARAMS),
    json_values | st.text(alphabet="{}[]().:=*#\n\0 abcdef_\ud800'\"", max_size=40),
)
def test_no_parameter_makes_the_check_raise(place: tuple[str, str], value: Any) -> None:
    kind, name = place
    spec = everything()
    (step,) = (node for node in spec["nodes"] if node["name"] == kind)
    step["params"] = {**step["params"], name: value}
    assert {problem.node for problem in check(spec)} <= {kind}


@given(
    st.sampled_from(list(MODULES)),
    st.lists(
        st.sampled_from(
            ["str", "int", "bool", "list[str]", "enum[a, b]", "object", "optional[bool]", "tool"]
        ),
        min_size=2,
        max_size=5,
    ),
    st.integers(1, 4),
)
def test_no_signature_makes_the_check_raise(kind: str, types: list[str], inputs: int) -> None:
    spec = everything()
    (step,) = (node for node in spec["nodes"] if node["name"] == kind)
    step["signature"] = {
        "fields": [
            field(f"f{number}", type_, "input" if number < inputs else "output")
            for number, type_ in enumerate(types)
        ]
    }
    assert isinstance(check(spec), tuple)
