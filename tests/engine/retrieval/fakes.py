"""An embedding model that needs no model: words that two texts share make them near."""

from __future__ import annotations

import asyncio
import math
import zlib
from collections.abc import Sequence

from studio.engine.retrieval.words import words


class WordsEmbedder:
    """Each word is a direction; whatever was asked is in `asked`."""

    name = "words"
    endpoint = "test:"

    def __init__(self, dimensions: int = 2003, failing: Exception | None = None) -> None:
        self.dimensions = dimensions
        self.failing = failing
        self.asked: list[list[str]] = []

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        self.asked.append(list(texts))
        await asyncio.sleep(0)
        if self.failing:
            raise self.failing
        return [self.vector(text) for text in texts]

    def vector(self, text: str) -> list[float]:
        vector = [0.0] * self.dimensions
        for word in words(text):
            vector[zlib.crc32(word.encode()) % self.dimensions] += 1.0
        size = math.hypot(*vector) or 1.0
        return [value / size for value in vector]


class SaysVectors:
    """An embedder that answers what it is told."""

    name = "says"
    endpoint = "test:"

    def __init__(self, *answers: list[list[float]]) -> None:
        self.answers = list(answers)

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
