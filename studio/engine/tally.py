"""Counts the calls that one run of a program makes, also of those runs that end in a failure."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from studio.engine.lm.around import Around
from studio.engine.lm.base import LM
from studio.engine.messages import Completion, LabelScores, Request


@dataclass
class Tally:
    """How many calls reached a server; answers from a cache do not count."""

    calls: int = 0

    def around(self, lm: LM) -> LM:
        """`lm`, counted."""
        return _Counted(lm, self)


class _Counted(Around):
    def __init__(self, lm: LM, tally: Tally) -> None:
        super().__init__(lm)
        self._tally = tally

    async def complete(self, request: Request) -> Completion:
        completion = await self._lm.complete(request)
        self._tally.calls += completion.usage.calls
        return completion

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        async with aclosing(self._lm.stream(request)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Completion):
                    self._tally.calls += piece.usage.calls
                yield piece

    async def score_labels(self, prompt: str, labels: Sequence[str]) -> LabelScores:
        scores = await self._lm.score_labels(prompt, labels)
        self._tally.calls += scores.usage.calls
        return scores
