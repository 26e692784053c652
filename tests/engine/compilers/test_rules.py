"""Rules: what they are induced from, and what of the answers becomes one."""

from __future__ import annotations

from studio.engine.compilers.events import Asked, CandidateMade, Event
from studio.engine.compilers.rewriting import LONGEST_RULE, read_rules, rewritten, with_rules
from studio.engine.lm.prompt_reader import Prompt, read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request
from studio.engine.runtime import Runtime
from tests.engine.compilers.builders import (
    RULE,
    gold,
    learner,
    make_examples,
    make_world,
    one_step,
    result_of,
    run,
    two_steps,
    writes,
)


def proposing(rules: str) -> ScriptedLM:
    def answer(request: Request) -> str:
        return read_prompt(request).answer({"rules": rules})

    return ScriptedLM(answer)


def made_in(events: list[Event]) -> list[CandidateMade]:
    return [event for event in events if isinstance(event, CandidateMade)]


def test_it_finds_the_rule_behind_right_answers() -> None:
    def answer(request: Request) -> str:
        """Sees the rule only if every example is shown with its right answer."""
        prompt = read_prompt(request)
        good = prompt.inputs[2]
        found = [
            (lines[1], lines[3])
            for block in good.split("=== Example ")[1:]
            if (lines := [line.strip() for line in block.splitlines()[1:]])
        ]
        knows = len(found) == 9 and all(
            label == f"label: {gold(message)}" for message, label in found
        )
        return prompt.answer({"rules": f"1. {RULE}.\n2. Answer with a colour." if knows else "?"})

    proposer = ScriptedLM(answer)
    world = make_world(
        writes(learner),
        compiler="rules",
        proposer=Runtime(lm=proposer),
        params={"shown": 9, "candidates": 2, "max_bootstrapped": 0, "max_labeled": 0},
    )
    events = run(world.task)
    result = result_of(events)
    assert result.improved
    assert result.candidate.states["classify"].instruction == (
        f"Given the message, produce the label.\n\nRules:\n- {RULE}.\n- Answer with a colour."
    )
    assert result.origin == "0 bootstrapped and 0 labelled demos, and 2 rules"
    assert len(proposer.requests) == 2


def test_demos_alone_race_against_demos_with_each_set_of_rules() -> None:
    world = make_world(
        writes(learner), compiler="rules", params={"candidates": 3, "max_labeled": 8}
    )
    base, *others = made_in(run(world.task))[1:]
    assert base.origin == "4 bootstrapped and 8 labelled demos"
    assert len(others) == 3
    demos = base.candidate.states["classify"].demos
    assert base.candidate.states["classify"].instruction == ""
    for each in others:
        assert each.origin == "4 bootstrapped and 8 labelled demos, and 1 rule"
        assert each.candidate.states["classify"].demos == demos
        assert f"\n\nRules:\n- {RULE}" in each.candidate.states["classify"].instruction


def test_no_more_rules_than_allowed() -> None:
    many = "\n".join(f"- Rule number {number}." for number in range(30))
    world = make_world(
        writes(learner),
        compiler="rules",
        proposer=Runtime(lm=proposing(many)),
        params={"max_rules": 5, "candidates": 1},
    )
    *_, last = made_in(run(world.task))
    instruction = last.candidate.states["classify"].instruction
    assert instruction.count("\n- Rule number") == 5
    assert instruction.endswith("- Rule number 4.")


def test_a_step_without_labels_learns_from_traces() -> None:
    proposer = proposing("Say it briefly.")
    world = make_world(
        writes(learner),
        compiler="rules",
        program=two_steps(),
        proposer=Runtime(lm=proposer),
        params={"candidates": 1},
    )
    events = run(world.task)
    asked = [event.path for event in events if isinstance(event, Asked)]
    assert asked == ["shorten", "classify"]
    first = read_prompt(proposer.requests[0]).inputs[2]
    assert "    summary: message number" in first
    states = made_in(events)[-1].candidate.states
    assert all("- Say it briefly." in state.instruction for state in states.values())


def test_a_step_of_which_nothing_good_is_known_gets_no_rules() -> None:
    def hopeless(prompt: Prompt) -> str:
        return "red" if gold(prompt.inputs[-1]) == "green" else "green"

    world = make_world(
        writes(hopeless), compiler="rules", program=two_steps(), params={"candidates": 2}
    )
    events = run(world.task)
    assert not any(isinstance(event, Asked) for event in events)
    assert result_of(events).number == 0


def test_what_stands_on_dev_is_not_learnt_from() -> None:
    proposer = proposing("Say it briefly.")
    train = make_examples(0, 30)
    world = make_world(
        writes(learner),
        compiler="rules",
        train=train,
        dev=[*train[:10], *make_examples(100, 10)],
        proposer=Runtime(lm=proposer),
        params={"shown": 30, "candidates": 1},
    )
    run(world.task)
    shown = read_prompt(proposer.requests[0]).inputs[2]
    numbers = {
        int(line.split()[-1]) for line in shown.splitlines() if line.startswith("    message:")
    }
    assert numbers == set(range(10, 30))


def test_rules_are_lines_that_stand_once() -> None:
    answer = ["- Be  brief.", "Be brief.", "", "Name the\ncolour.", "x" * (LONGEST_RULE + 1), 7]
    assert read_rules(answer, 9) == ["Be brief.", "Name the colour."]
    assert read_rules(answer, 1) == ["Be brief."]
    assert read_rules("Be brief.", 9) == ["Be brief."]
    assert read_rules(None, 9) == []


def test_rules_are_added_below_those_that_are_there() -> None:
    program = one_step()
    start = program.candidate()
    once = with_rules(program, start, "classify", ["One."])
    twice = with_rules(program, once, "classify", ["One.", "Two."])
    said = "Given the message, produce the label.\n\nRules:\n- One.\n- Two."
    assert twice.states["classify"].instruction == said
    assert with_rules(program, twice, "classify", ["Two."]) is twice
    other = rewritten(start, "classify", "Sort it.")
    assert with_rules(program, other, "classify", ["One."]).states["classify"].instruction == (
        "Sort it.\n\nRules:\n- One."
    )
