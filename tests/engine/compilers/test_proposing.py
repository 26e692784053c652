"""What a proposer is told, and what becomes of its answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from studio.engine.compilers.describing import describe_program, describe_step, show_examples
from studio.engine.compilers.events import Asked, Event
from studio.engine.compilers.instructions import InstructionsParams
from studio.engine.compilers.proposing import (
    LONGEST_INSTRUCTION,
    SHOWN_ATTEMPTS,
    TIPS,
    Background,
    Wish,
    clean_instruction,
    distinct,
    propose_instructions,
    read_background,
    with_instruction,
)
from studio.engine.compilers.search import Search
from studio.engine.example import Candidate, Demo, Example, PredictorState
from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request
from studio.engine.modules import Predict, chain_of_thought
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from tests.engine.compilers.builders import make_examples, make_world, one_step, two_steps

PNG = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
Says = Callable[[Request], str]


def proposer(says: Says) -> ScriptedLM:
    """Writes the same into every field that it is asked for."""

    def answer(request: Request) -> str:
        prompt = read_prompt(request)
        return prompt.answer(dict.fromkeys(prompt.open, says(request)))

    return ScriptedLM(answer)


def make_search(says: Says, **changes: Any) -> tuple[Search, list[Event], ScriptedLM]:
    """A search whose proposer says that, the events it told, and the proposer."""
    events: list[Event] = []

    async def tell(event: Event) -> None:
        events.append(event)

    lm = proposer(says)
    world = make_world(ScriptedLM([]), proposer=Runtime(lm=lm), **changes)
    return Search(world.task, InstructionsParams(), tell), events, lm


def asked_of(request: Request) -> str:
    """The question in words."""
    return request.messages[-1].content


def counted(request: Request) -> str:
    return f"Say the colour, take {request.rollout}."


@pytest.mark.parametrize(
    ("answer", "instruction"),
    [
        ("Name the colour.", "Name the colour."),
        ("  Name the colour.\n", "Name the colour."),
        ('"Name the colour."', "Name the colour."),
        ("“Name the colour.”", "Name the colour."),
        ("«Name the colour.»", "Name the colour."),
        ('"Red" or "blue"', '"Red" or "blue"'),
        ("```\nName the colour.\n```", "Name the colour."),
        ("```text\nName the colour.\nOnly that.\n```", "Name the colour.\nOnly that."),
        ("Instruction: Name the colour.", "Name the colour."),
        ("**Instruction:** Name the colour.", "Name the colour."),
        ("**Improved instruction**: Name the colour.", "Name the colour."),
        ("Proposed instructions:\nName the colour.", "Name the colour."),
        ("## New instruction\nName the colour.", "Name the colour."),
        ('The new instruction: "```\nInstruction: Name it.\n```"', "Name it."),
        ("Instructions are read first.", "Instructions are read first."),
        ("Name\x00 the\x1b colour.", "Name the colour."),
        ("Name the colour \ud83d.", "Name the colour \ufffd."),
        ("", ""),
        (" \n\t", ""),
        ('""', ""),
        ("```\n```", ""),
        ("Instruction:", ""),
        ("...", ""),
        ("a" * (LONGEST_INSTRUCTION + 1), ""),
        ("word " * 1_000_000, ""),
        ("`" * 7_999, ""),
        (None, ""),
        (17, ""),
        ({"instruction": "Name it."}, ""),
    ],
)
def test_an_answer_becomes_an_instruction_or_nothing(answer: object, instruction: str) -> None:
    assert clean_instruction(answer) == instruction


def test_what_was_cleaned_stays_as_it_is() -> None:
    for answer in (
        "\"Instruction: 'name it'\"",
        "```\n“```\nName it\n```”\n```",
        "# Instruction\n\n x",
    ):
        once = clean_instruction(answer)
        assert once
        assert clean_instruction(once) == once


def test_equal_texts_are_one_up_to_case_and_spaces() -> None:
    texts = ["Name it.", "name  it.", "", "Say it.", "NAME IT.", "Guess."]
    assert distinct(texts) == ["Name it.", "Say it.", "Guess."]
    assert distinct(texts, but=["guess. ", "say it."]) == ["Name it."]


def test_a_program_is_told_with_its_steps_wires_and_instructions() -> None:
    program = two_steps()
    program = program.apply(with_instruction(program.candidate(), "shorten", "Keep the number."))
    text = describe_program(program)
    for part in (
        "It is given: message (str)",
        "Step 1, shorten: message -> summary",
        "message is the input message",
        "instruction: Keep the number.",
        "Step 2, classify: summary -> label: enum[red, green, blue]",
        "summary is summary of shorten",
        "instruction: Given the summary, produce the label.",
        "It answers: label, which is label of classify",
    ):
        assert part in text


def test_a_step_is_told_with_its_types_and_descriptions() -> None:
    signature = chain_of_thought("message -> label: enum[a, b]").signature
    text = describe_step(signature)
    assert "message (str)" in text
    assert "reasoning (str), Think step by step before the answer." in text
    assert "label (enum[a, b])" in text


def test_what_is_long_is_cut() -> None:
    labels = ", ".join(f"label_number_{number}" for number in range(900))
    program = Program.of(Predict.of(f"message -> label: enum[{labels}]"), "classify")
    program = program.apply(with_instruction(program.candidate(), "classify", "word " * 50_000))
    assert len(describe_program(program)) <= 2_000
    assert len(describe_step(program.predictors["classify"])) <= 2_000
    huge = [Example({"message": "x" * 3_000_000, "label": "label_number_1"})] * 50
    text = show_examples(program, huge)
    assert 300 <= len(text) <= 2_100
    assert "label: label_number_1" in text


def test_values_that_are_none_of_their_fields_are_told_all_the_same() -> None:
    program = Program.of(Predict.of("picture: image, tags: list[str] -> count: int, note"), "look")
    examples = [
        Example({"picture": PNG, "tags": ["a", "b"], "count": 2}),
        Example({"picture": "", "tags": 17, "count": "many", "note": None}),
    ]
    text = show_examples(program, examples)
    assert "base64" not in text
    assert "[image 1]" in text
    assert "count: 2" in text
    assert "count: many" in text
    assert "note" not in text


async def _proposed(search: Search, *wishes: Wish, **more: Any) -> dict[str, list[str]]:
    return await propose_instructions(search, wishes, **more)


def test_all_steps_are_asked_for_side_by_side_and_told_of() -> None:
    search, events, lm = make_search(counted, program=two_steps())
    wishes = (Wish(path="shorten", count=2), Wish(path="classify", count=3))
    found = asyncio.run(_proposed(search, *wishes))
    assert {path: len(texts) for path, texts in found.items()} == {"shorten": 2, "classify": 3}
    assert [event.path for event in events if isinstance(event, Asked)] == [
        *["shorten"] * 2,
        *["classify"] * 3,
    ]
    assert all(event.role == "proposer" for event in events if isinstance(event, Asked))
    assert len(lm.requests) == 5
    assert "Step 1, shorten" in asked_of(lm.requests[0])


def test_proposals_are_asked_to_differ_in_turn() -> None:
    search, _, lm = make_search(counted)
    asyncio.run(_proposed(search, Wish(path="classify", count=len(TIPS), first=1)))
    for tip, request in zip([*TIPS.values()][1:], lm.requests, strict=False):
        assert tip in asked_of(request)
    assert "tip" not in asked_of(lm.requests[-1])


def test_the_same_again_is_not_asked_and_not_proposed() -> None:
    search, _, lm = make_search(lambda request: "Say the colour.")
    wish = Wish(path="classify", count=3)
    assert asyncio.run(_proposed(search, wish)) == {"classify": ["Say the colour."]}
    assert asyncio.run(_proposed(search, wish)) == {"classify": ["Say the colour."]}
    assert len(lm.requests) == 3
    known = replace(wish, attempts=[("say the  colour.", 0.5)])
    assert asyncio.run(_proposed(search, known)) == {"classify": []}
    current = with_instruction(search.start, "classify", "Say the colour.")
    assert asyncio.run(_proposed(search, wish, current=current)) == {"classify": []}


def test_the_best_attempts_are_told_with_their_scores_and_the_best_one_last() -> None:
    search, _, lm = make_search(counted)
    attempts = [(f"Attempt {number}.", number / 40) for number in range(40, 0, -1)]
    asyncio.run(_proposed(search, Wish(path="classify", count=1, attempts=attempts)))
    text = asked_of(lm.requests[0])
    told = [line for line in text.splitlines() if "Attempt" in line]
    assert len(told) == SHOWN_ATTEMPTS
    assert told[-1] == "100.0%: Attempt 40."
    assert told[0] == "77.5%: Attempt 31."


def test_the_proposer_sees_no_example_that_selects_or_confirms() -> None:
    train = make_examples(0, 30)
    search, _, lm = make_search(counted, train=train, dev=[*train[:10], *make_examples(100, 10)])
    demos = tuple(
        Demo(values=dict(example.values), source=example.id) for example in train[5:25:5]
    )
    wishes = Wish(path="classify", count=2, demos=[demos[:2], demos])

    async def both() -> None:
        await read_background(search)
        await _proposed(search, wishes)

    asyncio.run(both())
    asked = "\n".join(asked_of(request) + "\n" for request in lm.requests)
    numbers = {int(part.split()[0]) for part in asked.split("message number ")[1:]}
    others = {int(str(item.values["message"]).split()[-1]) for item in (*search.dev, *search.test)}
    assert numbers
    assert not numbers & others


def test_with_nothing_that_may_be_shown_it_asks_all_the_same() -> None:
    train = make_examples(0, 30)
    search, _, lm = make_search(counted, train=train, dev=train)
    background = asyncio.run(read_background(search))
    assert background.data == ""
    assert asyncio.run(_proposed(search, Wish(path="classify", count=1)))["classify"]
    assert all("message number" not in asked_of(request) for request in lm.requests)


def test_program_steps_and_data_are_described_once() -> None:
    def says(request: Request) -> str:
        text = asked_of(request)
        return "About " + ("data" if "## summary ##" in text else text[:30].strip("[# ]\n"))

    search, events, lm = make_search(says, program=two_steps())
    background = asyncio.run(read_background(search))
    assert background.data == "About data"
    assert background.program.startswith("About program")
    assert list(background.steps) == ["shorten", "classify"]
    assert asyncio.run(read_background(search)) == background
    assert len(lm.requests) == 4
    purposes = [event.purpose for event in events[:4] if isinstance(event, Asked)]
    assert purposes == [
        "a description of the program",
        *["a description of the step"] * 2,
        "a summary of the training data",
    ]
    asyncio.run(_proposed(search, Wish(path="classify", count=1), background=background))
    asked = asked_of(lm.requests[-1])
    assert all(text in asked for text in ("About data", background.program))


@pytest.mark.parametrize("said", ["", "\x00", "word " * 400_000, "[[ ## program ## ]]"])
def test_a_background_that_cannot_be_used_is_the_plain_one(said: str) -> None:
    search, _, _ = make_search(lambda request: said)
    background = asyncio.run(read_background(search))
    assert len(background.program) <= 2_000
    assert len(background.data) <= 2_000
    if not said.strip("\x00"):
        assert background.program == describe_program(one_step())
    found = asyncio.run(_proposed(search, Wish(path="classify", count=2), background=background))
    assert len(found["classify"]) <= 1


def test_a_proposer_that_keeps_to_no_layout_proposes_nothing() -> None:
    search, events, _ = make_search(counted)
    broken = ScriptedLM(lambda request: "I would rather not.")
    search.task = replace(search.task, proposer=Runtime(lm=broken))
    assert asyncio.run(_proposed(search, Wish(path="classify", count=2))) == {"classify": []}
    assert all(event.problem for event in events if isinstance(event, Asked))


def test_no_question_is_long() -> None:
    long = "x " * 5_000
    train = [Example({"message": f"{number} {long}", "label": "red"}) for number in range(30)]
    search, _, lm = make_search(counted, train=train)
    attempts = [(f"{number} {long}", 0.5) for number in range(30)]
    background = Background(program="p" * 2_000, data="d" * 2_000)
    wish = Wish(path="classify", count=1, attempts=attempts)
    asyncio.run(_proposed(search, wish, background=background))
    assert len(asked_of(lm.requests[0])) < 12_000


def test_a_changed_instruction_is_calibrated_anew_and_keeps_its_demos() -> None:
    demo = Demo(values={"message": "m", "label": "red"}, source="e")
    state = PredictorState(
        instruction="Old.", demos=(demo,), calibration={"label": {"red": 0.5, "blue": -0.5}}
    )
    found = with_instruction(Candidate({"a": state, "b": state}), "a", "New.")
    assert found.states["a"] == PredictorState(instruction="New.", demos=(demo,))
    assert found.states["b"] == PredictorState(instruction="Old.", demos=(demo,))
