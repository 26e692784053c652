"""Vectors from the embedded model's server, the same that answers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from studio.engine.errors import LMBadAnswer
from studio.engine.lm.embedded import ENDPOINT, MODEL_NAME
from studio.engine.lm.embedding import BatchedEmbedder, Batching, Vector, read_vectors
from studio.engine.lm.http_server import HttpServer
from studio.engine.lm.openai_answers import read_usage
from studio.engine.messages import Usage

_TOKENS = 500
"""What the server reads of one text: a batch has 512 tokens."""

_ORDINARY = (
    "Hello, how are you?",
    "Where is my order?",
    "The meeting was moved to Thursday.",
    "She studied chemistry and later became a teacher.",
    "How do I change the settings?",
    "The river runs through the old part of the town.",
    "I would like my money back.",
    "Prices rose by two percent last year.",
    "It does not work any more.",
    "Add the eggs and stir for five minutes.",
    "The team won the match in the last minute.",
    "Please confirm your email address.",
)
"""Texts about this and that, for the direction that all texts have in common."""


class EmbeddedEmbedder(BatchedEmbedder):
    """The embedded model as an embedder: a text's vector is the mean over its tokens.

    Such vectors of a language model all point in nearly one direction. What ordinary texts have
    in common is taken away, which leaves what tells them apart (Mu and Viswanath 2018,
    arXiv 1702.01417), and the rest has length 1. Of a long text the first 500 tokens count.

    `base_url` is what the server printed when it was ready.
    """

    def __init__(
        self,
        base_url: str,
        *,
        name: str = MODEL_NAME,
        endpoint: str = ENDPOINT,
        timeout_s: float = 120.0,
        batching: Batching | None = None,
    ) -> None:
        # One call at a time: the server reads one text after the other anyway.
        super().__init__(batching or Batching(size=16, concurrency=1))
        self.name = name
        self.endpoint = endpoint
        self._server = HttpServer(
            name,
            base_url.rstrip("/"),
            timeout_s=timeout_s,
            connections=2,
            max_answer_bytes=64 * 2**20,
        )
        self._common: Vector = []

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self._server.address!r})"

    async def embed_batch(self, texts: Sequence[str]) -> tuple[Any, Usage]:
        """See `BatchedEmbedder`."""
        common = self._common or await self._learn()
        vectors, usage = await self._ask(texts)
        data = [{"embedding": _without(vector, common)} for vector in vectors]
        return data, usage

    async def aclose(self) -> None:
        """Give back this loop's connections."""
        await self._server.aclose()

    async def _learn(self) -> Vector:
        vectors, _ = await self._ask(_ORDINARY)
        self._common = [sum(column) / len(vectors) for column in zip(*vectors, strict=True)]
        return self._common

    async def _ask(self, texts: Sequence[str]) -> tuple[list[Vector], Usage]:
        inputs = [await self._first_tokens(text) for text in texts]
        data = await self._server.post("v1/embeddings", {"model": self.name, "input": inputs})
        vectors = read_vectors(data.get("data"), len(texts), name=self.name)
        return vectors, read_usage(data.get("usage"), (0.0, 0.0))

    async def _first_tokens(self, text: str) -> str | list[int]:
        """The text, or its first tokens when it may be too long. No token is empty."""
        if len(text.encode("utf-8", "surrogatepass")) <= _TOKENS:
            return text
        # A token has seldom more than twenty letters: the server need not read megabytes.
        start = text[: _TOKENS * 40]
        data = await self._server.post("tokenize", {"content": start, "add_special": True})
        tokens = data.get("tokens")
        if not isinstance(tokens, list) or not all(isinstance(token, int) for token in tokens):
            raise LMBadAnswer(f"{self.name} answered something that is no list of tokens.")
        return tokens[:_TOKENS]


def _without(vector: Vector, common: Vector) -> Vector:
    """`vector` less `common`, of length 1."""
    rest = [value - shared for value, shared in zip(vector, common, strict=True)]
    length = math.sqrt(sum(value * value for value in rest))
    return [value / length for value in rest] if length > 0.0 else rest
