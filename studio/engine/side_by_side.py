"""Tasks at the same time, with the first failure raised as it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager


@asynccontextmanager
async def side_by_side() -> AsyncGenerator[asyncio.TaskGroup, None]:
    """A task group that ends when all of its tasks have.

    The first failure ends the others, and is raised itself instead of a group of exceptions.
    """
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as failures:
        raise failures.exceptions[0] from None
