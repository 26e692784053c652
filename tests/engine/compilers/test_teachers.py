"""Who makes the demos: the student, another LM, a compiled program, another program."""

from __future__ import annotations

from dataclasses import replace

import pytest

from studio.engine.compilers import Teacher
from studio.engine.compilers.events import CandidateMade, Event, ExampleScored, TraceTried
from studio.engine.compilers.teaching import Teaching
from studio.engine.errors import LMError, LMInvalidRequest
from studio.engine.example import Candidate, Demo
from studio.engine.lm.metered import Metered
from studio.engine.lm.prompt_reader import Prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.modules import Predict, chain_of_thought
from studio.engine.program import INPUT, Node, Program, Wire
from studio.engine.runtime import Runtime
from tests.engine.compilers.builders import (
    ENUM,
    LABELS,
    World,
    copier,
    gold,
    learner,
    make_world,
    result_of,
    run,
    scores,
    two_steps,
    writes,
)

every_bootstrapper = pytest.mark.parametrize("compiler", ["bootstrap", "random-search"])


def knows(prompt: Prompt) -> str:
    """Always right."""
    return gold(prompt.inputs[-1])


def taught(teacher: Teacher, student: ScriptedLM | None = None, **changes: object) -> World:
    world = make_world(student or writes(copier), **changes)  # type: ignore[arg-type]
    return replace(world, task=replace(world.task, teacher=teacher))


def other(name: str = "large") -> ScriptedLM:
    """An LM that knows, under a name of its own."""
    lm = writes(knows)
    lm.name = name
    return lm


def made_in(events: list[Event]) -> list[CandidateMade]:
    return [event for event in events if isinstance(event, CandidateMade)]


def tried_in(events: list[Event]) -> list[TraceTried]:
    return [event for event in events if isinstance(event, TraceTried)]


def renamed(program: Program, name: str) -> Program:
    """The program of one step under another name of the step."""
    return Program.of(program.layers[0][0].module, name)


@every_bootstrapper
def test_another_lm_answers_what_becomes_demos_and_nothing_else(compiler: str) -> None:
    teacher, student = other(), writes(copier)
    world = taught(Teacher(runtime=Runtime(lm=teacher)), student, compiler=compiler)
    events = run(world.task)
    tried = tried_in(events)
    assert all(event.passed for event in tried)
    assert len(teacher.requests) == len(tried)
    scored = [event for event in events if isinstance(event, ExampleScored)]
    assert len({(e.candidate, e.example) for e in scored}) == len(student.requests)
    demos = made_in(events)[-1].candidate.states["classify"].demos
    assert any(demo.bootstrapped for demo in demos)
    assert result_of(events).calls == len(teacher.requests) + len(student.requests)


@every_bootstrapper
def test_nothing_is_calibrated_for_a_teacher_that_is_another(compiler: str) -> None:
    teacher, student = other(), scores(learner, {"red": 1.5}, noise=0.5)
    world = taught(Teacher(runtime=Runtime(lm=teacher)), student, compiler=compiler)
    events = run(world.task)
    first = next(number for number, event in enumerate(events) if isinstance(event, TraceTried))
    assert not any(isinstance(event, ExampleScored) for event in events[:first])
    alone = run(make_world(scores(learner, {"red": 1.5}, noise=0.5), compiler=compiler).task)
    first = next(number for number, event in enumerate(alone) if isinstance(event, TraceTried))
    assert any(isinstance(event, ExampleScored) for event in alone[:first])


def test_the_student_needs_no_label_scores_of_its_teacher_nor_the_other_way_round() -> None:
    for teacher, student in (
        (other(), scores(learner, {"red": 1.0})),
        (scores(knows, {}), writes(learner)),
    ):
        world = taught(Teacher(runtime=Runtime(lm=teacher)), student)
        events = run(world.task)
        assert all(event.passed for event in tried_in(events))
        assert tried_in(events)
        assert result_of(events).confirmed_on == 40


def test_a_compiled_candidate_teaches_as_it_is() -> None:
    lm = writes(learner)
    world = make_world(lm, compiler="bootstrap")
    train = world.task.train
    demos = tuple(Demo(values=dict(example.values), source=example.id) for example in train[:10])
    state = world.task.program.candidate().states["classify"]
    candidate = Candidate({"classify": replace(state, instruction="Look closely.", demos=demos)})
    teacher = Teacher(runtime=world.task.runtime, candidate=candidate)
    events = run(replace(world.task, teacher=teacher))
    tried = tried_in(events)
    assert {event.teacher for event in tried} == {candidate.hash}
    # Never on its own demos.
    assert not {event.example for event in tried} & {example.id for example in train[:10]}
    asked = [request for request in lm.requests if "Look closely." in str(request.messages)]
    assert len(asked) == len(tried)


def test_an_ensemble_teaches_what_its_majority_says() -> None:
    world = make_world(writes(knows), compiler="bootstrap")
    state = world.task.program.candidate().states["classify"]
    members = [
        Candidate({"classify": replace(state, instruction=f"Way {number}.")})
        for number in range(3)
    ]
    teacher = Teacher(runtime=world.task.runtime, candidate=Candidate.ensemble(members))
    events = run(replace(world.task, teacher=teacher))
    bootstrapped = [
        demo
        for demo in made_in(events)[-1].candidate.states["classify"].demos
        if demo.bootstrapped
    ]
    assert len(bootstrapped) == 4
    assert len({demo.source for demo in bootstrapped}) == 4


def test_another_program_teaches_the_steps_that_both_have() -> None:
    first = Predict.of("message -> summary")
    second = chain_of_thought(f"summary -> label: {ENUM}")
    theirs = Program(
        first.signature.inputs,
        second.signature.outputs,
        (
            (Node("shorten", first, {"message": Wire(INPUT, "message")}),),
            (Node("classify", second, {"summary": Wire("shorten", "summary")}),),
        ),
        {"label": Wire("classify", "label"), "reasoning": Wire("classify", "reasoning")},
    )
    world = taught(
        Teacher(runtime=Runtime(lm=other()), program=theirs),
        writes(learner),
        program=two_steps(),
        compiler="bootstrap",
        params={"max_labeled": 0},
    )
    events = run(world.task)
    assert tried_in(events)
    states = made_in(events)[-1].candidate.states
    assert states["shorten"].demos
    assert not states["classify"].demos
    note = result_of(events).note
    assert note.count("has no step “classify” with the same fields") == 1


@every_bootstrapper
def test_a_program_with_nothing_in_common_is_not_asked(compiler: str) -> None:
    lm = other()
    program = renamed(make_world(lm).task.program, "sort")
    world = taught(Teacher(runtime=Runtime(lm=lm), program=program), compiler=compiler)
    events = run(world.task)
    assert not tried_in(events)
    assert not lm.requests
    assert "nothing was bootstrapped. Choose a teacher whose steps" in result_of(events).note


def test_the_ledger_knows_each_teacher_by_what_it_is() -> None:
    task = make_world(writes(learner)).task
    candidate = task.program.candidate()
    runtime, lm = task.runtime, task.runtime.lm
    reasons = Program.of(chain_of_thought(f"message -> label: {ENUM}"), "classify")
    elsewhere = other("scripted")
    elsewhere.endpoint = "http://there"
    twice = Program(
        task.program.inputs,
        task.program.outputs,
        (*task.program.layers, (Node("again", Predict.of("message -> word"), {}),)),
        task.program.wires,
    )
    keys = [
        Teaching.of(replace(task, teacher=teacher), candidate).key
        for teacher in (
            None,
            Teacher(runtime=Runtime(lm=other())),
            Teacher(runtime=Runtime(lm=elsewhere)),
            Teacher(runtime=replace(runtime, temperature=0.5)),
            Teacher(runtime=replace(runtime, lms={"classify": other()})),
            Teacher(runtime=runtime, program=reasons),
            Teacher(runtime=runtime, program=twice),
            Teacher(runtime=Runtime(lm=other()), program=twice),
        )
    ]
    assert keys[0] == candidate.hash
    assert len(set(keys)) == len(keys)
    # The student under another hat is the student.
    same = make_world(writes(learner)).task.program
    for teacher in (
        Teacher(runtime=replace(runtime, lm=Metered(lm, task.budget))),  # type: ignore[arg-type]
        Teacher(runtime=runtime, program=same),
    ):
        assert Teaching.of(replace(task, teacher=teacher), candidate).key == candidate.hash


def test_what_a_teacher_did_is_not_taken_for_what_another_did() -> None:
    params = {"max_labeled": 0}
    world = make_world(writes(lambda prompt: LABELS[0]), compiler="bootstrap", params=params)
    first = run(world.task)
    alone = [(event.example, event.passed) for event in tried_in(first)]
    teacher = other()
    again = run(replace(world.task, teacher=Teacher(runtime=Runtime(lm=teacher))))
    assert teacher.requests
    assert all(event.passed for event in tried_in(again))
    assert not all(passed for _, passed in alone)


@every_bootstrapper
def test_a_broken_teacher_ends_it_at_once(compiler: str) -> None:
    lm = ScriptedLM(lambda request: LMInvalidRequest("no such model"))
    world = taught(Teacher(runtime=Runtime(lm=lm)), writes(learner), compiler=compiler)
    with pytest.raises(LMError, match="failed on each of the first 5 examples: no such model"):
        run(world.task)
    assert len(lm.requests) <= 16
    assert not world.lm.requests


def test_a_teacher_that_is_merely_wrong_is_no_broken_one() -> None:
    lm = writes(lambda prompt: "purple")
    world = taught(Teacher(runtime=Runtime(lm=lm)), writes(learner), compiler="bootstrap")
    events = run(world.task)
    assert not any(event.passed for event in tried_in(events))
    assert result_of(events).confirmed_on == 40
