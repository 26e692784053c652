"""CodeAct: act by writing code that may call tools, look at what it gives, and so on; then answer.

Wang et al. 2024, https://arxiv.org/abs/2402.01030.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, cast

from studio.engine.errors import ParseError, ToolError
from studio.engine.fields import FieldType, write_value
from studio.engine.modules.attempts import free_name
from studio.engine.modules.base import Composite, Module, ModuleKind, Part, join_path
from studio.engine.modules.code_steps import (
    PYTHON_CODE,
    SECONDS,
    code_step,
    need_sandbox,
    outputs_told,
    run_code,
    variables_told,
)
from studio.engine.modules.code_tools import functions_of, places_of, with_tools
from studio.engine.modules.often import Often, all_of, times
from studio.engine.modules.predict import Predict, PredictParams
from studio.engine.modules.trajectory import Trajectory
from studio.engine.runtime import Runtime
from studio.engine.sandbox.base import HostFunction, Limits
from studio.engine.sandbox.guide import GUIDE
from studio.engine.signature import Field, Signature
from studio.engine.tools.toolbox import Toolbox, open_toolbox
from studio.engine.trace import Prediction, Step

_MEMORY_MB = 128
_LIKELY_STEPS = 2
"""Mostly one piece of code tells nearly everything."""


@dataclass(frozen=True, kw_only=True)
class CodeActParams(PredictParams):
    """What people may set on a CodeAct step."""

    max_tokens: int | None = field(
        default=1024,
        metadata={
            "label": "Longest answer",
            "help": "In tokens, of the code and of the answer; a token is about four letters.",
            "min": 1,
            "max": 8192,
        },
    )
    tools: tuple[str, ...] = field(
        default=(),
        metadata={
            "label": "Tools",
            "help": "What the model's code may call as functions.",
            "widget": "tools",
        },
    )
    max_steps: int = field(
        default=5,
        metadata={
            "label": "Most steps",
            "help": "After so many pieces of code it answers with what it has found.",
            "min": 1,
            "max": 50,
        },
    )
    seconds: float = field(default=5.0, metadata=SECONDS)
    observation_chars: int = field(
        default=4_000,
        metadata={
            "label": "Longest observation",
            "help": "In characters; the middle of a longer output is left out.",
            "min": 200,
            "max": 200_000,
        },
    )
    trajectory_chars: int = field(
        default=40_000,
        metadata={
            "label": "Longest trajectory",
            "help": "In characters; the oldest outputs make room first.",
            "min": 1_000,
            "max": 2_000_000,
        },
    )


DEFAULTS = CodeActParams()


@dataclass(frozen=True)
class CodeAct(Composite):
    """`next` writes a piece of code again and again, `answer` answers from what was seen."""

    signature: Signature
    next: Predict
    answer: Predict
    params: CodeActParams

    @classmethod
    def of(cls, signature: Signature | str, params: CodeActParams = DEFAULTS) -> CodeAct:
        """An uncompiled one, from a signature or its string form.

        Raises `SignatureError` when two tools have the same name as functions.
        """
        if isinstance(signature, str):
            signature = Signature.parse(signature)
        functions_of(params.tools)
        asked = params.asking()
        return cls(
            signature,
            Predict.of(_next_signature(signature), asked),
            Predict.of(_answer_signature(signature), asked),
            params,
        )

    @property
    def members(self) -> Mapping[str, Module]:
        """See `Composite.members`."""
        return {"next": self.next, "answer": self.answer}

    def with_members(self, members: Mapping[str, Module]) -> Self:
        """See `Composite.with_members`."""
        return replace(
            self, next=cast(Predict, members["next"]), answer=cast(Predict, members["answer"])
        )

    def calls(self, members: Mapping[str, Often], lengths: Mapping[str, float]) -> Often:
        """See `Composite.calls`."""
        most = self.params.max_steps
        steps = (1.0, float(min(_LIKELY_STEPS, most)), float(most))
        return all_of((times(steps, members["next"]), members["answer"]))

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`.

        What goes wrong in the code is told to the LM. Raises `InputError` for a tool that the
        runtime has not, or without a sandbox, and `ToolError` when a tool cannot be made ready.
        """
        read = self.signature.read_inputs(inputs)
        need_sandbox(runtime, "CodeAct")
        box = await open_toolbox(self.params.tools, runtime.tools)
        run = _Run(self, with_tools(self.next, box), box, read, runtime, path)
        for _ in range(self.params.max_steps):
            if not await run.step():
                break
        answered = await self.answer(
            {**read, _names(self.signature)[0]: run.trajectory.text},
            runtime,
            join_path(path, "answer"),
        )
        return Prediction(answered.values, (*run.steps, *answered.steps))


class _Trajectory(Trajectory):
    """What was thought, run and seen."""

    def add_code(self, thought: str, code: str, seen: str) -> None:
        number = len(self) + 1
        written = write_value(PYTHON_CODE, self.bound(code))
        self._append(
            f"Thought {number}: {_indented(self.bound(thought))}\nCode {number}:\n{written}",
            f"\nOutput {number}: {_indented(seen)}",
        )


class _Run:
    """The steps of one call so far."""

    def __init__(
        self,
        act: CodeAct,
        next_: Predict,
        box: Toolbox,
        inputs: Mapping[str, Any],
        runtime: Runtime,
        path: str,
    ) -> None:
        self.act, self.next, self.box = act, next_, box
        self.inputs, self.runtime, self.path = inputs, runtime, path
        self.trajectory = _Trajectory(act.params.observation_chars, act.params.trajectory_chars)
        self.steps: list[Step] = []

    async def step(self) -> bool:
        """Ask for a piece of code and run it; whether there is more to do.

        Raises `ParseError` when the first question has no readable answer; later on that is the
        end of the steps.
        """
        trajectory, *outputs = _names(self.act.signature)
        seen = {**self.inputs, trajectory: self.trajectory.text}
        try:
            asked = await self.next(seen, self.runtime, join_path(self.path, "next"))
        except ParseError:
            if len(self.trajectory):
                return False
            raise
        self.steps.extend(asked.steps)
        thought, code, finished = (asked.values[name] for name in outputs)
        if not code.strip():
            self.trajectory.note(thought)
            return False
        params = self.act.params
        ran = await run_code(
            need_sandbox(self.runtime, "CodeAct"),
            code,
            self.inputs,
            join_path(self.path, "code"),
            functions=self._functions(),
            limits=Limits(
                seconds=params.seconds,
                memory_mb=_MEMORY_MB,
                output_chars=max(20_000, params.observation_chars),
            ),
        )
        self.steps.append(ran.step)
        seen_now = f"Error: {ran.text}" if ran.failed else ran.text
        self.trajectory.add_code(thought, code, self.trajectory.bound(seen_now))
        # Who says that it is done before it has seen that its code failed is not done.
        return ran.failed or not finished

    def _functions(self) -> dict[str, HostFunction]:
        return {
            function: self._function(tool)
            for function, tool in functions_of(tuple(self.box.tools)).items()
        }

    def _function(self, tool: str) -> HostFunction:
        places = places_of(self.box.tools[tool].spec)
        path = join_path(self.path, f"tools.{tool}")

        async def function(*args: Any, **kwargs: Any) -> str:
            if len(args) > len(places):
                raise ToolError(f"{tool}() takes at most {len(places)} arguments.")
            given = {**dict(zip(places, args, strict=False)), **kwargs}
            try:
                answer = await self.box.call(tool, given)
            except ToolError as error:
                self.steps.append(code_step(path, given, {"error": str(error)}, ""))
                raise
            self.steps.append(code_step(path, given, {"answer": answer}, ""))
            return answer

        return function


def _names(signature: Signature) -> tuple[str, ...]:
    """What the fields are called that are added: trajectory, thought, code, finished."""
    taken = [one.name for one in signature.fields]
    return tuple(free_name(name, taken) for name in ("trajectory", "thought", "code", "finished"))


def _trajectory_field(signature: Signature) -> Field:
    return Field(
        name=_names(signature)[0],
        role="input",
        description="What was thought, run and seen so far.",
    )


def _next_signature(signature: Signature) -> Signature:
    _, thought, code, finished = _names(signature)
    task = (
        f"{signature.task}\n\nWork towards this in steps: {outputs_told(signature)}. In each step "
        "write a piece of Python; you see its output before the next step. Each piece starts "
        "anew: nothing is kept from the pieces before."
    )
    return Signature(
        (
            *signature.inputs,
            _trajectory_field(signature),
            Field(
                name=thought,
                role="output",
                description="What is known by now, and what is to be found out next.",
            ),
            Field(
                name=code,
                role="output",
                type=PYTHON_CODE,
                description=f"Python. {variables_told(signature)} {GUIDE}",
            ),
            Field(
                name=finished,
                role="output",
                type=FieldType("bool"),
                description="Whether the output of this code is all that the answer needs.",
            ),
        ),
        task,
    )


def _answer_signature(signature: Signature) -> Signature:
    task = (
        f"{signature.task}\n\nThe trajectory shows what was found out for this. Answer from it; "
        "where it lacks something, give the best answer that it allows."
    )
    return Signature(
        (*signature.inputs, _trajectory_field(signature), *signature.outputs),
        task,
    )


def _indented(text: str) -> str:
    return text.strip().replace("\n", "\n  ")


def _parts(signature: Signature, params: CodeActParams) -> tuple[Part, ...]:
    functions_of(params.tools)
    return ()


CODE_ACT = ModuleKind(
    name="code_act",
    title="CodeAct",
    summary="Let the model act by writing code that calls tools, step by step.",
    group="Ask",
    params=CodeActParams,
    make=lambda signature, params, parts: CodeAct.of(signature, params),
    parts=_parts,
)
