"""Counts what one run of a program takes, also of those runs that end in a failure."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from studio.engine.lm.around import Around
from studio.engine.lm.base import LM
from studio.engine.messages import Completion, LabelScores, Request, Usage


@dataclass
class Tally:
    """How many calls reached a server, and their price; answers from a cache do not count."""

    calls: int = 0
    cost: float = 0.0
    """US dollars."""

    def around(self, lm: LM) -> LM:
        """`lm`, counted."""
        return _Counted(lm, self)

    def add(self, usage: Usage) -> None:
        """Add what one answer used."""
        self.calls += usage.calls
        self.cost += usage.cost


class _Counted(Around):
    def __init__(self, lm: LM, tally: Tally) -> None:
        super().__init__(lm)
        self._tally = tally

    async def complete(self, request: Request) -> Completion:
        completion = await self._lm.complete(request)
        self._tally.add(completion.usage)
        return completion

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        async with aclosing(self._lm.stream(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Completion):
                    self._tally.add(piece.usage)
                yield piece

    async def score_labels(self, prompt: str, labels: Sequence[str]) -> LabelScores:
        scores = await self._lm.score_labels(prompt, labels)
        self._tally.add(scores.usage)
        return scores
