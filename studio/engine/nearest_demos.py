"""The demos that are most like an input, found without a model.

Choosing demos by nearness: Liu et al. 2022, https://arxiv.org/abs/2101.06804. Nearness is the
cosine of TF-IDF vectors of words and of the pieces of words (Salton and Buckley 1988,
https://doi.org/10.1016/0306-4573(88)90021-0), so that “declined” is also like “declining”.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from studio.engine.example import Demo, PredictorState
from studio.engine.formats.shown import value_text
from studio.engine.retrieval.words import search_words
from studio.engine.signature import Signature

_PIECES = (3, 4, 5)
"""Letters of a piece of a word; the word's ends count as letters."""
_LONGEST = 2_000
"""Characters of a value that are compared."""


class NearestDemos:
    """An index of the inputs of demos; asking it costs what the words of the question occur."""

    def __init__(self, signature: Signature, demos: Sequence[Demo]) -> None:
        self._signature, self._demos = signature, demos
        self._pieces: dict[str, tuple[str, ...]] = {}
        counts = [self._counts(demo.values) for demo in demos]
        holders = Counter(piece for found in counts for piece in found)
        self._rarity = {
            piece: math.log((1 + len(demos)) / (1 + count)) + 1 for piece, count in holders.items()
        }
        self._holders: dict[str, list[tuple[int, float]]] = {piece: [] for piece in holders}
        for place, found in enumerate(counts):
            for piece, weight in self._vector(found):
                self._holders[piece].append((place, weight))
        self._pieces.clear()

    def of(self, inputs: Mapping[str, Any], count: int) -> tuple[Demo, ...]:
        """The `count` demos most like `inputs`, the most similar one last, next to the question.

        Of equally similar ones the earlier is taken first.
        """
        likeness = [0.0] * len(self._demos)
        for piece, weight in self._vector(self._counts(inputs)):
            for place, other in self._holders[piece]:
                likeness[place] += weight * other
        self._pieces.clear()
        best = sorted(range(len(likeness)), key=lambda place: (-likeness[place], place))
        return tuple(self._demos[place] for place in reversed(best[:count]))

    def _counts(self, values: Mapping[str, Any]) -> Counter[str]:
        """How often each word and each piece of a word stands in the inputs."""
        counts: Counter[str] = Counter()
        for field in self._signature.inputs:
            if values.get(field.name) is not None:
                text = value_text(field, values[field.name], [])[:_LONGEST]
                for word in search_words(text):
                    counts.update(self._pieces_of(word))
        return counts

    def _pieces_of(self, word: str) -> tuple[str, ...]:
        """The word itself, after a space so that it is no piece, and its pieces."""
        found = self._pieces.get(word)
        if found is None:
            whole = f"<{word}>"
            pieces = (
                whole[start : start + size]
                for size in _PIECES
                for start in range(len(whole) - size + 1)
            )
            found = self._pieces[word] = (f" {word}", *pieces)
        return found

    def _vector(self, counts: Mapping[str, int]) -> list[tuple[str, float]]:
        """The weight of each piece that some demo holds; of length 1."""
        weights = [
            (piece, (1 + math.log(count)) * self._rarity[piece])
            for piece, count in counts.items()
            if piece in self._rarity
        ]
        length = math.sqrt(math.fsum(weight * weight for _, weight in weights)) or 1.0
        return [(piece, weight / length) for piece, weight in weights]


def shown_state(
    signature: Signature,
    state: PredictorState,
    inputs: Mapping[str, Any],
    pinned: Sequence[Demo] = (),
) -> PredictorState:
    """The state as the LM sees it for these inputs.

    After the demos that somebody has pinned stand all those of the state, or the nearest ones.
    """
    if not state.nearest:
        return replace(state, demos=(*pinned, *state.demos)) if pinned else state
    demos = NearestDemos(signature, state.demos).of(inputs, state.nearest)
    return replace(state, demos=(*pinned, *demos), nearest=0)
