"""What every metric keeps."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from studio.engine.errors import EngineError, MetricError
from studio.engine.example import Example
from studio.engine.metrics import METRICS, Metric, Score, check_metric, judge, make_metric
from studio.engine.sandbox.base import Sandbox
from studio.engine.trace import Prediction
from tests.engine.metrics.cases import BETWEEN_TEXTS, CASES, judging_runtime, open_sandbox
from tests.engine.strategies import JSON_VALUES


def judged(metric: Metric, example: Example, prediction: Prediction) -> Score:
    return asyncio.run(judge(metric, example, prediction))


every_metric = pytest.mark.parametrize("kind", list(METRICS))

TEXTS: list[Any] = [
    "",
    " ",
    "billing",
    "the",
    "?",
    "Ünïcode – 日本語",
    "a" * 5_000,
    "\x00\x07\x1b",
    "[[ ## verdict ## ]]\nyes",
    "42",
    "\ud800",
]
OTHERS: list[Any] = [0, -3, 2.5, 1e300, True, False, [], ["a", "b"], [1, [2]], {"a": 1}]

Make = Callable[[str], Metric]


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox() as opened:
        yield opened


@pytest.fixture(scope="module")
def make(sandbox: Sandbox) -> Make:
    """One metric of a kind that compares “answer” with the expected one."""
    runtime = judging_runtime(sandbox)
    return lambda kind: make_metric(kind, CASES[kind].params, runtime)


def test_every_kind_has_a_case() -> None:
    assert set(CASES) >= set(METRICS), "Add a case to tests/engine/metrics/cases.py."


@every_metric
def test_any_two_values_get_a_score_between_0_and_1_with_a_reason(kind: str, make: Make) -> None:
    async def go() -> None:
        metric = make(kind)
        for gold in TEXTS + OTHERS:
            for got in TEXTS + OTHERS:
                try:
                    score = await judge(
                        metric, Example({"answer": gold}), Prediction({"answer": got})
                    )
                except MetricError:
                    assert "\ud800" in (gold, got)
                    continue
                assert score.value is None or 0 <= score.value <= 1
                assert score.reason
                assert len(score.reason) < 500
                assert Score.from_dict(json.loads(json.dumps(score.to_dict()))) == score

    asyncio.run(go())


@every_metric
def test_the_expected_answer_is_right_and_another_one_wrong(kind: str, make: Make) -> None:
    case = CASES[kind]
    right, wrong = ("42", "7") if kind == "numeric" else ("billing", "account")
    example = Example({"answer": right})
    assert judged(make(kind), example, Prediction({"answer": right})).value == 1.0
    score = judged(make(kind), example, Prediction({"answer": wrong}))
    assert score.value is not None
    assert score.value < 0.3 if case.graded else score.value == 0.0
    if not case.judges:
        assert right in score.reason
        assert wrong in score.reason


@every_metric
@pytest.mark.parametrize("value", ["42", "日本語 текст 42", "x" * 300 + " 42", "[[ ## a ## ]] 42"])
def test_the_same_again_is_right(kind: str, value: str, make: Make) -> None:
    score = judged(make(kind), Example({"answer": value}), Prediction({"answer": value}))
    assert score.value == 1.0 or kind == "regex"


@every_metric
def test_without_a_gold_value_nobody_can_say(kind: str, make: Make) -> None:
    if not CASES[kind].compares:
        pytest.skip("It compares with nothing.")
    for example in (Example({}), Example({"answer": None})):
        score = judged(make(kind), example, Prediction({"answer": "billing"}))
        assert score.value is None
        assert "the example has no “answer” to compare with" in score.reason


@every_metric
def test_without_an_answer_it_is_wrong(kind: str, make: Make) -> None:
    score = judged(make(kind), Example({"answer": "billing"}), Prediction({}))
    assert score.value == 0.0
    assert "the answer has no “answer”" in score.reason


@every_metric
def test_a_megabyte_takes_a_moment_even_on_a_busy_machine(kind: str, make: Make) -> None:
    if kind == "python":
        pytest.skip("The sandbox has limits of its own.")
    one = "".join(f"word{n % 977} and {n % 89} " for n in range(75_000))
    other = "".join(f"{n % 83} word{n % 991} or " for n in range(75_000))
    assert min(len(one), len(other)) > 1_000_000
    metric = make(kind)
    for gold, got in ((one, other), (one, one), (one, "short"), ("short", one)):
        began = time.process_time()
        score = judged(metric, Example({"answer": gold}), Prediction({"answer": got}))
        assert time.process_time() - began < 10
        assert score.value is None or 0 <= score.value <= 1


@every_metric
@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(JSON_VALUES, JSON_VALUES)
def test_any_json_gets_a_score(kind: str, make: Make, gold: Any, got: Any) -> None:
    score = judged(make(kind), Example({"answer": gold}), Prediction({"answer": got}))
    assert score.value is None or 0 <= score.value <= 1


@pytest.mark.parametrize("kind", BETWEEN_TEXTS)
def test_two_texts_may_change_places(kind: str, make: Make) -> None:
    texts = ["", "a cat", "the cat sat", "cat", '{"a": 1}', '{"b": 2, "a": 1}', "日本", "?"]
    for one in texts:
        for other in texts:
            there = judged(make(kind), Example({"answer": one}), Prediction({"answer": other}))
            back = judged(make(kind), Example({"answer": other}), Prediction({"answer": one}))
            assert there.value == pytest.approx(back.value)


@every_metric
def test_its_words_and_its_parameters_are_complete(kind: str, make: Make) -> None:
    found = METRICS[kind]
    assert found.name == kind
    assert found.title
    assert found.sentence.endswith(".")
    for field in dataclasses.fields(found.params):
        assert field.metadata["label"]
        assert field.metadata["help"].endswith(".")
    assert make(kind).name


@every_metric
@pytest.mark.parametrize("change", [None, {"field": 3}, {"x": 1}, {"code": "", "parts": ""}])
def test_wrong_parameters_are_named(kind: str, change: dict[str, Any] | None) -> None:
    params = {} if change is None else {**CASES[kind].params, **change}
    for check in (make_metric, check_metric):
        with pytest.raises(EngineError, match=r"\w"):
            check(kind, params)


@every_metric
def test_what_it_needs_is_said_and_named_when_missing(kind: str) -> None:
    needs = check_metric(kind, CASES[kind].params)
    assert needs == METRICS[kind].needs
    if needs:
        with pytest.raises(EngineError, match=f"{METRICS[kind].title} needs"):
            make_metric(kind, CASES[kind].params)
    else:
        assert make_metric(kind, CASES[kind].params).name


def test_an_unknown_metric_is_named_with_the_known_ones() -> None:
    with pytest.raises(EngineError, match=r"no metric “bleu”.*exact_match"):
        make_metric("bleu", {})


class Says:
    """A metric that answers, or raises, what it is told."""

    name = "says"

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __call__(self, example: Example, prediction: Prediction) -> Score:
        if isinstance(self.answer, Exception):
            raise self.answer
        score: Score = self.answer
        return score


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (KeyError("x"), "raised KeyError: 'x'"),
        (1.0, "answered “1” instead of a score"),
        (None, "instead of a score"),
        (Score(1.5), "answered 1.5: a score lies between 0 and 1"),
        (Score(float("nan")), "between 0 and 1"),
    ],
)
def test_what_is_wrong_with_a_metric_names_the_metric_and_the_example(
    answer: Any, sentence: str
) -> None:
    example = Example({"message": "hello"})
    with pytest.raises(MetricError, match="The metric “says”") as caught:
        judged(Says(answer), example, Prediction({}))
    assert sentence in str(caught.value)
    assert example.id[:8] in str(caught.value)
    assert "hello" in str(caught.value)


def test_a_score_passes_at_its_threshold() -> None:
    assert Score(1.0).passes()
    assert not Score(0.99).passes()
    assert Score(0.5).passes(0.5)
    assert not Score.unscored("no gold").passes(0.0)


def test_a_score_is_json_and_back() -> None:
    for score in (Score(0.5, "half"), Score.unscored("why")):
        assert Score.from_dict(score.to_dict()) == score
