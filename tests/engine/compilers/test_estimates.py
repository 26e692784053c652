"""What a compile is going to cost, before it starts."""

from __future__ import annotations

import json

import pytest

from studio.engine.compilers import COMPILERS, Sizes, calls_per_run, estimate
from studio.engine.errors import CompileError, EngineError
from studio.engine.modules import Predict, chain_of_thought
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from tests.engine.compilers.builders import ENUM, learner, one_step, scores, two_steps, writes

WRITES, SCORES = Runtime(lm=writes(learner)), Runtime(lm=scores(learner, {}))
TRIAGE = Sizes(train=130, dev=90, test=160, calibrates=True, writes=False)


def of(signature: str) -> Program:
    return Program.of(Predict.of(signature))


@pytest.mark.parametrize(
    ("program", "written", "scored"),
    [
        (one_step(), 1, 1),
        (two_steps(), 2, 2),
        (Program.of(chain_of_thought(f"message -> label: {ENUM}")), 1, 2),
        (of(f"message -> label: {ENUM}, other: {ENUM}"), 1, 2),
        (of(f"message -> title, summary, label: {ENUM}, note"), 1, 3),
        (of("message -> title, summary"), 1, 1),
    ],
)
def test_a_run_takes_a_call_for_each_label_and_each_written_part(
    program: Program, written: int, scored: int
) -> None:
    assert calls_per_run(program, WRITES) == written
    assert calls_per_run(program, SCORES) == scored


def test_the_sample_projects_default_fits_into_three_minutes() -> None:
    guess = estimate("random-search", {}, TRIAGE)
    assert guess.low < guess.expected <= 950
    assert guess.high <= 1_100
    assert guess.parts["confirmation on test"] == 320


@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_range_holds_the_expected_calls_and_the_parts_add_up(compiler: str) -> None:
    for sizes in (TRIAGE, Sizes(train=1, dev=1, test=1), Sizes(train=9, dev=5, test=7)):
        guess = estimate(compiler, {}, sizes)
        assert guess.low <= guess.expected <= guess.high
        assert sum(guess.parts.values()) == guess.expected
        json.dumps(guess.to_dict())


def test_more_of_anything_costs_more() -> None:
    few = estimate("random-search", {"candidates": 1}, TRIAGE).expected
    many = estimate("random-search", {"candidates": 9}, TRIAGE).expected
    limited = estimate("random-search", {"candidates": 9, "dev_limit": 30}, TRIAGE).expected
    plain = estimate("random-search", {"candidates": 9, "calibrate": False}, TRIAGE).expected
    assert few < many
    assert limited < many
    assert plain == many - 40 * 11


def test_what_cannot_be_estimated_is_named() -> None:
    with pytest.raises(CompileError, match="no compiler “magic”"):
        estimate("magic", {}, TRIAGE)
    with pytest.raises(EngineError, match="Random candidates"):
        estimate("random-search", {"candidates": 1000}, TRIAGE)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_words_of_a_compiler_are_complete(compiler: str) -> None:
    kind = COMPILERS[compiler]
    assert kind.name == compiler
    assert kind.title
    assert kind.sentence.endswith(".")
    assert kind.paper.startswith("https://")
    for field in kind.params.__dataclass_fields__.values():
        assert field.metadata["label"]
        assert field.metadata["help"].endswith(".")
        assert field.type == "bool" or {"min", "max"} <= set(field.metadata)
