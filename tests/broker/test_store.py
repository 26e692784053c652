"""The broker's file: messages, leases, bindings."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from studio.broker import store as store_module
from studio.broker.store import SET_ASIDE, Binding, Store

Open = Callable[..., Store]


@pytest.fixture
def open_store(tmp_path: Path) -> Iterator[Open]:
    """Stores on one file, each as if it were a process of its own."""
    opened: list[Store] = []

    def make(lease: float = 10.0) -> Store:
        store = Store(tmp_path / "broker.sqlite3", lease=lease)
        opened.append(store)
        return store

    yield make
    for store in opened:
        store.close()


def test_messages_come_out_in_the_order_they_went_in(open_store: Open) -> None:
    store = open_store()
    for text in "abc":
        store.put("q", text)
    assert [store.claim("q").payload for _ in range(3)] == ["a", "b", "c"]  # type: ignore[union-attr]
    assert store.claim("q") is None


def test_what_one_has_claimed_no_other_gets(open_store: Open) -> None:
    one, two = open_store(), open_store()
    one.put("q", "a")
    assert one.claim("q") is not None
    assert two.claim("q") is None
    assert two.take("q") is None


def test_a_message_that_is_done_is_gone(open_store: Open) -> None:
    store = open_store()
    store.put("q", "a")
    found = store.claim("q")
    assert found is not None
    store.done(found.id)
    assert store.size("q") == 0
    assert store.claim("q") is None


def test_a_released_message_comes_back_and_says_so(open_store: Open) -> None:
    one, two = open_store(), open_store()
    one.put("q", "a")
    first = one.claim("q")
    assert first is not None
    assert not first.again
    one.release(first.id)
    second = two.claim("q")
    assert second is not None
    assert second.again


def test_an_expired_lease_gives_the_message_to_another(
    open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = open_store(), open_store()
    one.put("q", "a")
    assert one.claim("q") is not None
    later = time.time() + 11
    monkeypatch.setattr(time, "time", lambda: later)
    found = two.claim("q")
    assert found is not None
    assert found.again


def test_a_living_process_keeps_what_it_claimed(open_store: Open) -> None:
    one, two = open_store(lease=0.3), open_store(lease=0.3)
    one.put("q", "a")
    assert one.claim("q") is not None
    time.sleep(0.8)
    assert two.claim("q") is None


def test_release_cannot_take_a_message_from_who_has_it_now(open_store: Open) -> None:
    one, two, three = open_store(), open_store(), open_store()
    one.put("q", "a")
    first = one.claim("q")
    assert first is not None
    one.release(first.id)
    assert two.claim("q") is not None
    one.release(first.id)
    assert three.claim("q") is None


def test_purge_leaves_what_is_being_worked_on(open_store: Open) -> None:
    store = open_store()
    store.put("q", "a")
    store.put("q", "b")
    found = store.claim("q")
    assert found is not None
    assert store.purge("q") == 1
    store.release(found.id)
    assert store.size("q") == 1


def test_bindings_are_seen_by_other_processes(open_store: Open) -> None:
    one, two = open_store(), open_store()
    binding = Binding("fan", "", "", "q")
    one.bind(binding)
    assert two.bindings("fan") == [binding]
    two.unbind("fan", "", "q")
    assert one.bindings("fan") == []


def test_the_queue_of_a_dead_process_is_pruned_with_its_messages(
    open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead, living = open_store(), open_store()
    dead.bind(Binding("fan", "", "", "dead"), mortal=True)
    living.bind(Binding("fan", "", "", "living"), mortal=True)
    living.bind(Binding("direct", "celery", "", "celery"))
    for queue in ("dead", "living", "celery"):
        living.put(queue, "a")
    dead.close()
    later = time.time() + store_module.BINDING_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    living.renew()
    living.prune()
    assert [one.queue for one in living.bindings("fan")] == ["living"]
    assert [living.size(queue) for queue in ("dead", "living", "celery")] == [0, 1, 1]


def test_pings_that_nobody_read_are_thrown_away_and_work_is_not(
    open_store: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store()
    store.put("q", "ping", transient=True)
    store.put("q", "work")
    later = time.time() + store_module.TRANSIENT_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    store.prune()
    found = store.claim("q")
    assert found is not None
    assert found.payload == "work"


def test_a_message_that_cannot_be_read_is_put_aside(open_store: Open, tmp_path: Path) -> None:
    store = open_store()
    store.put("q", "{")
    found = store.claim("q")
    assert found is not None
    store.set_aside(found.id)
    assert store.size("q") == 0
    assert store.size(SET_ASIDE) == 1


def test_a_child_process_starts_with_no_claims_of_its_parent(open_store: Open) -> None:
    store = open_store()
    store.put("q", "a")
    found = store.claim("q")
    assert found is not None
    child = os.fork()
    if child == 0:  # pragma: no cover - runs in the child
        store.release(found.id)
        os._exit(0 if store.claim("q") is None else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert store.size("q") == 0


def test_a_closed_store_opens_itself_again(open_store: Open) -> None:
    store = open_store()
    store.put("q", "a")
    store.close()
    assert store.size("q") == 1


def test_a_broken_file_is_an_error_that_names_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "broker.sqlite3"
    path.write_bytes(b"this is no database, but long enough to be looked at " * 20)
    store = Store(path)
    with pytest.raises(sqlite3.DatabaseError):
        store.put("q", "a")
