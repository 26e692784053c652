"""What every test gets: people, a project, and no way out to the network."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client
from hypothesis import settings

from studio.accounts.models import Project, User
from tests import builders

# `make test-unit` looks at fewer cases of every property; the whole suite at all of them.
settings.register_profile("quick", max_examples=15, deadline=None)
# A case takes as long as it takes: the machine may be doing something else.
settings.register_profile("patient", settings(), deadline=None)
settings.load_profile("patient")

LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the part of the tests that depends on servers be run alone."""
    parser.addoption(
        "--servers",
        action="store_true",
        help="only what touches database or broker, on the servers of STUDIO_TEST_*_URL",
    )


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With `--servers` keep what touches them; without it drop what needs them.

    Browser tests come last: while Playwright runs, nobody else can run an event loop.
    """
    items.sort(key=lambda item: "playwright" in getattr(item, "fixturenames", ()))
    with_servers = config.getoption("--servers")
    if with_servers:
        for name in ("STUDIO_TEST_DATABASE_URL", "STUDIO_TEST_BROKER_URL"):
            if not os.environ.get(name):
                raise pytest.UsageError(f"--servers needs {name}.")
    keep: list[pytest.Item] = []
    drop: list[pytest.Item] = []
    for item in items:
        needs = item.get_closest_marker("servers") is not None
        touches = needs or not {"db", "transactional_db"}.isdisjoint(
            getattr(item, "fixturenames", ())
        )
        touches = touches or item.get_closest_marker("django_db") is not None
        (keep if (touches if with_servers else not needs) else drop).append(item)
    if drop:
        config.hook.pytest_deselected(items=drop)
        items[:] = keep


@pytest.fixture(autouse=True, scope="session")
def _no_network() -> Iterator[None]:
    """Connections to other machines fail at once, with a sentence."""
    patch = pytest.MonkeyPatch()

    def guard(real: Callable[..., Any]) -> Callable[..., Any]:
        def connect(sock: socket.socket, address: Any) -> Any:
            is_network = sock.family in {socket.AF_INET, socket.AF_INET6}
            if is_network and not str(address[0]).startswith(LOOPBACK):
                raise RuntimeError(f"A test tried to reach {address}; tests stay on this machine.")
            return real(sock, address)

        return connect

    patch.setattr(socket.socket, "connect", guard(socket.socket.connect), raising=True)
    patch.setattr(socket.socket, "connect_ex", guard(socket.socket.connect_ex), raising=True)
    yield
    patch.undo()


@pytest.fixture(autouse=True, scope="session")
def _connections_outlive_tasks() -> Iterator[None]:
    """The end of a task closes no connection in whose transaction a test is.

    Django's own test client sees to the same at the end of a request.
    """
    close = BaseDatabaseWrapper.close_if_unusable_or_obsolete

    def close_outside_of_tests(self: BaseDatabaseWrapper) -> None:
        if not self.in_atomic_block:
            close(self)

    patch = pytest.MonkeyPatch()
    patch.setattr(BaseDatabaseWrapper, "close_if_unusable_or_obsolete", close_outside_of_tests)
    yield
    patch.undo()


@pytest.fixture
def alice(db: None) -> User:
    """Author of the pipelines, and admin of the project."""
    return builders.make_user("alice")


@pytest.fixture
def bob(db: None) -> User:
    """Reviewer in the project."""
    return builders.make_user("bob")


@pytest.fixture
def charlie(db: None) -> User:
    """A stranger: signed in, but no member."""
    return builders.make_user("charlie")


@pytest.fixture
def project(alice: User, bob: User) -> Project:
    """A project with alice as admin and bob as reviewer."""
    return builders.make_project(admin=alice, reviewer=bob)


@pytest.fixture
def as_alice(alice: User) -> Client:
    """A browser in which alice has signed in."""
    return builders.make_client(alice)


@pytest.fixture
def as_bob(bob: User) -> Client:
    """A browser in which bob has signed in."""
    return builders.make_client(bob)


@pytest.fixture
def as_charlie(charlie: User) -> Client:
    """A browser in which charlie has signed in."""
    return builders.make_client(charlie)
