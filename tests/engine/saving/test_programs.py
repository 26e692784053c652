"""A saved program comes back as it was, or says why not."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.errors import StateError
from studio.engine.example import Candidate, Demo, PredictorState
from studio.engine.formats import FORMATS
from studio.engine.graph import build
from studio.engine.modules.predict import Predict
from studio.engine.program import Program
from studio.engine.saving.programs import (
    VERSION,
    dump_program,
    dump_state,
    load_program,
    load_state,
)
from studio.engine.saving.reading import to_text
from studio.engine.signature import Signature
from tests.engine.modules.builders import CASES
from tests.engine.saving.builders import SPECS, candidates, compiled, parallel, serial, single


@given(st.data(), st.sampled_from(sorted(SPECS)))
def test_a_program_comes_back_to_the_byte(data: st.DataObject, name: str) -> None:
    spec = SPECS[name]()
    candidate = data.draw(candidates(spec))
    text = to_text(dump_program(spec, candidate, provenance={"run": 7}))
    loaded = load_program(text.encode())
    assert loaded.candidate == candidate
    assert loaded.candidate.hash == candidate.hash
    assert to_text(dump_program(loaded.spec, loaded.candidate, provenance={"run": 7})) == text


@given(st.data())
def test_a_loaded_program_says_the_same_to_the_byte(data: st.DataObject) -> None:
    spec = serial()
    candidate = data.draw(candidates(spec))
    program = build(spec).apply(candidate)
    loaded = load_program(to_text(dump_program(spec, candidate)))
    after = loaded.program.candidate().states
    for path, signature in program.predictors.items():
        assert loaded.program.predictors[path] == signature
        for format_ in FORMATS.values():
            before = format_.preview(signature, candidate.states[path], {})
            assert format_.preview(signature, after[path], {}) == before


def test_a_saved_program_says_what_it_is() -> None:
    data = dump_program(single(), compiled(single()))
    assert {key: data[key] for key in ("format", "version")} == {
        "format": "compile-studio/program",
        "version": VERSION,
    }
    assert list(data) == ["format", "version", "engine", "spec", "states"]
    assert data["states"]["reply"]["signature"]["fields"][0]["name"] == "message"


def test_a_candidate_of_another_program_is_not_saved() -> None:
    with pytest.raises(StateError, match="does not belong to this program"):
        dump_program(single(), compiled(parallel()))
    with pytest.raises(StateError, match="does not belong"):
        dump_state(build(single()), Candidate({}))


def _changed(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    data: dict[str, Any] = copy.deepcopy(dump_program(serial(), compiled(serial())))
    change(data)
    return data


def _put(*way: Any) -> Callable[[dict[str, Any]], None]:
    """Put the last of `way` where the others lead."""

    def change(data: Any) -> None:
        *path, last, value = way
        for key in path:
            data = data[key]
        data[last] = value

    return change


def _drop(*way: Any) -> Callable[[dict[str, Any]], None]:
    def change(data: Any) -> None:
        *path, last = way
        for key in path:
            data = data[key]
        del data[last]

    return change


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], None], str]] = {
    "no format": (_drop("format"), "expected the format compile-studio/program"),
    "other format": (_put("format", "x"), "got “'x'”"),
    "from the future": (_put("version", 99), "of version 99, written by a newer studio"),
    "version true": (_put("version", True), "its version is “True”"),
    "version 0": (_put("version", 0), "its version is “0”"),
    "no spec": (_drop("spec"), "has no spec"),
    "spec is a list": (_put("spec", []), "has no spec"),
    "spec of the future": (_put("spec", "version", 99), "does not build here"),
    "a wire is gone": (_drop("spec", "edges", 0), "does not build here.*message"),
    "no states": (_drop("states"), "“states” must be an object"),
    "states is a list": (_put("states", []), "“states” must be an object"),
    "a predictor is missing": (_drop("states", "plan"), "nothing is saved for .*“plan”"),
    "a predictor too many": (
        lambda data: data["states"].update(more=data["states"]["plan"]),
        "has no predictor “more”",
    ),
    "state is a text": (_put("states", "plan", "x"), "“plan”: its signature is missing"),
    "no signature": (_drop("states", "plan", "signature"), "“plan”: its signature is missing"),
    "signature is empty": (_put("states", "plan", "signature", {}), "cannot be read"),
    "bad constraints": (
        _put("states", "plan", "signature", "fields", 0, "constraints", [1]),
        "“plan”: its signature cannot be read",
    ),
    "a type changed": (
        _put("states", "classify", "signature", "fields", 3, "type", "str"),
        "“urgency” of “classify” was str and is int",
    ),
    "a field is missing": (
        _drop("states", "classify", "signature", "fields", 3),
        "“classify” has a new field “urgency”",
    ),
    "a field has another name": (
        _put("states", "classify", "signature", "fields", 0, "name", "issue"),
        "no field “issue” any more; “classify” has a new field “problem”",
    ),
    "an input was an output": (
        _put("states", "classify", "signature", "fields", 1, "role", "output"),
        "“tags” of “classify” was an output and is an input",
    ),
    "instruction is a number": (_put("states", "plan", "instruction", 5), "its instruction"),
    "instruction is missing": (_drop("states", "plan", "instruction"), "its instruction"),
    "demos is a text": (_put("states", "plan", "demos", "abc"), "“plan”"),
    "demos is null": (_put("states", "plan", "demos", None), "“plan”"),
    "a demo is a list": (_put("states", "plan", "demos", 0, []), "“plan”"),
    "a demo without values": (_drop("states", "plan", "demos", 0, "values"), "“plan”.*values"),
    "values is a list": (_put("states", "plan", "demos", 0, "values", [1]), "“plan”"),
    "values are pairs": (
        _put("states", "plan", "demos", 0, "values", [["message", "x"]]),
        "“plan”, demos 1, values",
    ),
    "source is a number": (
        _put("states", "plan", "demos", 0, "source", 5),
        "demos 1, source: “5”",
    ),
    "bootstrapped is a text": (
        _put("states", "plan", "demos", 1, "bootstrapped", "no"),
        "demos 2, bootstrapped",
    ),
    "an unknown key": (_put("states", "plan", "weights", "x"), "“weights”, which is not known"),
    "calibration is a text": (_put("states", "classify", "calibration", "x"), "“classify”"),
    "a bias is a text": (
        _put("states", "classify", "calibration", {"area": {"billing": "0.5"}}),
        "calibration, area, billing",
    ),
    "provenance is a text": (_put("provenance", "x"), "provenance is no object"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_does_not_fit_is_refused_with_a_sentence(name: str) -> None:
    change, told = BROKEN[name]
    with pytest.raises(StateError, match=told) as refused:
        load_program(_changed(change))
    assert str(refused.value).endswith(".")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(st.data())
def test_any_piece_may_be_anything_and_there_is_a_state_error_or_a_program(
    data: st.DataObject,
) -> None:
    saved: Any = copy.deepcopy(dump_program(single(), compiled(single())))
    place, way = saved, []
    while isinstance(place, (dict, list)) and place and data.draw(st.integers(0, 4)):
        keys = list(place) if isinstance(place, dict) else list(range(len(place)))
        way.append((place, data.draw(st.sampled_from(keys))))
        place = place[way[-1][1]]
    if not way:
        saved = data.draw(JSON)
    else:
        inside, key = way[-1]
        inside[key] = data.draw(JSON)
    try:
        loaded = load_program(saved)
    except StateError:
        return
    assert load_program(to_text(dump_program(loaded.spec, loaded.candidate))) == loaded


def test_every_difference_is_told_at_once_with_a_way_out() -> None:
    data = dump_state(build(serial()))
    with pytest.raises(StateError) as refused:
        load_state(build(parallel()), data)
    told = str(refused.value)
    for name in ("plan", "classify", "first", "second"):
        assert f"“{name}”" in told
    assert "compile this one anew" in told


def _program(signature: str, instruction: str = "") -> Program:
    return Program.of(Predict.of(Signature.parse(signature, instruction)), "reply")


def _state(**values: Any) -> Candidate:
    demo = Demo(values=values)
    return Candidate({"reply": PredictorState(instruction="Now.", demos=(demo,))})


def test_a_state_goes_into_a_program_whose_fields_stand_in_another_order() -> None:
    before = _program("a: int, b: list[str] -> c, d: bool")
    state = _state(a=1, b=["x"], c="y", d=True)
    after = load_state(_program("b: list[str], a: int -> d: bool, c"), dump_state(before, state))
    assert after.candidate() == state
    prompt = FORMATS["chat"].preview(
        after.predictors["reply"], after.candidate().states["reply"], {}
    )
    assert prompt.index('["x"]') < prompt.index("## a ## ]]\n1")


def test_a_state_of_a_whole_program_is_read_as_well() -> None:
    candidate = compiled(serial())
    program = load_state(build(serial()), dump_program(serial(), candidate))
    assert program.candidate() == candidate
    with pytest.raises(StateError, match="expected the format compile-studio/program"):
        load_program(dump_state(build(serial())))


@pytest.mark.parametrize("kind", sorted(CASES))
def test_the_state_of_every_kind_of_step_comes_back(kind: str) -> None:
    program = Program.of(CASES[kind]().module, "step")
    states = {
        path: replace(state, instruction=f"Do {path}.")
        for path, state in program.candidate().states.items()
    }
    text = to_text(dump_state(program, Candidate(states)))
    assert load_state(program, text).candidate().states == states


def test_a_program_without_predictors_has_a_state() -> None:
    program = replace(_program("a -> b"), layers=(), wires={})
    assert load_state(program, dump_state(program)).candidate() == Candidate({})


def _bounded(most: int) -> Program:
    fields: list[dict[str, Any]] = [
        {"name": "a", "role": "input", "type": "str"},
        {"name": "n", "role": "output", "type": "int", "constraints": {"max": most}},
    ]
    return Program.of(Predict.of(Signature.from_fields(fields)), "reply")


def test_a_constraint_may_change_as_long_as_the_demos_keep_it() -> None:
    data = dump_state(_bounded(10), _state(a="x", n=7))
    assert load_state(_bounded(8), data).candidate() == _state(a="x", n=7)
    with pytest.raises(StateError, match=r"“reply”, demo 1: n: .* newer than the demo"):
        load_state(_bounded(5), data)


def test_what_dspy_saved_is_named() -> None:
    with pytest.raises(StateError, match="read_dspy_state"):
        load_state(_program("a -> b"), {"self": {"demos": [], "signature": {}}})
