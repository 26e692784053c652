"""Plain messages for other clients, rows for trainers."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.errors import StateError
from studio.engine.example import Candidate, Demo, PredictorState
from studio.engine.formats import FORMATS
from studio.engine.graph import build
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.lm.wire import message_json
from studio.engine.messages import Usage
from studio.engine.modules.predict import Predict
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.engine.saving.messages import export_jsonl, export_messages, finetuning_rows
from studio.engine.signature import Signature
from studio.engine.trace import Step
from tests.engine.modules.builders import CASES
from tests.engine.saving.builders import SPECS, candidates, compiled, parallel, serial


@given(st.data(), st.sampled_from(sorted(SPECS)), st.sampled_from(sorted(FORMATS)))
def test_with_texts_in_the_places_the_messages_are_those_of_a_call(
    data: st.DataObject, name: str, format_: str
) -> None:
    spec = SPECS[name]()
    candidate = data.draw(candidates(spec))
    exported = export_messages(build(spec), candidate, format=format_)
    for path, signature in build(spec).predictors.items():
        said = exported["predictors"][path]
        inputs = {
            field.name: [f"some {field.name}"] if field.type.kind == "list" else f"a {field.name}"
            for field in signature.inputs
        }
        request = FORMATS[format_].renderer(signature, candidate.states[path]).ask(inputs, {})
        filled = json.dumps({"messages": said.get("messages"), "prompt": said.get("prompt")})
        for key, value in inputs.items():
            mark = said["placeholders"][key]
            assert filled.count(mark) == 1
            text = json.dumps(value) if isinstance(value, list) else value
            filled = filled.replace(mark, json.dumps(text)[1:-1])
        wanted = [message_json(turn) for turn in request.messages] or None
        got = json.loads(filled)
        assert got["messages"] == wanted
        assert (got["prompt"] or "") == request.prompt
        assert said["inputs"] == [field.name for field in signature.inputs]
        assert [field["name"] for field in said["outputs"]] == [
            field.name for field in signature.outputs
        ]


@pytest.mark.parametrize("kind", sorted(CASES))
@pytest.mark.parametrize("format_", sorted(FORMATS))
def test_the_predictors_of_every_kind_of_step_say_where_inputs_go(kind: str, format_: str) -> None:
    program = Program.of(CASES[kind]().module, "step")
    exported = export_messages(program, format=format_)["predictors"]
    assert list(exported) == list(program.predictors)
    for said in exported.values():
        text = json.dumps(said.get("messages", said.get("prompt")), ensure_ascii=False)
        assert said["inputs"] == list(said["placeholders"])
        assert all(text.count(mark) == 1 for mark in said["placeholders"].values())


def test_a_mark_stands_nowhere_else() -> None:
    program = Program.of(Predict.of("message -> text"), "reply")
    state = PredictorState(instruction="Never write {{message}} or {{message_}}.")
    exported = export_messages(program, Candidate({"reply": state}))
    assert exported["predictors"]["reply"]["placeholders"] == {"message": "{{message__}}"}


@pytest.mark.parametrize("format_", sorted(FORMATS))
def test_rows_of_demos_teach_what_the_format_reads(format_: str) -> None:
    program, candidate = build(serial()), compiled(serial())
    rows = [
        json.loads(line) for line in export_jsonl(program, candidate, format=format_).splitlines()
    ]
    assert len(rows) == 4
    demos = [
        (signature, candidate.states[path], demo)
        for path, signature in program.predictors.items()
        for demo in candidate.states[path].demos
    ]
    for row, (signature, state, demo) in zip(rows, demos, strict=True):
        asked = FORMATS[format_].renderer(signature, replace(state, demos=()))
        answer = row["completion"] if "completion" in row else row["messages"][-1]["content"]
        wanted = {field.name: demo.values[field.name] for field in signature.outputs}
        assert asked.read(answer, {}) == wanted
        request = asked.ask(
            {field.name: demo.values[field.name] for field in signature.inputs}, {}
        )
        if request.messages:
            assert row["messages"][:-1] == [message_json(turn) for turn in request.messages]
            assert row["messages"][-1]["role"] == "assistant"
        else:
            assert row == {"prompt": request.prompt, "completion": answer}


def test_rows_of_traces() -> None:
    program = build(parallel())
    answers = ["[[ ## mood ## ]]\nyes", "[[ ## words ## ]]\n[1]"]
    lm = ScriptedLM(lambda request: answers["words" in request.messages[-1].content])
    steps = asyncio.run(program({"message": "Jürgen \ud83d"}, Runtime(lm=lm))).steps
    tool = replace(steps[0], path="first.tools.search")
    lost = replace(steps[0], discarded=True, outputs={"mood": False})
    rows = list(finetuning_rows(program, steps=[*steps, *steps, tool, lost]))
    assert [row["messages"][-1]["content"].split("\n")[1] for row in rows] == ["true", "[1]"]
    assert export_jsonl(program, steps=steps).encode()


def test_demos_that_lack_something_are_no_rows() -> None:
    program = Program.of(Predict.of(Signature.parse("a, b -> c, d")), "reply")
    whole = {"a": "1", "b": "2", "c": "3", "d": "4"}
    demos = [Demo(values={key: whole[key] for key in whole if key != gone}) for gone in whole]
    candidate = Candidate({"reply": PredictorState(instruction="", demos=tuple(demos))})
    assert export_jsonl(program, candidate) == ""
    step = Step(
        path="reply", inputs={"a": "1"}, outputs={}, prompt="", answer="", scores={}, usage=Usage()
    )
    assert export_jsonl(program, steps=[step]) == ""


def test_unknown_formats_and_foreign_candidates_are_refused() -> None:
    with pytest.raises(StateError, match=r"There is no format “yaml”\. Known: chat"):
        export_messages(build(serial()), format="yaml")
    with pytest.raises(StateError, match="does not belong"):
        export_messages(build(serial()), compiled(parallel()))
    with pytest.raises(StateError, match="does not belong"):
        export_jsonl(build(serial()), compiled(parallel()))
