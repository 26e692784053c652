"""What a retriever and an embedder are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of text that was found."""

    text: str
    id: str = ""
    title: str = ""
    score: float = 0.0
    """Higher is nearer; comparable inside one search only."""


class Retriever(Protocol):
    """Finds passages in one collection."""

    async def search(self, query: str, k: int) -> tuple[Passage, ...]:
        """The `k` nearest passages, best first; fewer when there are no more.

        Raises `RetrievalError` when the collection cannot be searched.
        """


class Embedder(Protocol):
    """Turns texts into vectors of one length."""

    @property
    def name(self) -> str:
        """The model's name."""

    @property
    def endpoint(self) -> str:
        """Where it answers; with `name` it says which model this is."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """One vector for each text, in their order, or raise an `LMError`."""
