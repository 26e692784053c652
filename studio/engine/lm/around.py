"""What every LM around an LM shares: it is the same model at the same place."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence

from studio.engine.lm.base import LM
from studio.engine.messages import Completion, LabelScores, Request


class Around:
    """Passes on who the inner LM is; a wrapper changes how it is asked.

    A wrapper that has no `stream` of its own gives what its `complete` answers as one piece, so
    that nothing that `complete` does is ever missed.
    """

    def __init__(self, lm: LM) -> None:
        self._lm = lm

    @property
    def name(self) -> str:
        """The inner LM's name."""
        return self._lm.name

    @property
    def endpoint(self) -> str:
        """The inner LM's endpoint."""
        return self._lm.endpoint

    @property
    def default_format(self) -> str:
        """The inner LM's format."""
        return self._lm.default_format

    @property
    def scores_labels(self) -> bool:
        """Whether the inner LM scores labels."""
        return self._lm.scores_labels

    @property
    def follows_schemas(self) -> bool:
        """Whether the inner LM follows schemas."""
        return self._lm.follows_schemas

    @property
    def calls_tools(self) -> bool:
        """Whether the inner LM calls tools."""
        return self._lm.calls_tools

    @property
    def sees_images(self) -> bool:
        """Whether the inner LM reads attachments."""
        return self._lm.sees_images

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._lm!r})"

    async def complete(self, request: Request) -> Completion:
        """See `LM.complete`."""
        return await self._lm.complete(request)

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        """What `complete` answers, in one piece."""
        completion = await self.complete(request)
        if completion.text:
            yield completion.text
        yield completion

    async def score_labels(self, prompt: str, labels: Sequence[str]) -> LabelScores:
        """See `LM.score_labels`."""
        return await self._lm.score_labels(prompt, labels)

    async def aclose(self) -> None:
        """Close the inner LM."""
        await self._lm.aclose()
