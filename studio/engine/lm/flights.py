"""Questions on their way: who asks the same meanwhile waits for the same answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from studio.engine.messages import Completion, LabelScores, Usage

Answer = TypeVar("Answer", Completion, LabelScores)
Say = Callable[[str], None]
"""Takes a piece of an answer that is still being written."""


@dataclass(slots=True, eq=False)
class _Flight:
    """A question that is on its way, and who waits for its answer."""

    task: asyncio.Task[Any] = field(init=False)
    waiting: int = 0
    said: list[str] = field(default_factory=list)
    listeners: list[asyncio.Queue[str | None]] = field(default_factory=list)
    """Each gets the pieces as they come, and None at the end."""

    def say(self, piece: str) -> None:
        self.said.append(piece)
        for listener in self.listeners:
            listener.put_nowait(piece)

    def end(self, task: asyncio.Task[Any]) -> None:
        for listener in self.listeners:
            listener.put_nowait(None)


class Flights:
    """At most one question of a key is on its way in a loop.

    The one who asked first gets the answer as it came, the others one that is `cached` and has no
    usage. An error reaches all. The question is cancelled when nobody waits for it any more.
    """

    def __init__(self) -> None:
        self._flights: dict[tuple[asyncio.AbstractEventLoop, str], _Flight] = {}

    def __len__(self) -> int:
        return len(self._flights)

    async def join(self, key: str, ask: Callable[[Say], Coroutine[Any, Any, Answer]]) -> Answer:
        """The answer of `ask`, or of the one who asks already."""
        place, flight, first = self._board(key, ask)
        try:
            # The shield: one who is cancelled must not take the answer from the others.
            answer: Answer = await asyncio.shield(flight.task)
        finally:
            await self._leave(place, flight)
        return answer if first else replace(answer, usage=Usage(), cached=True)

    async def listen(
        self, key: str, ask: Callable[[Say], Coroutine[Any, Any, Completion]]
    ) -> AsyncGenerator[str | Completion, None]:
        """The pieces of the answer, those that were said already first, and the whole."""
        place, flight, first = self._board(key, ask)
        pieces: asyncio.Queue[str | None] = asyncio.Queue()
        for piece in flight.said:
            pieces.put_nowait(piece)
        if flight.task.done():
            pieces.put_nowait(None)
        flight.listeners.append(pieces)
        given = False
        try:
            while (said := await pieces.get()) is not None:
                given = True
                yield said
            answer: Completion = await flight.task
        finally:
            flight.listeners.remove(pieces)
            await self._leave(place, flight)
        if answer.text and not given:
            yield answer.text
        yield answer if first else replace(answer, usage=Usage(), cached=True)

    def _board(
        self, key: str, ask: Callable[[Say], Coroutine[Any, Any, Any]]
    ) -> tuple[tuple[asyncio.AbstractEventLoop, str], _Flight, bool]:
        loop = asyncio.get_running_loop()
        place = (loop, key)
        flight = self._flights.get(place)
        first = flight is None
        if flight is None:
            flight = self._flights[place] = _Flight()
            flight.task = loop.create_task(ask(flight.say))
            flight.task.add_done_callback(flight.end)
        flight.waiting += 1
        return place, flight, first

    async def _leave(self, place: tuple[asyncio.AbstractEventLoop, str], flight: _Flight) -> None:
        flight.waiting -= 1
        if flight.waiting:
            return
        if self._flights.get(place) is flight:
            del self._flights[place]
        if not flight.task.done():
            flight.task.cancel()
            await asyncio.wait((flight.task,))
        if not flight.task.cancelled():
            # Nobody is left to hear of it.
            with suppress(asyncio.InvalidStateError):
                flight.task.exception()
