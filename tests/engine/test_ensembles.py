"""Ensembles: who votes, what wins, and what everybody else sees of it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from studio.engine.ensembles import VOTE, Ensemble
from studio.engine.errors import InputError, LMAuthError, LMRefused, ParseError, StateError
from studio.engine.evaluation import attempt
from studio.engine.example import Candidate, PredictorState
from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request
from studio.engine.modules import Predict
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.engine.saving.dspy_export import export_dspy
from studio.engine.saving.messages import export_messages, finetuning_rows
from studio.engine.saving.programs import dump_state, load_state
from studio.engine.trace import Prediction
from tests.engine.compilers.builders import two_steps

LABEL = Program.of(Predict.of("message -> label: enum[red, green, blue]"), "classify")


def set_as(instruction: str, program: Program = LABEL, **changes: Any) -> Candidate:
    """All predictors with this instruction."""
    states = program.candidate().states
    return Candidate(
        {
            path: replace(state, instruction=instruction, **changes)
            for path, state in states.items()
        }
    )


def of(*instructions: str, program: Program = LABEL) -> Candidate:
    """A member for each instruction."""
    return Candidate.ensemble([set_as(each, program) for each in instructions])


def obeys(answers: Mapping[str, str | Exception | Mapping[str, str]]) -> ScriptedLM:
    """Answers by the instruction that the prompt begins with."""

    def answer(request: Request) -> str | Exception:
        text = request.messages[0].content
        said = next(said for word, said in answers.items() if word in text)
        if isinstance(said, Exception):
            return said
        prompt = read_prompt(request)
        values = said if isinstance(said, Mapping) else dict.fromkeys(prompt.open, said)
        return prompt.answer({name: values[name] for name in prompt.open})

    return ScriptedLM(answer)


def ask(program: Program, lm: ScriptedLM, **runtime: Any) -> Prediction:
    return asyncio.run(program({"message": "hi"}, Runtime(lm=lm, **runtime)))


def test_the_answer_of_most_members_wins() -> None:
    lm = obeys({"One": "red", "Two": "blue", "Three": "blue"})
    program = LABEL.apply(of("One", "Two", "Three"))
    prediction = ask(program, lm)
    assert prediction.values == {"label": "blue"}
    assert len(lm.requests) == 3
    paths = [(step.path, step.discarded) for step in prediction.steps]
    assert paths == [
        ("1/classify", True),
        ("2/classify", False),
        ("3/classify", True),
        (VOTE, False),
    ]
    assert prediction.steps[-1].outputs["votes"] == {
        "label": [{"value": "blue", "count": 2}, {"value": "red", "count": 1}]
    }


def test_of_equal_numbers_of_votes_the_earlier_member_wins() -> None:
    lm = obeys({"One": "green", "Two": "blue", "Three": "red"})
    assert ask(LABEL.apply(of("One", "Two", "Three")), lm).values == {"label": "green"}


def test_texts_are_equal_up_to_case_and_spaces() -> None:
    program = Program.of(Predict.of("message -> reply"), "answer")
    lm = obeys({"One": "Rome", "Two": "paris", "Three": " PARIS"})
    found = ask(program.apply(of("One", "Two", "Three", program=program)), lm)
    assert found.values == {"reply": "paris"}


def test_outputs_fit_each_other_and_the_last_one_counts_first() -> None:
    program = Program.of(Predict.of("message -> why, sure: bool, label: enum[a, b]"), "classify")
    lm = obeys(
        {
            "One": {"why": "x", "sure": "true", "label": "a"},
            "Two": {"why": "x", "sure": "true", "label": "b"},
            "Three": {"why": "x", "sure": "false", "label": "b"},
            "Four": {"why": "y", "sure": "false", "label": "b"},
            "Five": {"why": "x", "sure": "true", "label": "a"},
        }
    )
    candidate = of("One", "Two", "Three", "Four", "Five", program=program)
    found = ask(program.apply(candidate), lm)
    assert found.values == {"why": "x", "sure": False, "label": "b"}


def test_a_member_that_fails_has_no_vote() -> None:
    lm = obeys({"One": LMRefused(), "Two": "purple", "Three": "red"})
    prediction = ask(LABEL.apply(of("One", "Two", "Three")), lm)
    assert prediction.values == {"label": "red"}
    assert len(prediction.steps[-1].outputs["failed"]) == 2


def test_when_all_fail_the_first_error_is_raised() -> None:
    lm = obeys({"One": "purple", "Two": LMRefused(), "Three": LMRefused()})
    with pytest.raises(ParseError, match="label"):
        ask(LABEL.apply(of("One", "Two", "Three")), lm)


def test_a_broken_system_is_no_vote() -> None:
    lm = obeys({"One": "red", "Two": LMAuthError(), "Three": "red"})
    with pytest.raises(LMAuthError):
        ask(LABEL.apply(of("One", "Two", "Three")), lm)


def scored(by: Mapping[str, Sequence[float]]) -> ScriptedLM:
    """A base model with the scores of red, green and blue by instruction."""

    def label_scores(text: str, labels: Sequence[str]) -> dict[str, float]:
        found = next(values for word, values in by.items() if text.startswith(word))
        return dict(zip(labels, found, strict=True))

    return ScriptedLM([], default_format="completion", label_scores=label_scores)


def test_where_labels_are_scored_a_member_that_hardly_knows_says_little() -> None:
    lm = scored({"One": [-0.01, -5.0, -6.0], "Two": [-1.2, -1.0, -1.1], "Three": [-1.1, -1.0, -2]})
    assert ask(LABEL.apply(of("One", "Two", "Three")), lm).values == {"label": "red"}


def test_the_second_of_all_may_win() -> None:
    lm = scored({"One": [-0.1, -0.2, -9.0], "Two": [-9.0, -0.2, -0.1], "Three": [-3, -1.1, -1.0]})
    prediction = ask(LABEL.apply(of("One", "Two", "Three")), lm)
    assert prediction.values == {"label": "green"}


def test_scores_are_added_up_as_each_member_is_calibrated() -> None:
    lm = scored({"One": [-0.5, -1.5, -3.0], "Two": [-0.5, -1.5, -3.0]})
    one, two = set_as("One"), set_as("Two")
    assert ask(LABEL.apply(Candidate.ensemble([one, two])), lm).values == {"label": "red"}
    bias = {"label": {"red": -2.0, "green": 1.0, "blue": 1.0}}
    calibrated = Candidate.ensemble([set_as("One", calibration=bias), two])
    prediction = ask(LABEL.apply(calibrated), lm)
    assert prediction.values == {"label": "green"}
    assert prediction.steps[0].scores["label"]["red"] == -0.5


def test_a_candidate_of_an_ensemble_is_one_of_its_members_paths() -> None:
    candidate = of("One", "Two")
    assert list(candidate.states) == ["1/classify", "2/classify"]
    assert candidate.members == {"1": set_as("One"), "2": set_as("Two")}
    assert Candidate.from_dict(candidate.to_dict()) == candidate
    assert Candidate.from_dict(candidate.to_dict()).hash == candidate.hash
    assert set_as("One").members == {}
    nested = Candidate.ensemble([candidate, set_as("Three")])
    assert nested == of("One", "Two", "Three")


def test_the_program_of_an_ensemble_is_set_as_its_candidate_says() -> None:
    program = two_steps()
    candidate = of("One", "Two", "Three", program=program)
    applied = program.apply(candidate)
    assert isinstance(applied, Ensemble)
    assert list(applied.predictors) == list(candidate.states)
    assert applied.predictors["2/shorten"] == program.predictors["shorten"]
    assert applied.candidate() == candidate
    assert applied.apply(candidate).candidate() == candidate
    assert type(applied.apply(program.candidate())) is Program
    assert (applied.inputs, applied.outputs) == (program.inputs, program.outputs)


def test_a_member_that_lacks_a_predictor_is_refused() -> None:
    states = dict(of("One", "Two", program=two_steps()).states)
    del states["2/shorten"]
    with pytest.raises(InputError, match=r"1/classify.*2/classify"):
        two_steps().apply(Candidate(states))
    with pytest.raises(InputError, match="other predictors"):
        LABEL.apply(Candidate({**of("One").states, **set_as("Two").states}))


def test_each_predictor_asks_its_own_lm_in_every_member() -> None:
    words = obeys({"": "short"})
    program = two_steps()
    sorts = obeys({"One": "red", "Two": "red", "Three": "blue"})
    applied = program.apply(of("One", "Two", "Three", program=program))
    assert ask(applied, words, lms={"classify": sorts}).values == {"label": "red"}
    assert (len(words.requests), len(sorts.requests)) == (3, 3)
    assert Runtime(lm=words, lms={"classify": sorts}).lm_for("2/classify") is sorts


def test_the_calls_of_all_members_count() -> None:
    lm = obeys({"One": "red", "Two": "red", "Three": "blue"})
    program = LABEL.apply(of("One", "Two", "Three"))
    assert asyncio.run(attempt(program, {"message": "hi"}, Runtime(lm=lm)))[2] == 3


def test_a_listener_hears_which_member_speaks() -> None:
    heard: dict[str, str] = {}

    def hear(path: str, text: str) -> None:
        heard[path] = heard.get(path, "") + text

    lm = obeys({"One": "red", "Two": "blue"})
    ask(LABEL.apply(of("One", "Two")), lm, listener=hear)
    assert list(heard) == ["1/classify", "2/classify"]
    assert "red" in heard["1/classify"]
    assert "blue" in heard["2/classify"]


def test_an_ensemble_is_saved_and_read_back() -> None:
    candidate = of("One", "Two", "Three")
    saved = dump_state(LABEL, candidate)
    loaded = load_state(LABEL, saved)
    assert loaded.candidate() == candidate
    lm = obeys({"One": "red", "Two": "blue", "Three": "blue"})
    assert ask(loaded, lm).values == {"label": "blue"}
    assert load_state(loaded, dump_state(loaded)).candidate() == candidate
    del saved["states"]["2/classify"]["signature"]["fields"][0]
    with pytest.raises(StateError, match="2/classify"):
        load_state(LABEL, saved)


def test_messages_hold_each_member_and_dspy_says_that_it_cannot() -> None:
    candidate = of("One", "Two")
    exported = export_messages(LABEL, candidate)["predictors"]
    assert list(exported) == ["1/classify", "2/classify"]
    assert "Two" in exported["2/classify"]["messages"][0]["content"]
    assert list(finetuning_rows(LABEL, candidate)) == []
    with pytest.raises(StateError, match="ensemble"):
        export_dspy(LABEL, candidate)


def test_a_state_with_nearest_demos_is_not_exported_as_if_all_were_shown() -> None:
    demos = tuple(
        {"values": {"message": text, "label": "red"}} for text in ("a red rose", "blue sea")
    )
    state = PredictorState.from_dict({"instruction": "Sort.", "demos": demos, "nearest": 1})
    candidate = Candidate({"classify": state})
    assert load_state(LABEL, dump_state(LABEL, candidate)).candidate() == candidate
    for export in (export_messages, export_dspy):
        with pytest.raises(StateError, match=r"“classify” shows every question the 1 of its 2"):
            export(LABEL, candidate)
    found = export_messages(LABEL, candidate, inputs={"message": "the sea"})
    text = str(found["predictors"]["classify"]["messages"])
    assert "blue sea" in text
    assert "a red rose" not in text
    assert "{{message}}" in text
    assert len(list(finetuning_rows(LABEL, candidate))) == 2
    # All of them are shown, in one order or another.
    every = Candidate({"classify": replace(state, nearest=2)})
    text = str(export_messages(LABEL, every)["predictors"]["classify"]["messages"])
    assert "blue sea" in text
    assert "a red rose" in text
    assert "blue sea" in export_dspy(LABEL, every)["program.json"]
