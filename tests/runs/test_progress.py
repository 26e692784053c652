"""How far a compile is, as its rows say; and that asking for it stays cheap."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from studio.engine.compilers import COMPILERS
from studio.runs.charts import draw_lineage, draw_race
from studio.runs.choosing import preset_values
from studio.runs.meters import read_meters
from studio.runs.models import CandidateRow, Event, Run, ScoreRow
from studio.runs.progress import mean_of, read_progress
from studio.runs.states import State
from tests.runs.builders import Kit, Lab

pytestmark = pytest.mark.django_db

QUERIES = 5
"""Traces, scores, events, candidates, questions."""


def tell(run: Run, kind: str, **data: Any) -> None:
    """An event, as a worker stores it."""
    Event.objects.create(run=run, number=run.events.count() + 1, kind=kind, data=data)


def make_race(run: Run, means: dict[int, tuple[float, int]], dev: int = 40) -> None:
    """Candidates with so many dev scores each, of which that share is right."""
    tell(
        run, "planned", dev=dev, candidates=len(means) + 3, calls=400, train=20, notes=["A note."]
    )
    for number, (mean, scored) in means.items():
        hash_ = f"{number:064d}"
        CandidateRow.objects.create(
            run=run, hash=hash_, number=number, origin=f"made {number}", states={}
        )
        tell(run, "candidate-made", number=number, demos=number, bootstrapped=0, parents=[])
        ScoreRow.objects.bulk_create(
            ScoreRow(
                run=run,
                candidate=hash_,
                example=f"{place:064d}",
                split="dev",
                value=float(place < round(mean * scored)),
            )
            for place in range(scored)
        )


def test_the_best_is_the_best_of_those_that_met_most_examples(kit: Kit) -> None:
    run = kit.start()
    make_race(run, {0: (0.5, 40), 1: (1.0, 10), 2: (0.75, 40), 3: (0.75, 40)})
    progress = read_progress(run)
    assert progress.best is not None
    assert progress.best.number == 2, "not the one that was lucky on few, and of equals the first"
    assert progress.baseline is not None
    assert progress.dev == 40
    assert progress.notes == ("A note.",)


def test_why_a_candidate_left_stands_beside_it(kit: Kit) -> None:
    run = kit.start()
    make_race(run, {0: (0.5, 40), 1: (0.2, 12)})
    tell(run, "candidate-scored", number=1, dropped=True, note="dropped after 12 examples", own=3)
    dropped = read_progress(run).candidates[1]
    assert dropped.dropped
    assert dropped.note == "dropped after 12 examples"
    assert dropped.own == 3


def test_the_number_of_queries_does_not_grow_with_the_candidates(
    kit: Kit, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    few, many = kit.start(), kit.start()
    make_race(few, {0: (0.5, 5)})
    make_race(many, dict.fromkeys(range(64), (0.5, 5)))
    for run in (few, many):
        with django_assert_num_queries(QUERIES):
            progress = read_progress(run)
            draw_race(progress)
    assert len(read_progress(many).candidates) == 64


def test_an_empty_run_has_stages_but_no_race(kit: Kit) -> None:
    progress = read_progress(kit.start())
    assert [stage.state for stage in progress.stages] == ["todo"] * len(progress.stages)
    assert draw_race(progress).lanes == ()
    assert draw_race(progress).text == "No candidate has been scored yet."


def test_a_compiler_that_is_not_known_any_more_still_has_a_page(kit: Kit) -> None:
    run = kit.start()
    Run.objects.filter(pk=run.pk).update(compiler="bygone")
    run.refresh_from_db()
    assert [stage.name for stage in read_progress(run).stages] == ["candidates", "confirmation"]


def test_a_run_that_is_going_on_shows_the_stage_it_is_in(kit: Kit) -> None:
    run = kit.start()
    Run.objects.filter(pk=run.pk).update(state=State.RUNNING)
    run.refresh_from_db()
    make_race(run, {0: (0.5, 40), 1: (0.6, 20)})
    states = {stage.name: stage.state for stage in read_progress(run).stages}
    assert states["candidates"] == "now"
    assert states["confirmation"] == "todo"


@pytest.mark.parametrize("name", list(COMPILERS))
def test_every_compiler_fills_its_stages_and_its_race(kit: Kit, lab: Lab, name: str) -> None:
    run = kit.compile(compiler=name, params=preset_values(COMPILERS[name], "light"))
    assert run.state == State.SUCCEEDED, run.error
    progress = read_progress(run)
    assert {stage.state for stage in progress.stages} == {"done"}
    names = [stage.name for stage in progress.stages]
    assert ("ask" in names) == bool(COMPILERS[name].asks or progress.asked)
    race = draw_race(progress, whole=True)
    assert len(race.lanes) == len(progress.candidates)
    assert sum(lane.candidate.best for lane in race.lanes) == 1
    best = next(lane.candidate for lane in race.lanes if lane.candidate.best)
    assert best.hash == run.report["candidate"]
    assert all(lane.candidate.note for lane in race.lanes if lane.candidate.dropped)
    parents = {parent for one in progress.candidates for parent in one.parents}
    assert bool(draw_lineage(progress.candidates)) == bool(parents)
    assert parents <= {one.number for one in progress.candidates}


def test_a_mean_lies_inside_its_interval() -> None:
    for scored, value in ((1, 0.0), (1, 1.0), (50, 0.5), (3, 1.0)):
        mean = mean_of(scored, value)
        assert 0 <= mean.low <= value <= mean.high <= 1
    assert mean_of(0, None).value is None


def test_meters_show_caps_only_where_there_are_some(kit: Kit) -> None:
    run = kit.start(max_calls=200, max_cost=2.0, max_seconds=3600)
    run.calls, run.cost, run.tokens, run.seconds = 190, 0.5, 1234, 61.0
    meters = {meter.label: meter for meter in read_meters(run, timedelta(seconds=99), 150)}
    assert meters["LM calls"].share == 95
    assert meters["LM calls"].tone == "warning"
    assert "150" in meters["LM calls"].note
    assert meters["Tokens"].cap == ""
    assert meters["Tokens"].share is None
    assert meters["Money"].used == "$0.5000"
    assert meters["Money"].share == 25
    assert (meters["Time"].used, meters["Time"].cap) == ("1 min 1 s", "1 h 0 min")
