"""Versions: saved under a message, listed, brought back."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import AuditEntry, Project, User
from studio.errors import Conflict, Invalid, NotAllowed, NotFound
from studio.pipelines import services, versions
from studio.pipelines.models import Pipeline, PipelineVersion
from tests.builders import (
    make_artifact,
    make_client,
    make_pipeline,
    make_project,
    make_run,
    make_spec,
    make_user,
)

pytestmark = pytest.mark.django_db
URL = "/api/projects/support/pipelines/triage/"
PAGE = "/p/support/pipelines/triage/versions/"


@pytest.fixture
def pipeline(project: Project) -> Pipeline:
    """input → classify → output."""
    return make_pipeline(project)


def told(instruction: str, x: float = 0) -> dict[str, Any]:
    """The usual drawing with another instruction."""
    spec = copy.deepcopy(make_spec())
    spec["nodes"][1]["signature"]["instruction"] = instruction
    spec["nodes"][1]["position"] = {"x": x, "y": 0}
    return spec


def draw(actor: User, pipeline: Pipeline, spec: dict[str, Any]) -> None:
    """Save over what there is."""
    services.save_pipeline(
        actor=actor, pipeline=pipeline, spec=spec, base_revision=pipeline.revision
    )


def keep(actor: User, pipeline: Pipeline, message: str) -> PipelineVersion:
    """Save a version."""
    return versions.save_version(actor=actor, pipeline=pipeline, message=message)


def post(client: Client, url: str, body: Any) -> Any:
    """POST it as JSON."""
    return client.post(url, body, content_type="application/json")


# ── Saving ───────────────────────────────────────────────────────────────────────────────────────


def test_a_version_keeps_the_drawing_under_a_message(alice: User, pipeline: Pipeline) -> None:
    version = keep(alice, pipeline, "  Before\nthe   holidays\0 ")
    assert (version.number, version.message) == (1, "Before the holidays")
    assert (version.spec, version.created_by) == (make_spec(), alice)
    entry = AuditEntry.objects.get(action="pipeline.save-version")
    assert entry.detail == {"message": "Before the holidays"}


def test_a_draft_with_problems_is_kept_too(alice: User, pipeline: Pipeline) -> None:
    draw(alice, pipeline, {**make_spec(), "edges": []})
    assert keep(alice, pipeline, "Half done").spec["edges"] == []


@pytest.mark.parametrize(
    ("message", "says"),
    [("", "needs a message"), (" \n\0 ", "needs a message"), ("x" * 201, "200 is the most")],
)
def test_a_message_has_one_to_two_hundred_letters(
    alice: User, pipeline: Pipeline, message: str, says: str
) -> None:
    with pytest.raises(Invalid, match=says):
        keep(alice, pipeline, message)
    assert not pipeline.versions.exists()


def test_pressing_the_button_twice_makes_one_version(alice: User, pipeline: Pipeline) -> None:
    assert keep(alice, pipeline, "Done") == keep(alice, pipeline, "Done")
    assert keep(alice, pipeline, "Done again").number == 2


def test_a_run_takes_the_newest_version_of_the_same_program(
    alice: User, pipeline: Pipeline
) -> None:
    keep(alice, pipeline, "One")
    two = keep(alice, pipeline, "Two")
    draw(alice, pipeline, told(make_spec()["nodes"][1]["signature"]["instruction"], x=99))
    assert services.freeze(actor=alice, pipeline=pipeline) == two


def test_a_viewer_and_a_stranger_save_and_restore_nothing(charlie: User) -> None:
    viewer = make_user("viewer")
    pipeline = make_pipeline(make_project(viewer=viewer))
    with pytest.raises(NotAllowed, match="author"):
        keep(viewer, pipeline, "x")
    with pytest.raises(NotAllowed, match="author"):
        versions.restore_version(actor=viewer, pipeline=pipeline, number=1, base_revision=1)
    with pytest.raises(NotFound):
        keep(charlie, pipeline, "x")


# ── Bringing back ────────────────────────────────────────────────────────────────────────────────


def test_a_restore_is_a_new_revision_and_a_new_version(alice: User, pipeline: Pipeline) -> None:
    keep(alice, pipeline, "First")
    draw(alice, pipeline, told("Sort it."))
    keep(alice, pipeline, "Second")
    restored = versions.restore_version(actor=alice, pipeline=pipeline, number=1, base_revision=2)
    assert (restored.pipeline.revision, restored.pipeline.spec) == (3, make_spec())
    assert restored.version
    assert (restored.version.number, restored.version.message) == (3, "Restored version 1")
    assert (restored.version.restored_from, restored.kept) == (1, None)
    assert AuditEntry.objects.filter(action="pipeline.restore-version").count() == 1
    assert [one.number for one in pipeline.revisions.all()] == [3, 2, 1]


def test_what_no_version_holds_is_kept_before_it_leaves_the_board(
    alice: User, pipeline: Pipeline
) -> None:
    keep(alice, pipeline, "First")
    draw(alice, pipeline, told("Sort it."))
    keep(alice, pipeline, "Second")
    draw(alice, pipeline, told("Sort it.", x=55))  # the same program, moved
    restored = versions.restore_version(actor=alice, pipeline=pipeline, number=1, base_revision=3)
    assert restored.kept
    assert (restored.kept.number, restored.kept.message) == (3, "Before restoring version 1")
    assert restored.kept.spec == told("Sort it.", x=55)


def test_restoring_what_is_on_the_board_changes_nothing(alice: User, pipeline: Pipeline) -> None:
    keep(alice, pipeline, "First")
    restored = versions.restore_version(actor=alice, pipeline=pipeline, number=1, base_revision=1)
    assert (restored.version, restored.kept, restored.pipeline.revision) == (None, None, 1)
    assert pipeline.versions.count() == 1


def test_a_restore_over_somebody_elses_save_is_a_conflict(
    alice: User, bob: User, pipeline: Pipeline
) -> None:
    keep(alice, pipeline, "First")
    draw(bob, pipeline, told("Bob's."))
    draw(bob, pipeline, told("Bob's second."))
    with pytest.raises(Conflict) as error:
        versions.restore_version(actor=alice, pipeline=pipeline, number=1, base_revision=2)
    assert error.value.extra["saved_by"] == "bob"
    assert pipeline.versions.count() == 1, "what was to be kept is not, either"


def test_a_version_that_is_not_there_is_not_restored(alice: User, pipeline: Pipeline) -> None:
    with pytest.raises(NotFound, match="Triage has no version 4"):
        versions.restore_version(actor=alice, pipeline=pipeline, number=4, base_revision=1)


# ── The API ──────────────────────────────────────────────────────────────────────────────────────


def test_versions_are_saved_listed_shown_and_restored(
    as_alice: Client, as_bob: Client, alice: User, pipeline: Pipeline
) -> None:
    made = post(as_alice, f"{URL}versions/", {"message": "First"})
    assert made.status_code == 201
    draw(alice, pipeline, told("Sort it."))
    second = keep(alice, pipeline, "Second")
    make_run(pipeline.project, version=second)
    make_run(pipeline.project, version=second)
    make_artifact(pipeline.project, version=second)
    listed = as_bob.get(f"{URL}versions/").json()
    assert listed["more"] is False
    assert [
        (one["number"], one["message"], one["by"], one["is_current"], one["runs"])
        for one in listed["versions"]
    ] == [(2, "Second", "alice", True, 2), (1, "First", "alice", False, 0)]
    assert listed["versions"][0]["artifacts"] == 1
    assert set(made.json()) == set(listed["versions"][0])
    one = as_bob.get(f"{URL}versions/1/").json()
    assert (one["spec"], one["nodes"], len(one["hash"])) == (make_spec(), 3, 64)
    back = post(as_alice, f"{URL}versions/1/restore/", {"base_revision": 2})
    assert back.status_code == 200
    assert (back.json()["revision"], back.json()["version"]) == (3, 3)
    assert back.json()["spec"] == make_spec()
    newest = as_bob.get(f"{URL}versions/").json()["versions"][0]
    assert (newest["restored_from"], newest["is_current"]) == (1, True)


def test_long_lists_come_in_pages(as_alice: Client, alice: User, pipeline: Pipeline) -> None:
    for number in range(103):
        keep(alice, pipeline, f"Number {number}")
    first = as_alice.get(f"{URL}versions/").json()
    assert (len(first["versions"]), first["more"]) == (100, True)
    last = first["versions"][-1]["number"]
    rest = as_alice.get(f"{URL}versions/?before={last}").json()
    assert ([one["number"] for one in rest["versions"]], rest["more"]) == ([3, 2, 1], False)
    for bad in ("x", "-1", "1e9", "9" * 40):
        assert as_alice.get(f"{URL}versions/", {"before": bad}).status_code == 422


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("versions/", {}, 422),
        ("versions/", {"message": 7}, 422),
        ("versions/", {"message": "x" * 300}, 422),
        ("versions/", [], 422),
        ("versions/1/restore/", {}, 422),
        ("versions/1/restore/", {"base_revision": "1"}, 422),
        ("versions/1/restore/", {"base_revision": True}, 422),
        ("versions/1/restore/", {"base_revision": 10**30}, 422),
        ("versions/7/restore/", {"base_revision": 1}, 404),
        (f"versions/{10**30}/restore/", {"base_revision": 1}, 404),
    ],
)
def test_what_cannot_be_done_gets_a_sentence(
    as_alice: Client, alice: User, pipeline: Pipeline, path: str, body: Any, status: int
) -> None:
    keep(alice, pipeline, "First")
    answer = post(as_alice, f"{URL}{path}", body)
    assert answer.status_code == status
    assert answer.json()["message"]
    assert pipeline.versions.count() == 1


def test_viewers_look_and_strangers_do_not(as_charlie: Client) -> None:
    viewer = make_user("viewer")
    pipeline = make_pipeline(make_project(admin=make_user("adam"), viewer=viewer))
    services.add_version(pipeline, actor=viewer, spec=pipeline.spec, message="x")
    client = make_client(viewer)
    assert client.get(f"{URL}versions/").status_code == 200
    assert client.get(f"{URL}versions/1/").status_code == 200
    assert post(client, f"{URL}versions/", {"message": "x"}).status_code == 403
    assert post(client, f"{URL}versions/1/restore/", {"base_revision": 1}).status_code == 403
    for path in ("versions/", "versions/1/", "revisions/"):
        assert as_charlie.get(f"{URL}{path}").status_code == 404
    for page in ("", "compare/"):
        assert client.get(f"{PAGE}{page}").status_code == 200
        assert as_charlie.get(f"{PAGE}{page}").status_code == 404
    assert client.post(PAGE, {"message": "x"}).status_code == 403
    assert client.post(f"{PAGE}restore/", {"state": "1"}).status_code == 403
    assert "Restore" not in client.get(PAGE).content.decode()


def test_the_openapi_document_has_their_addresses(as_alice: Client) -> None:
    document = as_alice.get("/api/schema/").content.decode()
    for path in ("versions/{number}/restore/", "revisions/{number}/"):
        assert f"/pipelines/{{pipeline}}/{path}" in document


# ── The pages ────────────────────────────────────────────────────────────────────────────────────


def test_the_page_lists_versions_and_what_uses_them(
    as_alice: Client, alice: User, pipeline: Pipeline
) -> None:
    version = keep(alice, pipeline, "<script>alert(1)</script>")
    make_run(pipeline.project, version=version)
    html = as_alice.get(PAGE).content.decode()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert "<script>alert(1)" not in html
    assert "used by 1 run" in html
    assert "the same program as version 1" in html
    assert f'href="{PAGE}"' in as_alice.get("/p/support/pipelines/").content.decode()


def test_the_page_saves_a_version_or_says_why_not(as_alice: Client, pipeline: Pipeline) -> None:
    refused = as_alice.post(PAGE, {"message": " "})
    assert refused.status_code == 422
    assert "A version needs a message" in refused.content.decode()
    saved = as_alice.post(PAGE, {"message": "First"}, follow=True)
    assert "The board is kept as version 1." in saved.content.decode()
    assert pipeline.versions.get().message == "First"


def test_the_page_restores_a_version_and_a_revision(
    as_alice: Client, alice: User, pipeline: Pipeline
) -> None:
    keep(alice, pipeline, "First")
    draw(alice, pipeline, told("Sort it."))
    form = {"state": "1", "base_revision": "2"}
    html = as_alice.post(f"{PAGE}restore/", form, follow=True).content.decode()
    assert "The board shows version 1 again. What was there before is version 2." in html
    form = {"state": "r2", "base_revision": "3"}
    html = as_alice.post(f"{PAGE}restore/", form, follow=True).content.decode()
    assert "The board shows revision 2 again." in html
    pipeline.refresh_from_db()
    assert pipeline.spec == told("Sort it.")


def test_a_restore_from_an_old_page_shows_what_is_new(
    as_alice: Client, alice: User, bob: User, pipeline: Pipeline
) -> None:
    keep(alice, pipeline, "First")
    draw(bob, pipeline, told("Bob's."))
    draw(bob, pipeline, told("Bob's second."))
    form = {"state": "1", "base_revision": "2"}
    answer = as_alice.post(f"{PAGE}restore/", form, follow=True)
    html = answer.content.decode()
    assert "Nothing was restored: look at what is new first." in html
    assert "The instruction of classify was rewritten." in html
    assert pipeline.versions.count() == 1


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ({}, 422),
        ({"state": "now", "base_revision": "1"}, 422),
        ({"state": "1"}, 422),
        ({"state": "1", "base_revision": "x"}, 422),
        ({"state": "1", "base_revision": "9" * 30}, 422),
        ({"state": "9", "base_revision": "1"}, 404),
        ({"state": "r9", "base_revision": "1"}, 404),
        ({"state": "<b>", "base_revision": "1"}, 422),
    ],
)
def test_a_bad_restore_form_is_a_page_with_a_sentence(
    as_alice: Client, alice: User, pipeline: Pipeline, form: dict[str, str], status: int
) -> None:
    keep(alice, pipeline, "First")
    answer = as_alice.post(f"{PAGE}restore/", form)
    assert answer.status_code == status
    assert "<b>" not in answer.content.decode()
