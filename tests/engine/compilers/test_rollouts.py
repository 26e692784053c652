"""Mini-batches, and tries that are stored like everything else."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from dataclasses import replace

from studio.engine.compilers.events import Event
from studio.engine.compilers.labeled import LabeledParams
from studio.engine.compilers.rollouts import FIRST_WARM, batch_of, learnable, warm
from studio.engine.compilers.search import Search
from studio.engine.example import Candidate, Demo, Example, PredictorState
from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request
from studio.engine.metrics import Score
from studio.engine.trace import Prediction, Step
from tests.engine.compilers.builders import (
    LABELS,
    World,
    learner,
    make_examples,
    make_world,
    writes,
)


def searching(world: World) -> tuple[Search, list[Event]]:
    told: list[Event] = []

    async def tell(event: Event) -> None:
        told.append(event)

    return Search(world.task, LabeledParams(), tell), told


def test_mini_batches_go_through_all_examples_before_one_comes_again() -> None:
    search, _ = searching(make_world(writes(learner), train=make_examples(0, 12)))
    batches = [batch_of(search, search.start, search.train, place, 4) for place in range(6)]
    for epoch in (batches[:3], batches[3:]):
        counts = Counter(example.id for batch in epoch for example in batch)
        assert counts == dict.fromkeys((example.id for example in search.train), 1)
    assert batches[:3] != batches[3:]


def test_a_mini_batch_has_none_of_a_candidates_own_examples() -> None:
    search, _ = searching(make_world(writes(learner), train=make_examples(0, 5)))
    shown = search.train[:3]
    demos = tuple(Demo(values=dict(each.values), source=each.id) for each in shown)
    candidate = Candidate({"classify": PredictorState(instruction="", demos=demos)})
    for place in range(4):
        batch = batch_of(search, candidate, search.train, place, 4)
        assert {example.id for example in batch} == {each.id for each in search.train[3:]}
    assert batch_of(search, candidate, shown, 0, 4) == []


def test_instructions_are_learnt_from_what_stands_nowhere_else() -> None:
    train = make_examples(0, 12)
    search, _ = searching(make_world(writes(learner), train=train, dev=train[:4]))
    assert {example.id for example in learnable(search)} == {each.id for each in train[4:]}
    assert not search.notes
    search, _ = searching(make_world(writes(learner), train=train, dev=train))
    assert len(learnable(search)) == len(learnable(search)) == 12
    assert len(search.notes) == 1


class Half:
    """Half right, and says why."""

    name = "half"

    def __call__(self, example: Example, prediction: Prediction) -> Score:
        return Score(0.5, f"“{prediction.values['label']}” is half right")


def test_a_warm_try_keeps_its_score_and_answer_also_as_json() -> None:
    def answer(request: Request) -> str:
        return read_prompt(request).answer({"label": LABELS[request.rollout % 3]})

    world = make_world(ScriptedLM(answer), metric=Half())
    search, told = searching(world)
    runs = [(search.start, search.train[0], FIRST_WARM + number) for number in range(3)]
    first = asyncio.run(warm(search, runs, 0.8))
    assert {tried.values["label"] for tried in first} == set(LABELS)
    assert all(tried.value == 0.5 for tried in first)
    assert [tried.score.reason for tried in first] == [
        f"“{tried.values['label']}” is half right" for tried in first
    ]
    assert all([step.path for step in tried.steps] == ["classify"] for tried in first)
    assert {request.temperature for request in world.lm.requests} == {0.8}
    for key, traced in world.ledger.traces.items():
        steps = json.loads(json.dumps([step.to_dict() for step in traced.steps]))
        stored = replace(traced, steps=tuple(map(Step.from_dict, steps)))
        world.ledger.traces[key] = stored
    again, _ = searching(world)
    assert asyncio.run(warm(again, runs, 0.8)) == first
    assert world.calls == 3
    assert len(told) == 3


def test_a_warm_try_without_an_answer_scores_nothing_and_says_why() -> None:
    world = make_world(ScriptedLM(lambda request: "no layout at all"))
    search, _ = searching(world)
    (tried,) = asyncio.run(warm(search, [(search.start, search.train[0], FIRST_WARM)], 1.0))
    assert tried.value == 0.0
    assert tried.values == {}
    assert tried.steps == ()
    assert tried.score.reason.startswith("no answer: ")
