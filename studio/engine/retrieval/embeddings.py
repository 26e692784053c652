"""Embeddings: the passages whose vectors point where the query's does."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from studio.engine.errors import RetrievalError
from studio.engine.retrieval.base import Embedder, Passage
from studio.engine.retrieval.collection import Collection
from studio.engine.retrieval.nearest import Nearest, unit
from studio.engine.retrieval.vectors import embed_checked

LONG_SEARCH = 250_000
"""Passages × dimensions (four in a nanosecond) from which on a search runs in a thread."""


class Embeddings:
    """One collection in memory, searched by the cosine of its vectors, exactly.

    Make it with `build`; around an embedder that keeps its vectors (`KeptEmbedder`), building it
    again costs no call.
    """

    def __init__(self, collection: Collection, embedder: Embedder, nearest: Nearest) -> None:
        self._collection, self._embedder, self._nearest = collection, embedder, nearest
        self._closed = False
        self.hash = collection.hash
        """The content hash of the collection and of the model's name."""
        self.count = len(collection.passages)
        """How many passages it has."""

    @classmethod
    async def build(cls, passages: Iterable[Passage], embedder: Embedder) -> Embeddings:
        """Embed the passages, title and text together.

        Raises `RetrievalError` when two different passages have one id or the embedder answers
        something that is no vectors, and the embedder's `LMError`.
        """
        collection = Collection.of(passages, f"embeddings {embedder.endpoint} {embedder.name}")
        vectors = await embed_checked(embedder, [_text(found) for found in collection.passages])
        nearest = await asyncio.to_thread(lambda: Nearest([unit(vector) for vector in vectors]))
        return cls(collection, embedder, nearest)

    async def search(self, query: str, k: int) -> tuple[Passage, ...]:
        """See `Retriever.search`; scores are cosines. Also raises the embedder's `LMError`."""
        if self._closed:
            raise RetrievalError("The collection is closed.")
        k = min(k, self.count)
        if k <= 0 or not query.strip():
            return ()
        wanted = unit((await embed_checked(self._embedder, [query]))[0])
        dimensions = len(self._nearest.vectors[0])
        if len(wanted) != dimensions:
            raise RetrievalError(
                f"The embedding model {self._embedder.name} answers vectors of {len(wanted)} "
                f"numbers now, and the collection has {dimensions}: build it again."
            )
        if self.count * dimensions > LONG_SEARCH:
            found = await asyncio.to_thread(self._nearest.search, wanted, k)
        else:
            found = self._nearest.search(wanted, k)
        passages = self._collection.passages
        return tuple(
            Passage(id=hit.id, title=hit.title, text=hit.text, score=score)
            for hit, score in ((passages[at], score) for at, score in found)
        )

    def close(self) -> None:
        """No search after this."""
        self._closed = True


def _text(passage: Passage) -> str:
    return f"{passage.title}\n{passage.text}" if passage.title else passage.text
