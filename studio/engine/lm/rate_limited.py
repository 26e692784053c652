"""An LM that keeps to its server's rate limits, together with all workers that ask it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, suppress
from typing import TypeVar

from studio.engine.errors import EngineError, LMRateLimited, LMTimeout
from studio.engine.lm.around import Around
from studio.engine.lm.base import LM
from studio.engine.lm.per_loop import PerLoop
from studio.engine.lm.rate_bucket import (
    Bucket,
    RateLimits,
    give_back,
    leave,
    take,
    wait_for_all,
)
from studio.engine.lm.rate_stores import RateStore
from studio.engine.messages import Completion, LabelScores, Request

Answer = TypeVar("Answer", Completion, LabelScores)
Sleep = Callable[[float], Awaitable[None]]

_LOOK_S = 0.5
"""How often the first in line looks whether another process has given something back."""

_LETTERS = 4
"""About so many make a token."""


class RateLimited(Around):
    """Lets a call go when the limits allow it, in the order of asking.

    Before a call it takes what the call may use (a token for four letters of the prompt, and
    `max_tokens`); afterwards it puts back what was not used, or takes the rest. When the server
    answers that it has had too many, and when to come back, no worker asks before then.

    Workers that share `store` share the limits of all LMs with the same `key`, which is the LM's
    endpoint and name unless said otherwise. In a worker only the first in line asks the store, at
    the time when there should be room, at once when a call of the same worker gives something
    back, and every half second for what others give back.
    """

    def __init__(self, lm: LM, limits: RateLimits, store: RateStore, *, key: str = "") -> None:
        super().__init__(lm)
        self._limits = limits
        self._store = store
        self._key = key or f"{lm.endpoint} {lm.name}"
        self._lines = PerLoop(_Line)

    async def complete(self, request: Request) -> Completion:
        """Answer, or raise an `LMError`."""
        wanted = estimated_tokens(request)
        return await self._limited(wanted, lambda: self._lm.complete(request))

    async def score_labels(self, prompt: str, labels: Sequence[str]) -> LabelScores:
        """Score, or raise an `LMError`."""
        wanted = len(prompt) // _LETTERS + 1
        return await self._limited(wanted, lambda: self._lm.score_labels(prompt, labels))

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        """Answer piece by piece, or raise an `LMError`."""
        wanted = estimated_tokens(request)
        await self._wait(wanted)
        used = wanted
        try:
            async with aclosing(self._lm.stream(request)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Completion):
                        used = _used(piece, wanted)
                    yield piece
        except EngineError as error:
            used = await self._after(error, wanted)
            raise
        finally:
            await self._settle(wanted - used)

    async def _limited(self, wanted: int, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        await self._wait(wanted)
        used = wanted
        try:
            answer = await ask()
            used = _used(answer, wanted)
        except EngineError as error:
            used = await self._after(error, wanted)
            raise
        finally:
            await self._settle(wanted - used)
        return answer

    async def _wait(self, tokens: int) -> None:
        """Until a call of so many tokens may go."""
        line = self._lines.known() or await self._lines.get()
        limits = self._limits

        def go(bucket: Bucket | None, now: float) -> tuple[Bucket, float]:
            bucket = bucket or Bucket.full(limits, now)
            return take(bucket, limits, now, ticket=line.ticket, tokens=tokens)

        line.waiting += 1
        try:
            async with line.lock:
                while True:
                    line.freed.clear()
                    wait = await self._store.change(self._key, go)
                    if not wait:
                        return
                    await line.pause(min(wait, _LOOK_S))
        except asyncio.CancelledError:
            # Who comes next has the same ticket; a place that nobody takes is given up.
            if line.waiting == 1:
                await self._change(lambda b, now: leave(b, limits, now, ticket=line.ticket))
            raise
        finally:
            line.waiting -= 1

    async def _after(self, error: EngineError, wanted: int) -> int:
        """What a call that failed has used, as far as one can know."""
        if isinstance(error, LMRateLimited) and error.retry_after_s:
            seconds = error.retry_after_s
            await self._change(lambda b, now: wait_for_all(b, self._limits, now, seconds=seconds))
        # The server may have worked on what we did not wait for.
        return wanted if isinstance(error, LMTimeout) else 0

    async def _settle(self, tokens: int) -> None:
        if tokens and self._limits.tokens_per_minute is not None:
            await self._change(lambda b, now: give_back(b, self._limits, now, tokens=tokens))
            if tokens > 0 and (line := self._lines.known()) is not None:
                line.freed.set()

    async def _change(self, change: Callable[[Bucket, float], Bucket]) -> None:
        limits = self._limits

        def do(bucket: Bucket | None, now: float) -> tuple[Bucket, None]:
            return change(bucket or Bucket.full(limits, now), now), None

        # The shield: one who is cancelled must not leave the others with a wrong count.
        await asyncio.shield(self._store.change(self._key, do))


class _Line:
    """Who waits in one loop: the first holds the lock, and its ticket stands for all."""

    def __init__(self) -> None:
        self.ticket = uuid.uuid4().hex
        self.lock = asyncio.Lock()
        self.freed = asyncio.Event()
        self.waiting = 0

    async def pause(self, seconds: float) -> None:
        """Until then, or until something is given back."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.freed.wait()


def estimated_tokens(request: Request) -> int:
    """About what a request may use, prompt and answer together."""
    letters = len(request.prompt) + sum(len(turn.content) for turn in request.messages)
    return letters // _LETTERS + 1 + request.max_tokens


def _used(answer: Completion | LabelScores, wanted: int) -> int:
    """What the answer says; where it says nothing, what was expected."""
    if answer.usage.calls == 0:
        return 0  # From a cache.
    return answer.usage.prompt_tokens + answer.usage.completion_tokens or wanted
