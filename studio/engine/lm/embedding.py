"""What embedding models share: batches, retries, the budget, and a careful look at the vectors."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from studio.engine.codec import content_hash
from studio.engine.errors import LMBadAnswer, LMError
from studio.engine.lm.metered import Budget
from studio.engine.lm.per_loop import PerLoop
from studio.engine.lm.retrying import Attempts, Patience
from studio.engine.lm.stores import AnswerStore
from studio.engine.messages import Usage
from studio.engine.retrieval.base import Embedder
from studio.engine.side_by_side import side_by_side

Vector = list[float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batching:
    """How an embedding model is asked."""

    size: int = 96
    """Texts in one call."""
    concurrency: int = 4
    """Calls in flight at the same time, in a loop."""
    patience: Patience = field(default_factory=Patience)
    budget: Budget | None = None
    """Counts each call and what it uses; raises `BudgetSpent` when none is left."""


class BatchedEmbedder:
    """Embeds texts in batches, several at a time, and gives the vectors in the texts' order.

    A subclass has `name`, `endpoint` and `embed_batch`. An empty text is sent as one space,
    because most servers refuse an empty one. `used` is the usage of all calls so far.
    """

    name: str
    endpoint: str

    def __init__(self, batching: Batching | None = None) -> None:
        self._batching = batching or Batching()
        self._chances = random.Random(0)
        self._gates = PerLoop(lambda: asyncio.Semaphore(self._batching.concurrency))
        self.used = Usage()

    async def embed_batch(self, texts: Sequence[str]) -> tuple[Any, Usage]:
        """Ask once: the answer's `data` as in OpenAI's protocol, and what the call used."""
        raise NotImplementedError

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One vector for each text, or raise an `LMError`."""
        size = self._batching.size
        batches = [texts[start : start + size] for start in range(0, len(texts), size)]
        async with side_by_side() as group:
            tasks = [group.create_task(self._persist(batch)) for batch in batches]
        vectors = [vector for task in tasks for vector in task.result()]
        if len({len(vector) for vector in vectors}) > 1:
            raise LMBadAnswer(f"{self.name} answered vectors of different lengths.")
        return vectors

    async def _persist(self, texts: Sequence[str]) -> list[Vector]:
        batching = self._batching
        attempts = Attempts(batching.patience, self._chances, asyncio.sleep)
        while True:
            try:
                async with await self._gates.get():
                    return await self._once([text or " " for text in texts])
            except LMError as error:
                failure = error
            await attempts.after(failure)

    async def _once(self, texts: list[str]) -> list[Vector]:
        budget = self._batching.budget
        if budget is not None:
            budget.take()
        data, usage = await self.embed_batch(texts)
        if budget is not None:
            budget.add(usage)
        self.used += usage
        return read_vectors(data, len(texts), name=self.name)


class CachedEmbedder:
    """Looks into `store` for each text first; the others are asked for, each only once."""

    def __init__(self, embedder: Embedder, store: AnswerStore) -> None:
        self._embedder = embedder
        self._store = store

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._embedder!r})"

    @property
    def name(self) -> str:
        """The inner embedder's name."""
        return self._embedder.name

    @property
    def endpoint(self) -> str:
        """The inner embedder's endpoint."""
        return self._embedder.endpoint

    async def embed(self, texts: Sequence[str]) -> list[Vector]:
        """One vector for each text, or raise an `LMError`."""
        keys = {text: self._key(text) for text in texts}
        known: dict[str, Vector] = {}
        for text, key in keys.items():
            kept = await self._store.get(key)
            if kept is not None and (vector := _vector(kept.get("vector"))) is not None:
                known[text] = vector
        new = [text for text in keys if text not in known]
        if new:
            for text, vector in zip(new, await self._embedder.embed(new), strict=True):
                known[text] = vector
                await self._store.put(keys[text], {"vector": vector})
        return [known[text] for text in texts]

    def _key(self, text: str) -> str:
        return content_hash(
            {"endpoint": self.endpoint, "name": self.name, "kind": "embed", "question": text}
        )


def read_vectors(data: Any, number: int, *, name: str) -> list[Vector]:
    """The vectors of an answer's `data`, in the order of their index. Raises `LMBadAnswer`."""
    found: dict[int, Vector] = {}
    for place, item in enumerate(data if isinstance(data, list) else ()):
        entry = item if isinstance(item, dict) else {}
        index = entry.get("index", place)
        vector = _vector(entry.get("embedding"))
        if vector is None or not isinstance(index, int):
            raise LMBadAnswer(f"{name} answered something that is no vector.")
        found[index] = vector
    if sorted(found) != list(range(number)):
        raise LMBadAnswer(f"{name} answered {len(found)} vectors for {number} texts.")
    return [found[index] for index in range(number)]


def _vector(data: Any) -> Vector | None:
    if not isinstance(data, list) or not data:
        return None
    for value in data:
        if type(value) not in (int, float) or not math.isfinite(value):
            return None
    return [float(value) for value in data]
