"""Making, saving, renaming and freezing pipelines."""

from __future__ import annotations

import copy
import json
import threading
from typing import Any

import pytest
from django.db import connection

from studio.accounts.models import AuditEntry, Project, User
from studio.engine.graph import check
from studio.errors import Conflict, Invalid, NotAllowed, NotFound
from studio.pipelines import services
from studio.pipelines.models import Pipeline
from studio.pipelines.starts import STARTS
from tests.builders import make_field, make_pipeline, make_project, make_spec, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def pipeline(project: Project) -> Pipeline:
    """input → classify → output."""
    return make_pipeline(project)


def moved(spec: dict[str, Any], x: float = 77.5) -> dict[str, Any]:
    """The same program, drawn elsewhere."""
    spec = copy.deepcopy(spec)
    spec["nodes"][0]["position"] = {"x": x, "y": -3}
    return spec


# ── New ones ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("start", ["classify", "extract", "two-steps", "agent", "refine"])
def test_what_one_may_begin_with_runs_as_it_is(start: str) -> None:
    assert check(STARTS[start].make()) == ()


def test_an_empty_one_says_what_is_missing() -> None:
    assert {problem.code for problem in check(STARTS["empty"].make())} == {"no-fields"}


def test_an_author_makes_one(alice: User, project: Project) -> None:
    made = services.create_pipeline(
        actor=alice, project=project, name="  Support   triage ", start="classify"
    )
    assert (made.name, made.slug, made.revision) == ("Support triage", "support-triage", 1)
    assert AuditEntry.objects.get().action == "pipeline.create"


def test_two_of_one_name_get_two_addresses(alice: User, project: Project) -> None:
    slugs = [
        services.create_pipeline(actor=alice, project=project, name=name).slug
        for name in ("Triage", "Triage", "new", "日本")
    ]
    assert len(set(slugs)) == 4
    assert "new" not in slugs


@pytest.mark.parametrize(
    ("name", "says"), [("   ", "needs a name"), ("x" * 81, "80 is the most"), ("\0", "a name")]
)
def test_a_name_has_one_to_eighty_letters(
    alice: User, project: Project, name: str, says: str
) -> None:
    with pytest.raises(Invalid, match=says):
        services.create_pipeline(actor=alice, project=project, name=name)
    assert not project.pipelines.exists()


def test_an_unknown_beginning_is_refused(alice: User, project: Project) -> None:
    with pytest.raises(Invalid, match="Choose classify"):
        services.create_pipeline(actor=alice, project=project, name="x", start="nope")


def test_a_viewer_makes_saves_and_freezes_nothing(db: None) -> None:
    viewer = make_user("viewer")
    project = make_project(slug="other", viewer=viewer)
    pipeline = make_pipeline(project)
    with pytest.raises(NotAllowed, match="author"):
        services.create_pipeline(actor=viewer, project=project, name="x")
    with pytest.raises(NotAllowed, match="author"):
        services.save_pipeline(actor=viewer, pipeline=pipeline, spec=make_spec(), base_revision=1)
    with pytest.raises(NotAllowed, match="author"):
        services.freeze(actor=viewer, pipeline=pipeline)
    with pytest.raises(NotAllowed, match="author"):
        services.rename_pipeline(actor=viewer, pipeline=pipeline, name="x")


def test_a_stranger_cannot_tell_it_from_one_that_is_not_there(
    charlie: User, pipeline: Pipeline
) -> None:
    with pytest.raises(NotFound):
        services.get_pipeline(user=charlie, project="support", slug="triage")
    with pytest.raises(NotFound):
        services.save_pipeline(actor=charlie, pipeline=pipeline, spec=make_spec(), base_revision=1)


# ── Saving ───────────────────────────────────────────────────────────────────────────────────────


def test_a_save_is_the_next_revision(alice: User, pipeline: Pipeline) -> None:
    spec = moved(pipeline.spec)
    saved = services.save_pipeline(actor=alice, pipeline=pipeline, spec=spec, base_revision=1)
    assert (saved.revision, saved.spec) == (2, spec)


def test_a_draft_with_problems_is_saved(alice: User, pipeline: Pipeline) -> None:
    draft = make_spec()
    draft["edges"] = []
    assert services.problems_of(draft)
    saved = services.save_pipeline(actor=alice, pipeline=pipeline, spec=draft, base_revision=1)
    assert saved.spec == draft


def test_a_stale_save_is_refused_and_carries_what_is_newer(
    alice: User, bob: User, pipeline: Pipeline
) -> None:
    theirs = moved(pipeline.spec)
    services.save_pipeline(actor=bob, pipeline=pipeline, spec=theirs, base_revision=1)
    with pytest.raises(Conflict, match="revision 2, and yours began at 1") as error:
        services.save_pipeline(actor=alice, pipeline=pipeline, spec=make_spec(), base_revision=1)
    assert error.value.extra == {
        "revision": 2,
        "spec": theirs,
        "base": make_spec(),
        "saved_by": "bob",
    }
    pipeline.refresh_from_db()
    assert pipeline.spec == theirs


def test_of_two_saves_of_one_revision_one_is_told_of_the_other(
    alice: User, pipeline: Pipeline
) -> None:
    mine, other = (Pipeline.objects.get(pk=pipeline.pk) for _ in range(2))
    spec = moved(pipeline.spec)
    services.save_pipeline(actor=alice, pipeline=mine, spec=spec, base_revision=1)
    with pytest.raises(Conflict):
        services.save_pipeline(actor=alice, pipeline=other, spec=make_spec(), base_revision=1)


def test_a_save_from_a_revision_of_the_future_is_refused(alice: User, pipeline: Pipeline) -> None:
    with pytest.raises(Conflict):
        services.save_pipeline(actor=alice, pipeline=pipeline, spec=make_spec(), base_revision=9)


@pytest.mark.parametrize(
    ("spec", "says"),
    [
        (None, "expected a JSON object"),
        ([], "expected a JSON object"),
        ({}, "version"),
        ({"version": 2, "nodes": [], "edges": []}, "version 2"),
        ({"version": 1, "nodes": [{}], "edges": []}, "Every node needs"),
        ({"version": 1, "nodes": [], "edges": [[]]}, "Every wire needs"),
        ({"version": 1, "nodes": [], "edges": [], "note": "x" * 1_100_000}, "1,000,000 is"),
        ({"version": 1, "nodes": [], "edges": [], "note": "a\0b"}, "character zero"),
        ({"version": 1, "nodes": [], "edges": [], "note": "\ud800"}, "no text can"),
        ({"version": 1, "nodes": [], "edges": [], "note": float("nan")}, "no text can"),
        (
            {
                "version": 1,
                "nodes": [
                    {"id": f"n{i}", "kind": "x", "name": "x", "position": {"x": 0, "y": 0}}
                    for i in range(2_001)
                ],
                "edges": [],
            },
            "may have 2000 nodes",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_is_no_drawing_is_not_saved(
    alice: User, pipeline: Pipeline, spec: Any, says: str
) -> None:
    with pytest.raises(Invalid, match=says):
        services.save_pipeline(actor=alice, pipeline=pipeline, spec=spec, base_revision=1)
    pipeline.refresh_from_db()
    assert pipeline.revision == 1


def test_the_letters_of_a_zero_are_no_zero(alice: User, pipeline: Pipeline) -> None:
    spec = make_spec()
    spec["nodes"][1]["signature"]["instruction"] = r"Never write \u0000 or \\u0000."
    services.save_pipeline(actor=alice, pipeline=pipeline, spec=spec, base_revision=1)


def test_many_saves_of_one_sitting_are_one_line_of_the_log(
    alice: User, bob: User, pipeline: Pipeline
) -> None:
    for revision in (1, 2, 3):
        spec = moved(make_spec(), revision)
        services.save_pipeline(actor=alice, pipeline=pipeline, spec=spec, base_revision=revision)
    services.save_pipeline(actor=bob, pipeline=pipeline, spec=make_spec(), base_revision=4)
    saves = AuditEntry.objects.filter(action="pipeline.save")
    assert sorted(entry.actor.username for entry in saves if entry.actor) == ["alice", "bob"]


@pytest.mark.django_db(transaction=True)
def test_of_two_saves_at_one_time_one_is_told_of_the_other() -> None:
    if connection.vendor == "sqlite" and connection.is_in_memory_db():  # type: ignore[attr-defined]
        pytest.skip("SQLite in memory takes one writer; the suite also runs on Postgres")
    alice = make_user("alice")
    pipeline = make_pipeline(make_project(admin=alice))
    barrier, told = threading.Barrier(2), []

    def save(note: str) -> None:
        mine = Pipeline.objects.get(pk=pipeline.pk)
        barrier.wait(10)
        try:
            spec = {**make_spec(), "note": note}
            services.save_pipeline(actor=alice, pipeline=mine, spec=spec, base_revision=1)
            told.append("saved")
        except Conflict:
            told.append("conflict")
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=(note,)) for note in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(told) == ["conflict", "saved"]
    pipeline.refresh_from_db()
    assert pipeline.revision == 2


# ── Freezing ─────────────────────────────────────────────────────────────────────────────────────


def test_a_frozen_version_builds(alice: User, pipeline: Pipeline) -> None:
    version = services.freeze(actor=alice, pipeline=pipeline)
    assert (version.number, len(version.hash)) == (1, 64)
    assert list(services.build(version).predictors) == ["classify"]


def test_equal_programs_are_one_version_wherever_they_are_drawn(
    alice: User, pipeline: Pipeline
) -> None:
    first = services.freeze(actor=alice, pipeline=pipeline)
    services.save_pipeline(
        actor=alice, pipeline=pipeline, spec=moved(pipeline.spec), base_revision=1
    )
    assert services.freeze(actor=alice, pipeline=pipeline) == first
    other = make_spec(kind="chain_of_thought")
    services.save_pipeline(actor=alice, pipeline=pipeline, spec=other, base_revision=2)
    assert services.freeze(actor=alice, pipeline=pipeline).number == 2


def cycle() -> dict[str, Any]:
    """classify and second feed each other."""
    spec = make_spec()
    step = spec["nodes"][1]
    step["signature"]["fields"].append(make_field("hint", role="input"))
    second = copy.deepcopy(step) | {"id": "n9", "name": "second"}
    second["signature"]["fields"] = [
        make_field("category", role="input"),
        make_field("hint", role="output"),
    ]
    spec["nodes"].append(second)
    spec["edges"] += [
        {**spec["edges"][0], "id": "e8", "source": "n2", "source_field": "category"}
        | {"target": "n9", "target_field": "category"},
        {**spec["edges"][0], "id": "e9", "source": "n9", "source_field": "hint"}
        | {"target_field": "hint"},
    ]
    return spec


def unconnected() -> dict[str, Any]:
    """classify.message gets nothing."""
    spec = make_spec()
    del spec["edges"][0]
    return spec


def wrong_type() -> dict[str, Any]:
    """A list goes into a text."""
    spec = make_spec()
    spec["nodes"][0]["fields"][0]["type"] = "list[str]"
    return spec


@pytest.mark.parametrize(
    ("make", "code", "says"),
    [
        (cycle, "cycle", "runs in a circle"),
        (unconnected, "unconnected-input", "classify.message gets nothing: draw a wire to it"),
        (wrong_type, "wrong-type", "list[str] does not fit into str"),
    ],
)
def test_what_does_not_build_is_not_frozen(
    alice: User, project: Project, make: Any, code: str, says: str
) -> None:
    pipeline = make_pipeline(project, spec=make())
    with pytest.raises(Invalid) as error:
        services.freeze(actor=alice, pipeline=pipeline)
    assert says in str(error.value)
    assert code in {problem.code for problem in error.value.problems}
    assert not pipeline.versions.exists()


def test_a_parameter_out_of_bounds_is_not_frozen(alice: User, project: Project) -> None:
    spec = make_spec()
    spec["nodes"][1]["params"] = {"temperature": 9}
    pipeline = make_pipeline(project, spec=spec)
    with pytest.raises(Invalid, match="between"):
        services.freeze(actor=alice, pipeline=pipeline)


def test_a_rename_keeps_the_address(alice: User, pipeline: Pipeline) -> None:
    services.rename_pipeline(actor=alice, pipeline=pipeline, name="Sorting")
    pipeline.refresh_from_db()
    assert (pipeline.name, pipeline.slug) == ("Sorting", "triage")
    assert json.dumps(AuditEntry.objects.get().detail) == '{"before": "Triage"}'
