"""How long something took, by the wall and by this process's CPU."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Took:
    """Seconds."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    calls: int = field(default=0)

    def figures(self) -> dict[str, float]:
        """Per call."""
        return {
            "calls_per_s": self.calls / self.wall_s,
            "cpu_ms_per_call": 1e3 * self.cpu_s / self.calls,
            "wall_ms_per_call": 1e3 * self.wall_s / self.calls,
        }


@contextmanager
def taking(calls: int) -> Iterator[Took]:
    """What the block takes; the CPU is that of all threads of this process."""
    took = Took(calls=calls)
    wall, cpu = time.perf_counter(), time.process_time()
    yield took
    took.wall_s, took.cpu_s = time.perf_counter() - wall, time.process_time() - cpu


async def many(call: Callable[[int], Awaitable[object]], calls: int, in_flight: int) -> None:
    """`call(0) … call(calls - 1)`, `in_flight` at a time."""
    numbers = iter(range(calls))

    async def worker() -> None:
        for number in numbers:
            await call(number)

    await asyncio.gather(*(worker() for _ in range(in_flight)))
