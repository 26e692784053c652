"""SQLite files that several processes and threads use at once."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path


def open_shared(path: Path | str, schema: tuple[str, ...], *, busy_s: float) -> sqlite3.Connection:
    """A connection to the file `path`, in WAL mode, each statement a transaction of its own.

    Makes the folder, the file and what `schema` creates if missing. Whoever finds the file locked
    waits up to `busy_s` seconds. Raises sqlite3.Error and OSError.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(
        path, timeout=busy_s, isolation_level=None, check_same_thread=False
    )
    try:
        for statement in ("PRAGMA journal_mode = WAL", "PRAGMA synchronous = NORMAL", *schema):
            _when_free(connection, statement, busy_s)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _when_free(connection: sqlite3.Connection, statement: str, busy_s: float) -> None:
    # SQLite's busy timeout does not hold for a change of the journal mode: of two processes that
    # open a new file at the same time, one is refused at once.
    until = time.monotonic() + busy_s
    while True:
        try:
            connection.execute(statement)
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
            if not busy or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return
