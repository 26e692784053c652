"""Canvas → Python → canvas: identical; Python that is run draws what Python that is read does."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from studio.engine.graph import build, check, empty_spec, spec_hash
from studio.engine.graph.code.keep import keep
from studio.engine.graph.code.read import from_python
from studio.engine.graph.code.write import to_python
from studio.pipelines.starts import STARTS
from tests.engine.graph.graphs import specs
from tests.engine.graph.test_every_kind import everything
from tests.engine.graph.test_graph import two_steps

Json = dict[str, Any]
GOOD: dict[str, Json] = {
    **{name: start.make() for name, start in STARTS.items()},
    "every kind": everything(),
    "two steps": two_steps(),
}
many = settings(
    max_examples=100,
    deadline=None,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # drawings take minutes to shrink
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def run(text: str) -> Json:
    """What the code draws when it is run; only tests do that."""
    found: dict[str, Any] = {}
    exec(compile(text.replace("program = pipeline.build()", ""), "drawn.py", "exec"), found)
    spec: Json = found["pipeline"].spec()
    return spec


@pytest.mark.parametrize("name", GOOD)
def test_a_template_comes_back_as_it_was(name: str) -> None:
    spec = GOOD[name]
    text = to_python(spec)
    assert from_python(text, base=spec) == spec
    assert spec_hash(from_python(text, base=spec)) == spec_hash(spec)
    assert keep(from_python(text), spec) == spec, "without a base only the ids differ"
    assert to_python(from_python(text)) == text


@pytest.mark.parametrize("name", GOOD)
def test_a_template_that_is_run_is_the_same_program(name: str) -> None:
    spec = GOOD[name]
    text = to_python(spec)
    assert run(text) == from_python(text)
    assert keep(run(text), spec) == spec
    if check(spec):
        return
    found: dict[str, Any] = {}
    exec(compile(text, "drawn.py", "exec"), found)
    program, same = found["program"], build(spec)
    assert program.predictors == same.predictors
    assert program.candidate() == same.candidate()
    assert (program.inputs, program.outputs) == (same.inputs, same.outputs)
    assert program.wires == same.wires


@many
@given(specs())
def test_any_drawing_comes_back_as_it_was(spec: Json) -> None:
    before = copy.deepcopy(spec)
    text = to_python(spec)
    assert from_python(text, base=spec) == spec == before
    alone = from_python(text)
    assert run(text) == alone
    assert to_python(alone) == text
    assert len(alone["nodes"]) == len(spec["nodes"])
    assert len(alone["edges"]) == len(spec["edges"])


@many
@given(specs(odd=False))
def test_a_plain_drawing_comes_back_without_its_base_but_for_ids(spec: Json) -> None:
    text = to_python(spec)
    assert "pipeline.node(" not in text, "every plain drawing is written in words"
    assert keep(from_python(text), spec) == spec


def test_an_empty_drawing_is_written_too() -> None:
    spec = empty_spec()
    text = to_python(spec)
    assert from_python(text, base=spec) == spec
    assert 'Drawing(inputs="", at=(0, 0))' in text
