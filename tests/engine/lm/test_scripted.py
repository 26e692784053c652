"""The LM without a model, and the scripts that come with the studio."""

from __future__ import annotations

import asyncio

import pytest

from studio.engine.errors import LMInvalidRequest, LMUnavailable
from studio.engine.example import Demo, PredictorState
from studio.engine.formats import FORMATS
from studio.engine.lm.scripted import ScriptedLM, builtin_scripted
from studio.engine.messages import Request
from studio.engine.signature import Signature

LABELS = ("account", "billing", "returns", "shipping", "technical")
TRIAGE = Signature.parse(f"message -> category: enum[{', '.join(LABELS)}]")
DEMO = Demo(values={"message": "My parcel is late.", "category": "shipping"})


def triage(message: str, *demos: Demo, format_: str = "chat") -> str:
    async def run() -> str:
        renderer = FORMATS[format_].renderer(TRIAGE, PredictorState(instruction="", demos=demos))
        lm = builtin_scripted("support-triage")
        completion = await lm.complete(renderer.ask({"message": message}, {}))
        return str(renderer.read(completion.text, {})["category"])

    return asyncio.run(run())


def test_texts_are_given_in_turn_and_run_out() -> None:
    lm = ScriptedLM(["one", LMUnavailable(), "two"])
    requests = [Request(prompt=str(number)) for number in range(4)]

    async def run() -> None:
        assert (await lm.complete(requests[0])).text == "one"
        with pytest.raises(LMUnavailable):
            await lm.complete(requests[1])
        assert (await lm.complete(requests[2])).text == "two"
        with pytest.raises(LMInvalidRequest, match="no more answers"):
            await lm.complete(requests[3])

    asyncio.run(run())
    assert lm.requests == requests


def test_a_stop_ends_the_answer_as_a_server_would() -> None:
    lm = ScriptedLM(lambda request: "billing\n---\nMessage: next")
    completion = asyncio.run(lm.complete(Request(prompt="x", stop=("\n",))))
    assert completion.text == "billing"


def test_labels_are_scored_by_the_script() -> None:
    lm = ScriptedLM([], label_scores=lambda prompt, labels: dict.fromkeys(labels, -1.0))
    scored = asyncio.run(lm.score_labels("Category:", [" a", " b"]))
    assert scored.scores == {" a": -1.0, " b": -1.0}
    assert lm.label_requests == [("Category:", (" a", " b"))]


def test_an_unknown_script() -> None:
    with pytest.raises(LMInvalidRequest, match="echo, support-triage"):
        builtin_scripted("gpt-7")


@pytest.mark.parametrize("format_", ["chat", "completion"])
def test_echo_fills_every_field_with_what_its_type_takes(format_: str) -> None:
    signature = Signature.parse(
        "order: int, question -> reasoning, kind: enum[a, b], n: int, share: float, ok: bool, "
        "items: list[str]"
    )

    async def run() -> dict[str, object]:
        renderer = FORMATS[format_].renderer(signature, PredictorState(instruction="Do."))
        values: dict[str, object] = {}
        request = renderer.ask({"order": 3, "question": "Why?\nTell me."}, values)
        completion = await builtin_scripted("echo").complete(request)
        return dict(renderer.read(completion.text, values))

    values = asyncio.run(run())
    assert values["reasoning"] == "Why?\nTell me."
    if not FORMATS[format_].continues:
        assert values == {
            "reasoning": "Why?\nTell me.",
            "kind": "a",
            "n": 0,
            "share": 0.0,
            "ok": False,
            "items": [],
        }


def test_echo_answers_again_after_a_complaint() -> None:
    renderer = FORMATS["chat"].renderer(TRIAGE, PredictorState(instruction="Sort."))
    request = renderer.ask({"message": "billing, I think"}, {})
    again = renderer.ask_again(request, "?", "The field is missing.")
    completion = asyncio.run(builtin_scripted("echo").complete(again))
    assert renderer.read(completion.text, {}) == {"category": "billing"}


@pytest.mark.parametrize("format_", ["chat", "completion"])
def test_triage_knows_plain_words_and_learns_from_demos(format_: str) -> None:
    assert triage("Where is my invoice?", format_=format_) == "billing"
    assert triage("The courier never came.", format_=format_) != "shipping"
    assert triage("The courier never came.", DEMO, format_=format_) == "shipping"
    assert triage("My parcel is so late!", DEMO, format_=format_) == "shipping"


def test_triage_scores_as_it_answers() -> None:
    renderer = FORMATS["completion"].renderer(
        TRIAGE, PredictorState(instruction="", demos=(DEMO,)), scored=True
    )
    lm = builtin_scripted("support-triage")
    for message in ("Where is my invoice?", "The courier never came.", "I return it."):
        request = renderer.ask({"message": message}, {})
        labels = [f" {label}" for label in LABELS]
        scores = asyncio.run(lm.score_labels(request.prompt, labels)).scores
        assert max(labels, key=lambda label: scores[label]).strip() == triage(message, DEMO)


def test_triage_reads_what_is_no_prompt_of_ours() -> None:
    lm = builtin_scripted("support-triage")
    for prompt in ("", "hello", "---", "a: b", "\n\n---\n\n:"):
        asyncio.run(lm.complete(Request(prompt=prompt)))
