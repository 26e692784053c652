"""What tests of evaluations need: one that runs here, and LMs that waver or fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from studio.engine.lm.prompt_reader import read_prompt
from studio.engine.lm.scripted import ScriptedLM
from studio.engine.lm.scripts import support_triage
from studio.engine.messages import Request
from studio.runs.evaluations.asked import Asked
from studio.runs.evaluations.starting import start_evaluation
from studio.runs.evaluations.subjects import Subject
from studio.runs.execute import execute
from studio.runs.models import Run
from tests.runs.builders import Kit


def start(kit: Kit, **options: Any) -> Run:
    """Queue an evaluation of the pipeline as it is drawn, on dev, kicking nobody."""
    asked = {
        name: options.pop(name)
        for name in ("split", "repeats", "rows", "count")
        if name in options
    }
    return start_evaluation(
        **{
            "actor": kit.actor,
            "pipeline": kit.pipeline,
            "subject": Subject(None),
            "dataset": kit.dataset,
            "metric": kit.metric,
            "connection": kit.connection,
            "asked": Asked(**{"split": "dev", **asked}),
            "max_calls": 1000,
            "reuse": False,
            "kick": False,
            **options,
        }
    )


def evaluate(kit: Kit, **options: Any) -> Run:
    """The same, executed here."""
    run = start(kit, **options)
    execute(run.pk)
    run.refresh_from_db()
    return run


def noisy() -> Callable[[], ScriptedLM]:
    """An LM that changes its mind on every third message when it is asked again."""

    def answer(request: Request) -> str:
        prompt = read_prompt(request)
        number = sum(map(ord, str(prompt.inputs)))
        labels = ["billing", "shipping"]
        return prompt.answer({"category": labels[(request.rollout if number % 3 == 0 else 0) % 2]})

    return lambda: ScriptedLM(answer)


def failing_on(word: str, error: Exception) -> Callable[[], ScriptedLM]:
    """An LM that fails on messages with a word."""

    def answer(request: Request) -> str | Exception:
        if word in str(read_prompt(request).inputs):
            return error
        return support_triage(request)

    return lambda: ScriptedLM(answer)
