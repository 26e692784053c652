"""Demos by nearness: which are chosen, where they stand, who shows them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from studio.engine.codec import content_hash
from studio.engine.errors import InputError
from studio.engine.example import Candidate, Demo, PredictorState
from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import ToolSpec
from studio.engine.modules import Predict
from studio.engine.modules.react import ReAct, ReActParams
from studio.engine.nearest_demos import NearestDemos, shown_state
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from tests.engine.modules.test_predict import chat

SIGNATURE = Signature.parse("message -> label: enum[card, cash, other]")
DEMOS = tuple(
    Demo(values={"message": message, "label": label})
    for message, label in (
        ("My card payment was declined", "card"),
        ("The cash machine kept my money", "cash"),
        ("How old do I have to be?", "other"),
        ("Why did the shop decline my card?", "card"),
        ("Where can I withdraw cash?", "cash"),
    )
)
STATE = PredictorState(instruction="Sort.", demos=DEMOS, nearest=2)


class Look:
    """A tool that nobody calls."""

    spec = ToolSpec("look", "Looks.", {"type": "object", "properties": {}})

    async def __call__(self, arguments: Mapping[str, Any]) -> str:
        """See `Tool.__call__`."""
        raise AssertionError(arguments)


def chosen(message: str, count: int = 2, demos: tuple[Demo, ...] = DEMOS) -> list[str]:
    found = NearestDemos(SIGNATURE, demos).of({"message": message}, count)
    return [str(demo.values["message"]) for demo in found]


def test_the_most_similar_demo_stands_last() -> None:
    assert chosen("the card payment was declined again") == [
        "Why did the shop decline my card?",
        "My card payment was declined",
    ]
    assert chosen("withdraw cash") == [
        "The cash machine kept my money",
        "Where can I withdraw cash?",
    ]


def test_a_word_is_found_in_another_form_and_with_a_slip() -> None:
    assert chosen("paying", 1) == chosen("PAIMENT", 1) == ["My card payment was declined"]
    assert chosen("withdrawal", 1) == ["Where can I withdraw cash?"]


def test_a_rare_word_says_more_than_a_frequent_one() -> None:
    texts = ("the way to the lake", "the way to the town", "the way to the house", "a lake house")
    demos = tuple(Demo(values={"message": text, "label": "other"}) for text in texts)
    assert chosen("the lake", 1, demos) == ["the way to the lake"]
    assert chosen("lake house", 1, demos) == ["a lake house"]


def test_of_equally_similar_ones_the_earlier_is_taken() -> None:
    twice = (DEMOS[2], *DEMOS, DEMOS[0])
    found = NearestDemos(SIGNATURE, twice).of({"message": "card payment declined"}, 1)
    assert found[0] is DEMOS[0]
    assert chosen("xyz") == [DEMOS[1].values["message"], DEMOS[0].values["message"]]


def test_as_many_as_there_are_is_the_most() -> None:
    assert len(chosen("card", 50)) == len(DEMOS)
    assert chosen("card", 2, ()) == []


def test_scripts_without_spaces_are_compared_by_letters() -> None:
    texts = ("東京の天気", "大阪の地図", "京都の寺")
    demos = tuple(Demo(values={"message": text, "label": "other"}) for text in texts)
    assert chosen("大阪はどこ", 1, demos) == ["大阪の地図"]


def test_all_inputs_count_and_missing_ones_do_not_hurt() -> None:
    signature = Signature.parse("title, body: optional[str], tags: list[str] -> label")
    inputs: tuple[dict[str, Any], ...] = (
        {"body": "about apples"},
        {"tags": ["pears"]},
        {"body": None, "tags": []},
    )
    demos = tuple(Demo(values={"title": "note", **values}) for values in inputs)
    index = NearestDemos(signature, demos)
    assert index.of({"title": "note", "body": "apples"}, 1) == (demos[0],)
    assert index.of({"tags": ["pears", "plums"]}, 1) == (demos[1],)
    assert index.of({}, 1) == (demos[0],)


def test_images_are_not_compared_as_text() -> None:
    signature = Signature.parse("photo: image, note -> label")
    data = "data:image/png;base64,"
    demos = (
        Demo(values={"photo": f"{data}aGVsbG8=", "note": "cat"}),
        Demo(values={"photo": f"{data}d29ybGQ=", "note": "dog"}),
    )
    asked = {"photo": f"{data}aGVsbG8=", "note": "dog"}
    assert NearestDemos(signature, demos).of(asked, 1) == (demos[1],)


def test_a_state_says_how_many_only_when_it_is_not_all() -> None:
    plain = replace(STATE, nearest=0)
    assert plain.to_dict() == {
        "instruction": "Sort.",
        "demos": [demo.to_dict() for demo in DEMOS],
        "calibration": {},
    }
    assert STATE.to_dict() == {**plain.to_dict(), "nearest": 2}
    assert PredictorState.from_dict(STATE.to_dict()) == STATE
    assert PredictorState.from_dict(plain.to_dict()) == plain
    assert Candidate({"a": plain}).hash == content_hash({"a": plain.to_dict()})
    assert Candidate({"a": plain}).hash != Candidate({"a": STATE}).hash


def test_the_shown_state_has_the_nearest_demos_and_all_else() -> None:
    state = replace(STATE, calibration={"label": {"card": 1.0}})
    shown = shown_state(SIGNATURE, state, {"message": "withdraw cash"})
    assert [demo.values["message"] for demo in shown.demos] == chosen("withdraw cash")
    assert (shown.instruction, shown.calibration) == (state.instruction, state.calibration)
    plain = replace(STATE, nearest=0)
    assert shown_state(SIGNATURE, plain, {"message": "withdraw cash"}) is plain


@pytest.mark.parametrize("format_", ["chat", "json", "xml", "completion"])
def test_the_prompt_holds_the_demos_nearest_to_its_input(format_: str) -> None:
    lm = ScriptedLM(lambda request: read_prompt(request).answer({"label": "card"}))
    predict = Predict.of(SIGNATURE).with_states({"": STATE})
    runtime = Runtime(lm=lm, format=format_)
    for message in ("is my card payment declined?", "where to withdraw cash", "is my card dead?"):
        step = asyncio.run(predict({"message": message}, runtime, "sort")).steps[0]
        assert [demo.text for demo in read_prompt(lm.requests[-1]).demos] == chosen(message)
        missing = {str(demo.values["message"]) for demo in DEMOS} - set(chosen(message))
        assert not any(text in step.prompt for text in missing)


def test_labels_are_scored_after_the_nearest_demos_and_calibrated() -> None:
    def label_scores(text: str, labels: object) -> dict[str, float]:
        return {" card": -1.0, " cash": -1.1, " other": -2.0}

    lm = ScriptedLM(lambda request: "", default_format="completion", label_scores=label_scores)
    state = replace(STATE, calibration={"label": {"cash": 0.5}})
    predict = Predict.of(SIGNATURE).with_states({"": state})
    found = asyncio.run(predict({"message": "withdraw cash"}, Runtime(lm=lm), "sort"))
    assert found.values == {"label": "cash"}
    prompt = lm.label_requests[0][0]
    places = [prompt.find(text) for text in chosen("withdraw cash")]
    assert -1 not in places
    assert places == sorted(places)
    assert "How old" not in prompt


def test_without_nearest_the_head_is_rendered_once() -> None:
    lm = ScriptedLM([])
    predict = Predict.of(SIGNATURE).with_states({"": replace(STATE, nearest=0)})
    runtime = Runtime(lm=lm)
    assert predict.renderer(runtime, lm) is predict.renderer(runtime, lm, {"message": "a"})
    other = predict.with_states({"": STATE})
    assert other.renderer(runtime, lm, {"message": "a"}) is not other.renderer(runtime, lm)


@pytest.mark.parametrize("native", [True, False])
def test_an_agent_shows_its_nearest_demos_too(native: bool) -> None:
    agent = ReAct.of(SIGNATURE, ReActParams(tools=("look",)))
    states = {path: state for path, (_, state) in agent.predictors().items()}
    thought = {"trajectory": "", "thought": "I know.", "tool": "finish", "arguments": {}}
    demos = tuple(Demo(values={**demo.values, **thought}) for demo in DEMOS)
    agent = agent.with_states({**states, "next": replace(states["next"], demos=demos, nearest=1)})
    finish = chat(thought="I know.", tool="finish", arguments="{}")
    lm = ScriptedLM([finish, chat(reasoning="So.", label="cash")], calls_tools=native)
    runtime = Runtime(lm=lm, tools={"look": Look()})
    asyncio.run(agent({"message": "where to withdraw cash"}, runtime, "agent"))
    first = lm.requests[0]
    assert bool(first.tools) == native
    shown = "\n".join(message.content for message in first.messages)
    assert [demo.values["message"] in shown for demo in DEMOS] == [False] * 4 + [True]


def test_only_the_shown_demos_must_be_such_that_the_lm_sees_them() -> None:
    signature = Signature.parse("photo: optional[image], note -> label")
    demos = (
        Demo(values={"note": "a plain dog", "label": "dog"}),
        Demo(values={"note": "cat", "photo": "data:image/png;base64,aGk=", "label": "cat"}),
    )
    state = PredictorState(instruction="", demos=demos, nearest=1)
    lm = ScriptedLM(lambda request: read_prompt(request).answer({"label": "dog"}))
    predict = Predict.of(signature).with_states({"": state})
    asyncio.run(predict({"note": "dog"}, Runtime(lm=lm), "see"))
    with pytest.raises(InputError, match="sees no images"):
        asyncio.run(predict({"note": "cat"}, Runtime(lm=lm), "see"))
