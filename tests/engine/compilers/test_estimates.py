"""What a compile is going to cost, before it starts."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from studio.engine.compilers import COMPILERS, Sizes, calls_per_run, estimate
from studio.engine.errors import CompileError, EngineError
from studio.engine.example import Example
from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import Answer, ScriptedLM
from studio.engine.messages import Request
from studio.engine.metrics import make_metric
from studio.engine.modules import MODULES, Predict, chain_of_thought
from studio.engine.params import read_params
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from tests.engine.compilers.builders import (
    ENUM,
    World,
    learner,
    make_examples,
    make_world,
    one_step,
    run,
    scores,
    spoiled,
    two_steps,
    writes,
)

WRITES, SCORES = Runtime(lm=writes(learner)), Runtime(lm=scores(learner, {}))
BIAS = {"red": 0.9, "green": 0.0, "blue": -0.4}
LARGER = {
    "train": make_examples(0, 120),
    "dev": make_examples(1000, 100),
    "test": make_examples(2000, 100),
}
TRIAGE = Sizes(train=130, dev=90, test=160, calibrates=True, writes=False)


def sizes_of(world: World) -> Sizes:
    task = world.task
    return Sizes.of(
        task.program,
        task.runtime,
        train=len(task.train),
        dev=len(task.dev),
        test=len(task.test),
        metric=task.metric,
        examples=task.train,
    )


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


@pytest.mark.parametrize("compiler", COMPILERS)
@pytest.mark.parametrize(
    ("lm", "changes"),
    [
        (lambda: writes(learner), {}),
        (lambda: scores(learner, BIAS, noise=0.5), {}),
        (lambda: writes(learner), LARGER),
        (lambda: scores(learner, BIAS, noise=0.5), LARGER),
    ],
    ids=["writes", "scores", "writes, larger", "scores, larger"],
)
def test_what_happens_lies_in_the_range_and_near_what_was_expected(
    compiler: str, lm: Callable[[], ScriptedLM], changes: Mapping[str, Any]
) -> None:
    world = make_world(lm(), compiler=compiler, **changes)
    guess = estimate(compiler, {}, sizes_of(world))
    run(world.task)
    assert guess.low <= world.calls <= guess.high
    # Nobody knows before how many members the ensemble has that wins, and is confirmed by all.
    rel = 0.4 if compiler == "ensemble" else 0.2
    assert world.calls == pytest.approx(guess.expected, rel=rel)


@pytest.mark.parametrize("compiler", COMPILERS)
def test_steps_without_labels_take_what_lies_in_the_range(compiler: str) -> None:
    world = make_world(writes(learner), compiler=compiler, program=two_steps())
    guess = estimate(compiler, {}, sizes_of(world))
    run(world.task)
    assert guess.low <= world.calls <= guess.high


def test_where_nothing_is_better_the_confirmation_takes_half() -> None:
    world = make_world(writes(spoiled), compiler="labeled")
    guess = estimate("labeled", {}, sizes_of(world))
    run(world.task)
    assert guess.low <= world.calls <= guess.high


@pytest.mark.parametrize("compiler", COMPILERS)
def test_the_roles_add_up(compiler: str) -> None:
    for sizes in (TRIAGE, replace(TRIAGE, taught=True, judged=2, writes=True, released=True)):
        guess = estimate(compiler, {}, sizes)
        low, expected, high = map(sum, zip(*guess.roles.values(), strict=True))
        assert (low, expected, high) == (guess.low, guess.expected, guess.high)
        assert ("judge" in guess.roles) == bool(sizes.judged)
        assert ("proposer" in guess.roles) == COMPILERS[compiler].asks
        for role in guess.roles.values():
            assert role[0] <= role[1] <= role[2]


def test_who_is_asked_how_often() -> None:
    judged = estimate("bootstrap", {}, replace(TRIAGE, judged=1))
    plain = estimate("bootstrap", {}, TRIAGE)
    assert set(plain.roles) == {"student"}
    # Each run of the program is judged once.
    assert judged.roles["judge"][1] == judged.roles["student"][1] == plain.expected
    taught = estimate("bootstrap", {}, replace(TRIAGE, taught=True))
    assert taught.roles["teacher"][1] == plain.parts["bootstrapping"]
    assert taught.expected == plain.expected
    released = estimate("bootstrap", {}, replace(TRIAGE, released=True))
    assert released.expected == plain.expected + TRIAGE.test
    assert estimate("instructions", {}, TRIAGE).roles["proposer"][1] > 0


def test_the_judges_calls_are_those_of_all_parts_of_the_metric() -> None:
    runtime = Runtime(lm=writes(learner))
    grounded = {"field": "answer", "context": "context"}
    parts = [
        {"kind": "lm_judge", "params": {"rubric": "Short.", "field": "answer"}},
        {"kind": "complete_and_grounded", "params": grounded},
        {"kind": "exact_match", "params": {"field": "answer"}},
    ]
    composite = make_metric("composite", {"parts": json.dumps(parts)}, runtime)
    for metric, calls in (
        (make_metric("exact_match", {"field": "label"}), 0),
        (make_metric("semantic_f1", {"field": "answer"}, runtime), 1),
        (make_metric("complete_and_grounded", grounded, runtime), 2),
        (composite, 3),
        (None, 0),
    ):
        sizes = Sizes.of(one_step(), WRITES, train=9, dev=9, test=9, metric=metric)
        assert sizes.judged == calls
        assert sizes.calls_per_run == 1 + calls


def judged(request: Request) -> Answer:
    """Everything is right."""
    prompt = read_prompt(request)
    return prompt.answer(dict.fromkeys(prompt.open, "1"))


def test_a_judge_asks_as_often_as_expected() -> None:
    asked = ScriptedLM(lambda request: judged(request))
    metric = make_metric(
        "lm_judge", {"rubric": "Right.", "field": "label", "scale": "0-1"}, Runtime(lm=asked)
    )
    world = make_world(writes(learner), compiler="bootstrap", metric=metric)
    guess = estimate("bootstrap", {}, sizes_of(world))
    run(world.task)
    low, expected, high = guess.roles["judge"]
    assert low <= len(asked.requests) <= high
    assert len(asked.requests) == pytest.approx(expected, rel=0.3)


def test_a_map_multiplies_by_the_items_that_examples_have() -> None:
    kind = MODULES["map"]
    signature = Signature.parse("messages: list[str] -> labels: list[str]")
    program = Program.of(kind.make(signature, read_params(kind.params, {}), {}))
    examples = [Example({"messages": ["m"] * count, "labels": []}) for count in (2, 3, 4)]
    sizes = Sizes.of(program, WRITES, train=9, dev=9, test=9, examples=examples)
    assert sizes.per_run[1] == 3
    assert calls_per_run(program, WRITES, examples) == 3
    assert estimate("labeled", {}, sizes).parts["uncompiled program on dev"] == 27


def test_an_answer_that_is_written_may_have_to_be_asked_for_again() -> None:
    written, scored = (
        estimate("labeled", {}, replace(TRIAGE, calibrates=False, writes=writes))
        for writes in (True, False)
    )
    assert written.expected == scored.expected
    assert written.high == pytest.approx(1.25 * scored.high, rel=0.01)


def test_more_of_anything_costs_more() -> None:
    few = estimate("random-search", {"candidates": 1}, TRIAGE).expected
    many = estimate("random-search", {"candidates": 9}, TRIAGE).expected
    limited = estimate("random-search", {"candidates": 9, "dev_limit": 30}, TRIAGE).expected
    plain = estimate("random-search", {"candidates": 9, "calibrate": False}, TRIAGE).expected
    assert few < many
    assert limited < many
    # Each of the candidates is calibrated, the teacher's demos and the bare program, too.
    assert plain < many - 40 * 9


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
        bounded = "choices" in field.metadata or {"min", "max"} <= set(field.metadata)
        assert field.type == "bool" or bounded
