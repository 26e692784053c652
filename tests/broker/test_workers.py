"""The broker under Celery: real workers, several processes, hard kills."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.broker.store import SET_ASIDE, Store
from studio.broker.transport import Transport
from tests.broker.probe import Probe, until


@pytest.fixture
def probe(tmp_path: Path) -> Iterator[Probe]:
    """A broker in a file of its own."""
    probe = Probe(tmp_path, f"sqlite3broker:///{tmp_path / 'broker.sqlite3'}")
    yield probe
    probe.end()


def test_two_workers_do_each_of_500_tasks_exactly_once(probe: Probe) -> None:
    probe.start("one")
    probe.start("two")
    until(lambda: probe.answering() == 2)
    for number in range(500):
        probe.send("note", number)
    until(lambda: probe.count("note") >= 500)
    numbers = sorted(int(line[1]) for line in probe.lines())
    assert numbers == list(range(500))
    assert len({line[2] for line in probe.lines()}) == 2
    store = Store(probe.folder / "broker.sqlite3")
    until(lambda: store.size("celery") == 0)
    store.close()


def test_what_a_killed_worker_held_is_done_by_another_after_the_lease(probe: Probe) -> None:
    probe.environment["PROBE_LEASE"] = "2"
    victim = probe.start("victim")
    probe.send("hold", 1, 60)
    probe.send("hold", 2, 60)
    until(lambda: probe.count("start") == 2)
    probe.send("note", 3)
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    probe.log.write_text("")
    probe.start("heir", "-c", "3")
    until(lambda: probe.count("start") == 2 and probe.count("note") == 1)
    assert {line[1] for line in probe.lines()} == {"1", "2", "3"}
    assert str(victim.pid) not in {line[2] for line in probe.lines()}


def test_ping_inspect_and_revoke_reach_a_worker_in_another_process(probe: Probe) -> None:
    probe.start("one")
    until(lambda: probe.answering() == 1)
    inspect = probe.app.control.inspect(timeout=1, limit=1)
    answers = inspect.registered()
    assert answers is not None
    (tasks,) = answers.values()
    assert "probe.note" in tasks
    result = probe.send("note", 1, countdown=2)
    result.revoke()
    probe.send("note", 2)
    until(lambda: probe.count("note") == 1)
    time.sleep(2.5)
    assert [line[1] for line in probe.lines()] == ["2"]


def test_rows_that_nobody_can_read_do_not_end_the_worker(probe: Probe) -> None:
    store = Store(probe.folder / "broker.sqlite3")
    broken = [
        "{",
        "[]",
        "null",
        '{"body": "x"}',
        '{"body": "abc", "properties": {"body_encoding": "base64", "delivery_info": {}}}',
        '{"body": "x", "properties": {"delivery_info": 5}}',
    ]
    for payload in broken:
        store.put("celery", payload)
    worker = probe.start("one")
    probe.send("note", 1)
    until(lambda: probe.count("note") == 1)
    assert worker.poll() is None
    assert store.size(SET_ASIDE) == len(broken)
    store.close()


def test_a_process_that_ends_waits_for_no_more_messages(
    probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    ending = threading.Event()
    ending.set()
    monkeypatch.setattr(Transport, "ending", ending)
    with probe.app.connection_for_read() as connection:
        began = time.monotonic()
        with pytest.raises(socket.timeout):
            connection.drain_events(timeout=5)
    assert time.monotonic() - began < 4
