"""An LM without a model: for tests, demonstrations, and a first look at the studio."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from studio.engine.errors import LMInvalidRequest
from studio.engine.lm.plain import Plain
from studio.engine.messages import Completion, LabelScores, Request, Usage

Answer = str | Completion | Exception
Script = Callable[[Request], Answer]
_PIECE = re.compile(r"\s*\S+|\s+$")

LabelScript = Callable[[str, Sequence[str]], Mapping[str, float]]


class ScriptedLM(Plain):
    """Answers what `answer` says: a function of the request, or texts that are given in turn.

    An exception in place of a text is raised; a `Completion` is given as it is, with its tool
    calls and, when it has one, its own usage. A stream gives a text word by word. `label_scores`
    is a function of the prompt and the labels; without it labels are not scored. Everything that
    was asked is in `requests` and `label_requests`, in order. Raises `LMInvalidRequest` when the
    texts have run out.
    """

    def __init__(
        self,
        answer: Script | Iterable[Answer],
        *,
        name: str = "scripted",
        endpoint: str = "scripted:",
        default_format: str = "chat",
        label_scores: LabelScript | None = None,
        latency_s: float = 0.0,
        follows_schemas: bool = False,
        calls_tools: bool = False,
        sees_images: bool = False,
    ) -> None:
        self.name = name
        self.endpoint = endpoint
        self.default_format = default_format
        self.scores_labels = label_scores is not None
        self.follows_schemas = follows_schemas
        self.calls_tools = calls_tools
        self.sees_images = sees_images
        self.requests: list[Request] = []
        self.label_requests: list[tuple[str, tuple[str, ...]]] = []
        self._answer = answer if callable(answer) else _in_turn(iter(answer))
        self._label_scores = label_scores
        self._latency_s = latency_s

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    async def complete(self, request: Request) -> Completion:
        """Answer as the script says, cut at the first of the request's stops."""
        self.refuse_unseen(request)
        self.requests.append(request)
        await asyncio.sleep(self._latency_s)
        answer = self._answer(request)
        if isinstance(answer, Exception):
            raise answer
        completion = Completion(text=answer) if isinstance(answer, str) else answer
        text = completion.text
        for stop in request.stop:
            text = text.partition(stop)[0]
        usage = completion.usage
        if usage == Usage():
            asked = request.prompt + " ".join(message.content for message in request.messages)
            usage = _usage(asked, text)
        return replace(completion, text=text, usage=usage)

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        """The answer word by word, then the `Completion`."""
        completion = await self.complete(request)
        for piece in _PIECE.findall(completion.text):
            yield piece
        yield completion

    async def score_labels(self, prompt: str, labels: Sequence[str]) -> LabelScores:
        """Score as the script says, or raise `LMInvalidRequest` when it says nothing."""
        if self._label_scores is None:
            raise LMInvalidRequest(f"{self.name} cannot score labels; ask it to write its answer.")
        self.label_requests.append((prompt, tuple(labels)))
        await asyncio.sleep(self._latency_s)
        return LabelScores(scores=self._label_scores(prompt, labels), usage=_usage(prompt, ""))

    async def aclose(self) -> None:
        """Nothing to give back."""


def builtin_scripted(model: str) -> ScriptedLM:
    """The scripted LM of that name, one of `SCRIPTS`; raises `LMInvalidRequest` for others."""
    # They read prompts, which takes formats and fields; other scripted LMs need neither.
    from studio.engine.lm.scripts import SCRIPTS

    script = SCRIPTS.get(model)
    if script is None:
        known = ", ".join(sorted(SCRIPTS))
        raise LMInvalidRequest(f"“{model}” is no built-in script. Known scripts are {known}.")
    return ScriptedLM(script.answer, name=model, label_scores=script.label_scores)


def _in_turn(answers: Iterator[Answer]) -> Script:
    def answer(request: Request) -> Answer:
        text = next(answers, None)
        return LMInvalidRequest("The script has no more answers.") if text is None else text

    return answer


def _usage(asked: str, answered: str) -> Usage:
    """A word is a token here."""
    return Usage(
        calls=1, prompt_tokens=len(asked.split()), completion_tokens=len(answered.split())
    )
