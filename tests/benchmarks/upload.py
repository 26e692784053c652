"""Uploads a large CSV to a real server and says how long it took and how much memory it held.

`python -m tests.benchmarks.upload [--megabytes 100]` starts uvicorn and a worker on a data folder
of its own and throws it away at the end. Exit status 1 when the web process passed 300 MB.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LIMIT_MB = 300
BOUNDARY = "----studio-benchmark"
TOKEN = "b" * 32
WORDS = ("parcel", "invoice", "refund", "camera", "order", "courier", "card", "month", "screen")


def write_csv(path: Path, megabytes: int) -> int:
    """A file of short messages with a label; returns the number of its rows."""
    rng, rows = random.Random(0), 0
    with path.open("w", encoding="utf-8") as file:
        file.write("id,message,category\n")
        while file.tell() < megabytes * 1_000_000:
            lines = []
            for _line in range(1000):
                rows += 1
                text = " ".join(rng.choices(WORDS, k=15))
                lines.append(f'm{rows},"{text}, please.",{rng.choice(("billing", "shipping"))}\n')
            file.writelines(lines)
    return rows


def prepare() -> str:
    """Tables, a user, a project; returns a session key."""
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", run_syncdb=True, verbosity=0)
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
    return str(session.session_key)


def peak_mb(pid: int) -> float:
    """The most memory that the process has ever held (RSS)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError("no VmHWM")


class Browser:
    """Requests to the server, signed in."""

    def __init__(self, port: int, session: str) -> None:
        self.port = port
        self.headers = {
            "Cookie": f"sessionid={session}; csrftoken={TOKEN}",
            "X-CSRFToken": TOKEN,
        }

    def request(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The answer's JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        connection.request(method, path, body, {**self.headers, **headers})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]!r}")
        return json.loads(text) if text else None

    def upload(self, path: Path) -> Any:
        """Sends the file as a browser does, in pieces."""
        head = (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; '
            f'filename="{path.name}"\r\nContent-Type: text/csv\r\n\r\n'
        ).encode()
        tail = f"\r\n--{BOUNDARY}--\r\n".encode()

        def pieces() -> Iterator[bytes]:
            yield head
            with path.open("rb") as file:
                while piece := file.read(256 * 1024):
                    yield piece
            yield tail

        return self.request(
            "POST",
            "/api/projects/support/datasets/",
            pieces(),
            **{
                "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
                "Content-Length": str(len(head) + path.stat().st_size + len(tail)),
            },
        )

    def wait(self, token: str, state: str) -> Any:
        """The upload, once it is in this state."""
        while True:
            upload = self.request("GET", f"/api/projects/support/datasets/uploads/{token}/")
            if upload["state"] == state:
                return upload
            if upload["state"] == "refused" or upload["error"]:
                raise RuntimeError(upload["error"])
            time.sleep(0.5)


def wait_for(port: int) -> None:
    """Until the server listens."""
    for _try in range(200):
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


def measure(folder: Path, megabytes: int) -> dict[str, Any]:
    """Runs it all in `folder`."""
    path = folder / "large.csv"
    rows = write_csv(path, megabytes)
    session, port = prepare(), free_port()
    python = [sys.executable, "-m"]
    web = subprocess.Popen(
        [*python, "uvicorn", "studio.asgi:application", "--port", str(port), "--no-access-log"]
    )
    celery = [*python, "celery", "-A", "studio.celery", "worker", "-P", "threads", "-c", "2"]
    worker = subprocess.Popen([*celery, "-l", "WARNING"])
    try:
        wait_for(port)
        browser = Browser(port, session)
        browser.request("GET", "/api/projects/support/datasets/")
        before, times, last = peak_mb(web.pid), {}, time.perf_counter()

        def lap(name: str) -> None:
            nonlocal last
            now = time.perf_counter()
            times[name], last = round(now - last, 1), now

        token = browser.upload(path)["token"]
        lap("upload_s")
        upload = browser.wait(token, "ready")
        lap("check_s")
        url = f"/api/projects/support/datasets/uploads/{token}/"
        browser.request("POST", url, "{}", **{"Content-Type": "application/json"})
        browser.wait(token, "imported")
        lap("import_s")
        return {
            "megabytes": megabytes,
            "rows": rows,
            "kept": upload["report"]["kept"],
            **times,
            "web_before_mb": round(before),
            "web_peak_mb": round(peak_mb(web.pid)),
            "worker_peak_mb": round(peak_mb(worker.pid)),
        }
    finally:
        for process in (worker, web):
            process.send_signal(signal.SIGTERM)
        for process in (worker, web):
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def main() -> int:
    """Prints one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--megabytes", type=int, default=100)
    wanted = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="studio-upload-") as name:
        os.environ |= {"STUDIO_DATA_DIR": name, "DATABASE_URL": "", "BROKER_URL": ""}
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings")
        found = measure(Path(name), wanted.megabytes)
    sys.stdout.write(json.dumps(found) + "\n")
    return 0 if found["web_peak_mb"] < LIMIT_MB else 1


if __name__ == "__main__":
    sys.exit(main())
