"""Evaluations against a baseline: the same rows, one test, corrected for there being several."""

from __future__ import annotations

from typing import Any

import pytest

from studio.datasets.editing.changes import Changes, change
from studio.datasets.models import Version
from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request
from studio.errors import Invalid
from studio.runs.evaluations.paired import comparable, compare_runs, flips
from tests import builders
from tests.runs.builders import Kit, Lab, make_rows
from tests.runs.evaluating import evaluate

pytestmark = pytest.mark.django_db

TRUTH = {row["message"]: row["category"] for row in make_rows(48)}


def right_but(wrong: int) -> Any:
    """An LM that is wrong on the orders below this number."""

    def answer(request: Request) -> str:
        prompt = read_prompt(request)
        told = " ".join(turn.content for turn in request.messages)
        message = next(text for text in TRUTH if text in told)
        number = int(message.rpartition(" ")[2].rstrip("."))
        truth = TRUTH[message]
        other = "shipping" if truth == "billing" else "billing"
        return prompt.answer({"category": other if number < wrong else truth})

    return lambda: ScriptedLM(answer)


def test_a_clear_difference_is_told_and_its_rows_are_listed(kit: Kit, lab: Lab) -> None:
    lab.make = right_but(24)
    base = evaluate(kit, split="all")
    lab.make = right_but(4)
    better = evaluate(kit, split="all")
    lab.make = right_but(22)
    alike = evaluate(kit, split="all")
    found = compare_runs([base, better, alike])
    one, other = found.others
    assert one.verdict == "better"
    assert one.difference is not None
    assert one.difference.value == pytest.approx(20 / 48)
    assert one.signs == (20, 0)
    assert one.p_value == pytest.approx(2 * 0.5**20)
    assert one.adjusted == pytest.approx(2 * (one.p_value or 0))
    assert other.verdict == "not distinguishable"
    assert {flip.base.number for flip in flips(found, 0, "better")} == set(range(5, 25))
    assert flips(found, 0, "worse") == []
    assert len(flips(found, 1, "")) == 2
    assert [entry.letter for entry in found.entries] == ["A", "B", "C"]
    back = compare_runs([better, base])
    assert back.others[0].verdict == "worse"
    assert len(flips(back, 0, "worse")) == 20


def test_several_comparisons_are_corrected(kit: Kit, lab: Lab) -> None:
    runs = []
    for wrong in (12, 6, 6, 6, 6, 6):
        lab.make = right_but(wrong)
        runs.append(evaluate(kit, split="all"))
    alone = compare_runs(runs[:2]).others[0]
    several = compare_runs(runs).others
    assert alone.p_value == pytest.approx(0.03125)
    assert alone.verdict == "better"
    assert several[0].adjusted == pytest.approx(5 * 0.03125)
    assert {one.verdict for one in several} == {"not distinguishable"}


def test_versions_of_a_dataset_are_compared_on_the_rows_that_are_the_same(kit: Kit) -> None:
    before = evaluate(kit)
    gone, edited = (row.number for row in builders.rows_of(kit.dataset, "dev")[:2])
    change(
        actor=kit.actor,
        dataset=kit.dataset,
        changes=Changes(removed=[gone], cells={edited: {"message": "Something else entirely."}}),
        kind=Version.Kind.EDIT,
        message="",
        base=1,
    )
    kit.dataset.refresh_from_db()
    after = evaluate(kit)
    found = compare_runs([before, after])
    assert len(found.others[0].scored) == 14
    assert "versions 1, 2" in found.notes[0]
    assert comparable(after) == before


def test_few_rows_say_nothing(kit: Kit, lab: Lab) -> None:
    lab.make = right_but(0)
    one = evaluate(kit, rows="first", count=4)
    lab.make = right_but(100)
    other = evaluate(kit, rows="first", count=4)
    assert compare_runs([one, other]).others[0].verdict == "too few rows to tell"


def test_nothing_in_common_is_told(kit: Kit) -> None:
    one = evaluate(kit, rows="first", count=6)
    other = evaluate(kit, max_calls=3)
    other.scores.all().delete()
    found = compare_runs([one, other])
    assert found.others[0].verdict == "no row in common"
    assert found.others[0].adjusted is None
    assert "B has not met all of its rows" in found.notes[0]


def test_what_is_not_alike_is_not_compared(kit: Kit) -> None:
    run = evaluate(kit)
    metric = builders.make_metric(
        kit.project, "other", params={"field": "category"}, kind="contains"
    )
    others = {
        "different metrics": evaluate(kit, metric=metric),
        "different splits": evaluate(kit, split="train"),
        "different datasets": evaluate(
            kit, dataset=builders.make_dataset(kit.project, "more", rows=make_rows(12))
        ),
        "none": kit.start(),
    }
    for sentence, other in others.items():
        with pytest.raises(Invalid, match=sentence):
            compare_runs([run, other])
    with pytest.raises(Invalid, match="two evaluations or more"):
        compare_runs([run])
    with pytest.raises(Invalid, match="At most 5"):
        compare_runs([run] * 7)
