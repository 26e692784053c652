"""DSPy at the same task, by its own documented means, its caches and logs off."""

from __future__ import annotations

import asyncio
import itertools
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import dspy

from tests.benchmarks.engine import task
from tests.benchmarks.engine.measure import many, taking

SIGNATURE = dspy.Signature(task.SIGNATURE, task.INSTRUCTION)


def program(demos: bool = False) -> Any:
    """Chain of thought, with or without demos."""
    made = dspy.ChainOfThought(SIGNATURE)
    if demos:
        made.predict.demos = [
            dspy.Example(augmented=True, **values).with_inputs("question")
            for values in task.demos()
        ]
    return made


def _lm(url: str) -> Any:
    return dspy.LM("openai/fixed", api_base=url, api_key="none", cache=False, max_tokens=256)


def chat(
    url: str, calls: int, demos: bool = False, in_flight: int = task.IN_FLIGHT
) -> dict[str, float]:
    """Calls through a server, in threads, as DSPy's own evaluation makes them."""
    dspy.configure(lm=_lm(url), disable_history=True)
    ask = program(demos)

    def call(number: int) -> None:
        assert ask(question=task.question(number)).answer == "Paris"

    with ThreadPoolExecutor(in_flight) as pool:
        list(pool.map(call, range(2 * in_flight)))
        with taking(calls) as took:
            list(pool.map(call, range(calls)))
    return took.figures()


def chat_async(url: str, calls: int, demos: bool = False) -> dict[str, float]:
    """The same through `acall` on one event loop."""
    dspy.configure(lm=_lm(url), disable_history=True)
    ask = program(demos)

    async def call(number: int) -> None:
        assert (await ask.acall(question=task.question(number))).answer == "Paris"

    async def run() -> dict[str, float]:
        await many(call, 2 * task.IN_FLIGHT, task.IN_FLIGHT)
        with taking(calls) as took:
            await many(call, calls, task.IN_FLIGHT)
        return took.figures()

    return asyncio.run(run())


class Instant(dspy.BaseLM):  # type: ignore[misc]
    """Answers in no time."""

    def __init__(self, answers: tuple[str, ...] = (task.ANSWER,)) -> None:
        super().__init__(model="instant")
        self._answers = itertools.cycle([_response(text) for text in answers])

    def forward(self, prompt: Any = None, messages: Any = None, **kwargs: Any) -> Any:
        """The next answer, as OpenAI's client gives it."""
        return next(self._answers)


def _response(text: str) -> Any:
    from litellm import ModelResponse

    return ModelResponse(
        choices=[{"message": {"role": "assistant", "content": text}}],
        usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
        model="instant",
    )


def bookkeeping(number: int) -> dict[str, float]:
    """`dspy.Evaluate` on an LM that takes no time, with its default of eight threads."""
    logging.getLogger("dspy").setLevel(logging.ERROR)
    dspy.configure(lm=Instant(), disable_history=True)
    rows = [
        dspy.Example(question=task.question(index), answer="Paris").with_inputs("question")
        for index in range(number)
    ]
    judged = dspy.Evaluate(devset=rows, metric=dspy.evaluate.answer_exact_match, num_threads=8)
    asked = program()
    with taking(number) as took:
        result = judged(asked)
    assert result.score == 100.0
    return {"seconds": took.wall_s, **took.figures()}


def lookup(topic: str) -> str:
    """Look a topic up."""
    return f"{topic} is well known."


STEP = (
    "[[ ## next_thought ## ]]\nI should look it up.\n\n[[ ## next_tool_name ## ]]\n{tool}\n\n"
    "[[ ## next_tool_args ## ]]\n{arguments}\n\n[[ ## completed ## ]]"
)


def agent(runs: int) -> dict[str, float]:
    """ReAct: two look-ups, the end, the answer; four calls of an LM that takes no time."""
    look = STEP.format(tool="lookup", arguments='{"topic": "capitals"}')
    end = STEP.format(tool="finish", arguments="{}")
    answers = (look, look.replace("capitals", "countries"), end, task.ANSWER)
    dspy.configure(lm=Instant(answers), disable_history=True)
    asked = dspy.ReAct(SIGNATURE, tools=[lookup])
    for _ in range(5):
        assert asked(question=task.question(1)).answer == "Paris"
    with taking(runs) as took:
        for number in range(runs):
            asked(question=task.question(number))
    return took.figures()
