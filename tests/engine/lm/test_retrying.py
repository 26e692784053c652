"""Asking again: when, how often, and how long apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from studio.engine.errors import (
    LMAuthError,
    LMBadAnswer,
    LMError,
    LMInvalidRequest,
    LMRateLimited,
    LMRefused,
    LMTimeout,
    LMUnavailable,
)
from studio.engine.lm.retrying import Retrying
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Completion, Request, Usage

HELLO = Request(prompt="hello")


def pauses(
    *answers: str | Exception, seed: int = 0, attempts: int = 4, timeouts: int = 1
) -> tuple[list[float], str]:
    """How long it waited between the attempts, and what came of it."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    lm = Retrying(
        ScriptedLM(answers),
        attempts=attempts,
        base_s=1.0,
        max_s=30.0,
        timeouts=timeouts,
        seed=seed,
        sleep=sleep,
    )
    try:
        return waited, asyncio.run(lm.complete(HELLO)).text
    except LMError as error:
        return waited, str(error)


def test_it_waits_twice_as_long_each_time_with_some_chance() -> None:
    down = LMUnavailable("down")
    waited, answer = pauses(down, down, down, "up")
    assert answer == "up"
    assert all(low <= pause <= 2 * low for low, pause in zip((0.5, 1, 2), waited, strict=True))
    assert waited == pauses(down, down, down, "up")[0]
    assert waited != pauses(down, down, down, "up", seed=1)[0]


def test_it_gives_up_with_the_last_error() -> None:
    waited, answer = pauses(*(LMUnavailable(f"attempt {number}") for number in range(1, 9)))
    assert (len(waited), answer) == (3, "attempt 4")


def test_after_a_timeout_it_asks_once_more_only() -> None:
    late, down = LMTimeout("late"), LMUnavailable("down")
    assert pauses(late, "ok")[1] == "ok"
    waited, answer = pauses(late, late, "ok")
    assert (len(waited), answer) == (1, "late")
    assert pauses(late, down, down, "ok")[1] == "ok"
    assert pauses(late, down, late, "ok")[1] == "late"
    assert pauses(late, "ok", timeouts=0) == ([], "late")


def test_it_never_waits_longer_than_the_cap() -> None:
    waited, _ = pauses(*[LMUnavailable()] * 12, attempts=12)
    assert max(waited) <= 30.0


def test_the_server_says_how_long() -> None:
    assert pauses(LMRateLimited(retry_after_s=7.0), "ok") == ([7.0], "ok")
    assert pauses(LMUnavailable(retry_after_s=60.0), "ok") == ([60.0], "ok")


def test_a_server_that_wants_to_be_left_alone_for_long_is() -> None:
    busy = LMRateLimited("come back tomorrow", retry_after_s=86_400.0)
    assert pauses(busy, "ok") == ([], "come back tomorrow")


@pytest.mark.parametrize("error", [LMAuthError, LMInvalidRequest, LMRefused, LMBadAnswer])
def test_what_would_fail_again_is_not_asked_again(error: type[LMError]) -> None:
    assert pauses(error("no"), "yes") == ([], "no")


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError):
        pauses(ZeroDivisionError())


def test_usage_counts_every_attempt() -> None:
    async def sleep(seconds: float) -> None:
        return None

    lm = Retrying(ScriptedLM([LMUnavailable(), LMTimeout(), "ok"]), sleep=sleep)
    assert asyncio.run(lm.complete(HELLO)).usage.calls == 3


class Breaks(ScriptedLM):
    """Each stream says so many words and breaks; the last is whole."""

    def __init__(self, *words: int) -> None:
        super().__init__([])
        self._words = list(words)

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        self.requests.append(request)
        if not self._words:
            yield "whole"
            yield Completion(text="whole", usage=Usage(calls=1))
            return
        for number in range(self._words.pop(0)):
            yield str(number)
        raise LMUnavailable("broken off")


def streamed(lm: ScriptedLM) -> list[str | Completion]:
    async def sleep(seconds: float) -> None:
        return None

    async def run() -> list[str | Completion]:
        return [piece async for piece in Retrying(lm, sleep=sleep).stream(HELLO)]

    return asyncio.run(run())


def test_a_stream_that_has_given_nothing_is_begun_again() -> None:
    text, completion = streamed(Breaks(0, 0))
    assert text == "whole"
    assert isinstance(completion, Completion)
    assert completion.usage.calls == 3


def test_nobody_gets_half_a_stream_twice() -> None:
    lm = Breaks(0, 2)
    with pytest.raises(LMUnavailable, match="broken off"):
        streamed(lm)
    assert len(lm.requests) == 2


def test_a_stream_gives_up_as_other_answers_do() -> None:
    lm = Breaks(*[0] * 9)
    with pytest.raises(LMUnavailable):
        streamed(lm)
    assert len(lm.requests) == 4
