"""The same tasks over Redis."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from redis import Redis

from tests.broker.probe import Probe, until
from tests.platform.processes import studio_environment


@pytest.fixture
def probe(tmp_path: Path) -> Iterator[Probe]:
    """The Redis of the tests, under names that nobody else uses."""
    url = os.environ["STUDIO_TEST_BROKER_URL"]
    prefix = f"studio-test-{uuid.uuid4().hex}-"
    probe = Probe(tmp_path, url, prefix=prefix)
    yield probe
    probe.end()
    with Redis.from_url(url) as redis:
        for key in redis.scan_iter(f"{prefix}*"):
            redis.delete(key)


@pytest.mark.servers
def test_tasks_and_pings_reach_a_worker_over_redis(probe: Probe) -> None:
    for number in range(20):
        probe.send("note", number)
    probe.start("one")
    until(lambda: probe.count("note") == 20)
    assert sorted(int(line[1]) for line in probe.lines()) == list(range(20))
    until(lambda: probe.answering() == 1)


def test_redis_gets_the_options_that_bring_lost_messages_back(tmp_path: Path) -> None:
    code = (
        "import json; from studio.celery import app; "
        "print(json.dumps(app.conf.broker_transport_options))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=studio_environment(tmp_path, BROKER_URL="redis://127.0.0.1:6379/0"),
        capture_output=True,
        text=True,
        check=True,
    )
    options = json.loads(done.stdout)
    assert options["unacked_restore_interval"] == 2
    assert options["unacked_restore_throttle"] == 1
    assert options["visibility_timeout"] >= 3600
