"""Tools as functions that code in the sandbox calls."""

from __future__ import annotations

import json
import re
from dataclasses import replace

from studio.engine.errors import SignatureError
from studio.engine.messages import ToolSpec
from studio.engine.modules.predict import Predict
from studio.engine.tools.toolbox import Toolbox


def functions_of(tools: tuple[str, ...]) -> dict[str, str]:
    """The tool behind each function; raises `SignatureError` when two have one name."""
    functions: dict[str, str] = {}
    for tool in tools:
        name = re.sub(r"\W", "_", tool)
        name = name if name.isidentifier() else f"tool_{name}"
        if name in functions:
            raise SignatureError(
                f"The tools “{functions[name]}” and “{tool}” are both called {name}() in code."
            )
        functions[name] = tool
    return functions


def places_of(spec: ToolSpec) -> list[str]:
    """The names of the arguments, in order."""
    return list(spec.parameters.get("properties") or {})


def with_tools(next_: Predict, box: Toolbox) -> Predict:
    """`next` whose instruction also tells of the functions."""
    if not box.tools:
        return next_
    specs = {spec.name: spec for spec in box.specs}
    lines = [
        f"- `{function}({', '.join(places_of(specs[tool]))})`: "
        f"{' '.join(specs[tool].description.split())}\n"
        f"  arguments as JSON Schema: {json.dumps(dict(specs[tool].parameters))}"
        for function, tool in functions_of(tuple(box.tools)).items()
    ]
    told = (
        f"{next_.state.instruction.strip() or next_.signature.task}\n\n"
        "Your code may call these functions. Each returns a text, and raises RuntimeError when it "
        "cannot do what it was asked:\n" + "\n".join(lines)
    )
    return next_.with_states({"": replace(next_.state, instruction=told)})
