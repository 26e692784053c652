"""`/health/`: open to everybody, quick, and silent about details."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client

from studio import health as health_module
from studio.celery import app
from studio.engine.extensions import ExtensionProblem, Table
from studio.engine.modules import MODULES
from tests.builders import make_client, make_user

PARTS = ("web", "database", "broker", "worker", "lm")

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch, settings: Any, tmp_path: Path) -> None:
    monkeypatch.setattr(health_module, "_worker_answered_at", float("-inf"))
    settings.STUDIO_DATA_DIR = tmp_path


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A worker that answers; the list says how often it was asked."""
    asked: list[str] = []

    def ping(**options: Any) -> list[dict[str, Any]]:
        asked.append("ping")
        return [{"celery@here": {"ok": "pong"}}]

    monkeypatch.setattr(app.control, "ping", ping)
    return asked


@pytest.fixture
def no_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers."""
    monkeypatch.setattr(app.control, "ping", lambda **_: [])


def test_everybody_may_ask_and_all_parts_are_named(client: Client, worker: list[str]) -> None:
    answer = client.get("/health/")
    assert answer.status_code == 200
    assert answer.json() == {"ok": True, **{name: {"ok": True} for name in (*PARTS, "extensions")}}
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_missing_worker_is_503(client: Client, no_worker: None) -> None:
    answer = client.get("/health/")
    assert answer.status_code == 503
    body = answer.json()
    assert body["ok"] is False
    assert body["worker"] == {"ok": False}
    assert body["web"] == body["database"] == {"ok": True}


def test_a_worker_that_has_answered_is_not_asked_again_at_once(
    client: Client, worker: list[str]
) -> None:
    client.get("/health/")
    client.get("/health/")
    assert worker == ["ping"]


def test_a_silent_database_is_told_without_details(
    client: Client, worker: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OperationalError("no connection to db.internal as studio")

    monkeypatch.setattr("django.db.connection.cursor", refuse)
    answer = client.get("/health/")
    assert answer.status_code == 503
    assert answer.json()["database"] == {"ok": False}
    assert "internal" not in answer.content.decode()


def test_a_silent_broker_is_told(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise ConnectionRefusedError("redis.internal:6379")

    class Broken:
        connection_errors = (ConnectionRefusedError,)
        channel_errors = ()

        def __enter__(self) -> Broken:
            return self

        def __exit__(self, *_: object) -> None:
            return None

        ensure_connection = staticmethod(refuse)

    monkeypatch.setattr(app, "connection_for_write", lambda **_: Broken())
    answer = client.get("/health/")
    assert answer.status_code == 503
    body = answer.json()
    assert (body["broker"], body["worker"]) == ({"ok": False}, {"ok": False})
    assert "internal" not in answer.content.decode()


class Answer(BaseHTTPRequestHandler):
    """A language model's server that says it is well."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/health" else 404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def lm_address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_the_embedded_lm_is_asked_where_quickstart_wrote_it_is(
    client: Client, worker: list[str], lm_address: str, tmp_path: Path
) -> None:
    (tmp_path / "lm.json").write_text(json.dumps({"endpoint": lm_address}))
    assert client.get("/health/").json()["lm"] == {"ok": True}


def test_an_lm_elsewhere_is_asked_with_or_without_its_version_in_the_address(
    client: Client, worker: list[str], lm_address: str, settings: Any
) -> None:
    for address in (lm_address, f"{lm_address}/v1", f"{lm_address}/v1/"):
        settings.EMBEDDED_LM_URL = address
        assert client.get("/health/").json()["lm"] == {"ok": True}


@pytest.mark.parametrize(
    "text", ['{"endpoint": "http://127.0.0.1:9"}', "{", "[]", '{"endpoint": 5}']
)
def test_an_lm_that_should_be_there_and_is_not_is_503(
    client: Client, worker: list[str], tmp_path: Path, text: str
) -> None:
    (tmp_path / "lm.json").write_text(text)
    answer = client.get("/health/")
    assert answer.status_code == 503
    assert answer.json()["lm"] == {"ok": False}


def test_names_of_hosts_and_servers_are_not_told(client: Client, no_worker: None) -> None:
    text = client.get("/health/").content.decode()
    assert "celery" not in text
    assert "sqlite" not in text


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> str:
    """What is wrong with an installed package."""
    message = "studio.modules: “shout” of the package studio-shout is left out: it is no module."
    problem = ExtensionProblem("studio-shout", "shout", message)
    monkeypatch.setattr(Table, "problems", lambda table: (problem,) if table is MODULES else ())
    return message


def test_an_extension_that_was_left_out_makes_nothing_ring(
    client: Client, worker: list[str], broken: str
) -> None:
    answer = client.get("/health/")
    assert answer.status_code == 200
    assert answer.json()["ok"] is True
    assert answer.json()["extensions"] == {"ok": False}, "names of packages are not for everybody"


def test_whoever_looks_after_the_site_reads_what_is_wrong(
    worker: list[str], broken: str, as_bob: Client
) -> None:
    staff = make_client(make_user("stella", is_staff=True))
    assert staff.get("/health/").json()["extensions"] == {"ok": False, "problems": [broken]}
    assert as_bob.get("/health/").json()["extensions"] == {"ok": False}


def test_staff_reads_that_nothing_is_wrong(worker: list[str]) -> None:
    staff = make_client(make_user("stella", is_staff=True))
    assert staff.get("/health/").json()["extensions"] == {"ok": True, "problems": []}


def test_without_a_database_nobody_is_asked_who_they_are(
    worker: list[str], broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = make_client(make_user("stella", is_staff=True))
    monkeypatch.setattr(health_module, "database_answers", lambda: False)
    answer = staff.get("/health/")
    assert answer.status_code == 503
    assert answer.json()["extensions"] == {"ok": False}
