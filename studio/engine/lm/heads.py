"""What was made of the unchanging part of many requests, made once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from studio.engine.messages import Message

T = TypeVar("T")

_KEPT = 64


class Heads(Generic[T]):
    """Keeps what `make` makes of the head of a conversation: all messages but the last.

    A renderer gives the same message objects for every input, so comparing two heads is
    comparing pointers; heads that are merely equal are found as well. The newest 64 are kept, and
    the messages with them, so that an id never comes to mean another message.
    """

    def __init__(self, make: Callable[[tuple[Message, ...]], T]) -> None:
        self._make = make
        self._known: dict[tuple[int, int], tuple[tuple[Message, ...], T]] = {}
        self._lock = threading.Lock()

    def get(self, messages: tuple[Message, ...]) -> T:
        """What `make` makes of `messages` without the last."""
        head = messages[:-1]
        if not head:
            return self._make(head)
        key = (id(head[0]), len(head))
        known = self._known.get(key)
        if known is not None and known[0] == head:
            return known[1]
        made = self._make(head)
        with self._lock:
            self._known.pop(key, None)
            while len(self._known) >= _KEPT:
                del self._known[next(iter(self._known))]
            self._known[key] = (head, made)
        return made
