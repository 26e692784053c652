"""Specs and candidates that the tests of saving share."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from studio.engine.example import Candidate, Demo, PredictorState
from studio.engine.graph import build
from studio.engine.signature import Field


def field(name: str, type_: str = "str", role: str = "", **more: Any) -> dict[str, Any]:
    """A field as the canvas writes it."""
    found = {"name": name, "type": type_, "description": "", **more}
    return {**found, "role": role} if role else found


def step(name: str, kind: str, inputs: list[dict[str, Any]], outputs: list[dict[str, Any]]) -> Any:
    """A node that calls an LM."""
    fields = [{**item, "role": "input"} for item in inputs]
    fields += [{**item, "role": "output"} for item in outputs]
    signature = {"fields": fields, "instruction": f"Do {name}."}
    return {**_node(name, kind), "signature": signature}


def spec(
    inputs: list[dict[str, Any]],
    steps: list[Any],
    outputs: list[dict[str, Any]],
    wires: list[str],
) -> dict[str, Any]:
    """A pipeline; wires are written `plan.problem > classify.problem`."""
    return {
        "version": 1,
        "nodes": [
            {**_node("given", "input"), "fields": inputs},
            *steps,
            {**_node("answer", "output"), "fields": outputs},
        ],
        "edges": [_wire(text) for text in wires],
    }


def serial() -> dict[str, Any]:
    """message → problem → area, with an optional hint, numbers and lists on the way."""
    tags = field("tags", "list[str]")
    return spec(
        [field("message"), field("hint", "optional[str]")],
        [
            step(
                "plan",
                "chain_of_thought",
                [field("message", description="what they wrote"), field("hint", "optional[str]")],
                [field("problem"), tags],
            ),
            step(
                "classify",
                "predict",
                [field("problem"), tags],
                [field("area", 'enum[billing, "it\'s else"]'), field("urgency", "int")],
            ),
        ],
        [field("area", 'enum[billing, "it\'s else"]'), field("urgency", "int")],
        [
            "given.message > plan.message",
            "given.hint > plan.hint",
            "plan.problem > classify.problem",
            "plan.tags > classify.tags",
            "classify.area > answer.area",
            "classify.urgency > answer.urgency",
        ],
    )


def parallel() -> dict[str, Any]:
    """Two steps that read the same message."""
    return spec(
        [field("message")],
        [
            step("first", "predict", [field("message")], [field("mood", "bool")]),
            step("second", "predict", [field("message")], [field("words", "list[int]")]),
        ],
        [field("mood", "bool"), field("words", "list[int]")],
        [
            "given.message > first.message",
            "given.message > second.message",
            "first.mood > answer.mood",
            "second.words > answer.words",
        ],
    )


def single() -> dict[str, Any]:
    """One question."""
    return spec(
        [field("message")],
        [step("reply", "predict", [field("message")], [field("text")])],
        [field("text")],
        ["given.message > reply.message", "reply.text > answer.text"],
    )


SPECS = {"single": single, "serial": serial, "parallel": parallel}

_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "str": st.text(max_size=40),
    "int": st.integers(),
    "bool": st.booleans(),
}


def values(of: Field) -> st.SearchStrategy[Any]:
    """Values of a field."""
    type_ = of.type
    if type_.kind == "enum":
        return st.sampled_from(type_.labels)
    if type_.kind in ("list", "optional"):
        assert type_.item
        item = _VALUES[type_.item.kind]
        return st.lists(item, max_size=3) if type_.kind == "list" else st.none() | item
    return _VALUES[type_.kind]


@st.composite
def candidates(draw: st.DrawFn, of: dict[str, Any]) -> Candidate:
    """Any setting of a spec's predictors; some demos lack fields."""
    states = {}
    for path, signature in build(of).predictors.items():
        demos = [
            Demo(
                values={
                    field.name: draw(values(field))
                    for field in signature.fields
                    if field.role == "input" or draw(st.booleans())
                },
                source=draw(st.sampled_from(["", "ab12"])),
                bootstrapped=draw(st.booleans()),
                reason=draw(st.text(max_size=10)),
            )
            for _ in range(draw(st.integers(0, 3)))
        ]
        enums = [item for item in signature.outputs if item.type.kind == "enum"]
        states[path] = PredictorState(
            instruction=draw(st.text(max_size=60)),
            demos=tuple(demos),
            calibration={
                item.name: {
                    label: draw(st.floats(allow_nan=False, allow_infinity=False))
                    for label in item.type.labels
                }
                for item in enums
                if draw(st.booleans())
            },
        )
    return Candidate(states)


def example_values(of: Field) -> Any:
    """A value of a field, always the same."""
    known = {"str": f"some {of.name}", "int": 3, "bool": True}
    if of.type.kind == "enum":
        return of.type.labels[-1]
    if of.type.kind == "list":
        assert of.type.item
        return [known[of.type.item.kind]] if of.type.item.kind != "int" else [1, 2]
    return known.get(of.type.kind, "a hint")


def compiled(of: dict[str, Any]) -> Candidate:
    """Two demos and an instruction of its own for each predictor."""
    states = {}
    for path, signature in build(of).predictors.items():
        whole = {field.name: example_values(field) for field in signature.fields}
        other = {
            name: f"another {name}" if isinstance(value, str) and name != "area" else value
            for name, value in whole.items()
        }
        states[path] = PredictorState(
            instruction=f'Do {path} well, “Jürgen”.\nTwice: """ and \\n.',
            demos=(Demo(values=other, source="ab"), Demo(values=whole, bootstrapped=True)),
        )
    return Candidate(states)


def _node(name: str, kind: str) -> dict[str, Any]:
    return {"id": name, "kind": kind, "name": name, "position": {"x": 0, "y": 0}}


def _wire(text: str) -> dict[str, str]:
    source, _, target = text.partition(" > ")
    node, _, name = source.partition(".")
    to, _, into = target.partition(".")
    ends = {"source": node, "source_field": name, "target": to, "target_field": into}
    return {"id": text, **ends}
