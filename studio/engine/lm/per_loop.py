"""One thing per running event loop: sessions and semaphores belong to the loop that made them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerLoop(Generic[T]):
    """Makes a thing when a loop first asks for it, and closes it when that loop shuts down.

    A Celery task runs its own `asyncio.run`, so one LM object meets many loops. An asynchronous
    generator is held open for each of them, because `asyncio.run` closes those last thing: that is
    the only hook a loop offers, and with it no task can forget to close.
    """

    def __init__(
        self, make: Callable[[], T], close: Callable[[T], Awaitable[None]] | None = None
    ) -> None:
        self._make = make
        self._close = close
        self._held: dict[asyncio.AbstractEventLoop, tuple[T, AsyncGenerator[None, None]]] = {}
        self._lock = threading.Lock()

    def known(self) -> T | None:
        """The running loop's thing, if it has one: the quick way of those who ask often."""
        held = self._held.get(asyncio.get_running_loop())
        return None if held is None else held[0]

    async def get(self) -> T:
        """The running loop's thing."""
        loop = asyncio.get_running_loop()
        held = self._held.get(loop)
        if held is not None:
            return held[0]
        thing = self._make()
        keeper = self._keep(loop, thing)
        with self._lock:
            # Loops that were stopped without a shutdown would otherwise be kept for ever.
            for closed in [known for known in self._held if known.is_closed()]:
                del self._held[closed]
            self._held[loop] = (thing, keeper)
        await anext(keeper)
        return thing

    async def aclose(self) -> None:
        """Close the running loop's thing; it is made anew when asked for again."""
        held = self._held.get(asyncio.get_running_loop())
        if held is not None:
            await held[1].aclose()

    async def _keep(self, loop: asyncio.AbstractEventLoop, thing: T) -> AsyncGenerator[None, None]:
        try:
            yield
        finally:
            with self._lock:
                self._held.pop(loop, None)
            if self._close is not None:
                await self._close(thing)
