"""The LM of those who have none."""

from __future__ import annotations

from collections.abc import Sequence

from studio.engine.errors import LMInvalidRequest
from studio.engine.lm.plain import Plain
from studio.engine.messages import Completion, LabelScores, Request


class Nobody(Plain):
    """Stands where an LM is expected and none will be asked; whoever asks is refused."""

    name, endpoint, default_format = "nobody", "nowhere", "chat"

    async def complete(self, request: Request) -> Completion:
        """Raises `LMInvalidRequest`."""
        raise LMInvalidRequest("No language model was chosen for this.")

    async def score_labels(self, prompt: str, labels: Sequence[str]) -> LabelScores:
        """Raises `LMInvalidRequest`."""
        raise LMInvalidRequest("No language model was chosen for this.")

    async def aclose(self) -> None:
        """Nothing to give back."""
