"""Retrieve: search a collection for passages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.engine.errors import InputError, SignatureError
from studio.engine.messages import Usage
from studio.engine.modules.base import ModuleKind, WithoutLM, join_path
from studio.engine.retrieval.base import Passage, Retriever
from studio.engine.retrieval.hybrid import fuse, search_all
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.trace import Prediction, Step

_QUERIES = ("str", "list[str]")
_TEXTS = "list[str]"
_FOUND = "list[object]"


@dataclass(frozen=True, kw_only=True)
class RetrieveParams:
    """What people may set on a Retrieve step."""

    collection: str = field(
        metadata={
            "label": "Collection",
            "help": "Which passages are searched.",
            "required": True,
            "widget": "retrievers",
        }
    )
    k: int = field(
        default=3,
        metadata={
            "label": "Passages",
            "help": "How many are found at most, best first.",
            "min": 1,
            "max": 50,
        },
    )


@dataclass(frozen=True)
class Retrieve(WithoutLM):
    """One search, or several that are fused; calls no LM."""

    signature: Signature
    """One input, the query (`str`) or several (`list[str]`); the first output is the passages as
    texts, a second one (`list[object]`) has their ids, titles and scores, too."""
    params: RetrieveParams

    @classmethod
    def of(cls, signature: Signature | str, params: RetrieveParams) -> Retrieve:
        """A Retrieve; raises `SignatureError` when it cannot have this signature."""
        if isinstance(signature, str):
            signature = Signature.parse(signature)
        return cls(check_signature(signature), params)

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`; also raises `RetrievalError`."""
        retriever = self._retriever(runtime)
        read = self.signature.read_inputs(inputs)
        asked = read[self.signature.inputs[0].name]
        found = await self._search(retriever, asked)
        texts, *details = self.signature.outputs
        values: dict[str, Any] = {texts.name: [passage_text(passage) for passage in found]}
        for output in details:
            values[output.name] = [_as_object(passage) for passage in found]
        step = Step(
            path=join_path(path, "search"),
            inputs={**read, "collection": self.params.collection},
            outputs=values,
            prompt="",
            answer="",
            scores={},
            usage=Usage(),
        )
        return Prediction(values, (step,))

    async def _search(self, retriever: Retriever, asked: str | list[str]) -> tuple[Passage, ...]:
        k = self.params.k
        if isinstance(asked, str):
            return await retriever.search(asked, k)
        queries = list(dict.fromkeys(asked))
        return fuse(await search_all(((retriever, query) for query in queries), k), k)

    def _retriever(self, runtime: Runtime) -> Retriever:
        name = self.params.collection
        if name not in runtime.retrievers:
            known = ", ".join(sorted(runtime.retrievers)) or "none"
            raise InputError(f"There is no collection “{name}”. Known collections: {known}.")
        return runtime.retrievers[name]


def passage_text(passage: Passage) -> str:
    """A passage as it goes into a prompt: `title | text`."""
    return f"{passage.title} | {passage.text}" if passage.title else passage.text


def check_signature(signature: Signature) -> Signature:
    """The signature, if a Retrieve can have it, else `SignatureError`."""
    if len(signature.inputs) != 1 or str(signature.inputs[0].type) not in _QUERIES:
        raise SignatureError(
            "Retrieve has one input, the query: write query -> passages: list[str], or "
            "queries: list[str] -> passages: list[str] to search for several at once."
        )
    types = [str(field.type) for field in signature.outputs]
    if types not in ([_TEXTS], [_TEXTS, _FOUND]):
        raise SignatureError(
            "Retrieve answers passages: list[str], and after it, if you like, details: "
            f"list[object] with ids and scores. It cannot answer {', '.join(types)}."
        )
    return signature


def _as_object(passage: Passage) -> dict[str, Any]:
    return {
        "id": passage.id,
        "title": passage.title,
        "text": passage.text,
        "score": passage.score,
    }


RETRIEVE = ModuleKind(
    name="retrieve",
    title="Retrieve",
    summary="Search a collection for the passages that fit a question.",
    group="Search",
    params=RetrieveParams,
    make=lambda signature, params, parts: Retrieve.of(signature, params),
    ports=check_signature,
    calls_lm=False,
)
