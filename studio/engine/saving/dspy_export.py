"""A program as DSPy code: `program.py` builds the pipeline, `program.json` sets it.

Whoever has DSPy needs nothing of ours:

    from program import Pipeline

    pipeline = Pipeline()
    pipeline.load("program.json")
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from studio.engine.example import Candidate
from studio.engine.program import Program
from studio.engine.saving.dspy_steps import Agent, Step, literal, read_steps, source
from studio.engine.saving.reading import check_json, to_text


def export_dspy(program: Program, candidate: Candidate | None = None) -> dict[str, str]:
    """The texts of `program.py` and `program.json`, for DSPy 3.

    `candidate` is by default how the program is set. Steps run one after the other, in the order
    of the layers. A date comes out as Python's `datetime.date`, and DSPy shows demos that lack a
    field before those that are complete.

    Raises `StateError` that names the step, when it is of a kind or has a type that DSPy has no
    equal for, or a field has a name that DSPy keeps for itself.
    """
    steps = read_steps(program, candidate)
    state: dict[str, Any] = {"metadata": {"dependency_versions": {}}}
    for step in steps:
        state |= step.state_json()
    check_json(state, what="The program")
    return {"program.py": write_code(program, steps), "program.json": to_text(state) + "\n"}


def write_code(
    program: Program,
    steps: list[Step],
    *,
    given: Sequence[str] = (),
    settings: Sequence[str] = (),
    loads: bool = True,
) -> str:
    """The text of `program.py`.

    `given` are more names that the pipeline is made with, `settings` more lines of its making;
    it `loads` a `program.json` or stands for itself.
    """
    defaults = {field.name: field.absent() for field in program.inputs if not field.required}
    asked = ", ".join(f"{field.name}=…" for field in program.inputs)
    outputs = ", ".join(f"{literal(name)}: {source(wire)}" for name, wire in program.wires.items())
    tools = any(isinstance(step, Agent) for step in steps)
    tools_and_more = [*(["tools"] if tools else []), *given]
    lines = [
        '"""A pipeline of Compile Studio as a DSPy program.',
        "",
        "    import dspy",
        "    from program import Pipeline",
        "",
        '    dspy.configure(lm=dspy.LM("openai/gpt-4o-mini"))',
        f"    pipeline = Pipeline({', '.join(f'{name}={{…}}' for name in tools_and_more)})",
        *(['    pipeline.load("program.json")'] if loads else []),
        f"    pipeline({asked})",
        '"""',
        "",
        "import datetime  # noqa: F401",
        "import json",
        "from typing import Any, Literal, Optional  # noqa: F401",
        "",
        "import dspy",
        "",
        f"DEFAULTS = json.loads({literal(to_text(defaults))})",
        "",
        "",
        "class Pipeline(dspy.Module):",
        f"    def __init__({', '.join(['self', *tools_and_more])}):",
        "        super().__init__()",
        "        self.steps = {",
        *(f"            {line}" for step in steps for line in step.code()),
        "        }",
        *(f"        {line}" for line in settings),
        "",
        "    def load_state(self, state, **options):",
        "        # What is not in the file stays as it is.",
        "        super().load_state({**self.dump_state(), **state}, **options)",
        "",
        "    def forward(self, **inputs):",
        "        given = {**DEFAULTS, **inputs}",
        "        made = {}",
        *(f"        {step.call()}" for step in steps),
        f"        return dspy.Prediction(**{{{outputs}}})",
        "",
    ]
    return "\n".join(lines)
