"""A real site in processes of its own, for browser tests and benchmarks of pages."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
READY_S = 120


class NotReady(Exception):
    """The server ended, or takes too long."""


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def environment_in(folder: Path) -> dict[str, str]:
    """The variables of every process of a site whose data is in `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STUDIO_")}
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": "tests.e2e.settings",
        "STUDIO_ENV": "development",
        "STUDIO_DATA_DIR": str(folder),
        "STUDIO_SECRET_KEY": "for-browser-tests-only",
        "STUDIO_LOG_LEVEL": "WARNING",
        "DATABASE_URL": "",
        "BROKER_URL": "",
        "PYTHONPATH": str(ROOT),
    }


@contextmanager
def running_site(environment: dict[str, str]) -> Iterator[str]:
    """The address of a running site with alice, bob, vera and their pipelines.

    Raises `NotReady` when it does not start.
    """
    if not (ROOT / "frontend" / "dist" / "canvas.js").is_file():
        raise NotReady("The front end is not built: run `npm run build` in frontend/.")
    seed = [sys.executable, "-m", "tests.e2e.seed"]
    subprocess.run(seed, cwd=ROOT, env=environment, check=True, timeout=300)
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "studio.asgi:application"]
    command += ["--port", str(port), "--log-level", "warning"]
    server = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_until_ready(f"{address}/sign-in/", server)
        yield address
    finally:
        stop(server)


@contextmanager
def running_worker(environment: dict[str, str]) -> Iterator[None]:
    """A worker of the site, for runs."""
    command = [sys.executable, "-m", "celery", "-A", "studio.celery", "worker"]
    command += ["-P", "threads", "-c", "2", "--loglevel", "WARNING"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        yield
    finally:
        stop(process)


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    """Until the page answers. Raises `NotReady` when the server ends or takes too long."""
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        if server.poll() is not None:
            raise NotReady(f"The server ended with {server.returncode} before it was ready.")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    raise NotReady(f"The server did not answer within {READY_S} s.")


def stop(server: subprocess.Popen[bytes]) -> None:
    """End a process that was started here, kindly at first."""
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait(10)
