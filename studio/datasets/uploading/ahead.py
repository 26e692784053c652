"""Going through something while another thread already fetches what comes next."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import TypeVar

T = TypeVar("T")

_LOOK = 0.1
"""Seconds after which the thread looks whether anybody still wants something."""


@contextmanager
def ahead(items: Iterator[T], *, room: int = 64) -> Iterator[Iterator[T]]:
    """The same items, of which up to `room` are fetched while the last one is worked on.

    It helps where the work waits for others, such as a database. What fetching raises is raised
    here, after the items before it. At the end of the block the thread is through as well.
    """
    fetched: Queue[tuple[T] | BaseException | None] = Queue(room)
    over = Event()

    def put(one: tuple[T] | BaseException | None) -> bool:
        while not over.is_set():
            try:
                fetched.put(one, timeout=_LOOK)
            except Full:
                continue
            return True
        return False

    def fetch() -> None:
        end: BaseException | None = None
        try:
            for item in items:
                if not put((item,)):
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised where the items are wanted
            end = error
        put(end)

    def wanted() -> Iterator[T]:
        while True:
            one = fetched.get()
            if one is None:
                return
            if isinstance(one, BaseException):
                raise one
            yield one[0]

    thread = Thread(target=fetch, name="ahead", daemon=True)
    thread.start()
    try:
        yield wanted()
    finally:
        over.set()
        while thread.is_alive():
            try:
                fetched.get_nowait()
            except Empty:
                thread.join(_LOOK)
