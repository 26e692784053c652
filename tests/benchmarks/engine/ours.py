"""Our engine at the task."""

from __future__ import annotations

import itertools
import resource
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from studio.engine.evaluation import Answered, Scored, Traced, evaluate
from studio.engine.example import Candidate, Demo, Example
from studio.engine.lm.compose import compose
from studio.engine.lm.openai_http import OpenAIHttpLM
from studio.engine.lm.plain import Plain
from studio.engine.messages import Completion, LabelScores, Message, Request, ToolSpec
from studio.engine.metrics import make_metric
from studio.engine.modules import chain_of_thought
from studio.engine.modules.react import ReAct, ReActParams
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from tests.benchmarks.engine import task
from tests.benchmarks.engine.measure import many, taking


def program(demos: bool = False) -> Program:
    """Chain of thought, with or without demos."""
    made = Program.of(chain_of_thought(Signature.parse(task.SIGNATURE, task.INSTRUCTION)))
    if not demos:
        return made
    states = {
        path: replace(state, demos=tuple(Demo(values=values) for values in task.demos()))
        for path, state in made.candidate().states.items()
    }
    return made.apply(Candidate(states))


async def chat(
    url: str, calls: int, demos: bool = False, in_flight: int = task.IN_FLIGHT
) -> dict[str, float]:
    """Calls through a server."""
    lm = compose(OpenAIHttpLM("fixed", url, connections=in_flight), concurrency=in_flight)
    runtime, ask = Runtime(lm=lm), program(demos)

    async def call(number: int) -> None:
        prediction = await ask({"question": task.question(number)}, runtime)
        assert prediction.values["answer"] == "Paris"

    await many(call, 2 * in_flight, in_flight)
    with taking(calls) as took:
        await many(call, calls, in_flight)
    await lm.aclose()
    return took.figures()


def body() -> dict[str, Any]:
    """What our engine sends for one question, for the bare client."""
    node = program().layers[0][0].module
    renderer = node.renderer(Runtime(lm=Instant()), Instant())  # type: ignore[attr-defined]
    request: Request = renderer.ask({"question": task.question(1)}, {})
    messages: Sequence[Message] = request.messages
    return {
        "model": "fixed",
        "temperature": 0.0,
        "max_tokens": 256,
        "messages": [{"role": turn.role, "content": turn.content} for turn in messages],
    }


class Instant(Plain):
    """Answers in no time."""

    name, endpoint, default_format = "instant", "here", "chat"

    def __init__(self, answers: Sequence[str] = (task.ANSWER,)) -> None:
        self._answers = itertools.cycle(answers)

    async def complete(self, request: Request) -> Completion:
        """The next answer."""
        return Completion(text=next(self._answers))

    async def score_labels(self, prompt: str, labels: Sequence[str]) -> LabelScores:
        """Not here."""
        raise NotImplementedError

    async def aclose(self) -> None:
        """Nothing to close."""


class Forgetful:
    """A ledger that remembers nothing, as if all were written away."""

    async def get_score(self, candidate_hash: str, example_id: str) -> Scored | None:
        """Nothing."""
        return None

    async def put_score(self, candidate_hash: str, example_id: str, scored: Scored) -> None:
        """Nothing."""

    async def get_trace(self, teacher_hash: str, example_id: str, round: int) -> Traced | None:
        """Nothing."""
        return None

    async def put_trace(
        self, teacher_hash: str, example_id: str, round: int, traced: Traced
    ) -> None:
        """Nothing."""

    async def get_answer(self, key: str) -> Answered | None:
        """Nothing."""
        return None

    async def put_answer(self, key: str, role: str, answered: Answered) -> None:
        """Nothing."""


def examples(number: int) -> Iterator[Example]:
    """Question and answer."""
    return (
        Example({"question": task.question(index), "answer": "Paris"}) for index in range(number)
    )


async def bookkeeping(number: int) -> dict[str, float]:
    """Evaluate `number` examples on an LM that takes no time."""
    asked = program()
    metric = make_metric("exact_match", {"field": "answer"})
    runtime, total = Runtime(lm=Instant()), 0.0
    rows = list(examples(number))
    with taking(number) as took:
        results = evaluate(
            asked, asked.candidate(), rows, metric, runtime, Forgetful(), concurrency=8
        )
        async for _, scored in results:
            total += scored.score.value or 0.0
    assert total == number
    return {"seconds": took.wall_s, **took.figures()}


async def memory(number: int) -> dict[str, float]:
    """The process's peak after a tenth of the examples, and after all, in MB."""
    asked = program()
    metric = make_metric("exact_match", {"field": "answer"})
    peaks: Mapping[int, float] = {}
    seen = 0
    results = evaluate(
        asked,
        asked.candidate(),
        examples(number),
        metric,
        Runtime(lm=Instant()),
        Forgetful(),
        concurrency=8,
    )
    async for _ in results:
        seen += 1
        if seen in (number // 10, number):
            peaks = {**peaks, seen: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}
    return {"tenth_mb": peaks[number // 10], "all_mb": peaks[number]}


class Lookup:
    """A tool that knows everything at once."""

    spec = ToolSpec(
        "lookup",
        "Look a topic up.",
        {
            "type": "object",
            "properties": {"topic": {"type": "string"}},
            "required": ["topic"],
            "additionalProperties": False,
        },
    )

    async def __call__(self, arguments: Mapping[str, Any]) -> str:
        """A fact."""
        return f"{arguments['topic']} is well known."


STEP = (
    "[[ ## thought ## ]]\nI should look it up.\n\n[[ ## tool ## ]]\n{tool}\n\n"
    "[[ ## arguments ## ]]\n{arguments}\n\n[[ ## completed ## ]]"
)


async def agent(runs: int) -> dict[str, float]:
    """ReAct: two look-ups, the end, the answer; four calls of an LM that takes no time."""
    look = STEP.format(tool="lookup", arguments='{"topic": "capitals"}')
    end = STEP.format(tool="finish", arguments="{}")
    lm = Instant([look, look.replace("capitals", "countries"), end, task.ANSWER])
    asked = Program.of(
        ReAct.of(Signature.parse(task.SIGNATURE, task.INSTRUCTION), ReActParams(tools=("lookup",)))
    )
    runtime = Runtime(lm=lm, tools={"lookup": Lookup()})
    for _ in range(5):
        prediction = await asked({"question": task.question(1)}, runtime)
        assert prediction.values["answer"] == "Paris"
        assert len([step for step in prediction.steps if step.prompt]) == 4
    with taking(runs) as took:
        for number in range(runs):
            await asked({"question": task.question(number)}, runtime)
    return took.figures()
