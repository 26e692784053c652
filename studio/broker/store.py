"""Messages and bindings in one SQLite file, shared by all processes of a machine.

A message is a row. Who takes it writes its name and a lease into the row; a thread renews the
leases of a living process, so what a killed process held is free again a lease later. Nothing
here knows kombu.
"""

from __future__ import annotations

import atexit
import logging
import os
import sqlite3
import threading
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from studio.engine.shared_file import open_shared

logger = logging.getLogger(__name__)

LEASE_SECONDS = 10.0
BINDING_SECONDS = 60.0
"""A binding that dies with its process lives this long without a sign of life."""
TRANSIENT_SECONDS = 300.0
"""Age at which messages nobody would miss (pings and their answers) are thrown away."""
SET_ASIDE = "malformed"
"""The queue of messages that cannot be read."""

SCHEMA = (
    """
    CREATE TABLE IF NOT EXISTS message (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        queue TEXT NOT NULL,
        payload TEXT NOT NULL,
        transient INTEGER NOT NULL DEFAULT 0,
        sent_at REAL NOT NULL,
        owner TEXT NOT NULL DEFAULT '',
        lease_until REAL NOT NULL DEFAULT 0
    )
    """,
    "CREATE INDEX IF NOT EXISTS message_by_queue ON message (queue, id)",
    """
    CREATE TABLE IF NOT EXISTS binding (
        exchange TEXT NOT NULL,
        routing_key TEXT NOT NULL,
        pattern TEXT NOT NULL,
        queue TEXT NOT NULL,
        expires_at REAL,
        PRIMARY KEY (exchange, routing_key, queue)
    ) WITHOUT ROWID
    """,
)


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message that this process has taken."""

    id: int
    payload: str
    again: bool
    """Somebody had taken it before and did not finish."""


@dataclass(frozen=True, slots=True)
class Binding:
    """What is sent to `exchange` under `routing_key` goes to `queue`."""

    exchange: str
    routing_key: str
    pattern: str
    queue: str


class Store:
    """The broker's file, for all threads of this process; opens itself again after a fork."""

    def __init__(self, path: str | Path, *, lease: float = LEASE_SECONDS) -> None:
        self.path = str(path)
        self.lease = lease
        self._reset()

    def _reset(self) -> None:
        # A connection must not be used on both sides of a fork, and claims belong to the process
        # that made them: the child starts with a new connection, a new name, and no claims.
        self._pid = os.getpid()
        self._name = f"{self._pid}-{uuid.uuid4().hex[:12]}"
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._claims: set[int] = set()
        self._mortal: set[Binding] = set()
        self._keeper: threading.Thread | None = None
        self._stop = threading.Event()

    @property
    def _owner(self) -> str:
        """What this process signs its claims with."""
        if self._pid != os.getpid():
            self._reset()
        return self._name

    def _run(self, sql: str, *values: Any) -> list[Any]:
        """Run one statement, in a transaction of its own."""
        if self._pid != os.getpid():
            self._reset()
        with self._lock:
            if self._connection is None:
                self._connection = self._open()
            return self._connection.execute(sql, values).fetchall()

    def _open(self) -> sqlite3.Connection:
        return open_shared(self.path, SCHEMA, busy_s=20)

    def close(self) -> None:
        """Stop the thread and close the file; the next use opens it again."""
        self._stop.set()
        if self._keeper is not None:
            self._keeper.join(timeout=2)
        with self._lock:
            if self._connection is not None:
                self._connection.close()
        self._reset()

    # ── messages ────────────────────────────────────────────────────────────────────────────────

    def put(self, queue: str, payload: str, *, transient: bool = False) -> None:
        """Add a message at the end of the queue."""
        self._run(
            "INSERT INTO message (queue, payload, transient, sent_at) VALUES (?, ?, ?, ?)",
            queue,
            payload,
            int(transient),
            time.time(),
        )

    def claim(self, queue: str) -> Claimed | None:
        """The oldest free message, leased to this process until `done` or `release`."""
        now = time.time()
        while (found := self._oldest(queue, now)) is not None:
            id, was_owner = found
            row = self._run(
                "UPDATE message SET owner = ?, lease_until = ? WHERE id = ? AND lease_until < ?"
                " RETURNING payload",
                self._owner,
                now + self.lease,
                id,
                now,
            )
            if row:
                self._claims.add(id)
                self._keep()
                return Claimed(id, row[0][0], again=bool(was_owner))
        return None

    def take(self, queue: str) -> Claimed | None:
        """The oldest free message, which is gone with that."""
        now = time.time()
        while (found := self._oldest(queue, now)) is not None:
            row = self._run(
                "DELETE FROM message WHERE id = ? AND lease_until < ? RETURNING payload",
                found[0],
                now,
            )
            if row:
                return Claimed(found[0], row[0][0], again=bool(found[1]))
        return None

    def _oldest(self, queue: str, now: float) -> tuple[int, str] | None:
        # Looking needs no lock for writing: an idle worker disturbs nobody.
        rows = self._run(
            "SELECT id, owner FROM message WHERE queue = ? AND lease_until < ?"
            " ORDER BY id LIMIT 1",
            queue,
            now,
        )
        return rows[0] if rows else None

    def done(self, id: int) -> None:
        """Remove a message whose work is done, even if the lease was lost in between."""
        self._claims.discard(id)
        self._run("DELETE FROM message WHERE id = ?", id)

    def release(self, id: int) -> None:
        """Give a claimed message back, for the next who asks."""
        self._claims.discard(id)
        self._run("UPDATE message SET lease_until = 0 WHERE id = ? AND owner = ?", id, self._owner)

    def set_aside(self, id: int) -> None:
        """Move a message that cannot be read out of the way, for a person to look at."""
        self._claims.discard(id)
        self._run("UPDATE message SET queue = ?, lease_until = 0 WHERE id = ?", SET_ASIDE, id)

    def size(self, queue: str) -> int:
        """How many messages wait."""
        rows = self._run(
            "SELECT count(*) FROM message WHERE queue = ? AND lease_until < ?", queue, time.time()
        )
        return int(rows[0][0])

    def purge(self, queue: str) -> int:
        """Throw away the messages that wait; says how many."""
        rows = self._run(
            "DELETE FROM message WHERE queue = ? AND lease_until < ? RETURNING id",
            queue,
            time.time(),
        )
        return len(rows)

    # ── bindings ────────────────────────────────────────────────────────────────────────────────

    def bind(self, binding: Binding, *, mortal: bool = False) -> None:
        """Send what fits the binding to its queue; a mortal one dies with this process."""
        if mortal:
            self._mortal.add(binding)
        self._write_bindings([binding], time.time() + BINDING_SECONDS if mortal else None)
        if mortal:
            self._keep()

    def _write_bindings(self, bindings: Iterable[Binding], expires_at: float | None) -> None:
        for binding in bindings:
            self._run(
                "INSERT OR REPLACE INTO binding VALUES (?, ?, ?, ?, ?)",
                binding.exchange,
                binding.routing_key,
                binding.pattern,
                binding.queue,
                expires_at,
            )

    def unbind(self, exchange: str, routing_key: str, queue: str) -> None:
        """Remove one binding."""
        self._mortal = {
            one
            for one in self._mortal
            if (one.exchange, one.routing_key, one.queue) != (exchange, routing_key, queue)
        }
        self._run(
            "DELETE FROM binding WHERE exchange = ? AND routing_key = ? AND queue = ?",
            exchange,
            routing_key,
            queue,
        )

    def bindings(self, exchange: str) -> list[Binding]:
        """Where messages to `exchange` may go, in any process."""
        rows = self._run(
            "SELECT exchange, routing_key, pattern, queue FROM binding"
            " WHERE exchange = ? AND (expires_at IS NULL OR expires_at > ?)",
            exchange,
            time.time(),
        )
        return [Binding(*row) for row in rows]

    def delete_queue(self, queue: str) -> None:
        """Remove a queue with its messages and bindings."""
        self._mortal = {one for one in self._mortal if one.queue != queue}
        self._run("DELETE FROM binding WHERE queue = ?", queue)
        self._run("DELETE FROM message WHERE queue = ?", queue)

    # ── keeping ─────────────────────────────────────────────────────────────────────────────────

    def _keep(self) -> None:
        """Start the thread that tells the others that this process lives."""
        with self._lock:
            if self._keeper is None:
                self._keeper = threading.Thread(
                    target=self._keep_forever, args=(self._stop,), name="broker", daemon=True
                )
                self._keeper.start()

    def _keep_forever(self, stop: threading.Event) -> None:
        while not stop.wait(self.lease / 3):
            try:
                self.renew()
                self.prune()
            except sqlite3.Error:
                # Busy or full disk: the leases have two more chances.
                logger.warning("The broker's leases could not be renewed.", exc_info=True)

    def renew(self) -> None:
        """Prolong this process's leases and mortal bindings."""
        now = time.time()
        for id in list(self._claims):
            self._run(
                "UPDATE message SET lease_until = ? WHERE id = ? AND owner = ?",
                now + self.lease,
                id,
                self._owner,
            )
        # Written anew, not updated: after a long sleep of the machine they may have been pruned.
        self._write_bindings(list(self._mortal), now + BINDING_SECONDS)

    def prune(self) -> None:
        """Forget the queues of dead processes, and pings that nobody has read."""
        now = time.time()
        dead = self._run("SELECT DISTINCT queue FROM binding WHERE expires_at < ?", now)
        for (queue,) in dead:
            self._run("DELETE FROM binding WHERE queue = ? AND expires_at < ?", queue, now)
            self._run("DELETE FROM message WHERE queue = ?", queue)
        old = now - TRANSIENT_SECONDS
        if self._run("SELECT 1 FROM message WHERE transient AND sent_at < ? LIMIT 1", old):
            self._run("DELETE FROM message WHERE transient AND sent_at < ?", old)


_stores: dict[tuple[str, float], Store] = {}
_stores_lock = threading.Lock()


def store_at(path: str, *, lease: float = LEASE_SECONDS) -> Store:
    """This process's one store for a file."""
    with _stores_lock:
        store = _stores.get((path, lease))
        if store is None:
            store = _stores[path, lease] = Store(path, lease=lease)
            atexit.register(store.close)
        return store
