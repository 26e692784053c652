"""BM25 over a few texts in memory, such as the demos of a predictor (see `fulltext`)."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence

from studio.engine.retrieval.words import search_words

_SATURATION = 1.2
_LENGTH = 0.75


class Bm25:
    """An index of texts; searching costs what the query's words occur."""

    def __init__(self, texts: Sequence[str]) -> None:
        counts = [Counter(search_words(text)) for text in texts]
        sizes = [found.total() for found in counts]
        mean = sum(sizes) / len(sizes) if any(sizes) else 1.0
        self.count = len(texts)
        self._weights: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for at, (found, size) in enumerate(zip(counts, sizes, strict=True)):
            room = _SATURATION * (1 - _LENGTH + _LENGTH * size / mean)
            for word, times in found.items():
                weight = times * (_SATURATION + 1) / (times + room)
                self._weights[word].append((at, weight))

    def search(self, query: str, k: int) -> list[tuple[int, float]]:
        """The `k` best as (index, score), best first; those that share no word come last."""
        scores = [0.0] * self.count
        for word in dict.fromkeys(search_words(query)):
            found = self._weights.get(word, ())
            # Never negative, so that a frequent word is no reason against a text.
            rarity = math.log(1 + (self.count - len(found) + 0.5) / (len(found) + 0.5))
            for at, weight in found:
                scores[at] += rarity * weight
        best = sorted(range(self.count), key=lambda at: (-scores[at], at))[: max(k, 0)]
        return [(at, scores[at]) for at in best]
