"""The hard cap on calls, and the LM that keeps to it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, nullcontext
from dataclasses import replace

from studio.engine.errors import BudgetSpent
from studio.engine.lm.around import Around
from studio.engine.lm.base import LM
from studio.engine.lm.per_loop import PerLoop
from studio.engine.messages import Completion, LabelScores, Request, Usage


class Budget:
    """How many calls may go out (None: as many as one likes), and what they used.

    Several LMs, tasks and threads may share one.
    """

    def __init__(self, max_calls: int | None = None) -> None:
        self.max_calls = max_calls
        self._used = 0
        self._usage = Usage()
        self._lock = threading.Lock()

    @property
    def used(self) -> int:
        """The calls that were let go, with those that failed."""
        return self._used

    @property
    def remaining(self) -> int | None:
        """The calls that may still go; None without a cap."""
        return None if self.max_calls is None else max(0, self.max_calls - self._used)

    @property
    def usage(self) -> Usage:
        """Everything that the calls used; its `calls` are `used`."""
        return replace(self._usage, calls=self._used)

    def take(self) -> None:
        """Count one call, before it is sent. Raises `BudgetSpent` when none is left."""
        with self._lock:
            if self.max_calls is not None and self._used >= self.max_calls:
                raise BudgetSpent(_spent(self.max_calls))
            self._used += 1

    def add(self, usage: Usage) -> None:
        """Add what an answer used; its calls were counted by `take`."""
        with self._lock:
            self._usage += usage


def _spent(cap: int) -> str:
    if cap <= 0:
        return (
            "The budget is 0 calls, so only answers from the cache are possible. "
            "Set a budget of at least one call."
        )
    calls = "1 call" if cap == 1 else f"{cap:,} calls"
    return f"The budget of {calls} is spent. Raise it to go on; what was answered is kept."


class Metered(Around):
    """Takes from `budget` before each call, and has at most `limit` calls in flight in a loop.

    `score_labels` is one call, however many steps the LM needs for it; so is a stream, also one
    that is given up half-way, whose tokens nobody tells.
    """

    def __init__(self, lm: LM, budget: Budget, *, limit: int | None = None) -> None:
        super().__init__(lm)
        self._budget = budget
        self._gates = PerLoop(lambda: asyncio.Semaphore(limit)) if limit is not None else None

    async def complete(self, request: Request) -> Completion:
        """Answer, or raise an `LMError` or `BudgetSpent`."""
        if self._gates is None:
            return await self._complete(request)
        async with self._gates.known() or await self._gates.get():
            return await self._complete(request)

    async def score_labels(self, prompt: str, labels: Sequence[str]) -> LabelScores:
        """Score, or raise an `LMError` or `BudgetSpent`."""
        if self._gates is None:
            return await self._score_labels(prompt, labels)
        async with self._gates.known() or await self._gates.get():
            return await self._score_labels(prompt, labels)

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        """Answer piece by piece, or raise an `LMError` or `BudgetSpent`."""
        gate = nullcontext() if self._gates is None else await self._gates.get()
        async with gate:
            self._budget.take()
            async with aclosing(self._lm.stream(request)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Completion):
                        self._budget.add(piece.usage)
                    yield piece

    async def _complete(self, request: Request) -> Completion:
        self._budget.take()
        completion = await self._lm.complete(request)
        self._budget.add(completion.usage)
        return completion

    async def _score_labels(self, prompt: str, labels: Sequence[str]) -> LabelScores:
        self._budget.take()
        scores = await self._lm.score_labels(prompt, labels)
        self._budget.add(scores.usage)
        return scores
