"""Nearest demos, beyond what every module keeps to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from studio.engine.errors import LMUnavailable, RetrievalError
from studio.engine.example import Demo, PredictorState
from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request
from studio.engine.modules.knn_demos import KnnDemos, KnnDemosParams
from studio.engine.retrieval.base import Embedder
from studio.engine.runtime import Runtime
from tests.engine.retrieval.fakes import SaysVectors, WordsEmbedder

DEMOS = [
    ("my parcel is late", "shipping"),
    ("I was charged twice", "billing"),
    ("the parcel came broken", "shipping"),
    ("I forgot my password", "account"),
    ("where is my late parcel", "shipping"),
]


def make(k: int = 2, step: str = "predict", demos: list[tuple[str, str]] = DEMOS) -> KnnDemos:
    module = KnnDemos.of("message -> area", KnnDemosParams(k=k, step=step))
    return module.with_states(
        {
            "": PredictorState(
                instruction="Sort.",
                demos=tuple(Demo(values={"message": m, "area": a}) for m, a in demos),
            )
        }
    )


def answer(request: Request) -> str:
    prompt = read_prompt(request)
    return prompt.answer(dict.fromkeys(prompt.open, "fine"))


def shown(module: KnnDemos, message: str, embedder: Embedder | None = None) -> list[str]:
    """The messages of the demos in the prompt, in order."""
    lm = ScriptedLM(answer)
    asyncio.run(module({"message": message}, Runtime(lm=lm, embedder=embedder), "sort"))
    text = "\n".join(turn.content for turn in lm.requests[0].messages[:-1])
    present = [m for m, _ in DEMOS if m in text]
    return sorted(present, key=text.index)


@pytest.mark.parametrize("embedder", [None, WordsEmbedder()])
def test_the_nearest_demos_are_shown_and_the_nearest_last(embedder: Embedder | None) -> None:
    near = shown(make(), "is my parcel late again", embedder)
    assert near == ["where is my late parcel", "my parcel is late"]
    assert shown(make(1), "charged and charged", embedder) == ["I was charged twice"]


@pytest.mark.parametrize("embedder", [None, WordsEmbedder()])
def test_an_input_is_never_its_own_demo(embedder: Embedder | None) -> None:
    twice = [*DEMOS, ("my parcel is late", "account")]
    near = shown(make(k=3, demos=twice), "my parcel is late", embedder)
    assert "my parcel is late" not in near
    assert len(near) == 3


@pytest.mark.parametrize("embedder", [None, WordsEmbedder()])
def test_there_are_always_k_if_there_are_so_many(embedder: Embedder | None) -> None:
    assert len(shown(make(4), "🙂 nothing alike", embedder)) == 4
    assert len(shown(make(50), "parcel", embedder)) == 5
    assert shown(make(demos=[]), "parcel", embedder) == []


def test_demos_are_embedded_once_for_all_calls() -> None:
    embedder, module = WordsEmbedder(), make()

    async def go() -> None:
        runtime = Runtime(lm=ScriptedLM(answer), embedder=embedder)
        await asyncio.gather(*(module({"message": f"m {n}"}, runtime, "") for n in range(8)))

    asyncio.run(go())
    asyncio.run(go())
    assert [len(asked) for asked in embedder.asked].count(5) == 1
    assert len(embedder.asked) == 17


def test_another_state_is_another_index() -> None:
    module = make()
    assert shown(module, "password lost") != []
    other = module.with_states({"": PredictorState(instruction="", demos=())})
    assert shown(other, "password lost") == []


def test_a_call_that_is_cancelled_leaves_the_index_to_the_others() -> None:
    embedder, module = WordsEmbedder(), make()

    async def go() -> Any:
        runtime = Runtime(lm=ScriptedLM(answer), embedder=embedder)
        first = asyncio.create_task(module({"message": "a"}, runtime, ""))
        second = asyncio.create_task(module({"message": "b"}, runtime, ""))
        await asyncio.sleep(0)
        first.cancel()
        return await second

    assert asyncio.run(go()).values == {"area": "fine"}


def test_an_embedder_that_fails_is_asked_anew_the_next_time() -> None:
    module = make()
    failing = WordsEmbedder(failing=LMUnavailable())
    with pytest.raises(LMUnavailable):
        shown(module, "parcel", failing)
    failing.failing = None
    assert len(shown(module, "parcel", failing)) == 2
    with pytest.raises(RetrievalError, match="answered"):
        shown(module, "parcel", SaysVectors([]))


def test_it_is_compiled_like_a_predict() -> None:
    ((path, (signature, state)),) = make().predictors().items()
    assert path == ""
    assert str(signature) == "message -> area"
    assert len(state.demos) == 5


def test_reasoning_is_asked_for_but_no_port() -> None:
    module = make(step="chain_of_thought")
    assert str(module.signature) == "message -> area"
    assert "reasoning" in str(module.predictors()[""][0])
    lm = ScriptedLM(answer)
    found = asyncio.run(module({"message": "x"}, Runtime(lm=lm), ""))
    assert found.values == {"area": "fine"}
    assert found.steps[0].outputs["reasoning"] == "fine"
