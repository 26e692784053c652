"""Every save is kept for a while: revisions, and what a save that comes too late is told."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import AuditEntry, Project, User
from studio.errors import Conflict, NotFound
from studio.pipelines import revisions, services, versions
from studio.pipelines.models import Pipeline
from tests.builders import make_client, make_pipeline, make_project, make_spec, make_user

pytestmark = pytest.mark.django_db
URL = "/api/projects/support/pipelines/triage/"


@pytest.fixture
def pipeline(project: Project) -> Pipeline:
    """input → classify → output, from a time without revisions."""
    return make_pipeline(project)


def at(x: float, **more: Any) -> dict[str, Any]:
    """The usual drawing, with its input at `x`."""
    spec = copy.deepcopy(make_spec())
    spec["nodes"][0]["position"] = {"x": x, "y": 0}
    return {**spec, **more}


def save(actor: User, pipeline: Pipeline, spec: Any, base: int | None = None) -> Pipeline:
    """Save over the current revision unless told otherwise."""
    base = pipeline.revision if base is None else base
    return services.save_pipeline(actor=actor, pipeline=pipeline, spec=spec, base_revision=base)


def numbers(pipeline: Pipeline) -> list[int]:
    """Which revisions are kept."""
    return list(pipeline.revisions.values_list("number", flat=True))


def test_a_save_keeps_what_it_saves_and_what_it_saves_over(
    alice: User, bob: User, pipeline: Pipeline
) -> None:
    drawn_at = pipeline.updated_at
    save(bob, pipeline, at(1))
    save(alice, pipeline, at(2))
    assert pipeline.revisions.get(number=1).saved_at == drawn_at
    kept = [(one.number, one.spec, one.saved_by) for one in pipeline.revisions.all()]
    assert kept == [(3, at(2), alice), (2, at(1), bob), (1, make_spec(), None)]
    assert pipeline.saved_by == alice


def test_a_new_pipeline_begins_with_a_revision(alice: User, project: Project) -> None:
    made = services.create_pipeline(actor=alice, project=project, name="New", start="classify")
    assert [(one.number, one.saved_by) for one in made.revisions.all()] == [(1, alice)]
    assert made.saved_by == alice


def test_what_is_saved_already_makes_no_revision(
    alice: User, bob: User, pipeline: Pipeline
) -> None:
    save(bob, pipeline, at(1))
    log = AuditEntry.objects.count()
    again = save(alice, pipeline, at(1))
    assert (again.revision, again.saved_by) == (2, bob)
    assert numbers(pipeline) == [2, 1]
    assert AuditEntry.objects.count() == log


def test_a_save_whose_answer_was_lost_may_be_sent_again(alice: User, pipeline: Pipeline) -> None:
    save(alice, pipeline, at(1), base=1)
    assert save(alice, pipeline, at(1), base=1).revision == 2


def test_true_is_not_one_in_a_saved_drawing(alice: User, pipeline: Pipeline) -> None:
    save(alice, pipeline, at(1, flag=1))
    assert save(alice, pipeline, at(1, flag=True)).revision == 3


def test_the_newest_hundred_are_kept(
    alice: User, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "MOST_REVISIONS", 5)
    for x in range(1, 9):
        save(alice, pipeline, at(x))
    assert numbers(pipeline) == [9, 8, 7, 6, 5]
    with pytest.raises(NotFound, match="Revision 2 of Triage is not kept"):
        revisions.get_revision(pipeline, 2)


def test_large_drawings_are_kept_less_often(
    alice: User, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "MOST_LETTERS", 25_000)
    for x in range(1, 5):
        save(alice, pipeline, at(x, note="x" * 10_000))
    assert numbers(pipeline) == [5, 4]
    save(alice, pipeline, at(9, note="x" * 30_000))
    assert numbers(pipeline) == [6], "the newest one is kept however long it is"


def test_a_refused_save_keeps_nothing(alice: User, bob: User, pipeline: Pipeline) -> None:
    save(bob, pipeline, at(1))
    with pytest.raises(Conflict):
        save(alice, pipeline, at(2), base=1)
    assert numbers(pipeline) == [2, 1]


def test_a_conflict_carries_both_sides_and_where_they_parted(
    as_alice: Client, bob: User, pipeline: Pipeline
) -> None:
    save(bob, pipeline, at(1))
    body = {"spec": at(2), "base_revision": 1}
    answer = as_alice.put(URL, json.dumps(body), content_type="application/json")
    assert answer.status_code == 409
    told = answer.json()
    assert set(told) == {"message", "code", "revision", "spec", "base", "saved_by"}
    assert (told["revision"], told["saved_by"], told["code"]) == (2, "bob", "conflict")
    assert (told["spec"], told["base"]) == (at(1), make_spec())


def test_where_they_parted_may_be_forgotten(
    alice: User, bob: User, pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revisions, "MOST_REVISIONS", 1)
    save(bob, pipeline, at(1))
    save(bob, pipeline, at(2))
    with pytest.raises(Conflict) as error:
        save(alice, pipeline, at(3), base=1)
    assert error.value.extra["base"] is None


def test_the_api_lists_and_shows_them(as_bob: Client, alice: User, pipeline: Pipeline) -> None:
    save(alice, pipeline, at(1))
    listed = as_bob.get(f"{URL}revisions/").json()["revisions"]
    assert [(one["number"], one["by"], one["nodes"]) for one in listed] == [
        (2, "alice", 3),
        (1, "", 3),
    ]
    one = as_bob.get(f"{URL}revisions/2/").json()
    assert one["spec"] == at(1)
    assert one["at"] == listed[0]["at"]
    assert as_bob.get(f"{URL}revisions/9/").status_code == 404
    assert as_bob.get(f"{URL}revisions/{10**30}/").status_code == 404


def test_a_revision_is_brought_back(as_alice: Client, alice: User, pipeline: Pipeline) -> None:
    save(alice, pipeline, at(1))
    answer = as_alice.post(
        f"{URL}revisions/1/restore/", {"base_revision": 2}, content_type="application/json"
    )
    assert answer.status_code == 200
    assert (answer.json()["revision"], answer.json()["spec"]) == (3, make_spec())
    told = [(one.message, one.restored_from) for one in versions.versions_of(pipeline)]
    assert told == [("Restored revision 1", None), ("Before restoring revision 1", None)]


def test_strangers_see_none_and_viewers_bring_none_back(as_charlie: Client) -> None:
    viewer = make_user("viewer")
    pipeline = make_pipeline(make_project(viewer=viewer))
    revisions.keep_what_is_saved_over(pipeline)
    assert as_charlie.get(f"{URL}revisions/").status_code == 404
    assert as_charlie.get(f"{URL}revisions/1/").status_code == 404
    client = make_client(viewer)
    assert client.get(f"{URL}revisions/1/").status_code == 200
    answer = client.post(
        f"{URL}revisions/1/restore/", {"base_revision": 1}, content_type="application/json"
    )
    assert answer.status_code == 403


def test_another_pipelines_revision_is_not_found(as_alice: Client, project: Project) -> None:
    make_pipeline(project)
    revisions.keep_what_is_saved_over(make_pipeline(project, "other", revision=7))
    assert as_alice.get(f"{URL}revisions/7/").status_code == 404
