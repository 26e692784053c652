"""A tool that searches one collection."""

from __future__ import annotations

from typing import Any

from studio.engine.errors import RetrievalError, ToolError
from studio.engine.messages import ToolSpec
from studio.engine.retrieval.base import Retriever
from studio.engine.tools.arguments import CheckedTool

_LONGEST_QUERY = 4_000


class RetrievalTool(CheckedTool):
    """Answers a `query` with the `k` nearest passages of `retriever`, numbered, with titles."""

    def __init__(
        self, retriever: Retriever, name: str = "search", description: str = "", k: int = 3
    ) -> None:
        if k < 1:
            raise ToolError(f"A search finds one passage or more, not {k}.")
        self._retriever = retriever
        self._k = k
        super().__init__(
            ToolSpec(
                name,
                description or "Finds the passages that are nearest to the query.",
                {
                    "type": "object",
                    "properties": {
                        "query": {
                            "type": "string",
                            "description": "What to look for, in a few words or a sentence.",
                            "minLength": 1,
                            "maxLength": _LONGEST_QUERY,
                        }
                    },
                    "required": ["query"],
                    "additionalProperties": False,
                },
            )
        )

    async def run(self, arguments: dict[str, Any]) -> str:
        """See `CheckedTool.run`."""
        query = str(arguments["query"]).strip()
        if not query:
            raise ToolError("The query is empty: say what to look for.")
        try:
            found = await self._retriever.search(query, self._k)
        except RetrievalError as error:
            raise ToolError(str(error)) from None
        if not found:
            return "Nothing was found."
        return "\n\n".join(
            f"[{number}] {passage.title}\n{passage.text}"
            if passage.title
            else f"[{number}] {passage.text}"
            for number, passage in enumerate(found, 1)
        )
