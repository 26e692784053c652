"""A real server in a process of its own, and a real browser in front of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from tests.browser import NoBrowser, launch_options
from tests.builders import PASSWORD

ROOT = Path(__file__).parents[2]
READY_S = 120
expect.set_options(timeout=20_000)  # a busy machine takes longer than the usual five seconds


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of every process of the site, with a data folder of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STUDIO_")}
    return {
        **kept,
        "DJANGO_SETTINGS_MODULE": "tests.e2e.settings",
        "STUDIO_ENV": "development",
        "STUDIO_DATA_DIR": str(tmp_path_factory.mktemp("site")),
        "STUDIO_SECRET_KEY": "for-browser-tests-only",
        "STUDIO_LOG_LEVEL": "WARNING",
        "DATABASE_URL": "",
        "BROKER_URL": "",
        "PYTHONPATH": str(ROOT),
    }


@pytest.fixture(scope="session")
def site(environment: dict[str, str]) -> Iterator[str]:
    """The address of a running site with alice, bob, vera and their pipelines."""
    if not (ROOT / "frontend" / "dist" / "canvas.js").is_file():
        pytest.fail("The front end is not built: run `npm run build` in frontend/.")
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
        server.terminate()
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait(10)


@pytest.fixture(scope="session")
def worker(environment: dict[str, str], site: str) -> Iterator[None]:
    """A worker of the site, for runs."""
    command = [sys.executable, "-m", "celery", "-A", "studio.celery", "worker"]
    command += ["-P", "threads", "-c", "2", "--loglevel", "WARNING"]
    command += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    yield
    process.terminate()
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(10)


def wait_until_ready(url: str, server: subprocess.Popen[bytes]) -> None:
    """Until the page answers; fails when the server ends or takes too long."""
    end = time.monotonic() + READY_S
    while time.monotonic() < end:
        if server.poll() is not None:
            pytest.fail(f"The server ended with {server.returncode} before it was ready.")
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"The server did not answer within {READY_S} s.")


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """Playwright's driver."""
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A headless Chromium. A missing one fails: a skipped browser test proves nothing."""
    try:
        options = launch_options()
    except NoBrowser as error:
        pytest.fail(str(error))
    running = playwright.chromium.launch(**options)  # type: ignore[arg-type]
    yield running
    running.close()


@pytest.fixture
def sign_in(browser: Browser, site: str) -> Iterator[Callable[..., Page]]:
    """`sign_in("alice")`: a page of a fresh browser profile in which she has signed in.

    The test fails at its end when the page had an error on its console.
    """
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def make(name: str, *, width: int = 1280, height: int = 800, theme: str = "light") -> Page:
        context = browser.new_context(
            base_url=site,
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if is_error(said) else None)
        page.goto("/sign-in/")
        page.get_by_label("Username").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/p/**")
        return page

    yield make
    for context in contexts:
        context.close()
    assert errors == []


def is_error(said: object) -> bool:
    """An error that is ours: a refused save is one for the browser, not for us."""
    text = str(getattr(said, "text", ""))
    return getattr(said, "type", "") == "error" and "Failed to load resource" not in text
