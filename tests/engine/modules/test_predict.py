"""Predict and ChainOfThought, in every format."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from studio.engine.errors import (
    EngineError,
    InputError,
    LMBadAnswer,
    LMTimeout,
    ParseError,
    SignatureError,
)
from studio.engine.example import Candidate, Demo, PredictorState
from studio.engine.fields import Constraints, parse_type
from studio.engine.formats import FORMATS
from studio.engine.graph import build
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Completion, Request, Usage
from studio.engine.modules import Predict, PredictParams, chain_of_thought
from studio.engine.params import read_params
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.engine.signature import Field, Signature
from studio.engine.trace import Prediction, Step
from tests.engine.graph.test_graph import two_steps


def ask(program: Program, lm: ScriptedLM, inputs: Mapping[str, Any], **more: Any) -> Prediction:
    """Run a program once."""
    return asyncio.run(program(inputs, Runtime(lm=lm, **more)))


def chat(**values: str) -> str:
    """An answer in the chat format."""
    return "\n\n".join(f"[[ ## {name} ## ]]\n{value}" for name, value in values.items())


def favour(label: str) -> Callable[[str, Sequence[str]], Mapping[str, float]]:
    """Label scores that prefer one label."""
    return lambda prompt, labels: {
        found: -0.5 if found.strip() == label else -1.0 for found in labels
    }


def test_chat_answers_are_typed() -> None:
    lm = ScriptedLM([chat(count="3", note="fine")])
    prediction = ask(Program.of(Predict.of("message -> count: int, note")), lm, {"message": "m"})
    assert prediction.values == {"count": 3, "note": "fine"}
    assert [step.path for step in prediction.steps] == ["predict"]
    assert prediction.usage.calls == 1


def test_an_unreadable_answer_is_asked_for_once_more_and_counted() -> None:
    lm = ScriptedLM([chat(count="many"), chat(count="3")])
    prediction = ask(Program.of(Predict.of("message -> count: int")), lm, {"message": "m"})
    assert prediction.values == {"count": 3}
    assert prediction.steps[0].retries == 1
    assert "expected int" in lm.requests[1].messages[-1].content


def test_two_unreadable_answers_are_an_error() -> None:
    lm = ScriptedLM(["nonsense", chat(count="many")])
    with pytest.raises(ParseError, match="expected int"):
        ask(Program.of(Predict.of("message -> count: int")), lm, {"message": "m"})


def test_completion_asks_field_by_field_for_what_is_missing() -> None:
    def answer(request: Request) -> str:
        return " 3" if request.prompt.endswith("Count:") else " one line"

    lm = ScriptedLM(answer, default_format="completion")
    prediction = ask(Program.of(Predict.of("message -> note, count: int")), lm, {"message": "m"})
    assert prediction.values == {"note": "one line", "count": 3}
    assert lm.requests[1].prompt.endswith("Note: one line\nCount:")


def test_labels_are_scored_and_calibrated() -> None:
    lm = ScriptedLM([], default_format="completion", label_scores=favour("a"))
    program = Program.of(Predict.of("message -> area: enum[a, b]"))
    assert ask(program, lm, {"message": "m"}).values == {"area": "a"}
    state = PredictorState(instruction="", calibration={"area": {"b": 0.6}})
    calibrated = program.apply(Candidate({"predict": state}))
    prediction = ask(calibrated, lm, {"message": "m"})
    assert prediction.values == {"area": "b"}
    assert prediction.steps[0].scores == {"area": {"a": -0.5, "b": -1.0}}


def test_reasoning_is_written_before_the_label_is_scored() -> None:
    lm = ScriptedLM([" because"], default_format="completion", label_scores=favour("b"))
    program = Program.of(chain_of_thought("message -> area: enum[a, b]"))
    assert ask(program, lm, {"message": "m"}).values == {"reasoning": "because", "area": "b"}
    assert "\nArea:" in lm.requests[0].stop


def test_chain_of_thought_keeps_its_own_field() -> None:
    with pytest.raises(SignatureError, match="rename"):
        chain_of_thought("message -> reasoning")


def test_a_missing_input_is_named() -> None:
    with pytest.raises(InputError, match="message"):
        ask(Program.of(Predict.of("message -> note")), ScriptedLM([]), {})


def test_a_failing_lm_is_the_caller_s_to_see() -> None:
    def slow(request: Request) -> Exception:
        return LMTimeout()

    with pytest.raises(LMTimeout):
        ask(Program.of(Predict.of("message -> note")), ScriptedLM(slow), {"message": "m"})


def test_parameters_of_the_step_reach_the_request() -> None:
    lm = ScriptedLM([chat(note="x")])
    params = PredictParams(temperature=0.5, max_tokens=9)
    ask(Program.of(Predict.of("message -> note", params)), lm, {"message": "m"}, rollout=2)
    assert (lm.requests[0].temperature, lm.requests[0].max_tokens) == (0.5, 9)
    assert lm.requests[0].rollout == 2


def test_steps_are_wired_as_drawn() -> None:
    lm = ScriptedLM([chat(reasoning="r", problem="lost parcel"), chat(area="b")])
    prediction = ask(build(two_steps()), lm, {"message": "where is it"})
    assert prediction.values == {"area": "b"}
    assert [step.path for step in prediction.steps] == ["plan", "classify"]
    assert prediction.steps[1].inputs == {"problem": "lost parcel"}


def test_a_candidate_sets_every_predictor_and_no_other() -> None:
    program = build(two_steps())
    states = dict(program.candidate().states)
    demo = Demo(values={"problem": "p", "area": "a"}, source="s", bootstrapped=True)
    states["classify"] = PredictorState(instruction="New.", demos=(demo,))
    changed = program.apply(Candidate(states))
    assert changed.candidate() == Candidate(states)
    assert program.candidate().states["classify"].demos == ()
    with pytest.raises(InputError, match="other predictors"):
        program.apply(Candidate({"classify": states["classify"]}))


def test_candidates_and_steps_survive_json() -> None:
    demo = Demo(values={"a": ["x", 1]}, source="s", bootstrapped=True, reason="right")
    candidate = Candidate(
        {"p": PredictorState(instruction="i", demos=(demo,), calibration={"f": {"x": 0.5}})}
    )
    assert Candidate.from_dict(candidate.to_dict()) == candidate
    assert Candidate.from_dict(candidate.to_dict()).hash == candidate.hash
    lm = ScriptedLM([chat(note="x")])
    step = ask(Program.of(Predict.of("message -> note")), lm, {"message": "m"}).steps[0]
    assert Step.from_dict(step.to_dict()) == step


ANSWER = {"note": "It is fine.", "count": 3}


def written(format_: str, **values: Any) -> str:
    """What an LM writes that answers these values."""
    signature = Signature.parse("message -> note, count: int")
    return FORMATS[format_].renderer(signature, PredictorState(instruction="")).answer(values)


@pytest.mark.parametrize("format_", FORMATS)
def test_every_format_is_asked_read_and_asked_again(format_: str) -> None:
    lm = ScriptedLM([written(format_, note="n", count="many"), written(format_, **ANSWER)])
    program = Program.of(Predict.of("message -> note, count: int"))
    prediction = ask(program, lm, {"message": "m"}, format=format_)
    assert prediction.values == ANSWER
    step = prediction.steps[0]
    assert (step.retries, step.usage.calls) == (1, 2)
    assert len(step.problems) == 1
    assert "count: expected int" in step.problems[0]
    assert "many" in step.answer
    assert "It is fine." in step.answer
    assert "m" in step.prompt
    assert Step.from_dict(json.loads(json.dumps(step.to_dict()))) == step


@pytest.mark.parametrize("format_", FORMATS)
def test_two_failures_in_one_format_are_never_a_try_in_another(format_: str) -> None:
    lm = ScriptedLM(lambda request: written(format_, note="n", count="many"))
    with pytest.raises(ParseError, match="count: expected int"):
        ask(
            Program.of(Predict.of("message -> note, count: int")),
            lm,
            {"message": "m"},
            format=format_,
        )
    assert len(lm.requests) == 2
    assert {bool(request.prompt) for request in lm.requests} == {format_ == "completion"}


def test_a_broken_constraint_is_told_to_the_lm_once() -> None:
    stars = Field(
        name="stars", role="output", type=parse_type("int"), constraints=Constraints(max=5)
    )
    signature = Signature((Field(name="text", role="input"), stars))
    lm = ScriptedLM([chat(stars="7"), chat(stars="5")])
    prediction = ask(Program.of(Predict.of(signature)), lm, {"text": "t"})
    assert prediction.values == {"stars": 5}
    assert "stars" in lm.requests[1].messages[-1].content
    assert prediction.steps[0].problems[0].startswith("stars")


def test_the_step_names_its_own_format() -> None:
    lm = ScriptedLM([written("json", **ANSWER)])
    step = Predict.of("message -> note, count: int", PredictParams(format="json"))
    prediction = ask(Program.of(step), lm, {"message": "m"}, format="xml")
    assert prediction.values == ANSWER
    assert lm.requests[0].schema is not None


def test_an_unknown_format_is_a_sentence() -> None:
    program = Program.of(Predict.of("message -> note"))
    with pytest.raises(InputError, match=r"no format “yaml”. Known formats are chat, json, xml"):
        ask(program, ScriptedLM([]), {"message": "m"}, format="yaml")
    with pytest.raises(EngineError, match="is none of"):
        read_params(PredictParams, {"format": "yaml"})


class CutOff(ScriptedLM):
    """Its answers are cut off at the request's `max_tokens` words."""

    async def complete(self, request: Request) -> Completion:
        found = await super().complete(request)
        words = found.text.split(" ")
        if len(words) <= request.max_tokens:
            return found
        return replace(found, text=" ".join(words[: request.max_tokens]), truncated=True)


@pytest.mark.parametrize("format_", ["chat", "json", "xml"])
def test_an_answer_that_was_cut_off_is_called_so(format_: str) -> None:
    long = written(format_, note="word " * 300, count=3)
    program = Program.of(Predict.of("message -> note, count: int"))
    with pytest.raises(ParseError, match=r"cut off after 256 tokens.*raise the longest answer"):
        ask(program, CutOff(lambda request: long), {"message": "m"}, format=format_)
    lm = CutOff([long, written(format_, **ANSWER)])
    prediction = ask(program, lm, {"message": "m"}, format=format_)
    assert prediction.values == ANSWER
    assert "cut off after 256 tokens: be much briefer" in lm.requests[1].messages[-1].content
    assert "raise the longest answer" in prediction.steps[0].problems[0]


class Streaming(ScriptedLM):
    """Gives its answer word by word."""

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        completion = await self.complete(request)
        for word in re.findall(r"\S+\s*|\s+", completion.text):
            yield word
        if "no end" not in completion.text:
            yield completion


@pytest.mark.parametrize("format_", FORMATS)
def test_a_listener_hears_every_piece_and_nothing_else_changes(format_: str) -> None:
    answers = [written(format_, note="n", count="many"), written(format_, **ANSWER)]
    heard: list[tuple[str, str]] = []
    program = Program.of(Predict.of("message -> note, count: int"))
    plain = ask(program, ScriptedLM(answers), {"message": "m"}, format=format_)
    told = ask(
        program,
        Streaming(answers),
        {"message": "m"},
        format=format_,
        listener=lambda path, piece: heard.append((path, piece)),
    )
    assert told == plain
    assert {path for path, _ in heard} == {"predict"}
    assert "".join(piece for _, piece in heard) == "".join(answers)
    assert len(heard) > 4


def test_a_stream_that_never_ends_its_answer_is_an_error() -> None:
    program = Program.of(Predict.of("message -> note"))
    with pytest.raises(LMBadAnswer, match="ended before"):
        ask(program, Streaming(["no end"]), {"message": "m"}, listener=lambda path, piece: None)


PHOTO = "data:image/png;base64,iVBORw0KGgo="


def test_an_image_goes_to_an_lm_that_sees_and_to_no_other() -> None:
    program = Program.of(Predict.of("photo: optional[image], question -> note"))
    blind = ScriptedLM([chat(note="no photo")])
    inputs = {"photo": PHOTO, "question": "Who?"}
    with pytest.raises(InputError, match="photo: scripted sees no images"):
        ask(program, blind, inputs)
    assert ask(program, blind, {"question": "Who?"}).values == {"note": "no photo"}
    seeing = ScriptedLM([chat(note="a cat")])
    seeing.sees_images = True
    assert ask(program, seeing, inputs).values == {"note": "a cat"}
    assert [part.url for part in seeing.requests[0].messages[-1].attachments] == [PHOTO]
    with pytest.raises(InputError, match="“completion” is text only"):
        ask(program, seeing, inputs, format="completion")


def test_a_document_of_text_needs_no_eyes() -> None:
    lm = ScriptedLM([chat(note="short")])
    paper = {"title": "Law", "text": "All are equal."}
    ask(Program.of(Predict.of("paper: document -> note")), lm, {"paper": paper})
    assert "Law\n\nAll are equal." in lm.requests[0].messages[-1].content


def test_only_a_plain_enum_is_scored() -> None:
    lm = ScriptedLM([" null", ' ["b"]'], default_format="completion", label_scores=favour("b"))
    program = Program.of(
        Predict.of(
            "message -> maybe: optional[enum[a, b]], all: list[enum[a, b]], area: enum[a, b]"
        )
    )
    prediction = ask(program, lm, {"message": "m"})
    assert prediction.values == {"maybe": None, "all": ["b"], "area": "b"}
    assert list(prediction.steps[0].scores) == ["area"]


def test_missing_extra_and_wrong_inputs() -> None:
    program = Program.of(Predict.of("message, count: int, more: optional[str] -> note"))
    with pytest.raises(InputError, match="count: expected int"):
        ask(program, ScriptedLM([]), {"message": "m", "count": "many"})
    lm = ScriptedLM([chat(note="x")])
    found = ask(program, lm, {"message": "", "count": 1, "more": None, "colour": "red"})
    assert found.values == {"note": "x"}
    assert found.steps[0].inputs == {"message": "", "count": 1, "more": None}


def test_the_head_is_rendered_once_for_a_state() -> None:
    demo = Demo(values={"message": "a", "note": "b"})
    program = Program.of(Predict.of("message -> note"))
    ready = program.apply(
        Candidate({"predict": PredictorState(instruction="Do.", demos=(demo,) * 3)})
    )
    lm = ScriptedLM([chat(note="x")] * 2)
    for message in ("one", "two"):
        ask(ready, lm, {"message": message})
    first, second = (request.messages for request in lm.requests)
    assert len(first) == 8
    assert all(a is b for a, b in zip(first[:-1], second[:-1], strict=True))
    ask(program, ScriptedLM([chat(note="x")]), {"message": "plain"})


def test_steps_of_older_runs_are_read() -> None:
    data = Step(
        path="p", inputs={}, outputs={}, prompt="", answer="", scores={}, usage=Usage()
    ).to_dict()
    assert "problems" not in data
    assert Step.from_dict(data).problems == ()
