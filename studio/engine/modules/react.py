"""ReAct: think, call a tool, look at its answer, and so on; then answer.

Yao et al. 2022, https://arxiv.org/abs/2210.03629.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, cast

from studio.engine.errors import SignatureError
from studio.engine.fields import FieldType
from studio.engine.modules.attempts import free_name
from studio.engine.modules.base import Composite, Module, ModuleKind, Part, join_path
from studio.engine.modules.chain_of_thought import chain_of_thought, with_reasoning
from studio.engine.modules.often import Often, all_of, times
from studio.engine.modules.predict import Predict, PredictParams
from studio.engine.modules.react_loop import FINISH, Agent, Kit
from studio.engine.modules.react_native import Conversation
from studio.engine.modules.trajectory import Trajectory
from studio.engine.runtime import Runtime
from studio.engine.signature import Field, Signature
from studio.engine.tools.toolbox import open_toolbox
from studio.engine.trace import Prediction

_LIKELY_STEPS = 3
"""Mostly one tool is called, or two, before it is known enough."""
_TOOL_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}\Z")


@dataclass(frozen=True, kw_only=True)
class ReActParams(PredictParams):
    """What people may set on a ReAct step."""

    tools: tuple[str, ...] = field(
        default=(),
        metadata={
            "label": "Tools",
            "help": "What the model may call on its way to the answer.",
            "widget": "tools",
        },
    )
    max_steps: int = field(
        default=8,
        metadata={
            "label": "Most steps",
            "help": "After so many it answers with what it has found.",
            "min": 1,
            "max": 100,
        },
    )
    native: bool = field(
        default=True,
        metadata={
            "label": "The model's own tool calls",
            "help": "Used where the model has them; several tools can then run at once.",
        },
    )
    observation_chars: int = field(
        default=4_000,
        metadata={
            "label": "Longest observation",
            "help": "In characters; the middle of a longer answer of a tool is left out.",
            "min": 200,
            "max": 200_000,
        },
    )
    trajectory_chars: int = field(
        default=40_000,
        metadata={
            "label": "Longest trajectory",
            "help": "In characters; the oldest observations make room first.",
            "min": 1_000,
            "max": 2_000_000,
        },
    )


DEFAULTS = ReActParams()


@dataclass(frozen=True)
class ReAct(Composite):
    """`next` chooses a tool again and again, and `extract` answers from what was seen."""

    next: Predict
    extract: Predict
    params: ReActParams
    _goal: Signature
    _kits: dict[bool, Kit] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, signature: Signature | str, params: ReActParams) -> ReAct:
        """An uncompiled one, from a signature or its string form.

        Raises `SignatureError` when `params` name no tool, or one whose name cannot be called.
        """
        if isinstance(signature, str):
            signature = Signature.parse(signature)
        check_tools(params)
        asked = params.asking()
        trajectory = Field(
            name=free_name("trajectory", [one.name for one in signature.fields]),
            role="input",
            description="What was thought, done and seen so far.",
        )
        return cls(
            Predict.of(_next_signature(signature, trajectory, params.tools), asked),
            chain_of_thought(_extract_signature(signature, trajectory), asked),
            params,
            signature,
        )

    @property
    def signature(self) -> Signature:
        """See `Module.signature`."""
        return with_reasoning(self._goal)

    @property
    def members(self) -> Mapping[str, Module]:
        """See `Composite.members`."""
        return {"next": self.next, "extract": self.extract}

    def with_members(self, members: Mapping[str, Module]) -> Self:
        """See `Composite.with_members`."""
        return replace(
            self,
            next=cast(Predict, members["next"]),
            extract=cast(Predict, members["extract"]),
            _kits={},
        )

    def calls(self, members: Mapping[str, Often], lengths: Mapping[str, float]) -> Often:
        """See `Composite.calls`."""
        most = self.params.max_steps
        steps = (1.0, float(min(_LIKELY_STEPS, most)), float(most))
        return all_of((times(steps, members["next"]), members["extract"]))

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`.

        What a tool refuses or cannot do is told to the LM. Raises `InputError` for a tool that
        the runtime has not, and `ToolError` when one cannot be made ready.
        """
        read = self._goal.read_inputs(inputs)
        lm = runtime.lm_for(join_path(path, "next"))
        writes_on = self.next.format_for(runtime, lm).continues
        native = self.params.native and lm.calls_tools and not writes_on
        kit = await self._kit(runtime, native)
        params = self.params
        trajectory = Trajectory(params.observation_chars, params.trajectory_chars)
        agent = Agent(kit, read, runtime, path, trajectory)
        go_on = agent.step
        if native:
            go_on = Conversation(agent, lm, params.trajectory_chars).turn
        for _ in range(params.max_steps):
            if not await go_on():
                break
        seen = {**read, self.extract.signature.inputs[-1].name: trajectory.text}
        extracted = await self.extract(seen, runtime, join_path(path, "extract"))
        return Prediction(extracted.values, (*agent.steps, *extracted.steps))

    async def _kit(self, runtime: Runtime, native: bool) -> Kit:
        """The tools as they are now; made once as long as they stay the same."""
        box = await open_toolbox(self.params.tools, runtime.tools)
        known = self._kits.get(native)
        if known is None or not known.holds(box):
            known = self._kits[native] = Kit.of(box, self.next, self._goal, native=native)
        return known


def check_tools(params: ReActParams) -> None:
    """Raise `SignatureError` when there is no tool, or one whose name cannot be called."""
    if not params.tools:
        raise SignatureError("ReAct needs a tool or more: choose what the model may call.")
    for name in params.tools:
        if name == FINISH:
            raise SignatureError(f"“{FINISH}” is ReAct's own word: give the tool another name.")
        if not _TOOL_NAME.match(name):
            raise SignatureError(
                f"“{name}” is no name that a model can call: letters, digits, _ and -."
            )


def _next_signature(signature: Signature, trajectory: Field, tools: tuple[str, ...]) -> Signature:
    taken = [one.name for one in signature.inputs]
    thought, tool, arguments = (
        free_name(name, taken) for name in ("thought", "tool", "arguments")
    )
    return Signature(
        (
            *signature.inputs,
            trajectory,
            Field(
                name=thought,
                role="output",
                description="What is known by now, and what is to be found out next.",
            ),
            Field(
                name=tool,
                role="output",
                type=FieldType("enum", labels=(*tools, FINISH)),
                description="What to call.",
            ),
            Field(
                name=arguments,
                role="output",
                type=FieldType("object"),
                description="The tool's arguments by name.",
            ),
        ),
        signature.task,
    )


def _extract_signature(signature: Signature, trajectory: Field) -> Signature:
    task = (
        f"{signature.task}\n\nThe trajectory shows what was found out for this. Answer from it; "
        "where it lacks something, give the best answer that it allows."
    )
    return Signature((*signature.inputs, trajectory, *signature.outputs), task)


def _parts(signature: Signature, params: ReActParams) -> tuple[Part, ...]:
    check_tools(params)
    return ()


REACT = ModuleKind(
    name="react",
    title="ReAct",
    summary="Let the model call tools step by step until it can answer.",
    group="Ask",
    params=ReActParams,
    make=lambda signature, params, parts: ReAct.of(signature, params),
    ports=with_reasoning,
    parts=_parts,
)
