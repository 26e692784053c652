"""A pipeline as one text of DSPy code, with its pinned demos and its language models in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.engine.graph.build import build
from studio.engine.saving.dspy_export import write_code
from studio.engine.saving.dspy_steps import read_steps


def to_dspy(spec: Mapping[str, Any]) -> str:
    """Python that needs DSPy and nothing of ours.

    Raises `GraphError` when the drawing does not build, and `StateError` that names the step,
    when DSPy has no equal for it: there is no half of a program.
    """
    program = build(spec)
    steps = read_steps(program)
    settings = []
    for step in steps:
        if demos := step.demos():
            written = ", ".join(f"dspy.Example(**{demo!a})" for demo in demos)
            settings.append(f"self.{step.path}.demos = [{written}]")
    lms = {node["name"]: node["lm"] for node in spec["nodes"] if node.get("lm")}
    # The pipeline is given its language models as it is given tools: by name.
    settings += [f"self.steps[{name!a}].set_lm(lms[{lm!a}])" for name, lm in lms.items()]
    given = ["lms"] if lms else []
    return write_code(program, steps, given=given, settings=settings, loads=False)
