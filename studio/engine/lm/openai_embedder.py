"""Embedding models behind servers that speak OpenAI's protocol."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from studio.engine.lm.embedding import BatchedEmbedder, Batching
from studio.engine.lm.http_server import HttpServer
from studio.engine.lm.openai_answers import read_usage
from studio.engine.messages import Usage


class OpenAIHttpEmbedder(BatchedEmbedder):
    """A model behind `/embeddings`.

    `base_url` is the part before that; `price` is in US dollars for a million tokens. Every
    failure is an `LMError`, and neither those nor `repr` ever show the key.
    """

    def __init__(
        self,
        name: str,
        base_url: str,
        api_key: str = "",
        *,
        timeout_s: float = 60.0,
        price: float = 0.0,
        max_answer_bytes: int = 64 * 2**20,
        batching: Batching | None = None,
    ) -> None:
        super().__init__(batching)
        self.name = name
        self.server = HttpServer(
            name,
            base_url,
            api_key,
            timeout_s=timeout_s,
            connections=self._batching.concurrency,
            max_answer_bytes=max_answer_bytes,
        )
        self.endpoint = self.server.address
        self._price = (price, 0.0)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self.endpoint!r})"

    async def embed_batch(self, texts: Sequence[str]) -> tuple[Any, Usage]:
        """See `BatchedEmbedder`."""
        data = await self.server.post("embeddings", {"model": self.name, "input": list(texts)})
        return data.get("data"), read_usage(data.get("usage"), self._price)

    async def aclose(self) -> None:
        """Give back this loop's connections."""
        await self.server.aclose()
