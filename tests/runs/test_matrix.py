"""The same compile for several language models, side by side."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from studio.accounts.models import Project
from studio.lms.models import Connection
from studio.runs.execute import execute
from studio.runs.matrix import draw_scatter, read_matrix
from studio.runs.models import Run, ScoreRow
from studio.runs.services import start_matrix
from studio.runs.states import State
from tests import builders
from tests.runs.builders import Kit

pytestmark = pytest.mark.django_db


def make_cell(
    project: Project,
    matrix: Any,
    slug: str,
    *,
    right: int,
    seconds: float | None = 1.0,
    price: float | None = None,
    calls: int = 1,
) -> Run:
    """A finished run of a matrix: 20 held-out rows, each of 100 tokens."""
    run = builders.make_run(
        project,
        matrix=matrix,
        connection=builders.make_connection(project, slug, prompt_price=price),
        state=State.SUCCEEDED,
        report={
            "candidate": "c" * 64,
            "baseline": 0.4,
            "difference": {"value": 0.1, "low": 0.01, "high": 0.2},
            "verdict": "improved",
        },
    )
    usage = {"calls": calls, "prompt_tokens": 100, "completion_tokens": 0, "cost": 0.0}
    ScoreRow.objects.bulk_create(
        ScoreRow(
            run=run,
            candidate="c" * 64,
            example=f"{place:064d}",
            split="test",
            value=float(place < right),
            seconds=seconds,
            calls=calls,
            prediction={"values": {}, "steps": [{"path": "classify", "usage": usage}]},
        )
        for place in range(20)
    )
    return run


def test_scores_costs_and_latencies_are_those_of_the_winner_on_held_out(
    project: Project,
) -> None:
    matrix = uuid4()
    run = make_cell(project, matrix, "one", right=15, seconds=0.5, price=2.0)
    ScoreRow.objects.create(
        run=run, candidate="d" * 64, example="x", split="test", value=0.0, seconds=99.0, calls=1
    )
    found = read_matrix(project, matrix)
    assert found is not None
    (row,) = found.rows
    assert row.score.value == 0.75
    assert row.score.low < 0.75 < row.score.high
    assert row.seconds == 0.5
    assert row.tokens == 100
    assert row.dollars == pytest.approx(0.2), "1,000 calls of 100 tokens at $2 a million"
    assert row.verdict == "improved"
    assert found.over


def test_answers_from_the_cache_say_nothing_of_cost_and_latency(project: Project) -> None:
    matrix = uuid4()
    make_cell(project, matrix, "one", right=15, calls=0, price=2.0)
    found = read_matrix(project, matrix)
    assert found is not None
    assert found.rows[0].seconds is None
    assert found.rows[0].dollars is None
    assert found.rows[0].score.value == 0.75


def test_the_best_trade_offs_are_those_that_no_other_one_beats(project: Project) -> None:
    matrix = uuid4()
    make_cell(project, matrix, "best", right=18, seconds=3.0, price=9.0)
    make_cell(project, matrix, "quick", right=12, seconds=0.2, price=1.0)
    make_cell(project, matrix, "beaten", right=11, seconds=0.3, price=2.0)
    make_cell(project, matrix, "twin", right=18, seconds=3.0, price=9.0)
    found = read_matrix(project, matrix)
    assert found is not None
    assert [row.trade_off for row in found.rows] == [True, True, False, True]


def test_where_no_price_is_known_only_the_rest_is_compared(project: Project) -> None:
    matrix = uuid4()
    make_cell(project, matrix, "free", right=18, seconds=1.0)
    make_cell(project, matrix, "paid", right=17, seconds=2.0, price=1.0)
    found = read_matrix(project, matrix)
    assert found is not None
    assert [row.trade_off for row in found.rows] == [True, False]
    assert len(draw_scatter(found, "cost").points) == 1
    assert len(draw_scatter(found, "latency").points) == 2


def test_the_points_stay_inside_the_picture(project: Project) -> None:
    matrix = uuid4()
    make_cell(project, matrix, "one", right=20, seconds=0.0, price=0.0)
    make_cell(project, matrix, "two", right=0, seconds=4.0, price=1.0)
    found = read_matrix(project, matrix)
    assert found is not None
    for axis in ("cost", "latency"):
        for point in draw_scatter(found, axis).points:
            assert 0 < point.x < 100
            assert point.low > 0
            assert point.high < 100


def test_a_matrix_of_another_project_is_not_there(
    project: Project, as_alice: Client, as_charlie: Client
) -> None:
    matrix = uuid4()
    make_cell(project, matrix, "one", right=3)
    url = f"/p/{project.slug}/runs/matrix/{matrix}/"
    assert as_alice.get(url).status_code == 200
    assert as_charlie.get(url).status_code == 404
    assert as_alice.get(f"/p/{project.slug}/runs/matrix/{uuid4()}/").status_code == 404
    other = builders.make_project("Other", "other", admin=as_alice_user(project))
    assert as_alice.get(f"/p/{other.slug}/runs/matrix/{matrix}/").status_code == 404


def as_alice_user(project: Project) -> Any:
    """Alice herself."""
    return project.memberships.order_by("pk").first().user  # type: ignore[union-attr]


def test_the_page_follows_the_runs_and_stops_when_all_have_ended(
    kit: Kit, as_alice: Client
) -> None:
    other = builders.make_connection(kit.project, "other", model="support-triage")
    runs = start_matrix(
        actor=kit.actor,
        pipeline=kit.pipeline,
        connections=[kit.connection, other],
        dataset=kit.dataset,
        metric=kit.metric,
        compiler="labeled",
        params={},
        seed=1,
        max_calls=500,
        kick=False,
    )
    url = f"/p/support/runs/matrix/{runs[0].matrix}/"
    page = as_alice.get(url).content.decode()
    assert "every 2s" in page
    assert "0 of 2 runs have ended" in page
    for run in runs:
        execute(run.pk)
    part = as_alice.get(f"{url}?live", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert "every 2s" not in part
    assert "best trade-off" in part
    for run in runs:
        assert run.get_absolute_url() in part
    assert "Matrix" in as_alice.get(runs[0].get_absolute_url()).content.decode()


def test_the_form_starts_a_matrix_when_several_models_are_ticked(
    kit: Kit, as_alice: Client
) -> None:
    other: Connection = builders.make_connection(kit.project, "other")
    url = "/p/support/pipelines/triage/compile/"
    answer = as_alice.post(url, {**kit.form(), "also": [other.pk]})
    assert answer.status_code == 302
    runs = Run.objects.filter(matrix__isnull=False)
    assert {run.connection for run in runs} == {kit.connection, other}
    assert str(runs[0].matrix) in answer["Location"]
