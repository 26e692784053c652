"""Where answers are kept: in memory, in a file, or on a server that several machines share."""

from __future__ import annotations

import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any, Protocol

from studio.engine.errors import EngineError
from studio.engine.lm.sqlite_store import SQLiteStore

__all__ = ["AnswerStore", "MemoryStore", "SQLiteStore", "open_store"]


class AnswerStore(Protocol):
    """Answers by key. It may forget; it never answers wrong, and it raises nothing."""

    async def get(self, key: str) -> dict[str, Any] | None:
        """What was put under `key`, or None."""

    async def put(self, key: str, answer: dict[str, Any]) -> None:
        """Keep `answer`, which is JSON, unless there is one under `key` already."""


class MemoryStore:
    """Keeps the newest `max_rows` answers as long as the process lives."""

    def __init__(self, max_rows: int = 10_000) -> None:
        self._max_rows = max_rows
        self._rows: OrderedDict[str, dict[str, Any]] = OrderedDict()
        self._lock = threading.Lock()

    async def get(self, key: str) -> dict[str, Any] | None:
        """See `AnswerStore`."""
        return self._rows.get(key)

    async def put(self, key: str, answer: dict[str, Any]) -> None:
        """See `AnswerStore`."""
        with self._lock:
            self._rows.setdefault(key, answer)
            while len(self._rows) > self._max_rows:
                self._rows.popitem(last=False)


def open_store(place: str | Path) -> AnswerStore:
    """The store at `place`: a path or `sqlite:///path`, a `redis://` or a `postgresql://` address.

    `memory:` is one that lives as long as the process. Nothing is opened before it is needed.
    Raises `EngineError` for an address of another kind.
    """
    text = str(place)
    scheme, mark, rest = text.partition(":")
    if not mark or len(scheme) < 2:  # A path, and on Windows the letter of a drive.
        return SQLiteStore(Path(text))
    if scheme == "memory":
        return MemoryStore()
    if scheme == "sqlite":
        # As in SQLAlchemy's addresses: three slashes and a path, four when it begins at the root.
        return SQLiteStore(Path(rest.removeprefix("///") or "answers.sqlite3"))
    if scheme in ("redis", "rediss", "unix"):
        from studio.engine.lm.redis_store import RedisStore

        return RedisStore(text)
    if scheme in ("postgres", "postgresql"):
        from studio.engine.lm.postgres_store import PostgresStore

        return PostgresStore(text)
    raise EngineError(
        f"Answers cannot be kept at an address that begins with “{scheme}:”. "
        "Name a file, or an address that begins with redis:// or postgresql://."
    )
