"""A web process and a worker of their own, on a data folder and a database of their own."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

TOKEN = "b" * 32
PIECE = 8 * 1024 * 1024
_PREPARE = """
import django
from django.core.management import call_command

django.setup()
call_command("migrate", verbosity=0)
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from tests.builders import make_project, make_user

user = make_user("alice")
make_project(admin=user)
session = SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session.create()
print(session.session_key)
"""


class Site:
    """Requests to the running site, signed in as an author."""

    def __init__(self, port: int, session: str, web: int) -> None:
        self._port = port
        self._web = web
        self._headers = {
            "Cookie": f"sessionid={session}; csrftoken={TOKEN}",
            "X-CSRFToken": TOKEN,
        }

    def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> bytes:
        """The answer's body; raises `RuntimeError` for anything but success."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=600)
        connection.request(method, path, body, {**self._headers, **headers})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]!r}")
        return text

    def ask(self, method: str, path: str, said: Any = None) -> Any:
        """JSON in and out."""
        body = b"" if said is None else json.dumps(said).encode()
        text = self.request(method, path, body, **{"Content-Type": "application/json"})
        return json.loads(text) if text else None

    def timed(self, path: str) -> tuple[float, str]:
        """Milliseconds until a page is there, and the page."""
        begun = time.perf_counter()
        text = self.request("GET", path)
        return 1000 * (time.perf_counter() - begun), text.decode()

    def peak_mb(self) -> float:
        """The most memory that the web process has ever held (RSS)."""
        status = Path(f"/proc/{self._web}/status").read_text(encoding="ascii")
        return next(
            int(line.split()[1]) / 1024
            for line in status.splitlines()
            if line.startswith("VmHWM:")
        )


@contextmanager
def running_site(folder: Path, database: str) -> Iterator[Site]:
    """The site on `database` (empty: SQLite in `folder`); both processes end with it."""
    environment = {
        **os.environ,
        "STUDIO_DATA_DIR": str(folder),
        "DATABASE_URL": database,
        "BROKER_URL": "",
        "DJANGO_SETTINGS_MODULE": "studio.settings",
        "STUDIO_LOG_LEVEL": "WARNING",
    }
    prepared = subprocess.run(
        [sys.executable, "-c", _PREPARE],
        env=environment, check=True, capture_output=True, text=True,
    )  # fmt: skip
    port, python = free_port(), [sys.executable, "-m"]
    web = subprocess.Popen(
        [*python, "uvicorn", "studio.asgi:application", "--port", str(port), "--no-access-log"],
        env=environment,
    )
    celery = [*python, "celery", "-A", "studio.celery", "worker", "-P", "threads", "-c", "2"]
    worker = subprocess.Popen([*celery, "-l", "WARNING"], env=environment)
    try:
        wait_for(port)
        site = Site(port, prepared.stdout.strip(), web.pid)
        site.request("GET", "/p/support/datasets/")
        yield site
    finally:
        for process in (worker, web):
            process.send_signal(signal.SIGTERM)
        for process in (worker, web):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(port: int) -> None:
    """Until the server listens."""
    for _try in range(300):
        with socket.socket() as sock:
            if sock.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise RuntimeError("The server did not start.")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])
