"""A pipeline is drawn by hand, and what is wrong with it is told in sentences."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from studio.engine.drawing import Drawing
from studio.engine.errors import EngineError, GraphError
from studio.engine.graph import check
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.runtime import Runtime


def triage() -> Drawing:
    """message → summary, then both → category."""
    drawing = Drawing(inputs="message: str")
    summarise = drawing.step(
        "summarise",
        "predict",
        "message -> summary",
        instruction="Say in one short sentence what the writer wants.",
        message=drawing.given.message,
    )
    classify = drawing.step(
        "classify",
        "chain_of_thought",
        "message, summary -> category: enum[billing, shipping]",
        message=drawing.given.message,
        summary=summarise.summary,
    )
    drawing.answer(summary=summarise.summary, category=classify.category, why=classify.reasoning)
    return drawing


def test_it_builds_and_runs() -> None:
    answers = [
        "[[ ## summary ## ]]\nA parcel is lost.",
        "[[ ## reasoning ## ]]\nIt is late.\n\n[[ ## category ## ]]\nshipping",
    ]
    runtime = Runtime(lm=ScriptedLM(answers))
    found = asyncio.run(triage().build()({"message": "Where is it?"}, runtime))
    assert found.values == {
        "summary": "A parcel is lost.",
        "category": "shipping",
        "why": "It is late.",
    }


def test_nodes_stand_in_columns_and_outputs_take_their_types_over() -> None:
    spec = triage().spec()
    assert check(spec) == ()
    assert [node["position"]["x"] for node in spec["nodes"]] == [0, 300, 600, 900]
    types = {field["name"]: field["type"] for field in spec["nodes"][-1]["fields"]}
    assert types == {"summary": "str", "category": "enum[billing, shipping]", "why": "str"}


def test_steps_beside_each_other_do_not_lie_on_each_other() -> None:
    drawing = Drawing(inputs="message")
    for name in ("one", "two", "three"):
        drawing.step(name, "predict", "message -> text", message=drawing.given.message)
    places = [tuple(node["position"].values()) for node in drawing.spec()["nodes"]]
    assert places == [(0, 0), (300, 0), (300, 160), (300, 320)]


def test_fields_are_described_bounded_and_given_defaults() -> None:
    drawing = Drawing(
        inputs="message, tone: enum[kind, short]",
        fields={"message": "What they wrote.", "tone": {"default": "kind"}},
    )
    drawing.step(
        "rate",
        "predict",
        "message -> stars: int",
        fields={"stars": {"description": "How glad.", "constraints": {"min": 1, "max": 5}}},
    )
    given, rate = drawing.spec()["nodes"]
    assert given["fields"][0]["description"] == "What they wrote."
    assert given["fields"][1]["default"] == "kind"
    assert rate["signature"]["fields"][1]["constraints"] == {"min": 1, "max": 5}


def test_a_field_with_the_name_of_a_word_is_wired_by_wires() -> None:
    drawing = Drawing(inputs="params, text")
    step = drawing.step(
        "s", "predict", "params, text -> class_", wires={"params": drawing.given.params}
    )
    drawing.wire(drawing.given["text"], step.text)
    drawing.answer(class_=step["class_"])
    assert check(drawing.spec()) == ()


def test_an_unfinished_drawing_tells_what_is_missing_when_it_is_built() -> None:
    drawing = Drawing(inputs="message")
    sort = drawing.step("sort", "predict", "message -> area")
    drawing.answer(area=sort.area)
    with pytest.raises(GraphError, match=r"sort\.message gets nothing"):
        drawing.build()


def test_what_spec_gives_is_nobodys_but_the_callers() -> None:
    drawing = triage()
    drawing.spec()["nodes"].clear()
    assert len(drawing.spec()["nodes"]) == 4


def part() -> Drawing:
    """A pipeline inside of another."""
    inner = Drawing(inputs="message")
    sort = inner.step("sort", "predict", "message -> area", message=inner.given.message)
    inner.answer(area=sort.area)
    return inner


def test_what_is_changed_after_it_was_taken_in_is_refused() -> None:
    inner, outer = part(), Drawing(inputs="message")
    outer.step(
        "all", "subpipeline", "message -> area", parts={"body": inner}, message=outer.given.message
    )
    with pytest.raises(GraphError, match="inside of “all” already"):
        inner.step("more", "predict")


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (lambda d: Drawing().given, "has no inputs yet"),
        (lambda d: d.step("s", "input"), "is no step"),
        (lambda d: d.step("s", "predict", message=part().given.message), "of another drawing"),
        (lambda d: d.step("s", "predict", message="hello"), "neither a word that a step knows"),
        (lambda d: d.step("s", "predict", params={"x": {1}}), "which is no JSON"),
        (lambda d: d.step("s", "predict", params=[1]), "params is an object"),
        (lambda d: d.step("s", "predict", fields={"x": "y"}), "has no field “x”"),
        (lambda d: d.step("s", "predict", "x -> y", fields={"x": 1}), "write a description"),
        (lambda d: d.step("s", "predict", demos=1), "demos is a list"),
        (lambda d: d.step("s", "predict", lm=1), "lm is a text"),
        (lambda d: d.step("s", "predict", at=(1, float("nan"))), "A place is two numbers"),
        (lambda d: d.step("s", "predict", parts={"body": 1}), "is no drawing"),
        (lambda d: d.step("s", "predict", parts=1), "parts are drawings by name"),
        (lambda d: d.step("s", "predict", wires=1), "wires are fields by name"),
        (lambda d: d.node("s", "x", {"id": "n1"}), "cannot hold “id”"),
        (lambda d: d.wire(d.given.x, part().given.x), "of another drawing"),
        (lambda d: d.note("x" * 5_001), "5,000 letters"),
        (lambda d: [d.note("x") for _ in range(501)], "500 notes"),
        (lambda d: [d.step("s", "predict") for _ in range(2_000)], "2000 nodes"),
    ],
)
def test_what_cannot_be_drawn_is_told(wrong: Any, says: str) -> None:
    with pytest.raises(EngineError) as caught:
        wrong(Drawing(inputs="message"))
    assert says in str(caught.value)
