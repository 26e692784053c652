"""Answers in a file that several processes and threads share."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import threading
from pathlib import Path
from typing import Any

from studio.engine.lm.kept_answers import read_answer, write_answer
from studio.engine.shared_file import open_shared

log = logging.getLogger(__name__)

_BUSY_S = 5.0
_SWEEP_EVERY = 64
_SCHEMA = (
    "CREATE TABLE IF NOT EXISTS answers "
    "(id INTEGER PRIMARY KEY AUTOINCREMENT, key TEXT NOT NULL UNIQUE, answer TEXT)",
)
_GET = "SELECT answer FROM answers WHERE key = ?"
_PUT = "INSERT INTO answers (key, answer) VALUES (?, ?) ON CONFLICT (key) DO NOTHING"
# Ids only grow and only the oldest go, so the highest id stands for a slow count.
_SWEEP = "DELETE FROM answers WHERE id <= (SELECT max(id) FROM answers) - ?"


class SQLiteStore:
    """Keeps about the newest `max_rows` answers in the file `path`.

    Several processes and threads may use the same file. The first answer under a key stays, so
    that everybody reads the same one. A file that is damaged is put aside as `<path>.corrupt` and
    a new one begun; when the disk is full or the file locked for long, answers are not kept. Both
    are logged, and neither stops anybody's work: the event loop never waits for a lock, a thread
    does.
    """

    def __init__(self, path: Path, max_rows: int = 100_000) -> None:
        self._path = path
        self._max_rows = max_rows
        self._sweep_every = max(1, min(_SWEEP_EVERY, max_rows // 16))
        self._puts = 0
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._opened_by = 0
        self._inode = 0

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

    def close(self) -> None:
        """Give back the file; it is opened again when needed."""
        with self._lock:
            self._close()

    async def _run(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        """At once where nothing is in the way, which takes less than a thread's start."""
        if self._lock.acquire(blocking=False):
            try:
                if self._connection is not None and self._opened_by == os.getpid():
                    return self._connection.execute(statement, values).fetchall()
            except sqlite3.Error as error:
                log.debug("%s, so a thread tries again.", error)
            finally:
                self._lock.release()
        return await asyncio.to_thread(self._run_patiently, statement, values)

    def _run_patiently(self, statement: str, values: tuple[Any, ...]) -> list[Any]:
        with self._lock:
            for last in (False, True):
                try:
                    connection = self._open()
                    connection.execute(f"PRAGMA busy_timeout = {int(_BUSY_S * 1000)}")
                    try:
                        return connection.execute(statement, values).fetchall()
                    finally:
                        connection.execute("PRAGMA busy_timeout = 0")
                except (sqlite3.Error, OSError) as error:
                    if last or not _is_damage(error):
                        log.warning("The answers in %s are out of reach: %s", self._path, error)
                        self._close()
                        break
                    self._put_aside(error)
            return []

    def _open(self) -> sqlite3.Connection:
        # A connection must not be carried over a fork, as Celery's workers do.
        if self._connection is None or self._opened_by != os.getpid():
            # Before opening, too: opening is where damage shows.
            self._inode = self._path.stat().st_ino if self._path.exists() else 0
            self._connection = open_shared(self._path, _SCHEMA, busy_s=_BUSY_S)
            self._opened_by = os.getpid()
            self._inode = self._path.stat().st_ino
        return self._connection

    def _put_aside(self, error: Exception) -> None:
        self._close()
        try:
            if self._path.stat().st_ino != self._inode:
                return  # Another process has put it aside already.
            log.warning("The answers in %s are damaged (%s): put aside.", self._path, error)
            for ending in ("-wal", "-shm", ""):
                damaged = Path(f"{self._path}{ending}")
                if damaged.exists():
                    damaged.replace(f"{self._path}.corrupt{ending}")
        except OSError as problem:
            log.warning("The answers in %s are out of reach: %s", self._path, problem)

    def _close(self) -> None:
        if self._connection is not None and self._opened_by == os.getpid():
            self._connection.close()
        self._connection = None


def _is_damage(error: Exception) -> bool:
    """Whether the file is no database, or a broken one; not merely locked or on a full disk."""
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    return code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
