"""Embedding similarity: the answer means what the expected one means, to an embedding model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from studio.engine.errors import MetricError, RetrievalError
from studio.engine.example import Example
from studio.engine.metrics.base import (
    MetricKind,
    Score,
    as_text,
    field_param,
    find_pair,
    shown,
)
from studio.engine.metrics.normal import alternatives
from studio.engine.retrieval.base import Embedder
from studio.engine.retrieval.nearest import cosine, unit
from studio.engine.retrieval.vectors import embed_checked
from studio.engine.runtime import Runtime
from studio.engine.trace import Prediction


@dataclass(frozen=True, kw_only=True)
class EmbeddingSimilarityParams:
    """What people may set."""

    field: str = field_param("The output that is compared.")


@dataclass(frozen=True)
class EmbeddingSimilarity:
    """The cosine of the two texts' vectors, 0 where it is negative."""

    params: EmbeddingSimilarityParams
    embedder: Embedder

    @property
    def name(self) -> str:
        """See `Metric.name`."""
        return f"embedding similarity of {self.params.field}"

    async def __call__(self, example: Example, prediction: Prediction) -> Score:
        """See `Metric.__call__`; of a gold list the nearest item counts. Raises `LMError`."""
        pair = find_pair(self.params.field, example, prediction)
        if isinstance(pair, Score):
            return pair
        gold, got = as_texts(alternatives(*pair)), as_text(pair[1])
        if got in gold:
            return Score(1.0, f"{shown(got)}, as expected")
        gold = [text for text in gold if text.strip()]
        if not gold or not got.strip():
            # An empty text has no meaning to embed, and many servers refuse it.
            return Score(0.0, f"expected {shown(pair[0])}, got {shown(got)}")
        try:
            answer, *wanted = map(unit, await embed_checked(self.embedder, [got, *gold]))
        except RetrievalError as error:
            raise MetricError(str(error)) from error
        value, nearest = max(
            (cosine(answer, vector), text) for vector, text in zip(wanted, gold, strict=True)
        )
        value = min(1.0, max(0.0, value))
        return Score(value, f"cosine {value:.2f}: expected {shown(nearest)}, got {shown(got)}")


def as_texts(values: list[Any]) -> list[str]:
    """Each value as the text that is compared."""
    return [as_text(value) for value in values]


def _make(params: EmbeddingSimilarityParams, runtime: Runtime | None) -> EmbeddingSimilarity:
    assert runtime is not None
    assert runtime.embedder is not None
    return EmbeddingSimilarity(params, runtime.embedder)


EMBEDDING_SIMILARITY = MetricKind(
    name="embedding_similarity",
    title="Embedding similarity",
    sentence="How near the answer's meaning is to the expected one's, by an embedding model.",
    params=EmbeddingSimilarityParams,
    make=_make,
    needs=frozenset({"embedder"}),
)
