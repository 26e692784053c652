"""`kill -9` on a real worker in mid-evaluation: no answer is asked for a second time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.runs.killing import Site, fake_server, kill

SETUP = """
import json, sys
import django
django.setup()
from tests import builders
from tests.runs.builders import make_kit
from tests.runs.evaluating import start
alice = builders.make_user("alice")
kit = make_kit(builders.make_project(admin=alice), alice)
kit.connection.kind, kit.connection.base_url = "openai_http", sys.argv[1]
kit.connection.concurrency = 4
kit.connection.save()
print(json.dumps(str(start(kit, repeats=3, kick=True).pk)))
"""
IN_FLIGHT = 4


@pytest.mark.timeout(100)
def test_a_killed_worker_repeats_no_repetition(tmp_path: Path) -> None:
    with fake_server() as server:
        # Without the cache of answers a second scoring would be a second call.
        site = Site(tmp_path, keeps_answers=False)
        site.python("manage.py", "migrate", "--verbosity", "0")
        run = json.loads(site.python("-c", SETUP, server.url))
        key = run.replace("-", "")

        def scores() -> list[tuple[int, str, int]]:
            return site.query(
                "SELECT id, example, repeat FROM runs_scorerow WHERE run_id = ?", key
            )

        with site.worker() as first:
            site.wait_until(lambda: len(scores()) >= 20, 90)
            kill(first)
        before = set(scores())
        assert 20 <= len(before) < 48
        with site.worker():
            site.wait_until(lambda: site.state(run) not in ("queued", "running"), 90)
        assert site.state(run) == "succeeded", site.query("SELECT error FROM runs_run")
        after = scores()
        assert before <= set(after), "rows stay what they were"
        assert len({(example, repeat) for _, example, repeat in after}) == len(after) == 48
        assert len(server.prompts) <= 48 + IN_FLIGHT
        (found,) = site.query("SELECT crashes, attempts FROM runs_run WHERE id = ?", key)
        assert found == (1, 2)
