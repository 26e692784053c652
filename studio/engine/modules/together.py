"""Several calls at once, ended together."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, TypeVar

from studio.engine.side_by_side import side_by_side

T = TypeVar("T")


async def together(calls: Sequence[Coroutine[Any, Any, T]]) -> list[T]:
    """All results, in order; the first failure cancels the others and is raised as it is."""
    if len(calls) == 1:
        return [await calls[0]]
    async with side_by_side() as group:
        tasks = [group.create_task(call) for call in calls]
    return [task.result() for task in tasks]
