"""The loop of an agent: ask for the next step, call the tool, remember what it said."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from studio.engine.errors import ParseError, ToolError
from studio.engine.messages import ToolSpec, Usage
from studio.engine.modules.base import join_path
from studio.engine.modules.predict import Predict
from studio.engine.modules.trajectory import Trajectory
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.tools.toolbox import Toolbox
from studio.engine.trace import Step

FINISH = "finish"
"""What an agent calls when it has seen enough."""

FINISH_SPEC = ToolSpec(
    FINISH,
    "Call this, without arguments, as soon as you know enough to answer.",
    {"type": "object", "properties": {}},
)

_IN_STEPS = (
    "You work towards this in steps: {goal}. In each step say what you think, then name exactly "
    "one tool and its arguments. You see the tool's answer before your next step. Name "
    f"`{FINISH}`, with no arguments, as soon as you know enough to answer."
)
_IN_CALLS = (
    "You work towards this in steps: {goal}. In each step say shortly what you think, and call "
    "tools with your own tool calls, several at once where none needs the answer of another. "
    f"Call `{FINISH}` as soon as you know enough to answer. Write the layout below only where "
    "you cannot call a tool."
)


@dataclass(frozen=True)
class Kit:
    """Tools, and the predictor `next` as it is asked when these are offered."""

    box: Toolbox
    next: Predict
    offered: tuple[ToolSpec, ...]

    @classmethod
    def of(cls, box: Toolbox, next_: Predict, goal: Signature, *, native: bool) -> Kit:
        """The instruction of `next_`, and below it how to work, towards what, and with which."""
        how = (_IN_CALLS if native else _IN_STEPS).format(goal=_outputs(goal))
        told = [next_.state.instruction.strip() or next_.signature.task, how]
        if not native:
            told.append("The tools:\n" + "\n".join(_line(spec) for spec in box.specs))
        state = replace(next_.state, instruction="\n\n".join(told))
        return cls(box, next_.with_states({"": state}), (*box.specs, FINISH_SPEC))

    def holds(self, box: Toolbox) -> bool:
        """Whether it is made of exactly these tools, as they are now."""
        return (
            self.box.tools.keys() == box.tools.keys()
            and all(self.box.tools[name] is tool for name, tool in box.tools.items())
            and self.box.specs == box.specs
        )


class Agent:
    """One run: the trajectory and the steps so far."""

    def __init__(
        self,
        kit: Kit,
        inputs: Mapping[str, Any],
        runtime: Runtime,
        path: str,
        trajectory: Trajectory,
    ) -> None:
        self.kit, self.inputs, self.runtime, self.path = kit, inputs, runtime, path
        self.trajectory = trajectory
        self.steps: list[Step] = []
        self._trajectory_name = kit.next.signature.inputs[-1].name
        self.outputs = tuple(field.name for field in kit.next.signature.outputs)
        """What the predictor calls thought, tool and arguments."""

    @property
    def asked(self) -> dict[str, Any]:
        """The inputs of `next` now."""
        return {**self.inputs, self._trajectory_name: self.trajectory.text}

    async def step(self) -> bool:
        """One question and one call; whether there is more to do.

        Raises `ParseError` when the first question has no readable answer; later on that is the
        end of the steps.
        """
        try:
            asked = await self.kit.next(self.asked, self.runtime, join_path(self.path, "next"))
        except ParseError:
            if len(self.trajectory):
                return False
            raise
        self.steps.extend(asked.steps)
        thought, tool, arguments = (asked.values[name] for name in self.outputs)
        if tool == FINISH:
            self.trajectory.note(thought)
            return False
        step, observation = await self.call(tool, arguments)
        self.steps.append(step)
        self.remember(thought, tool, arguments, observation)
        return True

    def remember(
        self, thought: str, tool: str, arguments: Mapping[str, Any], observation: str
    ) -> str:
        """Add a turn to the trajectory; the observation as the LM is told of it."""
        told = self.trajectory.told(tool, arguments, observation)
        self.trajectory.add(thought, tool, arguments, told)
        return told

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> tuple[Step, str]:
        """The step of a call, and what was seen: an answer or an error, bounded.

        A call that was refused, or that the tool could not do, counts as one retry of its step.
        """
        known = tool in self.kit.box.tools
        path = join_path(self.path, f"tools.{tool}" if known else "tools")
        given: Mapping[str, Any] = (
            arguments if known else {"tool": tool, "arguments": dict(arguments)}
        )
        try:
            answer = await self.kit.box.call(tool, arguments)
        except ToolError as error:
            problem = self.trajectory.bound(f"Error: {error}")
            return _tool_step(path, given, {}, str(error)), problem
        seen = self.trajectory.bound(answer) if answer.strip() else "(The answer is empty.)"
        return _tool_step(path, given, {"answer": answer}), seen


def _tool_step(
    path: str, inputs: Mapping[str, Any], outputs: Mapping[str, Any], problem: str = ""
) -> Step:
    return Step(
        path=path,
        inputs=dict(inputs),
        outputs=outputs,
        prompt="",
        answer="",
        scores={},
        usage=Usage(),
        retries=1 if problem else 0,
        problems=(problem,) if problem else (),
    )


def _outputs(signature: Signature) -> str:
    return "; ".join(
        f"`{field.name}` ({field.type})" + (f", {field.description}" if field.description else "")
        for field in signature.outputs
    )


def _line(spec: ToolSpec) -> str:
    described = " ".join(spec.description.split())
    schema = json.dumps(dict(spec.parameters), ensure_ascii=False)
    return f"- `{spec.name}`: {described}\n  arguments as JSON Schema: {schema}"
