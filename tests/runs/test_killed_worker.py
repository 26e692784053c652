"""`kill -9` on a real worker in mid-compile; the next worker goes on where it was."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from studio.engine.lm.scripted import builtin_scripted
from studio.engine.messages import Message, Request

ROOT = Path(__file__).resolve().parents[2]
LEASE_S = 3

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


class FakeServer(ThreadingHTTPServer):
    """An OpenAI-compatible server that plays the scripted LM, slowly, and remembers prompts."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.prompts: list[str] = []
        self.latency_s = 0.1

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class Handler(BaseHTTPRequestHandler):
    """Answers chat completions."""

    server: FakeServer

    def do_POST(self) -> None:
        """Answer by the script."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        messages = tuple(Message(turn["role"], turn["content"]) for turn in body["messages"])
        text = "\n\n".join(f"[{turn.role}]\n{turn.content}" for turn in messages)
        self.server.prompts.append(text)
        time.sleep(self.server.latency_s)
        lm = builtin_scripted("support-triage")
        text = asyncio.run(lm.complete(Request(messages=messages))).text
        answer = {
            "choices": [{"message": {"role": "assistant", "content": text}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1},
        }
        data = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        # The one who asked may have been killed.
        try:
            self.wfile.write(data)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """The fake server, running."""
    server = FakeServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def worker(env: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A worker as quickstart starts it."""
    with log.open("ab") as out:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "celery", "-A", "studio.celery", "worker"),
                *("-P", "threads", "-c", "2", "--loglevel", "INFO"),
                *("--without-gossip", "--without-mingle", "--without-heartbeat"),
            ],
            cwd=ROOT,
            env=env,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_until(what: Callable[[], bool], seconds: float, log: Path) -> None:
    """Wait; fail with the worker's log when it takes too long."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, log.read_text()[-4000:]
        time.sleep(0.05)


@pytest.mark.timeout(100)
def test_a_killed_worker_costs_nothing_that_was_scored(tmp_path: Path, server: FakeServer) -> None:
    log = tmp_path / "worker.log"
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("STUDIO_")},
        "DJANGO_SETTINGS_MODULE": "studio.settings",
        "STUDIO_DATA_DIR": str(tmp_path),
        "STUDIO_RUN_LEASE_SECONDS": str(LEASE_S),
        "DATABASE_URL": "",
        "BROKER_URL": "",
        "PYTHONPATH": str(ROOT),
    }

    def python(*arguments: str) -> str:
        found = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=env, capture_output=True, text=True
        )
        assert found.returncode == 0, found.stderr
        return found.stdout

    python("manage.py", "migrate", "--verbosity", "0")
    killed, undisturbed = json.loads(python("-c", SETUP, server.url))

    def query(sql: str) -> list[Any]:
        with closing(sqlite3.connect(tmp_path / "database.sqlite3", timeout=60)) as database:
            return database.execute(sql).fetchall()

    def scores() -> list[Any]:
        return query(
            "SELECT id, candidate, example, prediction FROM runs_scorerow "
            f"WHERE run_id = '{killed.replace('-', '')}'"
        )

    def state() -> str:
        return str(query(f"SELECT state FROM runs_run WHERE id='{killed.replace('-', '')}'")[0][0])

    with worker(env, log) as first:
        wait_until(lambda: len(scores()) >= 30, 120, log)
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    before = scores()
    assert state() == "running", "nobody has told that it died"
    asked_before = len(server.prompts)
    # Without the cache of answers a second scoring would be a second call.
    for file in tmp_path.glob("answers.sqlite3*"):
        file.unlink()

    with worker(env, log):
        wait_until(lambda: state() not in ("queued", "running"), 180, log)
    assert state() == "succeeded", query("SELECT error FROM runs_run")

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
    crashes, attempts = query(
        f"SELECT crashes, attempts FROM runs_run WHERE id='{killed.replace('-', '')}'"
    )[0]
    assert (crashes, attempts) == (1, 2)

    server.latency_s = 0
    assert python("-c", EXECUTE, undisturbed).strip() == "succeeded"
    artifacts = query("SELECT report FROM runs_run")
    assert len({json.loads(report)["artifact"] for (report,) in artifacts}) == 1
