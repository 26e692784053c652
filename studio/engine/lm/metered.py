"""The hard caps on calls, tokens, money and time, and the LM that keeps to them."""

from __future__ import annotations

import asyncio
import math
import threading
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, nullcontext
from dataclasses import dataclass, replace

from studio.engine.errors import BudgetSpent
from studio.engine.lm.around import Around
from studio.engine.lm.base import LM
from studio.engine.lm.per_loop import PerLoop
from studio.engine.messages import Completion, LabelScores, Request, Usage


@dataclass(frozen=True, slots=True)
class Spent:
    """How much of a budget is gone."""

    calls: int = 0
    tokens: int = 0
    """Of prompts and of answers."""
    cost: float = 0.0
    """In US dollars."""
    seconds: float = 0.0
    """Of wall time."""


class Budget:
    """How many calls, tokens, dollars and seconds may be spent (None: as many as one likes).

    Several LMs, tasks and threads may share one. Each cap is looked at before a call goes out, so
    that it is passed by no more than what was in flight when it was reached; the cap on calls is
    never passed. The seconds count from the moment at which the budget is made. `already` is what
    earlier attempts at the same work spent: it counts as if it had been spent here.
    """

    def __init__(
        self,
        max_calls: int | None = None,
        *,
        max_tokens: int | None = None,
        max_cost: float | None = None,
        max_seconds: float | None = None,
        already: Spent = Spent(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        caps = {
            "calls": max_calls,
            "tokens": max_tokens,
            "cost": max_cost,
            "seconds": max_seconds,
        }
        self._max_calls = max_calls
        self._caps = {name: cap for name, cap in caps.items() if cap is not None}
        self._already = already
        self._clock = clock
        self._began = clock()
        self._used = 0
        self._answered = 0
        self._usage = Usage()
        self._reserve: _Reserve | None = None
        self._lock = threading.Lock()

    @property
    def max_calls(self) -> int | None:
        """The cap on calls."""
        return self._max_calls

    @property
    def spent(self) -> Spent:
        """Everything that is gone, with what earlier attempts spent."""
        with self._lock:
            return self._spent()

    @property
    def used(self) -> int:
        """The calls that were let go, with those that failed and those of earlier attempts."""
        return self._already.calls + self._used

    @property
    def remaining(self) -> int | None:
        """The calls that may still go by the cap on calls; None without one."""
        if self._max_calls is None:
            return None
        kept = self._reserve.calls if self._reserve else 0
        return max(0, self._max_calls - kept - self.used)

    @property
    def affordable(self) -> int | None:
        """The calls that may still go by all caps, if they take what a call took on average.

        None without a cap; a cap of which nothing is known yet does not count.
        """
        with self._lock:
            spent = self._spent()
            each = self._each(spent)
            fits = [
                max(0.0, left) / price
                for name, left in self._left(spent).items()
                if (price := each[name]) > 0
            ]
        return int(min(fits)) if fits else None

    @property
    def usage(self) -> Usage:
        """Everything that the calls since it was made used."""
        return replace(self._usage, calls=self._used)

    def take(self) -> None:
        """Count one call, before it is sent. Raises `BudgetSpent` when a cap is reached."""
        with self._lock:
            if self._caps:
                spent = self._spent()
                for name, left in self._left(spent).items():
                    if left <= 0:
                        raise BudgetSpent(self._sentence(name, spent))
            self._used += 1

    def add(self, usage: Usage) -> None:
        """Add what an answer used; its calls were counted by `take`."""
        with self._lock:
            self._usage += usage
            self._answered += 1

    @contextmanager
    def keep(self, calls: int) -> Iterator[None]:
        """Meanwhile, have `take` leave room for so many calls, under every cap.

        A call is taken to need as many tokens, dollars and seconds as the calls so far did on
        average. Of each cap at most half of what is left at the beginning is kept.
        """
        with self._lock:
            before, left = self._reserve, self._left(self._spent())
            most = {name: max(0.0, amount) / 2 for name, amount in left.items()}
            kept = min(calls, int(most["calls"])) if "calls" in most else calls
            self._reserve = _Reserve(kept, most)
        try:
            yield
        finally:
            self._reserve = before

    def _spent(self) -> Spent:
        already, usage = self._already, self._usage
        return Spent(
            calls=already.calls + self._used,
            tokens=already.tokens + usage.prompt_tokens + usage.completion_tokens,
            cost=already.cost + usage.cost,
            seconds=already.seconds + self._clock() - self._began,
        )

    def _left(self, spent: Spent) -> dict[str, float]:
        """What may still be spent under each cap, the reserve not counted."""
        left = {name: cap - getattr(spent, name) for name, cap in self._caps.items()}
        if self._reserve is not None:
            each = self._each(spent)
            for name, most in self._reserve.most.items():
                left[name] -= min(self._reserve.calls * each[name], most)
        return left

    def _each(self, spent: Spent) -> dict[str, float]:
        """What a call takes on average; 0 where nothing is known yet."""
        # Of calls in flight nobody knows the tokens yet.
        answered = max(1, self._already.calls + self._answered)
        return {
            "calls": 1,
            "tokens": spent.tokens / answered,
            "cost": spent.cost / answered,
            # Wall time by calls, however many are in flight together.
            "seconds": spent.seconds / answered if spent.calls else 0.0,
        }

    def _sentence(self, name: str, spent: Spent) -> str:
        cap = self._caps[name]
        words = _WORDS[name]
        if cap <= 0:
            return (
                f"The budget is {words(0)}, so only answers from the cache are possible. "
                f"{_LEAST[name]}"
            )
        rest = "Raise it to go on; what was answered is kept."
        used = getattr(spent, name)
        if used < cap:
            return (
                f"Of the budget of {words(cap)}, {words(used)} are spent and the rest is kept for "
                f"the confirmation. {rest}"
            )
        return f"The budget of {words(cap)} is spent. {rest}"


@dataclass(frozen=True, slots=True)
class _Reserve:
    """What is kept."""

    calls: int
    most: dict[str, float]
    """By cap, what is kept at the most."""


def _count(noun: str) -> Callable[[float], str]:
    return lambda number: f"{number:,.0f} {noun}" + ("" if number == 1 else "s")


def _dollars(amount: float) -> str:
    """Cents, and more places where cents would say nothing."""
    places = 2 if amount >= 1 or amount <= 0 else max(2, 1 - math.floor(math.log10(amount)))
    return f"{amount:,.{places}f} US dollars"


_WORDS: dict[str, Callable[[float], str]] = {
    "calls": _count("call"),
    "tokens": _count("token"),
    "cost": _dollars,
    "seconds": _count("second"),
}

_LEAST = {
    "calls": "Set a budget of at least one call.",
    "tokens": "Set a budget of more tokens than one call needs.",
    "cost": "Set a budget of more than nothing.",
    "seconds": "Set a budget of some seconds.",
}


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
