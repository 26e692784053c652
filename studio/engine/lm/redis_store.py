"""Answers on a Redis server, for workers on several machines."""

from __future__ import annotations

from typing import Any

from studio.engine.lm.http_answers import public_address
from studio.engine.lm.kept_answers import read_answer, write_answer
from studio.engine.lm.per_loop import PerLoop
from studio.engine.lm.resting import WAIT_S, Resting, optional

_MONTH_S = 30 * 24 * 3600


class RedisStore:
    """Keeps each answer for `ttl_s` seconds under `prefix` and its key.

    The first answer under a key stays. A server that cannot be reached is logged and left alone
    for some seconds; meanwhile nothing is found and nothing kept.
    """

    def __init__(
        self, url: str, *, ttl_s: int = _MONTH_S, prefix: str = "studio:answers:"
    ) -> None:
        redis = optional("redis.asyncio", "redis")
        self._url = url
        self._ttl_s = ttl_s
        self._prefix = prefix
        self._resting = Resting(
            f"The store of answers at {public_address(url)}",
            (optional("redis.exceptions", "redis").RedisError,),
        )
        self._clients: PerLoop[Any] = PerLoop(
            lambda: redis.from_url(
                url, socket_timeout=WAIT_S, socket_connect_timeout=WAIT_S, max_connections=256
            ),
            lambda client: client.aclose(),
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({public_address(self._url)!r})"

    async def get(self, key: str) -> dict[str, Any] | None:
        """See `AnswerStore`."""
        client = self._clients.known() or await self._clients.get()
        raw = await self._resting.run(lambda: client.get(self._prefix + key))
        return None if raw is None else read_answer(raw)

    async def put(self, key: str, answer: dict[str, Any]) -> None:
        """See `AnswerStore`."""
        client = self._clients.known() or await self._clients.get()
        await self._resting.run(
            lambda: client.set(self._prefix + key, write_answer(answer), nx=True, ex=self._ttl_s)
        )

    async def aclose(self) -> None:
        """Give back this loop's connections; they are opened again when needed."""
        await self._clients.aclose()
