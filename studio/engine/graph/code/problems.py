"""Why code is not read, or a drawing not written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from studio.engine.errors import EngineError


@dataclass(frozen=True, slots=True)
class CodeProblem:
    """What is wrong at a line; 0: with the whole text."""

    line: int
    message: str

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {"line": self.line, "message": self.message}


class CodeError(EngineError):
    """The code cannot be read, or the drawing not be written as code."""

    def __init__(self, message: str = "", *, problems: Sequence[CodeProblem] = ()) -> None:
        super().__init__(message)
        self.problems = tuple(problems) or (CodeProblem(0, str(self)),)
