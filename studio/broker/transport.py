"""The SQLite store as a kombu transport: `sqlite3broker:////absolute/path/broker.sqlite3`."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
from collections.abc import Callable
from queue import Empty
from typing import Any

from kombu.transport import virtual

from studio.broker.store import LEASE_SECONDS, Binding, Claimed, Store, store_at

logger = logging.getLogger(__name__)

TRANSIENT = 1
"""AMQP's delivery mode of messages that may be lost with the broker."""


class QoS(virtual.QoS):
    """Acknowledging removes the row."""

    channel: Channel

    def ack(self, delivery_tag: str) -> None:
        """The work is done."""
        self.channel.store.done(int(delivery_tag))
        super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """The work is refused, for good unless `requeue`."""
        if not requeue:
            self.channel.store.done(int(delivery_tag))
        super().reject(delivery_tag, requeue=requeue)


class Channel(virtual.Channel):
    """Queues and bindings as kombu wants them; everything is kept in the store."""

    QoS = QoS
    supports_fanout = True

    def __init__(self, connection: Any, **kwargs: Any) -> None:
        super().__init__(connection, **kwargs)
        client = connection.client
        lease = client.transport_options.get("lease_seconds", LEASE_SECONDS)
        self.store: Store = store_at(client.virtual_host, lease=lease)
        self._without_ack: set[str] = set()
        self._mortal: set[str] = set()

    # ── messages ────────────────────────────────────────────────────────────────────────────────

    def basic_consume(
        self,
        queue: str,
        no_ack: bool,
        callback: Callable[..., Any] | None,
        consumer_tag: str | None,
        **kwargs: Any,
    ) -> str:
        """Consume from `queue`; with `no_ack` messages are gone when they are read."""
        if no_ack:
            self._without_ack.add(queue)
        else:
            self._without_ack.discard(queue)
        return super().basic_consume(queue, no_ack, callback, consumer_tag, **kwargs)

    def basic_get(self, queue: str, no_ack: bool = False, **kwargs: Any) -> Any:
        """One message, or None."""
        message = super().basic_get(queue, no_ack=no_ack, **kwargs)
        if message is not None and message.delivery_tag and no_ack:
            self.store.done(int(message.delivery_tag))
        return message

    def _get(self, queue: str, timeout: float | None = None) -> dict[str, Any]:
        store = self.store
        found = store.take(queue) if queue in self._without_ack else store.claim(queue)
        if found is None:
            raise Empty
        try:
            return self._read(found)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            # One broken row must not end the worker, nor come back for ever.
            store.set_aside(found.id)
            logger.error("Message %s in %s cannot be read: %s", found.id, queue, error)
            raise Empty from error

    def _read(self, found: Claimed) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(found.payload)
        message["properties"]["delivery_tag"] = str(found.id)
        message["properties"]["delivery_info"]["redelivered"] = found.again
        # Raises on a body or headers that cannot be decoded.
        self.Message(message, channel=self)
        return message

    def _put(self, queue: str, message: dict[str, Any], **kwargs: Any) -> None:
        transient = message["properties"].get("delivery_mode") == TRANSIENT
        self.store.put(queue, json.dumps(message), transient=transient)

    def _put_fanout(
        self, exchange: str, message: dict[str, Any], routing_key: str, **kwargs: Any
    ) -> None:
        for queue in {binding.queue for binding in self.store.bindings(exchange)}:
            self._put(queue, message)

    def _restore(self, message: Any) -> None:
        self.store.release(int(message.delivery_tag))

    def _restore_at_beginning(self, message: Any) -> None:
        self._restore(message)

    def _size(self, queue: str) -> int:
        return self.store.size(queue)

    def _purge(self, queue: str) -> int:
        return self.store.purge(queue)

    # ── queues and bindings ─────────────────────────────────────────────────────────────────────

    def _new_queue(
        self,
        queue: str,
        auto_delete: bool = False,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        if auto_delete or "x-expires" in (arguments or {}):
            self._mortal.add(queue)

    def queue_bind(
        self,
        queue: str,
        exchange: str | None = None,
        routing_key: str = "",
        arguments: Any = None,
        **kwargs: Any,
    ) -> None:
        """Bind, also when this process has done so before: others may have pruned it."""
        exchange = exchange or "amq.direct"
        self.state.binding_declare(queue, exchange, routing_key, arguments)
        bind: Any = self.typeof(exchange).prepare_bind(queue, exchange, routing_key, arguments)
        key, pattern, _ = bind
        binding = Binding(exchange, key or "", pattern or "", queue)
        self.store.bind(binding, mortal=queue in self._mortal)

    def queue_unbind(
        self,
        queue: str,
        exchange: str | None = None,
        routing_key: str = "",
        arguments: Any = None,
        **kwargs: Any,
    ) -> None:
        """Remove a binding."""
        exchange = exchange or "amq.direct"
        self.state.binding_delete(queue, exchange, routing_key)
        self.store.unbind(exchange, routing_key or "", queue)

    def queue_delete(
        self, queue: str, if_unused: bool = False, if_empty: bool = False, **kwargs: Any
    ) -> None:
        """Remove a queue with its messages and bindings."""
        if if_empty and self._size(queue):
            return
        self.state.queue_bindings_delete(queue)
        self.store.delete_queue(queue)

    def get_table(self, exchange: str) -> list[tuple[str, str, str]]:
        """The bindings of all processes as kombu's exchange types read them."""
        return [(one.routing_key, one.pattern, one.queue) for one in self.store.bindings(exchange)]


class Transport(virtual.Transport):
    """See `studio.broker.store`."""

    Channel = Channel

    polling_interval = 0.02
    driver_type = "sqlite3"
    driver_name = "sqlite3"
    # What makes Celery connect anew instead of ending the worker.
    connection_errors = (*virtual.Transport.connection_errors, sqlite3.OperationalError)

    implements = virtual.Transport.implements.extend(
        exchange_type=frozenset({"direct", "topic", "fanout"})
    )

    ending = threading.Event()
    """Set when this process is about to end: nobody waits for messages any more."""

    def drain_events(self, connection: Any, timeout: float | None = None, **kwargs: Any) -> None:
        """Deliver one message; raises `socket.timeout` when none comes in time."""
        super().drain_events(connection, timeout=0 if self.ending.is_set() else timeout)

    @property
    def default_connection_params(self) -> dict[str, Any]:
        """Nothing to fill in: the path is all there is."""
        return {}

    def driver_version(self) -> str:
        """SQLite's version."""
        return sqlite3.sqlite_version
