"""The floor: aiohttp alone, with the POSTs that our engine sends."""

from __future__ import annotations

from typing import Any

import aiohttp

from tests.benchmarks.engine.measure import many, taking
from tests.benchmarks.engine.task import IN_FLIGHT


async def chat(url: str, calls: int, body: dict[str, Any]) -> dict[str, float]:
    """POST `body` again and again."""
    connector = aiohttp.TCPConnector(limit=IN_FLIGHT)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def call(number: int) -> None:
            async with session.post(f"{url}/chat/completions", json=body) as response:
                data = await response.json()
                assert data["choices"][0]["message"]["content"]

        await many(call, 2 * IN_FLIGHT, IN_FLIGHT)
        with taking(calls) as took:
            await many(call, calls, IN_FLIGHT)
    return took.figures()
