"""An LM that asks again when asking again may help."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import TypeVar

from studio.engine.errors import LMError, LMTimeout
from studio.engine.lm.around import Around
from studio.engine.lm.base import LM
from studio.engine.messages import Completion, LabelScores, Request, Usage

Answer = TypeVar("Answer", Completion, LabelScores)
Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often something is tried again, and how long apart.

    It waits `base_s`, then twice as long, and so on up to `max_s`, each time shortened by up to
    half at random so that many callers do not come back at once; and at least as long as the
    server asked for. A server that asks for more than `longest_s` is not asked again.

    After a timeout the answer may have been paid for although nobody got it: of all the attempts
    at most `timeouts` may end in one before the next is made.
    """

    attempts: int = 4
    base_s: float = 0.5
    max_s: float = 30.0
    longest_s: float = 120.0
    timeouts: int = 1

    def pause_s(self, error: LMError, failed: int, timed_out: int, chance: float) -> float | None:
        """Seconds until the next attempt after `failed` of them; None: there is none.

        `timed_out` of them ended in a timeout; `chance` is between 0 and 1.
        """
        asked = error.retry_after_s or 0.0
        if not error.retryable or failed >= self.attempts or asked > self.longest_s:
            return None
        if timed_out > self.timeouts:
            return None
        doubled = min(self.max_s, self.base_s * 2.0 ** (failed - 1))
        return max(asked, doubled * (0.5 + chance / 2))


class Attempts:
    """The attempts at one question."""

    def __init__(self, patience: Patience, chances: random.Random, sleep: Sleep) -> None:
        self.failed = 0
        self._timed_out = 0
        self._patience = patience
        self._chances = chances
        self._sleep = sleep

    async def after(self, error: LMError) -> None:
        """Wait for the next attempt, or raise `error` when there is none."""
        self.failed += 1
        self._timed_out += isinstance(error, LMTimeout)
        pause = self._patience.pause_s(error, self.failed, self._timed_out, self._chances.random())
        if pause is None:
            raise error
        await self._sleep(pause)


class Retrying(Around):
    """Asks again while the error is `retryable`, as `Patience` says.

    The usage of an answer counts the attempts that failed before it. A stream is begun again only
    as long as it has given nothing: nobody gets half an answer twice.
    """

    def __init__(
        self,
        lm: LM,
        *,
        attempts: int = 4,
        base_s: float = 0.5,
        max_s: float = 30.0,
        longest_s: float = 120.0,
        timeouts: int = 1,
        seed: int = 0,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        super().__init__(lm)
        self._patience = Patience(
            attempts=attempts,
            base_s=base_s,
            max_s=max_s,
            longest_s=longest_s,
            timeouts=timeouts,
        )
        self._chances = random.Random(seed)
        self._sleep = sleep

    async def complete(self, request: Request) -> Completion:
        """Answer, or raise the last attempt's `LMError`."""
        try:
            return await self._lm.complete(request)
        except LMError as error:
            return await self._persist(error, lambda: self._lm.complete(request))

    async def score_labels(self, prompt: str, labels: Sequence[str]) -> LabelScores:
        """Score, or raise the last attempt's `LMError`."""
        try:
            return await self._lm.score_labels(prompt, labels)
        except LMError as error:
            return await self._persist(error, lambda: self._lm.score_labels(prompt, labels))

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        """Answer piece by piece, or raise the last attempt's `LMError`."""
        attempts = Attempts(self._patience, self._chances, self._sleep)
        while True:
            given = False
            try:
                async with aclosing(self._lm.stream(request)) as pieces:
                    async for piece in pieces:
                        given = True
                        if isinstance(piece, Completion):
                            piece = _counted(piece, attempts.failed)
                        yield piece
                return
            except LMError as error:
                if given:
                    raise
                await attempts.after(error)

    async def _persist(self, error: LMError, ask: Callable[[], Awaitable[Answer]]) -> Answer:
        """The attempts after the first, which ended in `error`."""
        attempts = Attempts(self._patience, self._chances, self._sleep)
        while True:
            await attempts.after(error)
            try:
                return _counted(await ask(), attempts.failed)
            except LMError as again:
                error = again


def _counted(answer: Answer, failed: int) -> Answer:
    return replace(answer, usage=answer.usage + Usage(calls=failed)) if failed else answer
