"""Retrieve, beyond what every module keeps to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from studio.engine.errors import EngineError, InputError, RetrievalError, SignatureError
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Usage
from studio.engine.modules import MODULES
from studio.engine.modules.retrieve import Retrieve, RetrieveParams
from studio.engine.params import read_params
from studio.engine.retrieval.base import Passage
from studio.engine.retrieval.fulltext import FullText
from studio.engine.runtime import Runtime
from studio.engine.trace import Prediction

CITIES = [
    Passage(id="p", title="Paris", text="The capital of France."),
    Passage(id="b", text="Berlin is the capital of Germany."),
    Passage(id="s", title="Spree", text="A river."),
]


def ask(
    inputs: dict[str, Any], signature: str = "query -> passages: list[str]", **params: Any
) -> Prediction:
    module = Retrieve.of(signature, RetrieveParams(**{"collection": "cities", **params}))
    collection = FullText.build(CITIES)
    runtime = Runtime(lm=ScriptedLM([]), retrievers={"cities": collection})
    return asyncio.run(module(inputs, runtime, "find"))


def test_passages_come_as_texts_with_their_titles() -> None:
    assert ask({"query": "Berlin capital"}).values == {
        "passages": ["Berlin is the capital of Germany.", "Paris | The capital of France."]
    }


def test_k_is_how_many() -> None:
    assert len(ask({"query": "capital"}, k=1).values["passages"]) == 1


def test_details_have_ids_titles_and_scores() -> None:
    found = ask({"query": "river"}, "query -> passages: list[str], details: list[object]")
    (detail,) = found.values["details"]
    assert detail.pop("score") > 0
    assert detail == {"id": "s", "title": "Spree", "text": "A river."}


def test_several_queries_are_fused() -> None:
    signature = "queries: list[str] -> passages: list[str]"
    found = ask({"queries": ["France capital", "river", "France capital"]}, signature, k=2)
    assert found.values["passages"] == ["Paris | The capital of France.", "Spree | A river."]
    assert ask({"queries": []}, signature).values == {"passages": []}


def test_the_search_is_a_step() -> None:
    (step,) = ask({"query": "river"}).steps
    assert step.path == "find.search"
    assert step.inputs == {"query": "river", "collection": "cities"}
    assert step.outputs == {"passages": ["Spree | A river."]}
    assert (step.prompt, step.usage) == ("", Usage())


def test_nothing_found_is_an_empty_list() -> None:
    assert ask({"query": ""}).values == {"passages": []}
    assert ask({"query": "🙂"}).values == {"passages": []}


def test_an_unknown_collection_is_named_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no collection “towns”. Known collections: cities\."):
        ask({"query": "x"}, collection="towns")


def test_a_collection_that_cannot_be_searched_is_an_error() -> None:
    closed = FullText.build(CITIES)
    closed.close()
    module = Retrieve.of("query -> passages: list[str]", RetrieveParams(collection="c"))
    runtime = Runtime(lm=ScriptedLM([]), retrievers={"c": closed})
    with pytest.raises(RetrievalError, match="closed"):
        asyncio.run(module({"query": "x"}, runtime, ""))


@pytest.mark.parametrize(
    "signature",
    [
        "a, b -> passages: list[str]",
        "a: int -> passages: list[str]",
        "query -> passages",
        "query -> passages: list[str], details: list[str]",
        "query -> details: list[object]",
        "query -> a: list[str], b: list[object], c: str",
    ],
)
def test_a_signature_that_does_not_fit_is_explained(signature: str) -> None:
    with pytest.raises(SignatureError, match="Retrieve"):
        Retrieve.of(signature, RetrieveParams(collection="c"))


@pytest.mark.parametrize(
    "params", [{}, {"collection": " "}, {"collection": "c", "k": 0}, {"collection": "c", "k": 51}]
)
def test_params_are_checked(params: dict[str, Any]) -> None:
    with pytest.raises(EngineError):
        read_params(MODULES["retrieve"].params, params)
