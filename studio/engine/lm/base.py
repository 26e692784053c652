"""The protocol that every LM, and every wrapper around one, keeps."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol, runtime_checkable

from studio.engine.messages import Completion, LabelScores, Request


@runtime_checkable
class LM(Protocol):
    """A language model that answers requests."""

    @property
    def name(self) -> str:
        """The model's name, as its server knows it."""

    @property
    def endpoint(self) -> str:
        """Where it answers; with `name` it says which LM this is (no keys in it)."""

    @property
    def default_format(self) -> str:
        """The format that suits it: `chat` if it follows instructions, else `completion`."""

    @property
    def scores_labels(self) -> bool:
        """Whether `score_labels` works."""

    @property
    def follows_schemas(self) -> bool:
        """Whether an answer has the shape of `Request.schema`, by the server's guarantee."""

    @property
    def calls_tools(self) -> bool:
        """Whether `Request.tools` are offered to it, and come back as `Completion.tool_calls`."""

    @property
    def sees_images(self) -> bool:
        """Whether it reads `Message.attachments`."""

    async def complete(self, request: Request) -> Completion:
        """Answer, or raise an `LMError`."""

    def stream(self, request: Request) -> AsyncGenerator[str | Completion, None]:
        """The answer's text piece by piece, then the whole `Completion`; or raise an `LMError`."""

    async def score_labels(self, prompt: str, labels: Sequence[str]) -> LabelScores:
        """Log-probability of each whole label right after `prompt`, or raise an `LMError`.

        Labels are given as they stand in the text, with the space before them.
        """

    async def aclose(self) -> None:
        """Give back connections."""
