"""Branch and Router: one of several pipelines runs, and only that one."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping
from typing import Any

import pytest

from studio.engine.errors import InputError, ParseError, SignatureError
from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import Answer, ScriptedLM
from studio.engine.messages import Request
from studio.engine.modules import MODULES
from studio.engine.modules.base import Module
from studio.engine.modules.cases import part_names
from studio.engine.params import read_params
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.trace import Prediction
from tests.engine.modules.builders import chained


def make(kind: str, text: str, parts: Mapping[str, Module], **params: Any) -> Module:
    """A Branch or Router as a node makes it."""
    made = MODULES[kind]
    signature = Signature.parse(text)
    made.ports(signature)
    return made.make(signature, read_params(made.params, params), parts)


def run(module: Module, inputs: Mapping[str, Any], lm: ScriptedLM) -> Prediction:
    """One call."""
    return asyncio.run(module(inputs, Runtime(lm=lm), "here"))


def says(text: str) -> ScriptedLM:
    """Answers `text` to everything."""

    def answer(request: Request) -> Answer:
        prompt = read_prompt(request)
        return prompt.answer(dict.fromkeys(prompt.open, text))

    return ScriptedLM(answer)


STEP = chained("message -> answer")


@pytest.mark.parametrize(("urgent", "path"), [(True, "yes"), (False, "no"), ("No", "no")])
def test_a_bool_chooses_yes_or_no(urgent: Any, path: str) -> None:
    module = make("branch", "message, urgent: bool -> answer", {"yes": STEP, "no": STEP})
    found = run(module, {"message": "m", "urgent": urgent}, says("done"))
    assert found.values == {"answer": "done"}
    assert [step.path for step in found.steps] == [f"here.{path}.step1"]
    assert list(module.predictors()) == ["yes.step1", "no.step1"]


@pytest.mark.parametrize(
    ("area", "path"), [("billing", "billing"), ("not sure", "not_sure"), ("other", "otherwise")]
)
def test_a_label_chooses_its_part_or_otherwise(area: str, path: str) -> None:
    parts = {"billing": STEP, "not_sure": STEP, "otherwise": STEP}
    module = make(
        "branch", 'message, area: enum[billing, "not sure", other] -> answer', parts, on="area"
    )
    found = run(module, {"message": "m", "area": area}, says("done"))
    assert [step.path for step in found.steps] == [f"here.{path}.step1"]


def test_nothing_chooses_otherwise() -> None:
    text = "message, urgent: optional[bool] -> answer"
    with pytest.raises(SignatureError, match="may be nothing"):
        make("branch", text, {"yes": STEP, "no": STEP})
    module = make("branch", text, {"yes": STEP, "otherwise": STEP})
    for inputs in ({"message": "m"}, {"message": "m", "urgent": None}):
        found = run(module, inputs, says("done"))
        assert [step.path for step in found.steps] == ["here.otherwise.step1"]


def test_a_part_may_ask_for_what_decided() -> None:
    parts = {"yes": chained("urgent: bool -> answer"), "no": STEP}
    module = make("branch", "message, urgent: bool -> answer", parts)
    found = run(module, {"message": "m", "urgent": True}, says("done"))
    assert found.steps[0].inputs == {"urgent": True}


def test_a_label_that_nobody_knows_is_refused_before_anything_runs() -> None:
    lm = says("done")
    module = make("branch", "message, area: enum[a, b] -> answer", {"otherwise": STEP})
    with pytest.raises(InputError, match="area"):
        run(module, {"message": "m", "area": "c"}, lm)
    assert not lm.requests


def test_answers_of_parts_are_read_as_the_node_says() -> None:
    module = make(
        "branch",
        "message, urgent: bool -> answer",
        {"otherwise": chained("message -> answer: int")},
    )
    assert run(module, {"message": "m", "urgent": True}, says("3")).values == {"answer": "3"}


@pytest.mark.parametrize(
    ("text", "parts", "params", "message"),
    [
        ("message -> answer", {}, {}, "needs an input that decides"),
        ("message, urgent: bool -> answer", {"yes": STEP}, {}, "draw “no”, or “otherwise”"),
        ("message, urgent: bool -> answer", {}, {"on": "message"}, "no bool or enum"),
    ],
)
def test_a_branch_that_leads_nowhere_is_told(
    text: str, parts: Any, params: Any, message: str
) -> None:
    with pytest.raises(SignatureError, match=re.escape(message)):
        make("branch", text, parts, **params)


def test_the_lm_routes_and_the_route_is_seen() -> None:
    def answer(request: Request) -> Answer:
        prompt = read_prompt(request)
        if prompt.open == ("route",):
            return prompt.answer({"route": "all the rest"})
        return prompt.answer({"answer": "done"})

    lm = ScriptedLM(answer)
    module = make(
        "router",
        "message -> answer",
        {"billing": STEP, "all_the_rest": STEP, "otherwise": STEP},
        cases=["billing", "all the rest", "third"],
    )
    found = run(module, {"message": "m"}, lm)
    assert found.values == {"route": "all the rest", "answer": "done"}
    assert [step.path for step in found.steps] == ["here.route", "here.all_the_rest.step1"]
    signature, state = module.predictors()["route"]
    assert str(signature) == "message -> route: enum[billing, all the rest, third]"
    assert state.instruction == "Choose the case that fits the message best."


def test_the_nodes_instruction_is_the_routers() -> None:
    signature = Signature.parse("message -> answer", "Billing is about money.")
    kind = MODULES["router"]
    params = read_params(kind.params, {"cases": ["billing", "other"]})
    module = kind.make(signature, params, {"otherwise": STEP})
    assert module.predictors()["route"][1].instruction == "Billing is about money."


def test_a_route_that_is_no_case_is_asked_for_again_and_then_an_error() -> None:
    module = make("router", "message -> answer", {"otherwise": STEP}, cases=["a", "b"])
    lm = says("c")
    with pytest.raises(ParseError, match="route"):
        run(module, {"message": "m"}, lm)
    assert len(lm.requests) == 2


def test_a_case_may_be_called_route() -> None:
    module = make("router", "message -> answer", {"route": STEP, "b": STEP}, cases=["route", "b"])
    assert list(module.predictors()) == ["route", "case_route.step1", "b.step1"]
    states = {path: state for path, (_, state) in module.predictors().items()}
    assert module.with_states(states).predictors() == module.predictors()


@pytest.mark.parametrize(
    ("text", "cases", "message"),
    [
        ("message -> answer", [], "two cases or more"),
        ("message -> answer", ["one"], "two cases or more"),
        ("message -> answer", ["one", " "], "is empty"),
        ("message -> route", ["a", "b"], "adds the field “route” itself"),
        ("message -> answer", ["a", "c"], "draw “a”, or “otherwise”"),
    ],
)
def test_a_router_that_leads_nowhere_is_told(text: str, cases: Any, message: str) -> None:
    with pytest.raises(SignatureError, match=re.escape(message)):
        make("router", text, {"c": STEP}, cases=cases)


def test_parts_have_names_that_can_stand_in_a_path() -> None:
    labels = ["billing", "Not sure", "not-sure", "日本", "v1.2", "case_1", "!", ""]
    names = part_names(labels)
    assert list(names) == labels
    assert len(set(names.values())) == len(labels)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in names.values())
    assert names["Not sure"] == "not_sure"
