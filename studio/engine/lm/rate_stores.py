"""Where the buckets of rate limits are kept, so that workers share them."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from studio.engine.errors import EngineError
from studio.engine.lm.http_answers import public_address
from studio.engine.lm.per_loop import PerLoop
from studio.engine.lm.rate_bucket import Bucket
from studio.engine.lm.resting import WAIT_S, Resting, optional
from studio.engine.shared_file import open_shared

T = TypeVar("T")
Change = Callable[[Bucket | None, float], tuple[Bucket, T]]
"""The bucket as it is kept (None: not yet) and the time, to the bucket to keep and a result."""

log = logging.getLogger(__name__)


class RateStore(Protocol):
    """Keeps buckets by key. It raises nothing; without its server each process counts alone."""

    async def change(self, key: str, change: Change[T]) -> T:
        """Change the bucket of `key` in one step that nobody comes between."""


class MemoryRates:
    """Buckets of one process. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._buckets: dict[str, Bucket] = {}
        self._lock = threading.Lock()

    async def change(self, key: str, change: Change[T]) -> T:
        """See `RateStore`."""
        with self._lock:
            self._buckets[key], result = change(self._buckets.get(key), self._clock())
        return result


class SQLiteRates:
    """Buckets in a file that the processes of one machine share."""

    _SCHEMA = ("CREATE TABLE IF NOT EXISTS buckets (key TEXT PRIMARY KEY, bucket TEXT NOT NULL)",)
    _BUSY_S = 5.0

    def __init__(self, path: Path) -> None:
        self._path = path
        self._alone = MemoryRates()
        self._resting = Resting(f"The file of rate limits {path}", (sqlite3.Error,))

    async def change(self, key: str, change: Change[T]) -> T:
        """See `RateStore`."""

        async def do() -> tuple[T]:
            # In a thread: who finds the file locked waits.
            return (await asyncio.to_thread(self._change, key, change),)

        done = await self._resting.run(do)
        return done[0] if done is not None else await self._alone.change(key, change)

    def _change(self, key: str, change: Change[T]) -> T:
        # A connection for each change costs 0.2 ms, and none is carried over a fork or a thread.
        connection = open_shared(self._path, self._SCHEMA, busy_s=self._BUSY_S)
        try:
            connection.execute("BEGIN IMMEDIATE")
            query = connection.execute("SELECT bucket FROM buckets WHERE key = ?", (key,))
            row = query.fetchone()
            bucket, result = change(_read(row[0] if row else None), time.time())
            connection.execute(
                "INSERT INTO buckets (key, bucket) VALUES (?, ?) "
                "ON CONFLICT (key) DO UPDATE SET bucket = excluded.bucket",
                (key, json.dumps(bucket.to_dict())),
            )
            connection.execute("COMMIT")
        finally:
            connection.close()
        return result


class RedisRates:
    """Buckets on a Redis server, for workers on several machines; its clock counts."""

    _TTL_S = 24 * 3600
    _TRIES = 50

    def __init__(self, url: str, *, prefix: str = "studio:rates:") -> None:
        redis = optional("redis.asyncio", "redis")
        errors = optional("redis.exceptions", "redis")
        self._prefix = prefix
        self._alone = MemoryRates()
        self._changed = errors.WatchError
        self._resting = Resting(
            f"The store of rate limits at {public_address(url)}", (errors.RedisError,)
        )
        self._clients: PerLoop[Any] = PerLoop(
            lambda: redis.from_url(
                url, socket_timeout=WAIT_S, socket_connect_timeout=WAIT_S, max_connections=64
            ),
            lambda client: client.aclose(),
        )

    async def change(self, key: str, change: Change[T]) -> T:
        """See `RateStore`."""
        client = self._clients.known() or await self._clients.get()

        async def do() -> tuple[T]:
            return (await self._change(client, self._prefix + key, change),)

        done = await self._resting.run(do)
        return done[0] if done is not None else await self._alone.change(key, change)

    async def aclose(self) -> None:
        """Give back this loop's connections; they are opened again when needed."""
        await self._clients.aclose()

    async def _change(self, client: Any, key: str, change: Change[T]) -> T:
        for _ in range(self._TRIES):
            async with client.pipeline(transaction=True) as pipe:
                await pipe.watch(key)
                raw = await pipe.get(key)
                seconds, micros = await pipe.time()
                bucket, result = change(_read(raw), seconds + micros / 1e6)
                pipe.multi()
                pipe.set(key, json.dumps(bucket.to_dict()), ex=self._TTL_S)
                try:
                    await pipe.execute()
                except self._changed:
                    # Another worker came between: a short while apart, both get through.
                    await asyncio.sleep(random.uniform(0, 0.01))
                    continue
                return result
        raise TimeoutError


def _read(raw: str | bytes | None) -> Bucket | None:
    """What was kept; of another shape than ours it is as good as nothing."""
    try:
        return None if raw is None else Bucket.from_dict(json.loads(raw))
    except (KeyError, TypeError, ValueError):
        return None


def open_rates(place: str | Path) -> RateStore:
    """The store at `place`: a path or `sqlite:///path`, a `redis://` address, or `memory:`.

    Raises `EngineError` for an address of another kind.
    """
    text = str(place)
    scheme, mark, rest = text.partition(":")
    if not mark or len(scheme) < 2:
        return SQLiteRates(Path(text))
    if scheme == "memory":
        return MemoryRates()
    if scheme == "sqlite":
        return SQLiteRates(Path(rest.removeprefix("///") or "rates.sqlite3"))
    if scheme in ("redis", "rediss", "unix"):
        return RedisRates(text)
    raise EngineError(
        f"Rate limits cannot be shared at an address that begins with “{scheme}:”. "
        "Name a file, or an address that begins with redis://."
    )
