"""Reflection: what it looks at, what it lets pass, what it merges."""

from __future__ import annotations

from collections.abc import Callable

from studio.engine.compilers.events import Asked, CandidateMade, Event, ExampleScored
from studio.engine.compilers.lineage import Lineage
from studio.engine.compilers.search import Standing
from studio.engine.example import Candidate, Example, PredictorState
from studio.engine.lm.prompt_reader import Prompt, read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request
from studio.engine.metrics import Score
from studio.engine.modules import Predict
from studio.engine.program import INPUT, Node, Program, Wire
from studio.engine.runtime import Runtime
from studio.engine.trace import Prediction
from tests.engine.compilers.builders import (
    ENUM,
    LABELS,
    RULE,
    World,
    gold,
    learner,
    make_examples,
    make_world,
    result_of,
    run,
    two_steps,
    writes,
)

SMALL = {"rounds": 3, "parallel": 2}


def proposing(instruction: Callable[[Prompt], str]) -> ScriptedLM:
    """A proposer; what it is told is the step, its instruction, and what happened."""

    def answer(request: Request) -> str:
        prompt = read_prompt(request)
        return prompt.answer(dict.fromkeys(prompt.open, instruction(prompt)))

    return ScriptedLM(answer)


def asks_about(path: str, prompt: Prompt) -> bool:
    return prompt.inputs[0].startswith(f"Step “{path}”.")


def made_in(events: list[Event]) -> list[CandidateMade]:
    return [event for event in events if isinstance(event, CandidateMade)]


def ran_on(events: list[Event], part: str) -> set[str]:
    return {
        event.candidate
        for event in events
        if isinstance(event, ExampleScored) and event.part == part
    }


def wrong(text: str) -> str:
    return LABELS[(LABELS.index(gold(text)) + 1) % 3]


def forgetful(request: Request) -> str:
    """Loses the number in its summary, unless told to keep it; then the label is a guess."""
    prompt = read_prompt(request)
    said = prompt.inputs[-1]
    if "summary" in prompt.open:
        keeps = any("KEEP THE NUMBER" in message.content for message in request.messages)
        return prompt.answer({"summary": said if keeps else "a message"})
    return prompt.answer({"label": gold(said) if "number" in said else "red"})


def of_forgetful(proposer: ScriptedLM, **params: int) -> World:
    return make_world(
        ScriptedLM(forgetful),
        compiler="reflect",
        program=two_steps(),
        proposer=Runtime(lm=proposer),
        params={**SMALL, **params},
    )


def test_the_step_to_blame_is_rewritten_though_it_has_no_labels() -> None:
    proposer = proposing(
        lambda prompt: "KEEP THE NUMBER" if asks_about("shorten", prompt) else "Be quick."
    )
    world = of_forgetful(proposer)
    result = result_of(run(world.task))
    assert result.improved
    assert result.compiled == 1.0
    states = result.candidate.states
    assert states["shorten"].instruction == "KEEP THE NUMBER"
    assert states["classify"].instruction == ""


def test_the_proposer_reads_what_the_step_did_and_what_the_metric_said() -> None:
    proposer = proposing(lambda prompt: "Be quick.")
    run(of_forgetful(proposer).task)
    told = [read_prompt(request).inputs for request in proposer.requests]
    assert {step.splitlines()[0] for step, _, _ in told} == {"Step “shorten”.", "Step “classify”."}
    for step, instruction, happened in told:
        assert happened.count("=== Example") == 3
        assert "expected" in happened
        assert "    label: " in happened
        if step.startswith("Step “shorten”."):
            assert "Wrote:\n    summary: a message" in happened
            assert "message: message number" in happened
            assert instruction == "Given the message, produce the summary."
        else:
            assert "message number" not in happened
            assert "Given:\n    summary: a message" in happened
            assert instruction == "Given the summary, produce the label."


def test_predictors_take_turns() -> None:
    proposer = proposing(lambda prompt: "Be quick.")
    events = run(of_forgetful(proposer, rounds=2, parallel=2).task)
    asked = [event.path for event in events if isinstance(event, Asked)]
    assert asked == ["shorten", "classify"] * 2


def test_a_child_that_is_not_strictly_better_on_its_mini_batch_never_sees_dev() -> None:
    student = writes(learner)

    def answer(request: Request) -> str:
        said = "".join(message.content for message in request.messages)
        if "SPOIL" in said:
            return read_prompt(request).answer({"label": wrong(read_prompt(request).inputs[-1])})
        answered = student._answer(request)
        assert isinstance(answered, str)
        return answered

    texts = iter(["SPOIL it.", "Do as before.", f"{RULE}, please.", "SPOIL all.", "As you like."])
    proposer = proposing(lambda prompt: next(texts, "Do it again."))
    world = make_world(
        ScriptedLM(answer),
        compiler="reflect",
        proposer=Runtime(lm=proposer),
        concurrency=1,
        params={"rounds": 4, "parallel": 2},
    )
    events = run(world.task)
    made = made_in(events)
    assert [event.candidate.states["classify"].instruction for event in made] == [
        "",
        f"{RULE}, please.",
    ]
    assert ran_on(events, "dev") == {event.candidate.hash for event in made}
    # The others were at the gate.
    assert len(ran_on(events, "train") - ran_on(events, "dev")) >= 3


def test_perfect_mini_batches_are_nothing_to_reflect_on() -> None:
    def mind(prompt: Prompt) -> str:
        text = prompt.inputs[-1]
        return gold(text) if len(text) == len("message number 10") else wrong(text)

    world = make_world(writes(mind), compiler="reflect", train=make_examples(10, 30), params=SMALL)
    events = run(world.task)
    assert not any(isinstance(event, Asked) for event in events)
    assert len(made_in(events)) == 1


def test_a_program_that_is_right_everywhere_is_left_alone() -> None:
    world = make_world(writes(lambda prompt: gold(prompt.inputs[-1])), compiler="reflect")
    events = run(world.task)
    assert not ran_on(events, "train")
    assert result_of(events).number == 0


class Both:
    """Half a point for each of two answers."""

    name = "both"

    def __call__(self, example: Example, prediction: Prediction) -> Score:
        right = [prediction.values[name] == example.values["label"] for name in ("one", "two")]
        return Score(sum(right) / 2, f"{sum(right)} of 2 are right")


def side_by_side() -> Program:
    """Two steps that know nothing of each other."""
    first, second = Predict.of(f"message -> one: {ENUM}"), Predict.of(f"message -> two: {ENUM}")
    nodes = tuple(
        Node(name, module, {"message": Wire(INPUT, "message")})
        for name, module in (("first", first), ("second", second))
    )
    wires = {"one": Wire("first", "one"), "two": Wire("second", "two")}
    outputs = (*first.signature.outputs, *second.signature.outputs)
    return Program(first.signature.inputs, outputs, (nodes,), wires)


def test_improvements_of_two_predictors_are_merged() -> None:
    def student(request: Request) -> str:
        """Without more words, `one` is right for even numbers and `two` for odd ones."""
        prompt = read_prompt(request)
        (name,), text = prompt.open, prompt.inputs[-1]
        taught = any(f"MIND {name}" in message.content for message in request.messages)
        right = taught or int(text.split()[-1]) % 2 == ("one", "two").index(name)
        return prompt.answer({name: gold(text) if right else wrong(text)})

    def instruction(prompt: Prompt) -> str:
        return f"MIND {'one' if asks_about('first', prompt) else 'two'}"

    world = make_world(
        ScriptedLM(student),
        compiler="reflect",
        program=side_by_side(),
        metric=Both(),
        proposer=Runtime(lm=proposing(instruction)),
        params={"rounds": 2, "parallel": 2, "merges": 1, "minibatch": 6},
    )
    events = run(world.task)
    (merged,) = [event for event in made_in(events) if "merged" in event.origin]
    assert merged.parents == (1, 2)
    assert merged.candidate.states["first"].instruction == "MIND one"
    assert merged.candidate.states["second"].instruction == "MIND two"
    result = result_of(events)
    assert result.candidate == merged.candidate
    assert result.compiled == 1.0


def test_it_goes_on_from_what_it_is_to_improve() -> None:
    start = Candidate({"classify": PredictorState(instruction="Mind the colours.")})
    proposer = proposing(lambda prompt: f"{RULE}.")
    world = make_world(
        writes(learner),
        compiler="reflect",
        start=start,
        proposer=Runtime(lm=proposer),
        params=SMALL,
    )
    made = made_in(run(world.task))
    assert made[1].candidate == start
    assert made[2].parents == (1,)
    assert read_prompt(proposer.requests[0]).inputs[1] == "Mind the colours."


def test_examples_that_stand_on_dev_are_not_reflected_on() -> None:
    train = make_examples(0, 30)
    world = make_world(
        writes(learner),
        compiler="reflect",
        train=train,
        dev=[*train[:10], *make_examples(100, 10)],
        params=SMALL,
    )
    events = run(world.task)
    late = {example.id for example in train[10:]}
    seen = {
        event.example
        for event in events
        if isinstance(event, ExampleScored) and event.part == "train"
    }
    assert seen
    assert seen <= late


def test_when_every_training_example_stands_on_dev_the_report_says_so() -> None:
    train = make_examples(0, 30)
    world = make_world(writes(learner), compiler="reflect", train=train, dev=train, params=SMALL)
    assert "Every training example stands on dev as well" in result_of(run(world.task)).note


def standing(number: int, value: float, **instructions: str) -> Standing:
    states = {path: PredictorState(instruction=text) for path, text in instructions.items()}
    return Standing(number, "", Candidate(states), {"a": value, "b": 0.5})


ROOT = standing(0, 0.2, x="", y="", z="")


def merge(*family: Standing, parents: dict[int, tuple[int, ...]]) -> dict[str, str] | None:
    standings = [ROOT, *family]
    lineage = Lineage(0)
    for number, above in parents.items():
        lineage.add(number, above)
    found = lineage.merge(family, standings, {each.candidate.hash for each in standings})
    if found is None:
        return None
    return {path: state.instruction for path, state in found.candidate.states.items()}


def test_each_gives_what_only_it_has_changed_and_the_better_one_the_rest() -> None:
    one = standing(1, 0.4, x="one", y="one", z="")
    two = standing(2, 0.6, x="", y="two", z="two")
    assert merge(one, two, parents={1: (0,), 2: (0,)}) == {"x": "one", "y": "two", "z": "two"}


def test_child_and_parent_or_changes_of_the_same_predictor_are_no_merge() -> None:
    one, child = standing(1, 0.4, x="1", y="", z=""), standing(2, 0.6, x="1", y="2", z="")
    assert merge(one, child, parents={1: (0,), 2: (1,)}) is None
    rival = standing(2, 0.6, x="2", y="", z="")
    assert merge(one, rival, parents={1: (0,), 2: (0,)}) is None
    cousin = standing(3, 0.6, x="3", y="", z="")
    assert merge(one, child, cousin, parents={1: (0,), 2: (1,), 3: (0,)}) is None


def test_what_is_worse_than_what_it_comes_from_is_not_merged() -> None:
    one = standing(1, 0.4, x="1", y="", z="")
    parents: dict[int, tuple[int, ...]] = {1: (0,), 2: (0,)}
    assert merge(one, standing(2, 0.1, x="", y="2", z=""), parents=parents) is None
    assert merge(one, standing(2, 0.3, x="", y="2", z=""), parents=parents) is not None


def test_a_merge_that_is_known_already_is_none() -> None:
    one, two = standing(1, 0.4, x="1", y="", z=""), standing(2, 0.4, x="", y="2", z="")
    both = standing(3, 0.2, x="1", y="2", z="")
    assert merge(one, two, both, parents={1: (0,), 2: (0,), 3: (1, 2)}) is None
