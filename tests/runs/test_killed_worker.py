"""`kill -9` on a real worker in mid-compile; the next worker goes on where it was."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.kills import count_repeated, measure
from tests.runs.killing import FakeServer, Site, fake_server, kill

SETUP = """
import json, sys
import django
django.setup()
from tests import builders
from tests.runs.builders import make_kit
alice = builders.make_user("alice")
kit = make_kit(builders.make_project(admin=alice), alice)
kit.connection.kind, kit.connection.base_url = "openai_http", sys.argv[1]
kit.connection.concurrency = 6
kit.connection.save()
print(json.dumps([str(kit.start(kick=True).pk), str(kit.start(kick=False).pk)]))
"""
EXECUTE = """
import sys, uuid
import django
django.setup()
from studio.runs.execute import execute
print(execute(uuid.UUID(sys.argv[1])))
"""


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """The fake server, running."""
    with fake_server() as server:
        yield server


@pytest.mark.timeout(100)
def test_a_killed_worker_costs_nothing_that_was_scored(tmp_path: Path, server: FakeServer) -> None:
    site = Site(tmp_path)
    site.python("manage.py", "migrate", "--verbosity", "0")
    killed, undisturbed = json.loads(site.python("-c", SETUP, server.url))
    key = killed.replace("-", "")

    def scores() -> list[tuple[int, str, str, str]]:
        return site.query(
            "SELECT id, candidate, example, prediction FROM runs_scorerow WHERE run_id = ?", key
        )

    with site.worker() as first:
        site.wait_until(lambda: len(scores()) >= 30, 120)
        kill(first)
    before = scores()
    assert site.state(killed) == "running", "nobody has told that it died"
    asked_before = len(server.prompts)
    # Without the cache of answers a second scoring would be a second call.
    for file in tmp_path.glob("answers.sqlite3*"):
        file.unlink()

    with site.worker():
        site.wait_until(lambda: site.state(killed) not in ("queued", "running"), 180)
    assert site.state(killed) == "succeeded", site.query("SELECT error FROM runs_run")

    after = scores()
    assert {row[0] for row in before} <= {row[0] for row in after}, "rows stay what they were"
    pairs = [(row[1], row[2]) for row in after]
    assert len(pairs) == len(set(pairs))
    asked_again = set(server.prompts[asked_before:])
    assert asked_again
    for row in before:
        for step in json.loads(row[3])["steps"]:
            assert step["prompt"] in server.prompts[:asked_before]
            assert step["prompt"] not in asked_again, "a stored pair was run again"
    (found,) = site.query("SELECT crashes, attempts FROM runs_run WHERE id = ?", key)
    assert found == (1, 2)

    server.latency_s = 0
    assert site.python("-c", EXECUTE, undisturbed).strip() == "succeeded"
    artifacts = site.query("SELECT report FROM runs_run")
    assert len({json.loads(report)["artifact"] for (report,) in artifacts}) == 1


@pytest.mark.parametrize(
    ("asked", "lost", "repeated"),
    [
        ("abc", [], 0),
        ("abbc", [], 1),
        ("abbc", ["b"], 0),
        ("abbc", ["c"], 1),
        ("abbbc", ["b", "b"], 0),
        ("abcd", [], 1),
        ("ab", ["c"], 0),
        ("abc" + "a" * 8, ["a" * 8], 2),
    ],
)
def test_only_what_was_in_flight_may_be_asked_again(
    asked: str, lost: list[str], repeated: int
) -> None:
    assert count_repeated(Counter(asked), Counter("abc"), list(map(Counter, lost))) == repeated


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_compilers_that_are_killed_again_and_again_repeat_nothing(tmp_path: Path) -> None:
    found = measure(tmp_path, kills=4, seed=1, compilers=("random-search", "instructions"))
    assert found["kills"] == 4
    assert found["repeated_scores"] == 0
    assert found["identical"]
