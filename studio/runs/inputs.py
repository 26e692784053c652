"""Reading what somebody gives to a program, telling every field that is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.engine.errors import ParseError
from studio.engine.program import Program
from studio.errors import Invalid


def read_inputs(program: Program, given: Mapping[str, Any]) -> dict[str, Any]:
    """The typed inputs; raises `Invalid` that names each missing, wrong or unknown field."""
    expected = {field.name: field for field in program.inputs}
    problems: list[dict[str, str]] = []
    values: dict[str, Any] = {}
    for name, field in expected.items():
        if name not in given:
            if not field.required:
                values[name] = field.absent()
                continue
            problems.append({"field": name, "message": f"The input “{name}” is missing."})
            continue
        try:
            values[name] = field.read_json(given[name])
        except ParseError as error:
            problems.append({"field": name, "message": str(error)})
    known = ", ".join(expected)
    problems += [
        {"field": str(name), "message": f"There is no input “{name}”. The inputs are: {known}."}
        for name in given
        if name not in expected
    ]
    if problems:
        raise Invalid(problems[0]["message"], problems=problems)
    return values
