"""How often one caller may call: so many calls in any minute, counted in each web process."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Hashable


class Throttle:
    """Remembers the moments of the last calls of each caller."""

    def __init__(
        self, most: int, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._calls: dict[Hashable, deque[float]] = {}

    def wait(self, caller: Hashable) -> float:
        """Count a call; 0 when it may go ahead, else how many seconds to wait."""
        now = self._clock()
        calls = self._calls.setdefault(caller, deque())
        while calls and calls[0] <= now - self._seconds:
            calls.popleft()
        if len(calls) >= self._most:
            return max(calls[0] + self._seconds - now, 0.001)
        calls.append(now)
        return 0.0

    def clear(self) -> None:
        """Forget everything."""
        self._calls.clear()
