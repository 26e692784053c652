"""Hybrid: several searches as one, by reciprocal rank fusion.

G. Cormack, C. Clarke, S. Büttcher, Reciprocal Rank Fusion outperforms Condorcet and individual
Rank Learning Methods, SIGIR 2009, https://doi.org/10.1145/1571941.1572114.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from studio.engine.retrieval.base import Passage, Retriever
from studio.engine.side_by_side import side_by_side

FLATNESS = 60
"""The paper's constant: how little the first ranks count more than the later ones."""
DEPTH = 50
"""Passages that each search is asked for at least."""


@dataclass(frozen=True, slots=True)
class Hybrid:
    """The passages that stand high in the answers of several retrievers."""

    retrievers: tuple[Retriever, ...]

    async def search(self, query: str, k: int) -> tuple[Passage, ...]:
        """See `Retriever.search`; raises what the first failing retriever raises."""
        if k <= 0:
            return ()
        return fuse(await search_all(((each, query) for each in self.retrievers), k), k)


async def search_all(
    searches: Iterable[tuple[Retriever, str]], k: int
) -> list[tuple[Passage, ...]]:
    """Each search's passages, deep enough to be fused to `k`; all at the same time."""
    async with side_by_side() as group:
        tasks = [
            group.create_task(_search(retriever, query, max(k, DEPTH)))
            for retriever, query in searches
        ]
    return [task.result() for task in tasks]


def fuse(rankings: Sequence[Sequence[Passage]], k: int) -> tuple[Passage, ...]:
    """The `k` passages with the highest sum of 1 / (60 + rank); equal ones in order of ids."""
    scores: dict[tuple[str, str, str], float] = {}
    passages: dict[tuple[str, str, str], Passage] = {}
    for ranking in rankings:
        # A retriever may not know ids; then the text says which passage it is.
        keyed = {(p.id, "", "") if p.id else ("", p.title, p.text): p for p in ranking}
        for rank, (key, passage) in enumerate(keyed.items(), 1):
            passages.setdefault(key, passage)
            scores[key] = scores.get(key, 0.0) + 1 / (FLATNESS + rank)
    best = sorted(scores, key=lambda key: (-scores[key], key))[: max(k, 0)]
    return tuple(replace(passages[key], score=scores[key]) for key in best)


async def _search(retriever: Retriever, query: str, k: int) -> tuple[Passage, ...]:
    return await retriever.search(query, k)
