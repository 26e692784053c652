"""`manage.py quickstart`, as people start it."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import stat
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.platform.processes import children_of, none_alive, studio_environment, until

ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., subprocess.Popen[str]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts quickstart in a data folder of its own; ends it in the end."""
    started: list[subprocess.Popen[str]] = []

    def run(*options: str, **environment: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, str(ROOT / "manage.py"), "quickstart", *options],
            env=studio_environment(tmp_path / "data", **environment),
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        with process:
            process.terminate()


def read_until(process: subprocess.Popen[str], text: str) -> str:
    """What the process says up to a line with `text`."""
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if text in line:
            return said
    raise AssertionError(f"It ended without saying “{text}”:\n{said}")


def health(port: int) -> tuple[int, dict[str, object]]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/", timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_it_starts_everything_and_ctrl_c_ends_everything(start: Start, tmp_path: Path) -> None:
    port = free_port()
    process = start("--no-lm", "--port", str(port))
    said = read_until(process, "Ctrl-C ends everything")
    assert f"http://127.0.0.1:{port}/" in said
    password = (tmp_path / "data" / "sign-in.txt").read_text().split()[-1]
    assert f"demo / {password}" in said
    for name in ("sign-in.txt", "secret-key"):
        assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600
    parts = ("web", "database", "broker", "worker", "lm", "extensions")
    assert health(port) == (200, {"ok": True} | {name: {"ok": True} for name in parts})
    assert_can_sign_in(port, password)

    second = start("--no-lm", "--port", str(free_port()))
    assert second.wait(30) == 1
    assert second.stdout is not None
    assert "runs already on" in second.stdout.read()

    children = children_of(process.pid)
    assert len(children) == 2
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 0
    assert none_alive(children)


def assert_can_sign_in(port: int, password: str) -> None:
    """Sign in as a browser does."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/sign-in/")
    page = connection.getresponse()
    cookie = page.headers["Set-Cookie"].split(";")[0]
    token = page.read().decode().split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    connection.request(
        "POST",
        "/sign-in/",
        f"username=demo&password={password}&csrfmiddlewaretoken={token}",
        {"Cookie": cookie, "Content-Type": "application/x-www-form-urlencoded"},
    )
    answer = connection.getresponse()
    assert answer.status == 302, answer.read().decode()
    connection.close()


def test_nothing_is_left_12_s_after_its_process_was_killed(start: Start) -> None:
    process = start("--no-lm", "--port", str(free_port()))
    read_until(process, "Ctrl-C ends everything")
    children = children_of(process.pid)
    assert len(children) == 2
    process.kill()
    until(lambda: none_alive(children), 60)


def test_the_death_of_a_part_ends_the_others_and_is_told(start: Start) -> None:
    process = start("--no-lm", "--port", str(free_port()))
    read_until(process, "Ctrl-C ends everything")
    web, worker = sorted(children_of(process.pid))
    subprocess.run(["kill", "-9", str(worker)], check=True)
    assert process.wait(20) == 1
    assert process.stdout is not None
    said = process.stdout.read()
    assert "The worker was ended by signal 9. Its log: " in said
    assert "worker.log" in said
    assert none_alive([web, worker])


def test_a_used_port_is_told_before_anything_starts(start: Start, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = start("--no-lm", "--port", str(port))
        assert process.wait(30) == 1
        assert process.stdout is not None
        assert f"Port {port} on 127.0.0.1 cannot be used" in process.stdout.read()
    assert not (tmp_path / "data" / "database.sqlite3").exists()


def test_prepare_only_prepares_twice_the_same(start: Start, tmp_path: Path) -> None:
    for _ in range(2):
        process = start("--prepare-only", "--no-lm")
        assert process.wait(60) == 0
        assert process.stdout is not None
        assert "Everything is prepared" in process.stdout.read()
    assert (tmp_path / "data" / "database.sqlite3").exists()
    assert not (tmp_path / "data" / "logs").exists()


def test_it_does_not_run_in_production(start: Start) -> None:
    process = start(
        "--prepare-only",
        STUDIO_ENV="production",
        STUDIO_SECRET_KEY="x" * 60,
        STUDIO_ALLOWED_HOSTS="studio.example",
    )
    assert process.wait(30) == 1
    assert process.stdout is not None
    assert "quickstart is for trying things out" in process.stdout.read()
