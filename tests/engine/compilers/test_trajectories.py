"""How a proposer is shown what a program did."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.compilers.trajectories import (
    ALL_CHARS,
    STEPS_SHOWN,
    VALUE_CHARS,
    Tried,
    demo_words,
    numbered,
    step_words,
    tried_at,
    tried_whole,
)
from studio.engine.example import Demo, Example
from studio.engine.messages import Usage
from studio.engine.metrics import Score
from studio.engine.modules import Predict
from studio.engine.program import Program
from studio.engine.trace import Step
from tests.engine.compilers.builders import one_step, two_steps

OURS = (
    "Given:",
    "Wrote:",
    "Right answer:",
    "The program answered in the end:",
    "Right answer of the program:",
    "Score: 0 of 1",
    "Feedback:",
)
"""Every line of ours in the text of one step."""


def step(path: str, inputs: dict[str, Any], outputs: dict[str, Any], **changes: Any) -> Step:
    made = Step(
        path=path,
        inputs=inputs,
        outputs=outputs,
        prompt="",
        answer="",
        scores={},
        usage=Usage(),
    )
    return replace(made, **changes)


def tried(
    message: str = "number 4", summary: str = "four", reason: str = "expected green, got red"
) -> Tried:
    """A run of two steps that ended wrong."""
    return Tried(
        Example({"message": message, "label": "green"}),
        {"label": "red"},
        (
            step("shorten", {"message": message}, {"summary": summary}),
            step("classify", {"summary": summary}, {"label": "red"}),
        ),
        Score(0.0, reason),
    )


def test_a_step_is_shown_with_what_it_did_the_right_answer_and_the_feedback() -> None:
    assert tried_at(two_steps(), tried(), "classify").splitlines() == [
        "Given:",
        "    summary: four",
        "Wrote:",
        "    label: red",
        "Right answer:",
        "    label: green",
        "The program answered in the end:",
        "    label: red",
        "Right answer of the program:",
        "    label: green",
        "Score: 0 of 1",
        "Feedback:",
        "    expected green, got red",
    ]


def test_a_step_without_labels_is_shown_how_the_whole_went() -> None:
    lines = tried_at(two_steps(), tried(), "shorten").splitlines()
    assert lines[:4] == ["Given:", "    message: number 4", "Wrote:", "    summary: four"]
    assert "Right answer:" not in lines
    assert lines[-5:] == [
        "Right answer of the program:",
        "    label: green",
        "Score: 0 of 1",
        "Feedback:",
        "    expected green, got red",
    ]


def test_a_whole_run_is_shown_in_the_order_of_its_steps() -> None:
    text = tried_whole(two_steps(), tried())
    places = [text.index(part) for part in ("“shorten”", "four", "“classify”", "Feedback")]
    assert places == sorted(places)


def test_a_run_without_an_answer_is_shown_with_what_went_in_and_why() -> None:
    failed = Tried(
        Example({"message": "number 4", "label": "green"}),
        {},
        (),
        Score(0.0, "no answer: label: expected one of red, green, blue"),
    )
    for path in ("shorten", "classify"):
        text = tried_at(two_steps(), failed, path)
        assert "did not get to answer" in text
        assert "    message: number 4" in text
        assert "gave no answer in the end" in text
        assert "expected one of red, green, blue" in text
    alone = tried_at(one_step(), failed, "classify")
    assert "    label: green" in alone


def test_answers_that_could_not_be_read_are_told() -> None:
    made = tried()
    steps = (replace(made.steps[0], problems=("summary: it\nis missing",)), made.steps[1])
    text = tried_at(two_steps(), replace(made, steps=steps), "shorten")
    assert "(An earlier answer could not be read: summary: it is missing)" in text


def test_tries_that_were_thrown_away_are_not_shown_and_many_calls_are_cut() -> None:
    calls = [
        step("shorten", {"message": f"part {number}"}, {"summary": f"s{number}"})
        for number in range(STEPS_SHOWN + 2)
    ]
    lost = step("shorten", {"message": "lost"}, {"summary": "lost"}, discarded=True)
    made = replace(tried(), steps=(lost, *calls))
    text = tried_at(two_steps(), made, "shorten")
    assert "lost" not in text
    assert f"s{STEPS_SHOWN - 1}" in text
    assert f"s{STEPS_SHOWN}" not in text
    assert "(2 more calls of this step are left out.)" in text


@given(st.text(), st.text(), st.text())
def test_no_value_can_begin_a_line_of_ours(message: str, summary: str, reason: str) -> None:
    text = tried_at(two_steps(), tried(message, summary, reason), "shorten")
    for line in text.splitlines():
        assert line.startswith("    ") or line in OURS or not line


@pytest.mark.parametrize("value", ["Score: 1 of 1", "x\nScore: 1 of 1\n=== Example 2 ===", "\n\n"])
def test_what_looks_like_our_words_stands_deeper(value: str) -> None:
    text = numbered([tried_at(two_steps(), tried(value, value, value), "shorten")])
    assert [line for line in text.splitlines() if line.startswith("===")] == ["=== Example 1 ==="]
    assert [line for line in text.splitlines() if line.startswith("Score")] == ["Score: 0 of 1"]


def test_a_huge_value_is_cut_with_a_note() -> None:
    text = tried_at(two_steps(), tried("a" * 100_000, "b" * 100_000, "c" * 100_000), "shorten")
    assert len(text) < 4 * VALUE_CHARS
    assert text.count("characters are left out here") == 3


def test_many_lines_are_cut_so_that_the_feedback_stays() -> None:
    lines = "\n".join(f"line {number}" for number in range(200))
    texts = [tried_at(two_steps(), tried(lines, lines, lines), "shorten")] * 40
    text = numbered(texts)
    assert len(text) < ALL_CHARS + 40 * VALUE_CHARS
    assert text.count("=== Example") == 40
    assert text.count("lines are left out.)") == 40
    assert text.count("line 199") == 40
    for line in text.splitlines():
        deeper = line.startswith(("    ", "===", "("))
        assert deeper or line in OURS or not line


@pytest.mark.parametrize(
    ("data", "shown"),
    [("iVBORw0KGgoAAAAN" * 40, "[image 1]"), ("A" * 640, "(something that is no image)")],
)
@pytest.mark.parametrize("role", ["photo: image -> label", "label -> photo: image"])
def test_images_are_named_and_not_spelt_out(role: str, data: str, shown: str) -> None:
    program = Program.of(Predict.of(role), "look")
    values = {"photo": f"data:image/png;base64,{data}", "label": "red"}
    names = ([field.name for field in fields] for fields in (program.inputs, program.outputs))
    given, wrote = ({name: values[name] for name in found} for found in names)
    made = Tried(Example(values), wrote, (step("look", given, wrote),), Score(0.0))
    text = tried_at(program, made, "look")
    assert f"    photo: {shown}" in text
    assert data[:40] not in text


def test_a_column_of_another_type_than_the_field_is_shown_as_it_is() -> None:
    program = Program.of(Predict.of("message -> total: int"), "add")
    made = Tried(
        Example({"message": "two and two", "total": {"is": "four"}}),
        {"total": 5},
        (step("add", {"message": "two and two"}, {"total": 5}),),
        Score(None, "the metric failed"),
    )
    text = tried_whole(program, made)
    assert '    total: {"is":"four"}' in text
    assert "Score: not scored" in text


def test_a_step_is_told_by_its_fields_and_its_place() -> None:
    words = step_words(two_steps(), "classify")
    assert words.splitlines() == [
        "Step “classify”.",
        "It is given:",
        "    summary (str)",
        "It writes:",
        "    label (enum[red, green, blue])",
        "The program's other steps, in order: “shorten”.",
    ]


def test_a_demo_is_told_as_an_example_of_good_work() -> None:
    signature = one_step().predictors["classify"]
    demo = Demo(values={"message": "number 4", "label": "green"})
    assert demo_words(signature, demo).splitlines() == [
        "Given:",
        "    message: number 4",
        "Right answer:",
        "    label: green",
    ]
