"""An LM that never asks the same question twice."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any, TypeVar

from studio.engine.lm.around import Around
from studio.engine.lm.base import LM
from studio.engine.lm.flights import Flights, Say
from studio.engine.lm.keys import Keys
from studio.engine.lm.stores import AnswerStore, MemoryStore, SQLiteStore
from studio.engine.messages import Completion, LabelScores, Request, ToolCall

__all__ = ["AnswerStore", "Cached", "MemoryStore", "SQLiteStore"]

Answer = TypeVar("Answer", Completion, LabelScores)


class Cached(Around):
    """Looks into `store` first; equal questions at the same time make one call.

    The key is the hash of endpoint, name, kind of question and the whole request. An answer that
    was not paid for here is marked `cached` and has no usage. Errors are not kept: who asks again
    asks the LM. A question is given up when all who waited for it were cancelled; until then it
    is not asked a second time, however long it takes.

    A stream has the key of the same question to `complete`. What is known comes as one piece;
    who joins a stream that runs gets what it has given so far, and then each piece as it comes.
    """

    def __init__(self, lm: LM, store: AnswerStore) -> None:
        super().__init__(lm)
        self._store = store
        self._keys = Keys(lm.endpoint, lm.name)
        self._flights = Flights()

    async def complete(self, request: Request) -> Completion:
        """Answer, or raise an `LMError`."""
        key = self._keys.complete(request)
        known = _read(await self._store.get(key), _read_completion)
        if known is not None:
            return known

        async def ask(say: Say) -> Completion:
            return await self._kept(key, await self._lm.complete(request))

        return await self._flights.join(key, ask)

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        """Answer piece by piece, or raise an `LMError`."""
        key = self._keys.complete(request)
        known = _read(await self._store.get(key), _read_completion)
        if known is not None:
            if known.text:
                yield known.text
            yield known
            return

        async def ask(say: Say) -> Completion:
            completion = Completion(text="")
            async with aclosing(self._lm.stream(request)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Completion):
                        completion = piece
                    else:
                        say(piece)
            return await self._kept(key, completion)

        async with aclosing(self._flights.listen(key, ask)) as pieces:
            async for piece in pieces:
                yield piece

    async def score_labels(self, prompt: str, labels: Sequence[str]) -> LabelScores:
        """Score, or raise an `LMError`."""
        key = self._keys.of("score_labels", (prompt, list(labels)))
        known = _read(await self._store.get(key), _read_scores)
        if known is not None:
            return known

        async def ask(say: Say) -> LabelScores:
            scores = await self._lm.score_labels(prompt, labels)
            await self._store.put(key, {"scores": dict(scores.scores)})
            return scores

        return await self._flights.join(key, ask)

    async def _kept(self, key: str, completion: Completion) -> Completion:
        answer: dict[str, Any] = {"text": completion.text, "truncated": completion.truncated}
        if completion.tool_calls:
            answer["tool_calls"] = [call.to_dict() for call in completion.tool_calls]
        await self._store.put(key, answer)
        return completion


def _read(
    data: Mapping[str, Any] | None, read: Callable[[Mapping[str, Any]], Answer]
) -> Answer | None:
    """A kept answer; one of another shape than ours is as good as none."""
    try:
        return None if data is None else read(data)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _read_completion(data: Mapping[str, Any]) -> Completion:
    text = data["text"]
    if not isinstance(text, str):
        raise TypeError("The text of a kept answer is no text.")
    calls = tuple(
        ToolCall(str(call["id"]), str(call["name"]), dict(call["arguments"]))
        for call in data.get("tool_calls", ())
    )
    return Completion(text=text, truncated=bool(data["truncated"]), tool_calls=calls, cached=True)


def _read_scores(data: Mapping[str, Any]) -> LabelScores:
    scores = {str(label): float(score) for label, score in data["scores"].items()}
    return LabelScores(scores=scores, cached=True)
