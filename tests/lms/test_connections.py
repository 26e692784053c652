"""Pages and services of connections."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.test import Client
from pytest_django.fixtures import Settings

from studio.accounts.models import AuditEntry, Membership, Project, Role, User
from studio.engine.errors import LMRateLimited
from studio.engine.lm.metered import Budget
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Message, Request
from studio.errors import Invalid
from studio.lms import services, vault
from studio.lms.addresses import check_reach
from studio.lms.models import Connection, Kind
from tests import builders

URL = "/p/support/lms/"
SERVER = "http://127.0.0.1:9/v1"
OPENAI = {"name": "Main", "model": "gpt-5-mini", "base_url": SERVER, "concurrency": "4"}


def make_server(project: Project, **fields: Any) -> Connection:
    fields = {"model": "gpt-5-mini", "base_url": SERVER, **fields}
    return builders.make_connection(project, "main", kind=Kind.OPENAI_HTTP, **fields)


@pytest.fixture
def as_viewer(project: Project) -> Client:
    viewer = builders.make_user("viewer")
    Membership.objects.create(project=project, user=viewer, role=Role.VIEWER)
    return builders.make_client(viewer)


@pytest.mark.parametrize("path", ["", "new/", "main/"])
def test_a_stranger_cannot_open_it(as_charlie: Client, project: Project, path: str) -> None:
    make_server(project)
    assert as_charlie.get(f"{URL}{path}").status_code == 404


@pytest.mark.parametrize("path", ["new/?kind=scripted", "main/", "main/test/", "main/delete/"])
def test_a_viewer_cannot_write(as_viewer: Client, project: Project, path: str) -> None:
    make_server(project)
    assert as_viewer.post(f"{URL}{path}", OPENAI).status_code == 403
    assert Connection.objects.get().name == "Main"


def test_a_viewer_reads(as_viewer: Client, project: Project) -> None:
    make_server(project)
    assert "gpt-5-mini" in as_viewer.get(URL).content.decode()
    page = as_viewer.get(f"{URL}main/").content.decode()
    assert SERVER in page
    assert '<form class="panel-body' not in page


def test_an_empty_list_says_what_to_do(as_alice: Client, project: Project) -> None:
    assert "Connect a model" in as_alice.get(URL).content.decode()


def test_first_the_kind_is_chosen(as_alice: Client, project: Project) -> None:
    page = as_alice.get(f"{URL}new/").content.decode()
    for kind in Kind:
        assert f"?kind={kind.value}" in page


def test_a_key_is_stored_encrypted_and_never_shown(
    as_alice: Client, project: Project, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = as_alice.post(
            f"{URL}new/?kind=openai_http", {**OPENAI, "key": "sk-very-secret"}, follow=True
        )
    row = Connection.objects.get()
    assert "sk-very-secret" not in row.encrypted_key
    assert vault.decrypt(row.encrypted_key) == "sk-very-secret"
    page = answer.content.decode()
    assert "A key is stored" in page
    assert "sk-very-secret" not in page
    assert row.encrypted_key not in page
    assert "sk-very-secret" not in caplog.text
    entry = AuditEntry.objects.get()
    assert entry.detail["key"] == "stored"
    assert "sk-very-secret" not in json.dumps(entry.detail)


def test_an_invalid_form_does_not_send_the_key_back(as_alice: Client, project: Project) -> None:
    page = as_alice.post(
        f"{URL}new/?kind=openai_http", {**OPENAI, "model": "", "key": "sk-very-secret"}
    )
    assert page.status_code == 422
    assert "sk-very-secret" not in page.content.decode()
    assert not Connection.objects.exists()


def test_an_empty_key_leaves_the_stored_one(as_alice: Client, project: Project) -> None:
    row = make_server(project, encrypted_key=vault.encrypt("sk-old"))
    as_alice.post(f"{URL}main/", {**OPENAI, "name": "Renamed"})
    row.refresh_from_db()
    assert row.name == "Renamed"
    assert row.slug == "main"
    assert vault.decrypt(row.encrypted_key) == "sk-old"


def test_a_key_is_replaced_and_removed(as_alice: Client, project: Project) -> None:
    row = make_server(project, encrypted_key=vault.encrypt("sk-old"))
    as_alice.post(f"{URL}main/", {**OPENAI, "key": "sk-new"})
    row.refresh_from_db()
    assert vault.decrypt(row.encrypted_key) == "sk-new"
    as_alice.post(f"{URL}main/", {**OPENAI, "remove_key": "on"})
    row.refresh_from_db()
    assert not row.has_key
    changes = [entry.detail["key"] for entry in AuditEntry.objects.order_by("pk")]
    assert changes == ["replaced", "removed"]


def test_a_stored_key_is_not_sent_to_another_server(as_alice: Client, project: Project) -> None:
    row = make_server(project, encrypted_key=vault.encrypt("sk-old"))
    moved = {**OPENAI, "base_url": "http://127.0.0.1:10/v1"}
    page = as_alice.post(f"{URL}main/", moved)
    assert page.status_code == 422
    assert "Enter the key again" in page.content.decode()
    row.refresh_from_db()
    assert row.base_url == SERVER
    as_alice.post(f"{URL}main/", {**moved, "key": "sk-new"})
    row.refresh_from_db()
    assert row.base_url == moved["base_url"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"base_url": "ftp://host/"}, "begins with http"),
        ({"base_url": ""}, "This field is required"),
        ({"base_url": "http://user:pw@host/v1"}, "the key has its own box"),
        ({"base_url": "http://169.254.169.254/v1"}, "never calls"),
        ({"name": " "}, "This field is required"),
        ({"concurrency": "0"}, "greater than or equal to 1"),
        ({"prompt_price": "-1"}, "not negative"),
    ],
)
def test_bad_input_gets_a_sentence(
    as_alice: Client, project: Project, change: dict[str, str], sentence: str
) -> None:
    page = as_alice.post(f"{URL}new/?kind=openai_http", {**OPENAI, **change})
    assert page.status_code == 422
    assert sentence in page.content.decode()
    assert not Connection.objects.exists()


def test_the_list_of_an_unknown_connection_is_a_page(as_alice: Client, project: Project) -> None:
    assert as_alice.get(f"{URL}nothing/").status_code == 404


def test_a_connection_of_another_project_is_out_of_reach(
    as_alice: Client, charlie: User, project: Project
) -> None:
    make_server(builders.make_project("Other", "other", admin=charlie))
    assert as_alice.get(f"{URL}main/").status_code == 404


def test_deleting_is_refused_while_a_run_needs_it(as_alice: Client, project: Project) -> None:
    row = make_server(project)
    run = builders.make_run(project, connection=row, state="running")
    page = as_alice.post(f"{URL}main/delete/", follow=True).content.decode()
    assert "a run that has not ended" in page
    run.state = "succeeded"
    run.save()
    as_alice.post(f"{URL}main/delete/")
    assert not Connection.objects.exists()
    run.refresh_from_db()
    assert run.connection is None


def test_deleting_is_refused_while_a_release_answers_with_it(
    as_alice: Client, project: Project
) -> None:
    row = make_server(project)
    artifact = builders.make_artifact(project, connection=row)
    project.releases.create(pipeline=artifact.version.pipeline, artifact=artifact)
    page = as_alice.post(f"{URL}main/delete/", follow=True).content.decode()
    assert "answers for the release “production”" in page


def test_the_test_shows_the_answer_as_text(
    as_alice: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_server(project)
    lm = ScriptedLM(["<script>alert(1)</script>"])
    monkeypatch.setattr(services, "bare_lm", lambda connection, timeout_s: lm)
    page = as_alice.post(f"{URL}main/test/", headers={"HX-Request": "true"}).content.decode()
    assert "&lt;script&gt;alert(1)" in page
    assert "Answered in" in page
    assert "<html" not in page
    assert len(lm.requests) == 1


def test_the_test_asks_only_once_and_says_what_went_wrong(
    as_alice: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_server(project)
    lm = ScriptedLM([LMRateLimited("Too many requests."), "ready"])
    monkeypatch.setattr(services, "bare_lm", lambda connection, timeout_s: lm)
    page = as_alice.post(f"{URL}main/test/").content.decode()
    assert "Too many requests." in page
    assert "<html" in page
    assert len(lm.requests) == 1


def test_the_test_does_not_wait_for_ever(
    as_alice: Client, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_server(project)
    monkeypatch.setattr(services, "TEST_SECONDS", 0.05)
    lm = ScriptedLM(["late"], latency_s=5)
    monkeypatch.setattr(services, "bare_lm", lambda connection, timeout_s: lm)
    assert "No answer in 0.05 seconds" in as_alice.post(f"{URL}main/test/").content.decode()


def test_a_server_that_is_not_there_gets_a_sentence(as_alice: Client, project: Project) -> None:
    make_server(project)
    assert "cannot be reached" in as_alice.post(f"{URL}main/test/").content.decode()


def test_a_key_that_cannot_be_read_any_more_gets_a_sentence(
    as_alice: Client, project: Project
) -> None:
    make_server(project, encrypted_key="gibberish")
    page = as_alice.post(f"{URL}main/test/").content.decode()
    assert "Enter the key again" in page


def test_an_embedded_model_that_does_not_run_says_how_to_start_it(
    as_alice: Client, project: Project
) -> None:
    as_alice.post(f"{URL}new/?kind=embedded", {"name": "Local", "concurrency": "4"})
    row = Connection.objects.get()
    assert row.model == "gemma-3-270m"
    assert "make run" in as_alice.post(f"{URL}local/test/").content.decode()


def test_the_embedded_model_is_found_by_file_or_by_setting(
    settings: Settings, tmp_path: Any
) -> None:
    settings.STUDIO_DATA_DIR = tmp_path
    with pytest.raises(Invalid):
        services.embedded_endpoint()
    (tmp_path / "lm.json").write_text("not json")
    with pytest.raises(Invalid):
        services.embedded_endpoint()
    (tmp_path / "lm.json").write_text('{"endpoint": "http://127.0.0.1:4711"}')
    assert services.embedded_endpoint() == "http://127.0.0.1:4711"
    settings.EMBEDDED_LM_URL = "http://127.0.0.1:1"
    assert services.embedded_endpoint() == "http://127.0.0.1:1"


def test_an_open_lm_keeps_to_its_budget_and_remembers(
    project: Project, settings: Settings, tmp_path: Any
) -> None:
    settings.STUDIO_DATA_DIR = tmp_path
    row = builders.make_connection(project, model="echo")
    request = Request(messages=(Message("user", "hello"),))
    budget = Budget(1)
    lm = services.open_lm(row, budget=budget)
    assert lm.name == "echo"
    first = asyncio.run(lm.complete(request))
    again = asyncio.run(services.open_lm(row, budget=budget).complete(request))
    assert again.cached
    assert again.text == first.text
    assert budget.used == 1


@pytest.mark.parametrize("kind", [Kind.OPENAI_HTTP, Kind.LITELLM])
def test_every_kind_with_a_server_opens(project: Project, kind: Kind) -> None:
    row = builders.make_connection(
        project,
        kind=kind,
        model="openai/some",
        base_url=SERVER,
        encrypted_key=vault.encrypt("sk-secret"),
        prompt_price="1.5",
        format="completion",
    )
    lm = services.open_lm(row)
    assert (lm.endpoint, lm.default_format) == (SERVER, "completion")
    assert "sk-secret" not in repr(lm)


def test_the_operators_own_key_does_not_go_to_a_typed_server(project: Project) -> None:
    row = builders.make_connection(
        project, kind=Kind.LITELLM, model="openai/some", base_url=SERVER
    )
    lm: Any = services.bare_lm(row)
    assert lm._api_key == "none"


def test_a_private_server_is_not_called_in_production(
    project: Project, settings: Settings
) -> None:
    row = make_server(project)
    settings.STUDIO_ALLOW_PRIVATE_LMS = False
    with pytest.raises(Invalid, match="private network"):
        services.open_lm(row)


def test_development_allows_private_servers_by_default() -> None:
    assert not django_settings.PRODUCTION
    check_reach(SERVER)
