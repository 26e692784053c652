"""From a spec to a program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.engine.errors import GraphError
from studio.engine.graph.check import inspect
from studio.engine.program import Program


def build(spec: Mapping[str, Any]) -> Program:
    """The program that a spec describes.

    Raises `GraphError`, which carries the problems, when it has any.
    """
    checked = inspect(spec)
    if checked.program is None:
        problems = checked.problems
        raise GraphError(
            f"The pipeline cannot run yet: {problems[0].message}"
            + (f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""),
            problems=problems,
        )
    return checked.program
