"""How an answer stands in a store."""

from __future__ import annotations

import json
from typing import Any


def write_answer(answer: dict[str, Any]) -> str:
    """The answer as text; `read_answer` reads it back."""
    return json.dumps(answer)


def read_answer(text: Any) -> dict[str, Any] | None:
    """The answer in what a store gave back; None when it is none."""
    try:
        answer = json.loads(text)
    except (ValueError, TypeError):
        return None
    return answer if isinstance(answer, dict) else None
