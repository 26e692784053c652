"""The key under which an answer is kept: the hash of everything that decides it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from studio.engine.lm.heads import Heads
from studio.engine.messages import Message, Request


class Keys:
    """Makes keys for one model's questions: SHA-256 in hex.

    The hash runs over JSON texts, each with a zero byte after it, which no JSON holds: who is
    asked, the kind of question, the messages one by one, and the rest. So the hash of a head that
    many requests share is computed once and gone on with.
    """

    def __init__(self, endpoint: str, name: str) -> None:
        self._start = hashlib.sha256()
        _add(self._start, [endpoint, name])
        self._complete = self._start.copy()
        _add(self._complete, "complete")
        self._heads = Heads(self._of_head)

    def complete(self, request: Request) -> str:
        """The key of the answer to `request`, whether it is streamed or not."""
        messages = request.messages
        if messages:
            found = self._heads.get(messages).copy()
            _add(found, messages[-1].to_list())
        else:
            found = self._complete.copy()
            _add(found, request.prompt)
        _add(found, [request.temperature, request.max_tokens, request.stop, request.rollout])
        if request.schema is not None or request.tools:
            schema = None if request.schema is None else dict(request.schema)
            _add(found, [schema, [tool.to_dict() for tool in request.tools]])
        return found.hexdigest()

    def of(self, kind: str, question: Sequence[Any]) -> str:
        """The key of another kind of question."""
        found = self._start.copy()
        _add(found, kind)
        for part in question:
            _add(found, part)
        return found.hexdigest()

    def _of_head(self, head: tuple[Message, ...]) -> hashlib._Hash:
        found = self._complete.copy()
        for message in head:
            _add(found, message.to_list())
        return found


# An encoder made once: `json.dumps` with options makes one for each call.
_encode = json.JSONEncoder(sort_keys=True, allow_nan=False, separators=(",", ":")).encode


def _add(found: hashlib._Hash, part: Any) -> None:
    # ASCII: half a surrogate pair is escaped, and so has a key like every other text.
    found.update(_encode(part).encode("ascii"))
    found.update(b"\x00")
