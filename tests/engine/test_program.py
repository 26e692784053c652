"""A program: modules in layers, with paths, states and failures."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from studio.engine.errors import InputError, LMTimeout
from studio.engine.example import Candidate
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Usage
from studio.engine.modules import Predict
from studio.engine.modules.base import WithoutLM
from studio.engine.program import INPUT, Node, Program, Wire
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.trace import Prediction, Step

SIGNATURE = Signature.parse("message -> answer")
RUNTIME = Runtime(lm=ScriptedLM([]))


@dataclass(frozen=True)
class Says(WithoutLM):
    """Answers a text, after a while; keeps what it was asked, and at which path."""

    text: str
    after_s: float = 0.0
    fails: Exception | None = None
    shows: bool = False
    signature: Signature = SIGNATURE
    log: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        await asyncio.sleep(self.after_s)
        self.log.append((path, inputs))
        if self.fails:
            raise self.fails
        step = Step(
            path=path,
            inputs=inputs,
            outputs={"answer": self.text},
            prompt="",
            answer="",
            scores={},
            usage=Usage(),
        )
        return Prediction({"answer": self.text}, (step,) if self.shows else ())


def side_by_side(*modules: Says) -> Program:
    """All in one layer; the last one's answer is the program's."""
    nodes = tuple(
        Node(f"n{number}", module, {"message": Wire(INPUT, "message")})
        for number, module in enumerate(modules)
    )
    signature = modules[0].signature
    last = Wire(nodes[-1].name, "answer")
    return Program(signature.inputs, signature.outputs, (nodes,), {"answer": last})


def run(program: Program, path: str = "", **inputs: Any) -> Prediction:
    """One call."""
    return asyncio.run(program(inputs, RUNTIME, path))


def test_others_inputs_are_not_looked_at() -> None:
    module = Says("yes")
    assert run(Program.of(module), message="m", strange=object()).values == {"answer": "yes"}
    assert module.log == [("predict", {"message": "m"})]


def test_a_missing_input_is_named_before_anything_runs() -> None:
    module = Says("yes")
    with pytest.raises(InputError, match="“message” is missing"):
        run(Program.of(module))
    assert module.log == []


def test_paths_begin_with_where_the_program_stands() -> None:
    module = Says("yes")
    run(Program.of(module, "one"), path="outer.here", message="m")
    assert [path for path, _ in module.log] == ["outer.here.one"]


def test_steps_of_a_layer_run_at_the_same_time() -> None:
    modules = [Says(str(number), after_s=0.05) for number in range(10)]
    loop = asyncio.new_event_loop()
    start = loop.time()
    try:
        found = loop.run_until_complete(side_by_side(*modules)({"message": "m"}, RUNTIME))
        assert loop.time() - start < 0.4
    finally:
        loop.close()
    assert found.values == {"answer": "9"}


def chains(*chains: tuple[Says, Says]) -> Program:
    """Pairs side by side: the second of each takes what the first answers."""
    firsts = [
        Node(f"a{number}", first, {"message": Wire(INPUT, "message")})
        for number, (first, _) in enumerate(chains)
    ]
    seconds = [
        Node(f"b{number}", second, {"message": Wire(f"a{number}", "answer")})
        for number, (_, second) in enumerate(chains)
    ]
    outputs = tuple(
        replace(SIGNATURE.outputs[0], name=f"answer_{number}") for number in range(len(chains))
    )
    wires = {
        field.name: Wire(node.name, "answer") for field, node in zip(outputs, seconds, strict=True)
    }
    return Program(SIGNATURE.inputs, outputs, (tuple(firsts), tuple(seconds)), wires)


def test_a_step_waits_for_what_it_takes_and_for_nothing_else() -> None:
    order: list[tuple[str, Mapping[str, Any]]] = []
    slow = (Says("slow", after_s=0.1, log=order), Says("end", log=order))
    quick = (Says("quick", log=order), Says("done", log=order))
    found = run(chains(slow, quick), message="m")
    assert found.values == {"answer_0": "end", "answer_1": "done"}
    assert [path for path, _ in order] == ["a1", "b1", "a0", "b0"]
    assert order[1][1] == {"message": "quick"}


def test_steps_stand_in_the_order_of_the_layers_whichever_was_first() -> None:
    late = (Says("late", after_s=0.05, shows=True), Says("x", shows=True))
    soon = (Says("soon", shows=True), Says("y", shows=True))
    found = run(chains(late, soon), message="m")
    assert [step.path for step in found.steps] == ["a0", "a1", "b0", "b1"]


def test_what_waits_for_a_failure_does_not_run() -> None:
    log: list[tuple[str, Mapping[str, Any]]] = []
    broken = LMTimeout("Too late.")
    with pytest.raises(LMTimeout) as error:
        run(
            chains(
                (Says("", fails=broken, log=log), Says("never", log=log)),
                (Says("slow", after_s=60.0, log=log), Says("never", log=log)),
            ),
            message="m",
        )
    assert error.value is broken
    assert [path for path, _ in log] == ["a0"]


def test_the_first_failure_ends_the_steps_beside_it_and_is_raised_as_it_is() -> None:
    slow = Says("late", after_s=60.0)
    broken = LMTimeout("Too late.")
    with pytest.raises(LMTimeout) as error:
        run(side_by_side(slow, Says("", fails=broken)), message="m")
    assert error.value is broken
    assert slow.log == []


def test_one_step_runs_in_the_task_of_its_caller() -> None:
    """A task for each layer would cost more than the layer."""
    seen = []

    class Looks(Says):
        async def __call__(
            self, inputs: Mapping[str, Any], runtime: Runtime, path: str
        ) -> Prediction:
            seen.append(asyncio.current_task())
            return await super().__call__(inputs, runtime, path)

    async def call() -> None:
        seen.append(asyncio.current_task())
        await Program.of(Looks("yes"))({"message": "m"}, RUNTIME)

    asyncio.run(call())
    assert seen[0] is seen[1]


def test_predictors_and_candidate_are_found_once() -> None:
    program = Program.of(Predict.of("message -> answer"), "ask")
    assert program.candidate() is program.candidate()
    assert program.predictors is program.predictors
    with pytest.raises(TypeError):
        program.predictors["other"] = Signature.parse("a -> b")  # type: ignore[index]


def test_another_candidate_is_another_program() -> None:
    program = Program.of(Predict.of("message -> answer"), "ask")
    (state,) = program.candidate().states.values()
    told = type(state)(instruction="Be short.")
    applied = program.apply(Candidate({"ask": told}))
    assert applied.candidate().states == {"ask": told}
    assert program.candidate().states == {"ask": state}
    assert applied.inputs is program.inputs


def test_a_candidate_for_other_predictors_is_refused() -> None:
    with pytest.raises(InputError, match="none instead of ask"):
        Program.of(Predict.of("message -> answer"), "ask").apply(Candidate({}))
