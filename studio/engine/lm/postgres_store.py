"""Answers in a Postgres database, for workers on several machines."""

from __future__ import annotations

import asyncio
from typing import Any

from studio.engine.lm.http_answers import public_address
from studio.engine.lm.kept_answers import read_answer, write_answer
from studio.engine.lm.per_loop import PerLoop
from studio.engine.lm.resting import WAIT_S, Resting, optional

_SWEEP_EVERY = 256
_TABLE = "studio_answers"
# Text, not jsonb: that would refuse a zero character in an answer.
_SCHEMA = (
    f"CREATE TABLE IF NOT EXISTS {_TABLE} (key text PRIMARY KEY, id bigserial, answer text)",
    f"CREATE INDEX IF NOT EXISTS {_TABLE}_id ON {_TABLE} (id)",
)
_GET = f"SELECT answer FROM {_TABLE} WHERE key = %s"
_PUT = f"INSERT INTO {_TABLE} (key, answer) VALUES (%s, %s) ON CONFLICT (key) DO NOTHING"
# Ids only grow and only the oldest go, so the highest id stands for a slow count.
_SWEEP = f"DELETE FROM {_TABLE} WHERE id <= (SELECT max(id) FROM {_TABLE}) - %s"
_LOCK = 7_305_915_241_101


class PostgresStore:
    """Keeps about the newest `max_rows` answers in the table `studio_answers`, which it makes.

    The first answer under a key stays. A server that cannot be reached is logged and left alone
    for some seconds; meanwhile nothing is found and nothing kept.
    """

    def __init__(self, url: str, *, max_rows: int = 1_000_000) -> None:
        psycopg = optional("psycopg", "psycopg[binary]")
        self._url = url
        self._max_rows = max_rows
        self._sweep_every = max(1, min(_SWEEP_EVERY, max_rows // 16))
        self._puts = 0
        self._resting = Resting(f"The store of answers at {public_address(url)}", (psycopg.Error,))
        self._connections = PerLoop(lambda: _Connection(psycopg, url), _Connection.aclose)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({public_address(self._url)!r})"

    async def get(self, key: str) -> dict[str, Any] | None:
        """See `AnswerStore`."""
        rows = await self._run(_GET, (key,))
        return read_answer(rows[0][0]) if rows else None

    async def put(self, key: str, answer: dict[str, Any]) -> None:
        """See `AnswerStore`."""
        await self._run(_PUT, (key, write_answer(answer)))
        self._puts += 1
        if self._puts % self._sweep_every == 0:
            await self._run(_SWEEP, (self._max_rows,))

    async def aclose(self) -> None:
        """Give back this loop's connection; it is opened again when needed."""
        await self._connections.aclose()

    async def _run(self, statement: str, values: tuple[Any, ...]) -> list[Any] | None:
        connection = self._connections.known() or await self._connections.get()
        return await self._resting.run(lambda: connection.run(statement, values))


class _Connection:
    """One loop's connection: opened when needed, and anew after a failure."""

    def __init__(self, psycopg: Any, url: str) -> None:
        self._psycopg = psycopg
        self._url = url
        self._lock = asyncio.Lock()
        self._open: Any = None

    async def run(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        async with self._lock:
            done = False
            try:
                found = await asyncio.wait_for(self._execute(statement, values), 2 * WAIT_S)
                done = True
            finally:
                # Also when we are cancelled: an answer that nobody read is still to come on it.
                if not done:
                    await self._drop()
        return found

    async def aclose(self) -> None:
        async with self._lock:
            await self._drop()

    async def _execute(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        if self._open is None:
            self._open = await self._psycopg.AsyncConnection.connect(
                self._url, autocommit=True, connect_timeout=int(WAIT_S)
            )
            # Two that create the same table at the same time: one of them fails.
            await self._open.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
            for part in _SCHEMA:
                await self._open.execute(part)
            await self._open.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))
        cursor = await self._open.execute(statement, values)
        rows: list[Any] = await cursor.fetchall() if cursor.description else []
        return rows

    async def _drop(self) -> None:
        if self._open is not None:
            connection, self._open = self._open, None
            await connection.close()
