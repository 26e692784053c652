"""The pipelines inside a node: whether they are there, and fit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from studio.engine.fields import accepts
from studio.engine.graph.spec import Problem
from studio.engine.modules.base import Part
from studio.engine.program import Program


def presence_problems(node: Mapping[str, Any], wanted: Iterable[Part]) -> list[Problem]:
    """Parts that a node has and its kind does not, and required ones that it lacks."""
    known = {part.name: part for part in wanted}
    there: Mapping[str, Any] = node.get("parts") or {}
    problems = []
    for name in there:
        if name not in known:
            way_out = f"Its parts are {', '.join(known)}." if known else "It has none: remove it."
            message = f"{node['name']} has no part “{name}”. {way_out}"
            problems.append(_problem("unknown-part", message, node, name))
    for part in known.values():
        if part.required and part.name not in there:
            message = f"{node['name']} is empty: draw its pipeline “{part.name}”."
            problems.append(_problem("missing-part", message, node, part.name))
    return problems


def fit_problems(node: Mapping[str, Any], part: Part, program: Program) -> list[Problem]:
    """What the pipeline asks for and is not given, and what it should answer and does not."""
    here = f"{node['name']}, {part.name}"
    given = {field.name: field for field in part.inputs}
    answers = {field.name: field for field in program.outputs}
    problems = []
    for field in program.inputs:
        if field.name not in given:
            if field.required:
                message = (
                    f"{here}: there is no “{field.name}” to be given to it. It may take "
                    f"{', '.join(given)}."
                )
                problems.append(_problem("unknown-field", message, node, part.name, field.name))
        elif reason := accepts(given[field.name].type, field.type):
            message = f"{here}: its input “{field.name}” cannot be filled: {reason}."
            problems.append(_problem("wrong-type", message, node, part.name, field.name))
    for field in part.outputs:
        if field.name not in answers:
            message = f"{here}: it must answer “{field.name}”: add it to its output node."
            problems.append(_problem("missing-output", message, node, part.name, field.name))
        elif reason := accepts(answers[field.name].type, field.type):
            message = f"{here}: its output “{field.name}” is of another type: {reason}."
            problems.append(_problem("wrong-type", message, node, part.name, field.name))
    return problems


def placed(problem: Problem, node: Mapping[str, Any], part: str) -> Problem:
    """A problem inside a part, as the pipeline around it tells it."""
    return Problem(
        code=problem.code,
        message=f"{node['name']}, {part}: {problem.message}",
        node=node["id"],
        field=problem.field,
        edge=problem.edge,
        inside=(part, *((problem.node,) if problem.node else ()), *problem.inside),
    )


def _problem(
    code: str, message: str, node: Mapping[str, Any], part: str, field: str = ""
) -> Problem:
    return Problem(code=code, message=message, node=node["id"], field=field, inside=(part,))
