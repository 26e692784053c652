"""Small worlds to compile in: examples, programs, and LMs that are plain functions."""

from __future__ import annotations

import asyncio
import hashlib
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from studio.engine.compilers import CompileTask, compile_program
from studio.engine.compilers.events import CompileResult, Event, Finished
from studio.engine.evaluation import Answered, MemoryLedger, Scored, Traced
from studio.engine.example import Example
from studio.engine.lm.metered import Budget, Metered
from studio.engine.lm.prompt_reader import Prompt, read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.messages import Request
from studio.engine.metrics import make_metric
from studio.engine.modules import Predict
from studio.engine.program import INPUT, Node, Program, Wire
from studio.engine.runtime import Runtime

LABELS = ("red", "green", "blue")
ENUM = f"enum[{', '.join(LABELS)}]"


def make_examples(start: int, count: int) -> list[Example]:
    """Messages with a number and a colour; labels in turn."""
    return [
        Example({"message": f"message number {number}", "label": LABELS[number % len(LABELS)]})
        for number in range(start, start + count)
    ]


def one_step() -> Program:
    """message -> label."""
    return Program.of(
        Predict.of(
            f"message -> label: {ENUM}",
        ),
        "classify",
    )


def two_steps() -> Program:
    """message -> summary, summary -> label."""
    first = Predict.of("message -> summary")
    second = Predict.of(f"summary -> label: {ENUM}")
    return Program(
        first.signature.inputs,
        second.signature.outputs,
        (
            (Node("shorten", first, {"message": Wire(INPUT, "message")}),),
            (Node("classify", second, {"summary": Wire("shorten", "summary")}),),
        ),
        {"label": Wire("classify", "label")},
    )


RULE = "Look at the number in the message"
"""What a proposer of these worlds comes up with; `learner` heeds it."""
_WRITTEN = ("label", "summary")
"""Outputs of the programs of these worlds: everything else is a proposer's question."""


@dataclass(frozen=True, kw_only=True)
class Read(Prompt):
    """A prompt, and whether its instruction holds `RULE`."""

    taught: bool = False

    @classmethod
    def of(cls, request: Request) -> Read:
        """Read a request."""
        prompt = read_prompt(request)
        known = {each.name: getattr(prompt, each.name) for each in fields(Prompt)}
        said = (request.prompt, *(message.content for message in request.messages))
        return cls(**known, taught=any(RULE in text for text in said))


def proposal(request: Request) -> str:
    """A new instruction; another one for each question and each rollout."""
    said = [request.prompt, *(message.content for message in request.messages)]
    return f"{RULE} ({int(chance('proposal', said, request.rollout) * 10**6)})."


def chance(*parts: object) -> float:
    """A number between 0 and 1 that depends on `parts` alone."""
    digest = hashlib.sha256(repr(parts).encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def gold(text: str) -> str:
    """The right label of a message, out of the number in it."""
    return LABELS[int("".join(filter(str.isdigit, text)) or 0) % len(LABELS)]


def learner(prompt: Prompt) -> str:
    """More often right with more demos: 40 % without, 85 % with eight; 40 points for `RULE`."""
    text = prompt.inputs[-1]
    taught = getattr(prompt, "taught", False)
    sure = 0.4 + 0.056 * min(8, len(prompt.demos)) + 0.4 * taught
    right = chance("learner", text, len(prompt.demos)) < sure
    return gold(text) if right else LABELS[(LABELS.index(gold(text)) + 1) % 3]


def copier(prompt: Prompt) -> str:
    """Knows nothing: the label of the demo with the same message, else a label at random."""
    text = prompt.inputs[-1]
    for demo in prompt.demos:
        if demo.text == text:
            return demo.outputs["label"]
    return LABELS[int(3 * chance("copier", text, len(prompt.demos)))]


def spoiled(prompt: Prompt) -> str:
    """Worse with every demo."""
    text = prompt.inputs[-1]
    return LABELS[0] if prompt.demos else gold(text)


def writes(mind: Callable[[Prompt], str], latency: random.Random | None = None) -> ScriptedLM:
    """An LM that follows instructions; every text output says back the input."""

    def answer(request: Request) -> str:
        prompt = Read.of(request)
        return prompt.answer({name: says(name, prompt, request) for name in prompt.open})

    def says(name: str, prompt: Prompt, request: Request) -> str:
        if name not in _WRITTEN:
            return proposal(request)
        return mind(prompt) if name == "label" else prompt.inputs[-1]

    lm = ScriptedLM(answer)
    return lm if latency is None else _Slow(lm, latency)


def scores(
    mind: Callable[[Prompt], str], bias: Mapping[str, float], noise: float = 0.0
) -> ScriptedLM:
    """A base model that scores labels: 1 for what it thinks, and a bias for each label."""

    def label_scores(text: str, labels: Sequence[str]) -> dict[str, float]:
        prompt = Read.of(Request(prompt=text))
        thought = mind(prompt)
        points = {
            label: float(label.strip() == thought)
            + bias.get(label.strip(), 0.0)
            + noise * chance(label, text)
            for label in labels
        }
        total = math.log(sum(map(math.exp, points.values())))
        return {label: value - total for label, value in points.items()}

    def write(request: Request) -> str:
        prompt = read_prompt(request)
        own = all(name in _WRITTEN for name in prompt.open)
        return f" {prompt.inputs[-1] if own else proposal(request)}"

    return ScriptedLM(
        write,
        default_format="completion",
        label_scores=label_scores,
    )


class _Slow(ScriptedLM):
    """Takes a random while for each answer, so that the order of answers is a random one."""

    def __init__(self, lm: ScriptedLM, latency: random.Random) -> None:
        super().__init__(lm._answer)
        self.latency = latency

    async def complete(self, request: Request) -> Any:
        await asyncio.sleep(self.latency.random() / 2000)
        return await super().complete(request)


@dataclass
class StrictLedger(MemoryLedger):
    """Refuses to remember anything twice."""

    def __post_init__(self) -> None:
        self.puts = 0

    async def put_score(self, candidate_hash: str, example_id: str, scored: Scored) -> None:
        assert (candidate_hash, example_id) not in self.scores, "scored twice"
        self.puts += 1
        await super().put_score(candidate_hash, example_id, scored)

    async def put_answer(self, key: str, role: str, answered: Answered) -> None:
        assert key not in self.answers, "asked twice"
        self.puts += 1
        await super().put_answer(key, role, answered)

    async def put_trace(
        self, teacher_hash: str, example_id: str, round: int, traced: Traced
    ) -> None:
        assert (teacher_hash, example_id, round) not in self.traces, "tried twice"
        self.puts += 1
        await super().put_trace(teacher_hash, example_id, round, traced)


@dataclass
class World:
    """A task, and what its LM was asked."""

    lm: ScriptedLM
    task: CompileTask
    ledger: StrictLedger = field(default_factory=StrictLedger)

    @property
    def calls(self) -> int:
        return len(self.lm.requests) + len(self.lm.label_requests)


def make_world(lm: ScriptedLM, *, max_calls: int | None = None, **changes: Any) -> World:
    """A small compile with everything in it."""
    budget = Budget(max_calls)
    ledger = changes.pop("ledger", None) or StrictLedger()
    task = CompileTask(
        program=changes.pop("program", one_step()),
        train=changes.pop("train", make_examples(0, 30)),
        dev=changes.pop("dev", make_examples(100, 24)),
        test=changes.pop("test", make_examples(200, 40)),
        metric=changes.pop("metric", make_metric("exact_match", {"field": "label"})),
        runtime=Runtime(lm=Metered(lm, budget)),
        ledger=ledger,
        budget=budget,
        **{"compiler": "random-search", "concurrency": 8, **changes},
    )
    return World(lm, task, ledger)


async def collect(task: CompileTask) -> list[Event]:
    """All events."""
    return [event async for event in compile_program(task)]


def run(task: CompileTask) -> list[Event]:
    """All events, in a loop of its own."""
    return asyncio.run(collect(task))


def result_of(events: Sequence[Event]) -> CompileResult:
    """What it ended in."""
    last = events[-1]
    assert isinstance(last, Finished)
    return last.result


def with_params(task: CompileTask, **params: Any) -> CompileTask:
    """The task with other parameters."""
    return replace(task, params=params)
