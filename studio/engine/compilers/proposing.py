"""Asking a proposer for instructions: what it is told, and what of its answers can be used.

The proposer learns what the step takes and gives, how the program around it is wired, what the
data looks like, and how earlier instructions scored, after the grounded proposals of Opsahl-Ong
et al. 2024 (https://arxiv.org/abs/2406.11695). Only training examples are shown that stand neither
on dev nor on test, everything is cut to a length that a small model can read, and any text may
come back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from studio.engine.compilers.demos import labelled_demo
from studio.engine.compilers.describing import (
    LONGEST_TEXT,
    describe_program,
    describe_step,
    one_line,
    show_demos,
    show_examples,
)
from studio.engine.compilers.running import Question
from studio.engine.compilers.search import Search
from studio.engine.compilers.selecting import stratified
from studio.engine.example import Candidate, Demo, Example
from studio.engine.fields import shorten
from studio.engine.formats.base import sendable
from studio.engine.program import Program
from studio.engine.signature import Signature

LONGEST_INSTRUCTION = 4_000
"""Letters; a longer answer is no instruction."""
SHOWN_ATTEMPTS = 10
"""The best of the earlier instructions, as many as the proposer is told of."""
NOTHING_NEW = "The proposer had no new instruction: try another LM as the proposer."
"""A note for the report."""
_SHOWN_EXAMPLES = 5
_SUMMARISED_EXAMPLES = 20

TIPS: Mapping[str, str] = {
    "none": "",
    "precise": "Say exactly what counts as a right answer, and what does not.",
    "brief": "Be brief: one or two plain sentences.",
    "pitfalls": "Name the mistakes that are easily made here, and how to avoid them.",
    "expert": "Tell the model which expert it is, and write as one would to such an expert.",
    "stakes": "Say what hangs on a right answer, so that care is taken.",
    "procedure": "Give a short procedure: what to look at first, and how to decide.",
    "cases": "Describe each kind of case in a few words, with what to answer for it.",
}
"""What a proposal is asked to be like, in turn, so that proposals differ."""

_SUMMARISE = Signature.parse(
    "examples -> summary",
    "You are shown some examples of a dataset. Say in three or four sentences what the data is "
    "about, what the inputs look like, and what the right answers have in common.",
)
_DESCRIBE_PROGRAM = Signature.parse(
    "program -> description",
    "You are shown a program whose steps ask a language model. Say in two or three sentences what "
    "the whole program is for and how its steps work together.",
)
_DESCRIBE_STEP = Signature.parse(
    "program, step -> description",
    "You are shown a program whose steps ask a language model, and one of its steps. Say in one "
    "or two sentences what this step has to achieve for the program.",
)
_PROPOSE = (
    "Write a better instruction for one step of a program, for the language model that carries "
    "the step out. It reads the instruction first, then the inputs, and writes the outputs. "
    "Answer with the instruction alone: no title, no quotes, nothing about this request."
)
_PROPOSE_FROM_ATTEMPTS = (
    f"{_PROPOSE} You are told how earlier instructions scored, the best one last: write one that "
    "differs from all of them and scores higher."
)

_FENCE = re.compile(r"^```[\w-]*[ \t]*\n(.*?)\n?```$", re.DOTALL)
_TITLE = re.compile(
    r"^(?:#+[ \t]*)?[*_]{0,2}(?:the |an? )?(?:new |improved |proposed |revised |better |final )?"
    r"instructions?(?:[*_]{0,2}[ \t]*:[*_]{0,2}|[*_]{0,2}[ \t]*\n)\s*",
    re.IGNORECASE,
)
_QUOTES = {'"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "„": "“", "`": "`"}
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, kw_only=True)
class Background:
    """What proposers are told besides the step itself; empty parts are left out."""

    data: str = ""
    """What the training data is like."""
    program: str = ""
    """What the whole program does."""
    steps: Mapping[str, str] = field(default_factory=dict)
    """By predictor: what it has to achieve."""


@dataclass(frozen=True, kw_only=True)
class Wish:
    """New instructions for one predictor."""

    path: str
    count: int
    attempts: Sequence[tuple[str, float]] = ()
    """Instructions that were tried, each with its score from 0 to 1."""
    demos: Sequence[Sequence[Demo]] = ()
    """For each proposal in turn, what the proposer is shown; none: labelled examples."""
    first: int = 0
    """How many were asked for before: another number brings other answers."""


async def propose_instructions(
    search: Search,
    wishes: Sequence[Wish],
    background: Background | None = None,
    *,
    current: Candidate | None = None,
) -> dict[str, list[str]]:
    """New instructions by predictor, all asked side by side.

    Each is usable (see `clean_instruction`), stands once, and is neither the one that the
    predictor has in `current` (by default in `search.start`) nor among the attempts: there may be
    fewer than wished for, or none.
    """
    current = current or search.start
    background = background or Background()
    questions = [
        _question(search, current, background, wish, number)
        for wish in wishes
        for number in range(wish.count)
    ]
    answers = iter(await search.ask(questions))
    found: dict[str, list[str]] = {}
    for wish in wishes:
        have = instruction_of(search.program(current), current, wish.path)
        texts = [clean_instruction(next(answers).get("instruction")) for _ in range(wish.count)]
        found[wish.path] = distinct(texts, but=[have, *(text for text, _ in wish.attempts)])
    return found


async def read_background(search: Search) -> Background:
    """The data summed up, the program and each predictor described; each asked once a compile.

    Where the proposer's answer cannot be used, the plain description stands in.
    """
    program = search.program(search.start)
    plain = describe_program(program)
    steps = {path: describe_step(signature) for path, signature in program.predictors.items()}
    data = show_examples(program, safe_examples(search)[:_SUMMARISED_EXAMPLES])
    questions = [
        Question(
            signature=_DESCRIBE_PROGRAM,
            inputs={"program": plain},
            purpose="a description of the program",
        ),
        *(
            Question(
                signature=_DESCRIBE_STEP,
                inputs={"program": plain, "step": f"{path}\n{step}"},
                purpose="a description of the step",
                path=path,
            )
            for path, step in steps.items()
        ),
    ]
    if data:
        questions.append(
            Question(
                signature=_SUMMARISE,
                inputs={"examples": data},
                purpose="a summary of the training data",
            )
        )
    said, *answers = await search.ask(questions)
    return Background(
        program=_told(said.get("description")) or plain,
        steps={
            path: _told(answer.get("description"))
            for path, answer in zip(steps, answers, strict=False)
        },
        data=_told(answers[-1].get("summary")) if data else "",
    )


def safe_examples(search: Search) -> list[Example]:
    """The training examples that a proposer may see, balanced over the labels.

    None of them stands on dev or test: what an instruction quotes cannot give an answer away.
    """
    return stratified(
        search.task.program, search.parts.train_only, f"{search.task.seed}/proposing"
    )


def instruction_of(program: Program, candidate: Candidate, path: str) -> str:
    """The instruction that the predictor has, or the plain sentence that stands in for it."""
    return candidate.states[path].instruction.strip() or program.predictors[path].task


def with_instruction(candidate: Candidate, path: str, instruction: str) -> Candidate:
    """The candidate with another instruction for one predictor; calibrations are fitted anew."""
    states = {name: replace(state, calibration={}) for name, state in candidate.states.items()}
    states[path] = replace(states[path], instruction=instruction)
    return Candidate(states)


def clean_instruction(answer: object) -> str:
    """The instruction in a proposer's answer; empty when there is none in it.

    Fences, quotes around the whole and titles such as “Instruction:” are taken off. What is
    longer than `LONGEST_INSTRUCTION`, or has no letter in it, is no instruction.
    """
    # An answer may be of any length: what cannot become short enough is not looked at.
    if not isinstance(answer, str) or len(answer) > 2 * LONGEST_INSTRUCTION:
        return ""
    text = _CONTROL.sub("", sendable(answer)).strip()
    before = ""
    while text != before:
        before = text
        text = _unquoted(_TITLE.sub("", _FENCE.sub(r"\1", text))).strip()
    usable = len(text) <= LONGEST_INSTRUCTION and any(map(str.isalpha, text))
    return text if usable else ""


def distinct(texts: Iterable[str], *, but: Iterable[str] = ()) -> list[str]:
    """Each text once, up to case and spaces; none that is empty or one of `but`."""
    seen = {"", *(_key(text) for text in but)}
    found = []
    for text in texts:
        if _key(text) not in seen:
            seen.add(_key(text))
            found.append(text)
    return found


def _question(
    search: Search, current: Candidate, background: Background, wish: Wish, number: int
) -> Question:
    program = search.program(current)
    signature = program.predictors[wish.path]
    attempts = sorted(wish.attempts, key=lambda attempt: attempt[1])[-SHOWN_ATTEMPTS:]
    tips = list(TIPS.values())
    rollout = wish.first + number
    # What is the same for all proposals stands first: a server reads it once.
    told = {
        "program": background.program or describe_program(program),
        "data": background.data,
        "step": "\n".join(
            part
            for part in (
                wish.path,
                describe_step(signature),
                background.steps.get(wish.path, ""),
            )
            if part
        ),
        "current_instruction": shorten(
            instruction_of(program, current, wish.path), LONGEST_INSTRUCTION
        ),
        "scores": "\n".join(f"{score:.1%}: {one_line(text)}" for text, score in attempts),
        "examples": _examples(search, wish, number, signature),
        "tip": tips[rollout % len(tips)],
    }
    inputs = {name: text for name, text in told.items() if text}
    asked = _PROPOSE_FROM_ATTEMPTS if attempts else _PROPOSE
    return Question(
        signature=Signature.parse(f"{', '.join(inputs)} -> instruction", asked),
        inputs=inputs,
        purpose="an instruction",
        path=wish.path,
        rollout=rollout,
    )


def _examples(search: Search, wish: Wish, number: int, signature: Signature) -> str:
    """Demos of the wish for this proposal, or labelled ones; safe ones only."""
    allowed = safe_examples(search)
    demos: list[Demo] = []
    if wish.demos:
        ids = {example.id for example in allowed}
        demos = [demo for demo in wish.demos[number % len(wish.demos)] if demo.source in ids]
    if not demos:
        program = search.task.program
        if wish.path not in program.predictors:
            return show_examples(program, allowed[:_SHOWN_EXAMPLES])
        made = (labelled_demo(program, wish.path, example) for example in allowed)
        demos = [demo for demo in made if demo]
    if not demos:
        return show_examples(search.task.program, allowed[:_SHOWN_EXAMPLES])
    return show_demos(signature, demos[:_SHOWN_EXAMPLES])


def _told(answer: object) -> str:
    """What the proposer wrote, as far as it is passed on."""
    text = answer[: 2 * LONGEST_TEXT] if isinstance(answer, str) else ""
    return shorten(_CONTROL.sub("", sendable(text)).strip(), LONGEST_TEXT)


def _unquoted(text: str) -> str:
    """`text` without quotes around the whole of it."""
    if len(text) > 1 and _QUOTES.get(text[0]) == text[-1]:
        inside = text[1:-1]
        if text[0] not in inside and text[-1] not in inside:
            return inside
    return text


def _key(text: str) -> str:
    return " ".join(text.casefold().split())
