"""A real server in a process of its own, and a real browser in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

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
from tests.e2e.site import NotReady, environment_in, running_site, running_worker

expect.set_options(timeout=20_000)  # a busy machine takes longer than the usual five seconds


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The variables of every process of the site, with a data folder of its own."""
    return environment_in(tmp_path_factory.mktemp("site"))


@pytest.fixture(scope="session")
def site(environment: dict[str, str]) -> Iterator[str]:
    """The address of a running site with alice, bob, vera and their pipelines."""
    try:
        with running_site(environment) as address:
            yield address
    except NotReady as error:
        pytest.fail(str(error))


@pytest.fixture(scope="session")
def worker(environment: dict[str, str], site: str) -> Iterator[None]:
    """A worker of the site, for runs."""
    with running_worker(environment):
        yield


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
