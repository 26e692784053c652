"""Events on their way from a compiler, which is a plain coroutine, to whoever runs it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from typing import Any

from studio.engine.compilers.events import Event

Tell = Callable[[Event], Awaitable[None]]


async def told(work: Callable[[Tell], Coroutine[Any, Any, None]]) -> AsyncGenerator[Event, None]:
    """The events that `work` tells, in order; what it raises is raised after them.

    `tell` returns when the event was taken and the next one is asked for: what happens with an
    event, such as its being stored, is over before the compiler goes on. Closing the generator
    cancels the work.
    """
    events: asyncio.Queue[Event] = asyncio.Queue()

    async def tell(event: Event) -> None:
        events.put_nowait(event)
        await events.join()

    working = asyncio.create_task(work(tell))
    try:
        while True:
            taking = asyncio.ensure_future(events.get())
            await asyncio.wait({taking, working}, return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                taking.cancel()
                break
            yield taking.result()
            events.task_done()
        await working
    finally:
        working.cancel()
        await asyncio.wait({working})
