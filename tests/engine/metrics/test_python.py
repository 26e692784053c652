"""The metric that people write themselves, in the real sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.engine.errors import EngineError, MetricError
from studio.engine.example import Example
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.metrics import Score, judge, make_metric
from studio.engine.metrics.normal import normalise
from studio.engine.metrics.python import EXAMPLE_CODE, find_problem, line_of
from studio.engine.runtime import Runtime
from studio.engine.sandbox.base import Sandbox
from studio.engine.trace import Prediction
from tests.engine.metrics.cases import open_sandbox

EXAMPLE = Example({"answer": "The cat"})
PREDICTION = Prediction({"answer": "cat"})
# The sandbox knows a newer Unicode than this Python: only what both know is the same.
KNOWN = st.text(st.characters(max_codepoint=0x2FFF, exclude_categories=["Cn", "Cs"]), max_size=30)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with open_sandbox() as opened:
        yield opened


def run(
    sandbox: Sandbox,
    code: str,
    example: Example = EXAMPLE,
    prediction: Prediction = PREDICTION,
) -> Score:
    runtime = Runtime(lm=ScriptedLM([]), sandbox=sandbox)
    metric = make_metric("python", {"code": code}, runtime)
    return asyncio.run(judge(metric, example, prediction))


@pytest.mark.parametrize(
    ("answer", "score"),
    [
        ("1", Score(1.0, "the code answered 1")),
        ("0.25", Score(0.25, "the code answered 0.25")),
        ("True", Score(1.0, "the code answered True")),
        ("(0.5, 'half')", Score(0.5, "half")),
        ("[False, 'no']", Score(0.0, "no")),
        (
            "None",
            Score.unscored(
                "score() answered nothing (None): the row is unscored and counts nowhere"
            ),
        ),
        ("(None, 'no gold')", Score.unscored("no gold")),
    ],
)
def test_what_the_code_may_answer(sandbox: Sandbox, answer: str, score: Score) -> None:
    assert run(sandbox, f"def score(example, prediction):\n    return {answer}") == score


@pytest.mark.parametrize("answer", ["'1'", "{}", "[]", "(1, 2)", "(1, 'a', 'b')", "('x', 'y')"])
def test_other_answers_are_no_scores(sandbox: Sandbox, answer: str) -> None:
    with pytest.raises(MetricError, match="instead of a number from 0 to 1"):
        run(sandbox, f"def score(example, prediction):\n    return {answer}")


@pytest.mark.parametrize("answer", ["1.5", "-0.1", "10**400", "float('nan')", "float('inf')"])
def test_a_score_lies_between_0_and_1(sandbox: Sandbox, answer: str) -> None:
    with pytest.raises(MetricError):
        run(sandbox, f"def score(example, prediction):\n    return {answer}")


def test_the_example_in_the_form_works(sandbox: Sandbox) -> None:
    assert run(sandbox, EXAMPLE_CODE) == Score(1.0, "the same text")
    assert run(sandbox, EXAMPLE_CODE, prediction=Prediction({"answer": "dog"})).value == 0.0


def test_helpers_are_there_and_may_be_replaced(sandbox: Sandbox) -> None:
    helpers = "(token_f1('a big cat', 'cat'), normalise(' The  Cat! '))"
    found = run(sandbox, f"def score(e, p):\n    return {helpers}")
    assert found.value == pytest.approx(2 / 3)
    assert found.reason == "cat"
    own = "def normalise(text):\n    return 'mine'\ndef score(e, p):\n    return 1, normalise('x')"
    assert run(sandbox, own).reason == "mine"
    several = "def score(e, p):\n    return exact_match(['dog', 'The cat'], p['answer'])"
    assert run(sandbox, several).value == 1.0


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(text=KNOWN | st.sampled_from(["3.5", "1,000.", "a-b 3-4", "_x_", "the a"]))
def test_the_sandbox_normalises_as_the_engine_does(sandbox: Sandbox, text: str) -> None:
    code = "def score(e, p):\n    return 1, '|' + normalise(e['answer']) + '|'"
    found = run(sandbox, code, Example({"answer": text})).reason
    assert found == f"|{' '.join(normalise(text).split())}|"


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("def score(e, p):\n    x = 1\n    return e['nothing']", 3),
        ("\n\ndef score(e, p):\n    return 1 / 0", 4),
        ("x = 1 / 0\ndef score(e, p):\n    return 1", 1),
    ],
)
def test_a_failure_names_the_author_s_line(sandbox: Sandbox, code: str, line: int) -> None:
    with pytest.raises(MetricError, match=rf"[Ll]ine {line}\b"):
        run(sandbox, code)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("while True:\n        pass", "took longer than 2 s. Look for a loop"),
        ("x = 'x' * 100_000_000", "64 MB of memory. Look for a list"),
        ("for _ in range(10**6):\n        print('x' * 1000)", "20,000 characters. Print less"),
        ("return score(e, p)", "inside one another. Look for a function"),
        ("return float('nan')", "answered nan, which is no number from 0 to 1: look for"),
        ("return float('-inf'), 'x'", "answered -inf, which is no number"),
        ("return 7", "answered 7, and a score lies between 0 and 1"),
        ("return 'good'", "answered the text “good” instead of a number"),
        ("return {1, 2}", "What score\\(\\) answered is a set, which is no JSON"),
        ("return exact_match()", "A helper that score\\(\\) called failed|Line 2: TypeError"),
    ],
)
def test_each_way_to_go_wrong_has_its_own_sentence(
    sandbox: Sandbox, body: str, sentence: str
) -> None:
    with pytest.raises(MetricError, match=sentence):
        run(sandbox, f"def score(e, p):\n    {body}")


def test_code_that_says_nothing_leaves_the_row_unscored(sandbox: Sandbox) -> None:
    found = run(sandbox, "def score(e, p):\n    right = True")
    assert found.value is None
    assert "counts nowhere" in found.reason


def test_the_line_of_a_failure_is_found_behind_its_sentence(sandbox: Sandbox) -> None:
    with pytest.raises(MetricError) as failed:
        run(sandbox, "def score(e, p):\n    x = 1\n    return e['nothing']")
    assert line_of(failed.value) == 3
    assert line_of(MetricError("of no line")) is None


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("def score(e, p):\n    return (", 2),
        ("x = 1\ndef score(e):\n    return 1", 2),
        ("x = 1", None),
    ],
)
def test_a_problem_is_found_without_running_the_code(code: str, line: int | None) -> None:
    problem = find_problem(code)
    assert problem is not None
    assert problem.line == line
    assert find_problem(EXAMPLE_CODE) is None


def test_code_that_does_not_end_is_stopped(sandbox: Sandbox) -> None:
    with pytest.raises(MetricError, match="longer than"):
        run(sandbox, "def score(e, p):\n    while True:\n        pass")


@pytest.mark.parametrize(
    "body",
    ["import os\n    return os.environ", "return open('/etc/passwd').read()", "import socket"],
)
def test_code_reaches_nothing_of_this_machine(sandbox: Sandbox, body: str) -> None:
    with pytest.raises(MetricError):
        run(sandbox, f"def score(e, p):\n    {body}")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("", "empty"),
        ("x = 1", "no function score"),
        ("def score(example):\n    return 1", "two values"),
        ("def score(a, b, c):\n    return 1", "two values"),
        ("def score(a, b):\nreturn 1", "line 2"),
        ("def score(", "line 1"),
        ("\x00", "Code"),
        ("(" * 15_000, "Code"),
        ("#" * 30_000, "longer than"),
    ],
)
def test_code_that_cannot_be_a_metric_is_refused_when_it_is_saved(
    code: str, sentence: str
) -> None:
    with pytest.raises(EngineError, match=sentence):
        make_metric("python", {"code": code})


def test_a_trace_may_be_taken_as_people_know_it_from_dspy(sandbox: Sandbox) -> None:
    code = "def score(example, pred, trace=None):\n    return trace is None"
    assert run(sandbox, code).value == 1.0


def test_values_may_be_any_json(sandbox: Sandbox) -> None:
    values: dict[str, Any] = {"answer": [1, None, {"a": True}], "größe": "日本\x00"}
    code = "def score(e, p):\n    return e == p"
    assert run(sandbox, code, Example(values), Prediction(values)).value == 1.0
