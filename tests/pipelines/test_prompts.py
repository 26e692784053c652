"""The exact prompt of a step that is being drawn."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from studio.engine.formats import FORMATS
from studio.engine.graph.pinned import may_be_pinned
from studio.engine.modules import MODULES
from studio.engine.signature import Signature
from studio.pipelines.models import Pipeline
from studio.pipelines.prompts import prompts_of
from tests import builders

PREDICT = "message -> category: enum[billing, shipping]"


def step(kind: str = "predict", signature: str = PREDICT, **more: Any) -> dict[str, Any]:
    return {
        "id": "n2",
        "kind": kind,
        "name": "classify",
        "position": {"x": 0, "y": 0},
        "signature": Signature.parse(signature, "Sort the message.").to_dict(),
        "params": {},
        "module": "",
        **more,
    }


def texts(node: Any, inputs: dict[str, Any] | None = None) -> dict[str, str]:
    said = prompts_of(node, inputs)
    assert said.problem == ""
    (asked,) = said.asked
    return {prompt.format: prompt.text for prompt in asked.prompts}


def test_a_step_is_shown_in_every_format() -> None:
    shown = texts(step())
    assert list(shown) == list(FORMATS)
    for text in shown.values():
        assert "‹message›" in text
        assert "Sort the message." in text


def test_inputs_take_the_place_of_their_names() -> None:
    for text in texts(step(), {"message": "Where is it?", "other": 1}).values():
        assert "Where is it?" in text
        assert "‹message›" not in text


def test_pinned_demos_stand_in_front() -> None:
    demo = {"message": "I was charged twice.", "category": "billing"}
    for text in texts(step(demos=[demo])).values():
        assert text.index("I was charged twice.") < text.index("‹message›")


def test_the_palette_knows_which_kinds_show_demos() -> None:
    assert may_be_pinned("predict")
    assert may_be_pinned("chain_of_thought")
    assert not any(may_be_pinned(kind) for kind in ("template", "subpipeline", "nowhere", "input"))


def test_a_step_that_asks_in_several_places_shows_each() -> None:
    said = prompts_of(step("multi_chain_comparison"))
    assert said.problem == ""
    assert len({one.path for one in said.asked}) == len(said.asked) > 1


def test_a_step_that_asks_nothing_shows_nothing() -> None:
    node = step("template", "message -> text", params={"template": "{message}"})
    said = prompts_of(node)
    assert (said.asked, said.problem) == ((), "")


@pytest.mark.parametrize("kind", list(MODULES))
def test_every_kind_is_shown_or_says_why_not(kind: str) -> None:
    said = prompts_of(step(kind))
    assert said.problem or said.asked is not None


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (None, "JSON object"),
        ([], "JSON object"),
        ({}, "needs an id"),
        (step(signature="a -> b") | {"signature": None}, "no signature"),
        (step(kind="input") | {"fields": []}, "Only a step"),
        (step(kind="teleport"), "Only a step"),
        (step(params={"temperature": "hot"}), "Temperature"),
        (step(params=[]), "params must be an object"),
    ],
)
def test_what_cannot_be_shown_says_why(node: Any, words: str) -> None:
    said = prompts_of(node)
    assert words in said.problem
    assert said.asked == ()


@pytest.fixture
def pipeline(db: None) -> Pipeline:
    return builders.make_pipeline(builders.make_project(viewer=builders.make_user("vera")))


def ask(client: Client, pipeline: Pipeline, body: Any) -> Any:
    address = f"/api/projects/{pipeline.project.slug}/pipelines/{pipeline.slug}/prompts/"
    return client.post(address, body, content_type="application/json")


def test_whoever_may_look_may_see_prompts(pipeline: Pipeline) -> None:
    vera = builders.make_client(pipeline.project.memberships.get().user)
    answer = ask(vera, pipeline, {"node": step(), "inputs": {"message": "Hello"}}).json()
    assert answer["problem"] == ""
    (predictor,) = answer["predictors"]
    assert [one["name"] for one in predictor["formats"]] == list(FORMATS)
    assert "Hello" in predictor["formats"][0]["text"]


def test_a_stranger_may_not(pipeline: Pipeline) -> None:
    charlie = builders.make_client(builders.make_user("charlie"))
    assert ask(charlie, pipeline, {"node": step()}).status_code == 404


@pytest.mark.parametrize("body", ["[]", '{"node": {}, "inputs": []}', "{"])
def test_a_body_that_is_none_is_refused(pipeline: Pipeline, body: str) -> None:
    vera = builders.make_client(pipeline.project.memberships.get().user)
    assert ask(vera, pipeline, body).status_code == 422
