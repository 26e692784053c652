"""Constraint: an answer must satisfy a check, or the LM is told why and asked again.

After Singhvi et al. 2023, DSPy Assertions (https://arxiv.org/abs/2312.13382).
"""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from keyword import iskeyword
from typing import Any, Self

from studio.engine.errors import (
    ConstraintBroken,
    EngineError,
    InputError,
    SandboxError,
    SignatureError,
)
from studio.engine.messages import Usage
from studio.engine.modules.attempts import attempt_runtime, discard
from studio.engine.modules.base import Composite, Module, ModuleKind, Part, join_path
from studio.engine.modules.inner import BODY, inner_step, read_outputs, step_param
from studio.engine.modules.often import Often, times
from studio.engine.modules.predict import Predict
from studio.engine.runtime import Runtime
from studio.engine.sandbox.base import LONGEST_CODE, Sandbox
from studio.engine.sandbox.calling import call
from studio.engine.signature import Field, Signature
from studio.engine.trace import Prediction, Step

PREVIOUS = Field(
    name="previous_answer",
    role="input",
    description="What you answered before. It was refused.",
    default="",
)
WRONG = Field(
    name="what_was_wrong",
    role="input",
    description="Why it was refused. Answer so that it is not refused again.",
    default="",
)
ADVICE = (PREVIOUS, WRONG)
"""What the next attempt is told; empty for the first one."""

_WARM = 0.7
_LIKELY_RETRIES = 0.25
"""One answer in four is refused at first."""
"""The temperature of the attempts after the first: another one must be able to differ."""


@dataclass(frozen=True, kw_only=True)
class ConstraintParams:
    """What people may set on a Constraint."""

    check: str = field(
        default="",
        metadata={
            "label": "Check",
            "help": "Python over the inputs and outputs by name: an expression, or a function "
            "check. It says True, or False, or in a text what is wrong.",
            "widget": "code",
            "required": True,
        },
    )
    message: str = field(
        default="",
        metadata={
            "label": "What is wrong",
            "help": "What the model is told when the check says False.",
            "widget": "text",
        },
    )
    mode: str = field(
        default="assert",
        metadata={
            "label": "Mode",
            "help": "assert: the answer must be good. suggest: it should be, and else we go on.",
            "choices": ("assert", "suggest"),
        },
    )
    retries: int = field(
        default=2,
        metadata={
            "label": "Retries",
            "help": "How often the model is asked again; each time is paid for.",
            "min": 0,
            "max": 20,
        },
    )
    otherwise: str = field(
        default="fail",
        metadata={
            "label": "After the last retry",
            "help": "Of an assert: fail ends the call with an error, pass goes on as it is.",
            "choices": ("fail", "pass"),
        },
    )
    step: str = step_param("predict")


@dataclass(frozen=True, slots=True)
class Check:
    """Somebody's Python that judges an answer, run in the sandbox."""

    code: str
    message: str = ""
    """What is wrong when the judgement is False."""
    asks: tuple[str, ...] | None = None
    """The fields that the function `check` asks for; None: the code ends in an expression."""

    @classmethod
    def read(cls, code: str, message: str, signature: Signature) -> Check:
        """An expression over the fields' names, or a function `check` of some of them.

        The code is read here and not run. Raises `EngineError` with what is wrong with it.
        """
        if len(code) > LONGEST_CODE:
            raise EngineError(f"The check is longer than {LONGEST_CODE:,} characters.")
        try:
            statements = ast.parse(code).body
        except SyntaxError as error:
            what = f"{error.msg} (line {error.lineno})"
            raise EngineError(f"The check is no Python: {what}.") from None
        except (ValueError, RecursionError, MemoryError):
            raise EngineError("The check is no Python that can be read.") from None
        for statement in statements:
            if isinstance(statement, ast.FunctionDef) and statement.name == "check":
                return cls(code, message, _asked(statement.args, signature))
        if statements and isinstance(statements[-1], ast.Expr):
            return cls(code, message)
        raise EngineError(
            "The check must end in an expression such as len(answer) < 200, or be a function "
            "def check(answer): …"
        )

    async def __call__(self, values: Mapping[str, Any], runtime: Runtime) -> str:
        """What is wrong with `values`, in words; empty: nothing.

        Raises `InputError` when there is no sandbox, `SandboxError` when the code fails or
        answers neither yes, no nor a text.
        """
        sandbox = _sandbox(runtime)
        if self.asks is None:
            # A field may have a name that no variable can have; the code cannot ask for it then.
            usable = {name: value for name, value in values.items() if not iskeyword(name)}
            outcome = await sandbox.run(self.code, usable)
        else:
            given = {name: values[name] for name in self.asks}
            outcome = await call(sandbox, self.code, "check", given)
        found = outcome.value
        if isinstance(found, bool):
            return "" if found else self.message or f"This must hold: {self.code.strip()}"
        if isinstance(found, str):
            return found.strip()
        raise SandboxError(
            "The check must answer True, False, or a text that says what is wrong; "
            f"it answered {found!r:.80}."
        )


def _sandbox(runtime: Runtime) -> Sandbox:
    if runtime.sandbox is None:
        raise InputError("The check is Python code, and there is no sandbox to run it in.")
    return runtime.sandbox


def _asked(arguments: ast.arguments, signature: Signature) -> tuple[str, ...]:
    """The fields that a function asks for by the names of its parameters."""
    known = {field.name for field in signature.fields}
    places = [*arguments.posonlyargs, *arguments.args]
    required = places[: len(places) - len(arguments.defaults)]
    required += [
        argument
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        if default is None
    ]
    strange = next((argument.arg for argument in required if argument.arg not in known), None)
    if strange is not None:
        names = ", ".join(field.name for field in signature.fields)
        raise EngineError(
            f"The check asks for “{strange}”, and there is no such field. Fields are {names}."
        )
    asked = [argument.arg for argument in (*places, *arguments.kwonlyargs)]
    return tuple(name for name in asked if name in known)


@dataclass(frozen=True)
class Constraint(Composite):
    """A step whose answers are checked, and asked for again with what was wrong."""

    signature: Signature
    step: Module
    check: Check
    params: ConstraintParams

    @property
    def members(self) -> Mapping[str, Module]:
        """See `Composite.members`; every attempt is the same predictors' work."""
        return {"step": self.step}

    def with_members(self, members: Mapping[str, Module]) -> Self:
        """See `Composite.with_members`."""
        return replace(self, step=members["step"])

    def calls(self, members: Mapping[str, Often], lengths: Mapping[str, float]) -> Often:
        """See `Composite.calls`."""
        retries = self.params.retries
        tries = (1.0, 1.0 + min(_LIKELY_RETRIES, retries), 1.0 + retries)
        return times(tries, members["step"])

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`.

        After the attempts' steps stands one for each check, at `check` below the path. Raises
        `ConstraintBroken` when the last attempt of an assert is refused, unless it may pass, and
        `SandboxError` when the check itself fails.
        """
        read = self.signature.read_inputs(inputs)
        _sandbox(runtime)  # before anything is paid for
        below = join_path(path, "step")
        step, advice = self.step, {field.name: "" for field in ADVICE}
        steps: list[Step] = []
        for number in range(self.params.retries + 1):
            warmer = attempt_runtime(runtime, number, max(runtime.temperature, _WARM))
            prediction = await step({**read, **advice}, warmer, below)
            values = read_outputs(self.signature, prediction.values)
            wrong = await self.check({**read, **values}, runtime)
            done = (*map(_without_advice, prediction.steps), _checked(path, values, wrong))
            if not wrong:
                return Prediction(values, (*steps, *done))
            if number == self.params.retries:
                break
            steps += discard(done)
            step = _advised(self.step)
            advice = {
                PREVIOUS.name: json.dumps(values, ensure_ascii=False),
                WRONG.name: wrong,
            }
        if self.params.mode == "assert" and self.params.otherwise == "fail":
            tries = self.params.retries + 1
            raise ConstraintBroken(
                f"{path}: the answer is still refused after {tries} "
                f"{'try' if tries == 1 else 'tries'}: {wrong}"
            )
        return Prediction(values, (*steps, *done))


def _advised(step: Module) -> Module:
    """The step for another attempt: a Predict is told in its prompt why it was refused.

    It keeps instruction and demos: both say the same as before, and a compiled prompt stays so. A
    pipeline drawn as the step may take the advice as inputs.
    """
    if not isinstance(step, Predict):
        return step
    signature = step.signature
    told = Signature((*signature.inputs, *ADVICE, *signature.outputs), signature.instruction)
    return Predict(told, step.state, step.params, step.pinned)


def _without_advice(step: Step) -> Step:
    """What may become a demo: the question as it was, with the answer that was good in the end."""
    if not any(field.name in step.inputs for field in ADVICE):
        return step
    names = {field.name for field in ADVICE}
    inputs = {name: value for name, value in step.inputs.items() if name not in names}
    return replace(step, inputs=inputs)


def _checked(path: str, values: Mapping[str, Any], wrong: str) -> Step:
    """The check as people see it."""
    return Step(
        path=join_path(path, "check"),
        inputs=values,
        outputs={"holds": not wrong, "what_was_wrong": wrong},
        prompt="",
        answer="",
        scores={},
        usage=Usage(),
    )


def ports(signature: Signature) -> Signature:
    """The signature itself, or `SignatureError` when it has a field that Constraint adds."""
    taken = next((field.name for field in ADVICE if _has(signature, field.name)), "")
    if taken:
        raise SignatureError(f"Constraint uses the field “{taken}” itself: rename yours.")
    return signature


def _has(signature: Signature, name: str) -> bool:
    return any(field.name == name for field in signature.fields)


def _parts(signature: Signature, params: ConstraintParams) -> tuple[Part, ...]:
    inputs = (*signature.inputs, *ADVICE)
    return (Part(BODY, inputs, signature.outputs, required=False),)


def _make(
    signature: Signature, params: ConstraintParams, parts: Mapping[str, Module]
) -> Constraint:
    check = Check.read(params.check, params.message, signature)
    return Constraint(signature, inner_step(signature, params.step, parts), check, params)


CONSTRAINT = ModuleKind(
    name="constraint",
    title="Constraint",
    summary="Check the answer with Python, and ask again with what was wrong.",
    group="Improve",
    params=ConstraintParams,
    make=_make,
    ports=ports,
    parts=_parts,
)
