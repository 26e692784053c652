"""Real workers that are killed in mid-compile, and an LM that remembers what it was asked."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import builtin_scripted
from studio.engine.messages import Message, Request

ROOT = Path(__file__).resolve().parents[2]
ASKED = "(a question of the compiler)"
"""Stands for the prompts of all questions to the proposer: their rows keep no prompt."""
_OUTPUT = "category"


class FakeServer(ThreadingHTTPServer):
    """An OpenAI-compatible server that plays the scripted LM, slowly, and remembers prompts."""

    daemon_threads = True

    def __init__(self, latency_s: float = 0.1) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.prompts: list[str] = []
        self.latency_s = latency_s

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Handler(BaseHTTPRequestHandler):
    """Answers chat completions."""

    server: FakeServer

    def do_POST(self) -> None:
        """Answer by the script; a compiler's question with something new for each question."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        messages = tuple(Message(turn["role"], turn["content"]) for turn in body["messages"])
        text = "\n\n".join(f"[{turn.role}]\n{turn.content}" for turn in messages)
        request = Request(messages=messages)
        prompt = read_prompt(request)
        asked = set(prompt.open) != {_OUTPUT}
        self.server.prompts.append(ASKED if asked else text)
        time.sleep(self.server.latency_s)
        if asked:
            mark = hashlib.sha256(text.encode()).hexdigest()[:6]
            said = prompt.answer(dict.fromkeys(prompt.open, f"Sort it with care, {mark}."))
        else:
            said = asyncio.run(builtin_scripted("support-triage").complete(request)).text
        answer = {
            "choices": [{"message": {"role": "assistant", "content": said}}],
            "usage": {"prompt_tokens": 1, "completion_tokens": 1},
        }
        data = json.dumps(answer).encode()
        # The one who asked may have been killed.
        try:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@contextmanager
def fake_server(latency_s: float = 0.1) -> Iterator[FakeServer]:
    """The fake server, running."""
    server = FakeServer(latency_s)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Site:
    """A studio of its own in a folder: its database, its workers."""

    folder: Path
    lease_s: float = 3
    keeps_answers: bool = True
    """Without it no answer is kept beside the runs' rows, so that every repetition is a call."""
    log: Path = field(init=False)

    def __post_init__(self) -> None:
        self.log = self.folder / "worker.log"

    @property
    def env(self) -> dict[str, str]:
        """What its processes see."""
        # No file can be made below a file, so nothing is kept there.
        nowhere = self.folder / "worker.log" / "answers.sqlite3"
        return {
            **{name: value for name, value in os.environ.items() if name[:7] != "STUDIO_"},
            "DJANGO_SETTINGS_MODULE": "studio.settings",
            "STUDIO_DATA_DIR": str(self.folder),
            "STUDIO_RUN_LEASE_SECONDS": str(self.lease_s),
            "DATABASE_URL": "",
            "BROKER_URL": "",
            "PYTHONPATH": str(ROOT),
            **({} if self.keeps_answers else {"STUDIO_ANSWERS_URL": str(nowhere)}),
        }

    def python(self, *arguments: str) -> str:
        """What a Python process prints; raises with its errors when it fails."""
        found = subprocess.run(
            [sys.executable, *arguments], cwd=ROOT, env=self.env, capture_output=True, text=True
        )
        if found.returncode:
            raise RuntimeError(found.stderr)
        return found.stdout

    def query(self, sql: str, *values: Any) -> list[Any]:
        """Rows of its database."""
        path = self.folder / "database.sqlite3"
        with closing(sqlite3.connect(path, timeout=60)) as database:
            return database.execute(sql, values).fetchall()

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """A worker as quickstart starts it."""
        with self.log.open("ab") as out:
            process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "celery", "-A", "studio.celery", "worker"),
                    *("-P", "threads", "-c", "2", "--loglevel", "INFO"),
                    *("--without-gossip", "--without-mingle", "--without-heartbeat"),
                ],
                cwd=ROOT,
                env=self.env,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            kill(process)

    def wait_until(self, what: Callable[[], bool], seconds: float) -> None:
        """Wait; raises with the worker's log when it takes too long."""
        end = time.monotonic() + seconds
        while not what():
            if time.monotonic() > end:
                raise TimeoutError(self.log.read_text()[-4000:])
            time.sleep(0.02)

    def state(self, run: str) -> str:
        """The run's state."""
        return str(self.query("SELECT state FROM runs_run WHERE id = ?", _key(run))[0][0])

    def stored(self, run: str) -> Counter[str]:
        """How often each prompt stands in the run's rows."""
        rows = "SELECT {} FROM runs_{} WHERE run_id = ?"
        found: Counter[str] = Counter()
        for (text,) in self.query(rows.format("prediction", "scorerow"), _key(run)):
            found.update(step["prompt"] for step in json.loads(text)["steps"])
        for (text,) in self.query(rows.format("steps", "tracerow"), _key(run)):
            found.update(step["prompt"] for step in json.loads(text))
        found[ASKED] = sum(
            calls for (calls,) in self.query(rows.format("calls", "answerrow"), _key(run))
        )
        return found


def kill(process: subprocess.Popen[bytes]) -> None:
    """`kill -9` on a worker with everything that it started."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _key(run: str) -> str:
    """A UUID as SQLite holds it."""
    return run.replace("-", "")
