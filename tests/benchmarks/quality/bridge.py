"""The embedded LM for code that runs in threads."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from studio.engine.errors import ParseError
from studio.engine.example import Demo, PredictorState
from studio.engine.fields import FieldType
from studio.engine.formats.completion import COMPLETION, CompletionRenderer
from studio.engine.lm.base import LM
from studio.engine.messages import Request
from studio.engine.signature import Field, Signature

T = TypeVar("T")
_LONGEST_WAIT_S = 600.0
LONGEST_PROPOSAL_PROMPT = 10_000
"""Characters. A longer prompt does not fit the server's context; its beginning is cut off, because
DSPy's compile would end in an error otherwise. Prompts of the task itself are never cut."""


@dataclass(frozen=True)
class Bridge:
    """An LM that lives on an event loop, called from other threads."""

    lm: LM
    loop: asyncio.AbstractEventLoop

    def wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run on the loop, and wait for it here."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(_LONGEST_WAIT_S)

    def complete(self, request: Request) -> str:
        """What follows a prompt."""
        return self.wait(self.lm.complete(request)).text

    def question(
        self,
        instruction: str,
        fields: Sequence[tuple[str, str, tuple[str, ...]]],
        demos: Sequence[Mapping[str, Any]],
        inputs: Mapping[str, Any],
    ) -> Question:
        """A question in our completion layout; `fields` are names, roles and labels, if any."""
        signature = Signature(
            tuple(
                Field(
                    name=name,
                    role="input" if role == "input" else "output",
                    type=FieldType("enum", labels=labels) if labels else FieldType("str"),
                )
                for name, role, labels in fields
            ),
            instruction,
        )
        state = PredictorState(
            instruction=instruction, demos=tuple(Demo(values=demo) for demo in demos)
        )
        given = {name: str(value) for name, value in inputs.items()}
        return Question(self, COMPLETION.renderer(signature, state, scored=True), given)


@dataclass(frozen=True)
class Question:
    """One question: its prompt, and how it is answered."""

    bridge: Bridge
    renderer: CompletionRenderer
    inputs: Mapping[str, str]

    @property
    def prompt(self) -> str:
        """As the LM reads it."""
        return self.renderer.ask(self.inputs, {}).prompt

    def answer(self, temperature: float, max_tokens: int, rollout: int) -> dict[str, Any]:
        """The label with the best score, or the texts that the LM writes, `""` where unread."""
        outputs = self.renderer.signature.outputs
        labels = outputs[0].type.labels
        if labels:
            scoring = self.bridge.lm.score_labels(self.prompt, [f" {label}" for label in labels])
            scores = self.bridge.wait(scoring).scores
            return {outputs[0].name: max(labels, key=lambda label: scores[f" {label}"])}
        request = self.renderer.ask(
            self.inputs, {}, temperature=temperature, max_tokens=max_tokens, rollout=rollout
        )
        request = replace(request, prompt=request.prompt[-LONGEST_PROPOSAL_PROMPT:])
        written = self.bridge.wait(self.bridge.lm.complete(request))
        empty = {field.name: "" for field in outputs}
        try:
            return {**empty, **self.renderer.read(written.text, {}, truncated=written.truncated)}
        except ParseError:
            return empty
