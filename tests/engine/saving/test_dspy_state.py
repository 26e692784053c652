"""A state of DSPy's: what is taken over, what is told, what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.errors import StateError
from studio.engine.example import Candidate
from studio.engine.graph import build
from studio.engine.modules.chain_of_thought import chain_of_thought
from studio.engine.modules.predict import Predict
from studio.engine.program import Program
from studio.engine.saving.dspy_state import read_dspy_state
from studio.engine.signature import Signature
from tests.engine.saving.builders import compiled, parallel, serial

SIGNATURE = Signature.parse("question, n: int -> answer", "Ours.")


def one() -> Program:
    """A program with one predictor, `reply`."""
    return Program.of(Predict.of(SIGNATURE), "reply")


def state(*demos: Any, **more: Any) -> dict[str, Any]:
    """One predictor as DSPy writes it."""
    fields = [("Question:", "${question}"), ("N:", "${n}"), ("Answer:", "${answer}")]
    return {
        "traces": [],
        "train": [],
        "demos": list(demos),
        "signature": {
            "instructions": "Theirs.",
            "fields": [{"prefix": prefix, "description": text} for prefix, text in fields],
        },
        "lm": None,
        **more,
    }


GOOD = {"question": "q", "n": 1, "answer": "a"}


@pytest.mark.parametrize(
    "path",
    [
        "reply",
        "self",
        "reply.predict",
        "self.reply",
        "steps['reply']",
        "steps['reply'].predict",
        "q",
    ],
)
def test_the_path_of_a_predictor_may_be_written_in_many_ways(path: str) -> None:
    imported = read_dspy_state(one(), {path: state(GOOD), "metadata": {}})
    found = imported.candidate.states["reply"]
    assert found.instruction == "Theirs."
    assert found.demos[0].values == GOOD
    assert imported.notes == ()


def test_paths_say_which_predictor_is_which() -> None:
    fields = {"fields": [{"prefix": f"{name}:"} for name in ("Message", "Mood")]}
    saved = {
        "layers[0]": state(signature={"instructions": "A.", **fields}),
        "layers[1]": state(signature={"instructions": "B.", **fields}),
    }
    with pytest.raises(StateError, match=r"“layers\[0\]”.*“first”, “second”.*paths"):
        read_dspy_state(build(parallel()), saved)
    imported = read_dspy_state(
        build(parallel()), saved, paths={"layers[0]": "second", "layers[1]": "first"}
    )
    states = imported.candidate.states
    assert (states["first"].instruction, states["second"].instruction) == ("B.", "A.")
    assert "The field".lower() in imported.notes[0].lower()
    with pytest.raises(StateError, match="“third”, which “paths” names"):
        read_dspy_state(build(parallel()), saved, paths={"layers[0]": "third"})
    with pytest.raises(StateError, match=r"Two predictors .* “first”"):
        read_dspy_state(
            build(parallel()), saved, paths={"layers[0]": "first", "layers[1]": "first"}
        )


def test_what_is_not_in_the_file_stays_as_it_is() -> None:
    program = build(serial()).apply(compiled(serial()))
    fields = ("Problem:", "Tags:", "Area:", "Urgency:")
    signature = {"instructions": "New.", "fields": [{"prefix": name} for name in fields]}
    imported = read_dspy_state(program, {"classify": state(signature=signature)})
    assert imported.candidate.states["plan"] == program.candidate().states["plan"]
    assert imported.candidate.states["classify"].instruction == "New."
    assert imported.notes == ("Nothing is saved for “plan”: it stays as it is.",)


def test_demos_are_taken_by_name_and_what_cannot_be_is_told() -> None:
    imported = read_dspy_state(
        one(),
        {
            "reply": state(
                {**GOOD, "n": "7", "augmented": True},
                {"question": "no answer yet", "n": 2},
                {"answer": "no question"},
                {**GOOD, "n": "many"},
                {"question": "q2", "answer": "a2"},
                {**GOOD, "context": ["c"]},
                {**GOOD, "context": ["d"]},
            )
        },
    )
    demos = imported.candidate.states["reply"].demos
    assert [demo.values for demo in demos] == [
        {**GOOD, "n": 7},
        {"question": "q2", "answer": "a2"},
        GOOD,
        GOOD,
    ]
    assert [demo.bootstrapped for demo in demos] == [True, False, False, False]
    assert imported.notes == (
        "“reply”: demo 2 is left out: it has no output.",
        "“reply”: demo 3 is left out: it has no input.",
        "“reply”: demo 4 is left out: n: expected int, got 'many'.",
        "“reply”: “context” in its demos is no field of the step and is left out.",
    )


def test_fields_are_compared_by_number_and_name() -> None:
    fewer = state()
    fewer["signature"]["fields"].pop()
    with pytest.raises(
        StateError, match=r"with 2 fields \(“Question”, “N”\).*question, n, answer"
    ):
        read_dspy_state(one(), {"reply": fewer})

    other = state()
    other["signature"]["fields"][0] = {"prefix": "Query:", "description": "short"}
    told = read_dspy_state(one(), {"reply": other}).notes
    assert told[0] == "“reply”: the field that DSPy calls “Query” is taken to be “question”."
    assert "“'short'”" in told[1]

    turned = state()
    turned["signature"]["fields"].reverse()
    told = read_dspy_state(one(), {"reply": turned}).notes
    assert told[0] == (
        "“reply”: the field that DSPy calls “Answer” stands at another place here; "
        "demos go by name."
    )


def test_what_there_is_no_place_for_is_told() -> None:
    lm = {"model": "openai/gpt-4o-mini", "api_base": "http://x"}
    imported = read_dspy_state(one(), {"reply": state(lm=lm, config={"n": 3})})
    assert len(imported.notes) == 2
    assert "gpt-4o-mini" in imported.notes[0]
    assert "“config” is not taken over" in imported.notes[1]


def test_dspys_own_sentence_is_no_instruction() -> None:
    own = state()
    own["signature"]["instructions"] = (
        "Given the fields `question`, `n`, produce the fields `answer`."
    )
    imported = read_dspy_state(one(), {"reply": own})
    assert imported.candidate.states["reply"].instruction == "Ours."


def test_reasoning_of_a_chain_of_thought() -> None:
    program = Program.of(chain_of_thought(SIGNATURE), "reply")
    with pytest.raises(StateError, match="Chain of thought adds"):
        read_dspy_state(program, {"reply": state(GOOD)})


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({}, "holds no predictor"),
        ({"metadata": {}}, "holds no predictor"),
        ({"reply": []}, "“reply” is no predictor"),
        ({"reply": {"demos": []}}, "“reply” is no predictor"),
        ({"reply": state(signature=[])}, "its signature as an object"),
        ({"reply": state(demos={})}, "its demos as a list"),
        ({"reply": state(signature={"fields": []})}, "its instructions are no text"),
        ({"reply": state(signature={"instructions": "x"})}, "its fields are no list"),
        ({"reply": state(signature={"instructions": "x", "fields": [1]})}, "no list of objects"),
        ({"reply": state("text")}, "demo 1 is no object"),
        ({"reply": state(extended_signature={})}, "before 2.6"),
        ({"reply": state(), "more": state()}, "has a predictor “more”"),
        (b"\x80\x05\x95", "pickle"),
        ("{", "no JSON"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_such_state_is_refused(data: Any, told: str) -> None:
    with pytest.raises(StateError, match=told):
        read_dspy_state(one(), data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)


@given(
    st.sampled_from(["signature", "demos", "lm", "fields"]),
    JSON,
    st.dictionaries(st.sampled_from(["question", "n", "answer", "augmented", "x"]), JSON),
)
def test_anything_in_it_ends_in_a_state_error_or_a_candidate(
    key: str, value: Any, demo: Any
) -> None:
    try:
        imported = read_dspy_state(one(), json.dumps({"reply": {**state(demo), key: value}}))
    except StateError:
        return
    assert Candidate.from_dict(imported.candidate.to_dict()) == imported.candidate
