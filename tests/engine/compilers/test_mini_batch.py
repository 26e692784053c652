"""Mini-batch ascent: what it tries, what it learns from it, and what it drops."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.engine.compilers.buckets import Bucket, drop_demos, parted, with_demo
from studio.engine.compilers.events import (
    CandidateMade,
    CandidateScored,
    Event,
    ExampleScored,
    TraceTried,
)
from studio.engine.compilers.rollouts import FIRST_WARM
from studio.engine.compilers.trajectories import Tried
from studio.engine.example import Candidate, Demo, Example, PredictorState
from studio.engine.lm.prompt_reader import Prompt, read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request, Usage
from studio.engine.metrics import Score
from studio.engine.runtime import Runtime
from studio.engine.trace import Step
from tests.engine.compilers.builders import (
    LABELS,
    RULE,
    chance,
    gold,
    learner,
    make_world,
    result_of,
    run,
    scores,
    two_steps,
    writes,
)

SMALL = {"steps": 2, "minibatch": 8}


def made_in(events: list[Event]) -> list[CandidateMade]:
    return [event for event in events if isinstance(event, CandidateMade)]


def wrong(text: str) -> str:
    return LABELS[(LABELS.index(gold(text)) + 1) % 3]


def proposing(rule: str) -> ScriptedLM:
    def answer(request: Request) -> str:
        return read_prompt(request).answer({"comparison": "One was right.", "rule": rule})

    return ScriptedLM(answer)


def heeding(rule: str) -> ScriptedLM:
    """Right where its instruction has the rule; else now and then, each try anew."""

    def answer(request: Request) -> str:
        prompt = read_prompt(request)
        text = prompt.inputs[-1]
        taught = any(rule in message.content for message in request.messages)
        right = taught or chance(text, request.rollout) < 0.5
        return prompt.answer({"label": gold(text) if right else wrong(text)})

    return ScriptedLM(answer)


def test_where_demos_help_it_gathers_demos() -> None:
    def mind(prompt: Prompt) -> str:
        text = prompt.inputs[-1]
        right = chance(text) < 0.4 + 0.2 * len(prompt.demos)
        return gold(text) if right else wrong(text)

    world = make_world(
        writes(mind),
        compiler="mini-batch-ascent",
        proposer=Runtime(lm=proposing("")),
        params={"steps": 5, "minibatch": 8},
    )
    result = result_of(run(world.task))
    assert result.improved
    assert "a demo more" in result.origin
    state = result.candidate.states["classify"]
    assert state.instruction == ""
    assert 1 < len(state.demos) <= 4
    by_id = {example.id: example for example in world.task.train}
    for demo in state.demos:
        assert demo.bootstrapped
        assert demo.values["label"] == by_id[demo.source].values["label"]
        assert "as expected" in demo.reason


def test_where_a_rule_helps_it_writes_the_rule() -> None:
    world = make_world(
        heeding("MIND THE NUMBER"),
        compiler="mini-batch-ascent",
        proposer=Runtime(lm=proposing("MIND THE NUMBER")),
        params=SMALL,
    )
    result = result_of(run(world.task))
    assert result.improved
    assert result.compiled == 1.0
    assert "a rule more for “classify”" in result.origin
    state = result.candidate.states["classify"]
    assert state.instruction.endswith("\n\nRules:\n- MIND THE NUMBER")


def test_a_rule_comes_from_a_good_and_a_bad_try_of_one_example() -> None:
    proposer = proposing("Be quick.")
    world = make_world(
        heeding("MIND THE NUMBER"),
        compiler="mini-batch-ascent",
        proposer=Runtime(lm=proposer),
        params={**SMALL, "max_demos": 0},
    )
    run(world.task)
    assert proposer.requests
    step, instruction, better, worse = read_prompt(proposer.requests[0]).inputs
    assert step.startswith("Step “classify”.")
    assert instruction == "Given the message, produce the label."
    assert "Score: 1 of 1" in better
    assert "Score: 0 of 1" in worse
    assert "expected" in worse
    shown = [
        [line for line in text.splitlines() if "message number" in line]
        for text in (better, worse)
    ]
    assert shown[0] == shown[1] != []


def test_without_room_for_demos_it_learns_rules_only() -> None:
    world = make_world(
        writes(learner), compiler="mini-batch-ascent", params={**SMALL, "max_demos": 0}
    )
    made = made_in(run(world.task))[1:]
    assert made
    for event in made:
        assert event.candidate.states["classify"].demos == ()
        assert f"- {RULE}" in event.candidate.states["classify"].instruction


def test_the_first_try_is_a_plain_one_and_the_others_are_warm() -> None:
    world = make_world(
        heeding("MIND THE NUMBER"),
        compiler="mini-batch-ascent",
        proposer=Runtime(lm=proposing("")),
        params={"steps": 1, "minibatch": 6, "samples": 3, "candidates": 1},
    )
    events = run(world.task)
    start = made_in(events)[0].candidate.hash
    plain = [
        event.example
        for event in events
        if isinstance(event, ExampleScored) and event.part == "train" and event.candidate == start
    ]
    warm = [event for event in events if isinstance(event, TraceTried)]
    assert len(plain) == len(set(plain)) == 6
    assert Counter(event.example for event in warm) == dict.fromkeys(plain, 2)
    assert all(event.teacher == start and event.round >= FIRST_WARM for event in warm)
    assert [event.tried for event in warm] == list(range(1, 13))
    asked = [request for request in world.lm.requests if request.temperature == 1.0]
    assert len(asked) == 12
    assert len({request.rollout for request in asked}) == 2


def test_where_every_output_is_a_scored_label_nothing_is_tried_twice() -> None:
    world = make_world(scores(learner, {"red": 0.5}), compiler="mini-batch-ascent")
    events = run(world.task)
    assert not any(isinstance(event, TraceTried) for event in events)
    assert result_of(events).improved
    world = make_world(scores(learner, {}), compiler="mini-batch-ascent", program=two_steps())
    assert any(isinstance(event, TraceTried) for event in run(world.task))


def test_a_mini_batch_score_leaves_a_candidates_own_demos_out() -> None:
    events = run(make_world(writes(learner), compiler="mini-batch-ascent").task)
    made = {event.candidate.hash: event.candidate for event in made_in(events)}
    checked = 0
    for event in events:
        if isinstance(event, ExampleScored) and made.get(event.candidate):
            assert event.example not in made[event.candidate].demo_sources
            checked += bool(made[event.candidate].demo_sources)
    assert checked


def test_the_winners_of_the_steps_race_once_and_nobody_else_sees_dev() -> None:
    events = run(make_world(writes(learner), compiler="mini-batch-ascent", params=SMALL).task)
    on_dev = {
        event.candidate
        for event in events
        if isinstance(event, ExampleScored) and event.part == "dev"
    }
    on_train = {
        event.candidate
        for event in events
        if isinstance(event, ExampleScored) and event.part == "train"
    }
    assert len(on_dev) == 3
    assert len(on_train) > 4
    assert sum(isinstance(event, CandidateScored) for event in events) == 3


def test_a_middle_step_without_labels_gets_the_rule_that_it_needs() -> None:
    def student(request: Request) -> str:
        """Keeps the number in its summary when told to, or by chance."""
        prompt = read_prompt(request)
        said = prompt.inputs[-1]
        if "summary" in prompt.open:
            told = any("KEEP THE NUMBER" in message.content for message in request.messages)
            keeps = told or chance(said, request.rollout) < 0.5
            return prompt.answer({"summary": said if keeps else "a message"})
        return prompt.answer({"label": gold(said) if "number" in said else "yellow"})

    proposer = proposing("KEEP THE NUMBER")
    world = make_world(
        ScriptedLM(student),
        compiler="mini-batch-ascent",
        program=two_steps(),
        proposer=Runtime(lm=proposer),
        params={"steps": 3, "minibatch": 8},
    )
    result = result_of(run(world.task))
    assert result.compiled == 1.0
    assert "- KEEP THE NUMBER" in result.candidate.states["shorten"].instruction
    better, worse = next(
        read_prompt(request).inputs[2:]
        for request in proposer.requests
        if read_prompt(request).inputs[0].startswith("Step “shorten”.")
    )
    assert "    summary: message number" in better
    assert "    summary: message number" not in worse


def test_a_middle_step_without_labels_gets_demos_from_good_tries() -> None:
    world = make_world(
        writes(learner),
        compiler="mini-batch-ascent",
        program=two_steps(),
        proposer=Runtime(lm=proposing("")),
        params=SMALL,
    )
    made = made_in(run(world.task))[1:]
    demos = [demo for event in made for demo in event.candidate.states["shorten"].demos]
    assert demos
    assert all(demo.bootstrapped and demo.values["summary"] for demo in demos)


def test_a_program_that_is_right_everywhere_is_left_alone() -> None:
    world = make_world(
        writes(lambda prompt: gold(prompt.inputs[-1])), compiler="mini-batch-ascent"
    )
    events = run(world.task)
    assert not any(isinstance(event, ExampleScored) and event.part == "train" for event in events)
    assert result_of(events).number == 0


def step(path: str, **outputs: Any) -> Step:
    return Step(
        path=path, inputs={}, outputs=outputs, prompt="", answer="", scores={}, usage=Usage()
    )


def bucket(*values: float) -> Bucket:
    example = Example({"message": "number 1"})
    return Bucket([Tried(example, {}, (), Score(value)) for value in values])


def test_buckets_with_the_widest_gap_promise_most_then_the_best_score() -> None:
    wide, high, low = bucket(1.0, 0.0), bucket(1.0, 1.0), bucket(0.5, 0.5)
    rare, often = bucket(1.0, 0.0, 0.0), bucket(1.0, 1.0, 0.0)
    found = sorted((low, often, high, rare), key=lambda each: each.promise, reverse=True)
    assert found == [rare, often, high, low]
    assert wide.promise[0] == 1.0


def test_a_rule_is_about_a_step_at_which_the_tries_part() -> None:
    example = Example({"message": "number 1"})
    same, good, bad = step("a", x=1), step("b", y=1), step("b", y=2)
    tries = [
        Tried(example, {}, (same, good), Score(1.0)),
        Tried(example, {}, (same, bad), Score(0.0)),
    ]
    rng = random.Random(0)
    assert {parted(rng, ["a", "b"], Bucket(tries)) for _ in range(20)} == {"b"}
    alike = Bucket([tries[0], tries[0]])
    assert {parted(rng, ["a", "b"], alike) for _ in range(20)} == {"a", "b"}


def holding(count: int) -> Candidate:
    demos = tuple(
        Demo(values={"message": f"number {number}", "label": "red"}, source=f"{number}")
        for number in range(count)
    )
    return Candidate({"classify": PredictorState(instruction="", demos=demos)})


@given(st.integers(0, 8), st.integers(1, 8), st.integers())
def test_there_is_always_room_for_one_demo_more(has: int, most: int, seed: int) -> None:
    before = holding(min(has, most))
    slim = drop_demos(random.Random(seed), before, most)
    kept = slim.states["classify"].demos
    assert len(kept) < most or not has
    places = [before.states["classify"].demos.index(demo) for demo in kept]
    assert places == sorted(places)


def test_about_as_many_demos_are_dropped_as_a_poisson_number() -> None:
    rng = random.Random(1)
    dropped = [
        8 - len(drop_demos(rng, holding(8), 16).states["classify"].demos) for _ in range(3000)
    ]
    # Of mean one half: 61 % of them drop none, 30 % one.
    assert dropped.count(0) / 3000 == pytest.approx(0.607, abs=0.03)
    assert dropped.count(1) / 3000 == pytest.approx(0.303, abs=0.03)


def test_a_demo_of_an_example_that_is_shown_already_takes_its_place() -> None:
    example = Example({"message": "number 1", "label": "green"})
    tried = Tried(example, {}, (step("classify", label="green"),), Score(1.0, "as expected"))
    once = with_demo(holding(1), tried)
    twice = with_demo(once, tried)
    assert [demo.source for demo in once.states["classify"].demos] == ["0", example.id]
    assert twice == once
