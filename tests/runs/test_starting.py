"""What is checked before a run is queued."""

from __future__ import annotations

from typing import Any

import pytest

from studio.accounts.models import AuditEntry, Project, User
from studio.errors import Invalid, NotAllowed, NotFound, StudioError
from studio.runs import services
from studio.runs.models import Run
from tests import builders
from tests.runs.builders import Kit, make_rows

pytestmark = pytest.mark.django_db


def refused(kit: Kit, **options: Any) -> str:
    """Why a compile with these options is refused; nothing may stay behind."""
    with pytest.raises(StudioError) as caught:
        kit.start(**options)
    assert not Run.objects.exists()
    return str(caught.value)


def test_a_budget_of_zero_is_refused(kit: Kit) -> None:
    assert "could never ask the LM" in refused(kit, max_calls=0)


@pytest.mark.parametrize("seed", [-1, 2**31])
def test_a_seed_out_of_range_is_refused(kit: Kit, seed: int) -> None:
    assert "seed" in refused(kit, seed=seed)


def test_an_unknown_compiler_is_refused(kit: Kit) -> None:
    assert "random-search" in refused(kit, compiler="magic")


def test_wrong_parameters_are_refused(kit: Kit) -> None:
    assert "candidates" in refused(kit, params={"candidates": "many"}).lower()
    assert "no parameter" in refused(kit, params={"colour": "red"})


def test_a_dataset_without_an_input_is_refused(kit: Kit) -> None:
    rows = [{"text": row["message"], "category": row["category"]} for row in make_rows(9)]
    other = builders.make_dataset(kit.project, "other", rows=rows)
    assert "“message”" in refused(kit, dataset=other)


def test_a_dataset_without_gold_values_is_refused(kit: Kit) -> None:
    other = builders.make_dataset(
        kit.project, "other", rows=[{"message": row["message"]} for row in make_rows(9)]
    )
    assert "compares answers with" in refused(kit, dataset=other)


@pytest.mark.parametrize("split", ["train", "dev", "test"])
def test_an_empty_split_is_refused(kit: Kit, split: str) -> None:
    others = [one for one in ("train", "dev", "test") if one != split]
    rows = make_rows(8)
    other = builders.make_dataset(
        kit.project, "other", rows=rows, splits=[others[n % 2] for n in range(8)]
    )
    assert f"no {split} examples" in refused(kit, dataset=other)


def test_a_metric_of_a_field_that_is_not_answered_is_refused(kit: Kit) -> None:
    metric = builders.make_metric(kit.project, "other", params={"field": "mood"})
    assert "“mood”" in refused(kit, metric=metric)


def broken_spec(what: str) -> dict[str, Any]:
    """A drawing with one mistake."""
    spec = builders.make_spec()
    if what == "unconnected":
        spec["edges"] = spec["edges"][1:]
    elif what == "wrong type":
        spec["nodes"][0]["fields"][0]["type"] = "list[str]"
    elif what == "cycle":
        again = dict(spec["nodes"][1])
        again |= {"id": "n9", "name": "again"}
        spec["nodes"].append(again)
        spec["edges"] = [
            builders.make_edge("e1", "n9", "category", "n2", "message"),
            builders.make_edge("e2", "n2", "category", "n9", "message"),
            builders.make_edge("e3", "n2", "category", "n3", "category"),
        ]
    return spec


@pytest.mark.parametrize(
    ("what", "code"),
    [
        ("unconnected", "unconnected-input"),
        ("wrong type", "wrong-type"),
        ("cycle", "cycle"),
    ],
)
def test_a_broken_drawing_is_refused_with_its_problems(kit: Kit, what: str, code: str) -> None:
    pipeline = builders.make_pipeline(kit.project, "broken", spec=broken_spec(what))
    with pytest.raises(Invalid) as caught:
        kit.start(pipeline=pipeline)
    assert code in {problem.code for problem in caught.value.problems}
    assert not Run.objects.exists()


def test_something_of_another_project_is_refused(kit: Kit, alice: User) -> None:
    other = builders.make_project("Other", "other", admin=alice)
    assert "another project" in refused(kit, dataset=builders.make_dataset(other))


def test_a_viewer_may_not_start_and_a_stranger_sees_nothing(
    kit: Kit, project: Project, charlie: User
) -> None:
    with pytest.raises(NotFound):
        kit.start(actor=charlie)
    viewer = builders.make_user("vera")
    project.memberships.create(user=viewer, role="viewer")
    with pytest.raises(NotAllowed, match="author"):
        kit.start(actor=viewer)


def test_a_try_names_every_wrong_input(kit: Kit) -> None:
    with pytest.raises(Invalid) as caught:
        services.start_try(
            actor=kit.actor,
            pipeline=kit.pipeline,
            connection=kit.connection,
            inputs={"mesage": "hello"},
            kick=False,
        )
    assert [problem["field"] for problem in caught.value.problems] == ["message", "mesage"]


def test_starting_is_written_down(kit: Kit) -> None:
    run = kit.start()
    entry = AuditEntry.objects.filter(action="run.compile").get()
    assert entry.detail == {"run": str(run.pk)}
    assert set(run.fingerprints) == {"pipeline", "lm", "dataset", "metric"}
    assert run.params["max_labeled"] == 4
    assert "metric_threshold" in run.params, "defaults are kept with the run"
