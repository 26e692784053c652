"""What LMs share that can do no more than write text."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Any

from studio.engine.errors import LMInvalidRequest
from studio.engine.messages import Completion, LabelScores, Request


class Plain:
    """Abilities of an LM that has none of the special ones, and a stream in one piece."""

    name: Any
    # Any: a subclass may keep them as attributes or as properties.
    scores_labels: Any = False
    follows_schemas: Any = False
    calls_tools: Any = False
    sees_images: Any = False

    async def complete(self, request: Request) -> Completion:
        """See `LM.complete`."""
        raise NotImplementedError

    async def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        """The whole text as one piece, then the `Completion`."""
        completion = await self.complete(request)
        if completion.text:
            yield completion.text
        yield completion

    async def score_labels(self, prompt: str, labels: Sequence[str]) -> LabelScores:
        """Raises `LMInvalidRequest`: only a few servers score given labels."""
        raise LMInvalidRequest(f"{self.name} cannot score labels; ask it to write its answer.")

    async def aclose(self) -> None:
        """Nothing to give back."""

    def refuse_unseen(self, request: Request) -> None:
        """Raise `LMInvalidRequest` when the request shows something that this LM cannot see.

        A schema or a tool that an LM does not know of is left out; an image that is left out
        would make it answer about nothing.
        """
        if not self.sees_images and any(turn.attachments for turn in request.messages):
            raise LMInvalidRequest(
                f"{self.name} reads text only, and the request shows an image or a document. "
                "Choose a model that sees images, or say in its connection that it does."
            )
