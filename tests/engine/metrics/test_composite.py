"""Several metrics as one."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from studio.engine.errors import EngineError, LMUnavailable, MetricError
from studio.engine.example import Example
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.metrics import Score, check_metric, judge, make_metric
from studio.engine.runtime import Runtime
from studio.engine.trace import Prediction

EXACT = {"kind": "exact_match", "params": {"field": "answer"}}
F1 = {"kind": "token_f1", "params": {"field": "answer"}}
ENDS = {"kind": "regex", "params": {"field": "answer", "pattern": r"\.$"}}


def score(parts: Any, gold: Any, got: Any, runtime: Runtime | None = None) -> Score:
    metric = make_metric("composite", {"parts": json.dumps(parts)}, runtime)
    return asyncio.run(judge(metric, Example({"answer": gold}), Prediction({"answer": got})))


def test_it_is_the_weighted_mean_with_all_reasons() -> None:
    found = score([{**EXACT, "weight": 3}, F1], "big cat", "cat")
    assert found.value == pytest.approx((3 * 0 + 2 / 3) / 4)
    assert found.reason == (
        "exact match of answer 0.00: expected “big cat”, got “cat”; token F1 of answer 0.67: "
        "1 of 2 expected words, 1 words in the answer: expected “big cat”, got “cat”"
    )


def test_a_gate_that_is_not_passed_makes_all_0() -> None:
    parts = [F1, {**ENDS, "gate": 1, "weight": 0}]
    assert score(parts, "big cat", "cat.").value == pytest.approx(2 / 3)
    closed = score(parts, "big cat", "big cat")
    assert closed.value == 0.0
    assert "0.00, and needs 1: " in closed.reason


def test_gates_alone_are_enough() -> None:
    parts = [{**ENDS, "gate": 1, "weight": 0}, {**F1, "gate": 0.5, "weight": 0}]
    assert score(parts, "big cat", "cat.").value == 1.0
    assert score(parts, "very big cat", "cat.").value == pytest.approx(1.0)
    assert score(parts, "very big black cat", "cat.").value == 0.0


def test_what_one_part_cannot_say_nobody_can() -> None:
    found = score([EXACT, ENDS], None, "cat.")
    assert found.value is None
    assert found.reason.startswith("exact match of answer: the example has no")


def test_composites_may_stand_in_composites() -> None:
    inner = {"kind": "composite", "params": {"parts": json.dumps([EXACT, F1])}}
    assert score([inner, ENDS], "cat.", "cat.").value == 1.0
    deep = inner
    for _ in range(4):
        deep = {"kind": "composite", "params": {"parts": json.dumps([deep])}}
    with pytest.raises(EngineError, match="nested too deeply"):
        score([deep], "a", "a")


def test_it_needs_what_its_parts_need() -> None:
    judge_part = {"kind": "lm_judge", "params": {"rubric": "good?", "field": "answer"}}
    inner = {"kind": "composite", "params": {"parts": json.dumps([judge_part])}}
    params = {"parts": json.dumps([F1, inner])}
    assert check_metric("composite", params) == {"lm"}
    with pytest.raises(EngineError, match="LM judge needs a language model"):
        make_metric("composite", params)


def test_failures_of_parts_are_what_they_are() -> None:
    judge_part = {"kind": "lm_judge", "params": {"rubric": "good?", "field": "answer"}}
    runtime = Runtime(lm=ScriptedLM(lambda request: LMUnavailable()))
    with pytest.raises(LMUnavailable):
        score([F1, judge_part], "a", "b", runtime)
    slow = {"kind": "regex", "params": {"field": "answer", "pattern": "^(a|aa|a?a?)+$"}}
    with pytest.raises(MetricError, match="make it simpler"):
        score([F1, slow], "a", "a" * 40 + "!")


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        ("", "empty"),
        ("[", "no JSON"),
        ("[" * 10_000, "no JSON"),
        ("{}", "list of 1 to 20"),
        ("[]", "list of 1 to 20"),
        ("[1]", "Part 1: expected an object"),
        ('[{"kind": "vibes"}]', "Part 1: there is no metric “vibes”"),
        ('[{"kind": ["x"]}]', "no metric"),
        ('[{"kind": "exact_match"}]', r"Part 1 \(exact_match\): The parameter “field” is missing"),
        ('[{"kind": "exact_match", "params": 3}]', "params is an object"),
        ('[{"kind": "regex", "params": {"field": "a", "pattern": "("}}]', "Part 1.*Pattern"),
        (json.dumps([F1, {**F1, "weight": -1}]), "Part 2: its weight"),
        (json.dumps([{**F1, "weight": True}]), "weight"),
        (json.dumps([{**F1, "weight": float("nan")}]), "weight"),
        (json.dumps([{**F1, "gate": 2}]), "gate"),
        (json.dumps([{**F1, "wieght": 2}]), "no “wieght”"),
        (json.dumps([{**F1, "weight": 0}]), "without any weight"),
        (json.dumps([F1] * 21), "list of 1 to 20"),
    ],
)
def test_parts_are_checked_to_the_last_parameter(parts: str, sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence):
        check_metric("composite", {"parts": parts})
