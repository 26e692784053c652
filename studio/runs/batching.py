"""Many small writes as few large ones: each waits until its batch is written."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

T = TypeVar("T")


class Batcher(Generic[T]):
    """Writes items together that are added at about the same time.

    `add` returns when the item is written, and raises what the write raised. While one batch is
    being written the next one gathers, so that batches grow when writing is slow.
    """

    def __init__(
        self,
        write: Callable[[list[T]], Awaitable[None]],
        *,
        gather_s: float = 0.003,
    ) -> None:
        self._write = write
        self._gather_s = gather_s
        self._waiting: list[tuple[T, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def add(self, item: T) -> None:
        """Write `item`, soon and with others; done when it is written."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, written))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        await written

    async def drain(self) -> None:
        """Done when nothing waits to be written any more; raises nothing."""
        if self._writer is not None and not self._writer.done():
            await asyncio.wait((self._writer,))

    async def _write_all(self) -> None:
        await asyncio.sleep(self._gather_s)
        while self._waiting:
            batch, self._waiting = self._waiting, []
            # An item is written even if who added it was cancelled: it was paid for.
            try:
                await self._write([item for item, _ in batch])
            except Exception as error:
                self._settle(batch, error)
                if all(written.cancelled() for _, written in batch):
                    logger.exception("Rows that nobody waits for any more were not written.")
            else:
                self._settle(batch, None)

    def _settle(
        self, batch: list[tuple[T, asyncio.Future[None]]], error: Exception | None
    ) -> None:
        for _, written in batch:
            if written.done():
                continue
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)
