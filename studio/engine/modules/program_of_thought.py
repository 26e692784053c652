"""ProgramOfThought: let the LM write code that works the answer out.

Chen et al. 2022, https://arxiv.org/abs/2211.12588.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, cast

from studio.engine.errors import SandboxError
from studio.engine.modules.attempts import free_name
from studio.engine.modules.base import Composite, Module, ModuleKind, join_path
from studio.engine.modules.code_steps import (
    PYTHON_CODE,
    SECONDS,
    Ran,
    need_sandbox,
    outputs_told,
    run_code,
    variables_told,
)
from studio.engine.modules.often import Often, all_of, times
from studio.engine.modules.predict import Predict, PredictParams
from studio.engine.runtime import Runtime
from studio.engine.sandbox.base import Limits
from studio.engine.sandbox.guide import GUIDE
from studio.engine.signature import Field, Signature
from studio.engine.trace import Prediction, Step

_MEMORY_MB = 128
_LIKELY_MENDS = 0.25
"""One program in four fails at first."""


@dataclass(frozen=True, kw_only=True)
class ProgramOfThoughtParams(PredictParams):
    """What people may set on a ProgramOfThought step."""

    max_tokens: int | None = field(
        default=1024,
        metadata={
            "label": "Longest answer",
            "help": "In tokens, of the code and of the answer; a token is about four letters.",
            "min": 1,
            "max": 8192,
        },
    )
    max_tries: int = field(
        default=3,
        metadata={
            "label": "Most tries",
            "help": "How often code may fail, the first time included.",
            "min": 1,
            "max": 10,
        },
    )
    seconds: float = field(default=5.0, metadata=SECONDS)
    output_chars: int = field(
        default=10_000,
        metadata={
            "label": "Longest output",
            "help": "In characters that the code may print and return.",
            "min": 100,
            "max": 200_000,
        },
    )


DEFAULTS = ProgramOfThoughtParams()


@dataclass(frozen=True)
class ProgramOfThought(Composite):
    """`write` writes code, `mend` mends what failed, `answer` reads the outputs off its result."""

    signature: Signature
    write: Predict
    mend: Predict
    answer: Predict
    params: ProgramOfThoughtParams

    @classmethod
    def of(
        cls, signature: Signature | str, params: ProgramOfThoughtParams = DEFAULTS
    ) -> ProgramOfThought:
        """An uncompiled one, from a signature or its string form."""
        if isinstance(signature, str):
            signature = Signature.parse(signature)
        asked = params.asking()
        return cls(
            signature,
            Predict.of(_write_signature(signature), asked),
            Predict.of(_mend_signature(signature), asked),
            Predict.of(_answer_signature(signature), asked),
            params,
        )

    @property
    def members(self) -> Mapping[str, Module]:
        """See `Composite.members`."""
        return {"write": self.write, "mend": self.mend, "answer": self.answer}

    def with_members(self, members: Mapping[str, Module]) -> Self:
        """See `Composite.with_members`."""
        return replace(
            self,
            write=cast(Predict, members["write"]),
            mend=cast(Predict, members["mend"]),
            answer=cast(Predict, members["answer"]),
        )

    def calls(self, members: Mapping[str, Often], lengths: Mapping[str, float]) -> Often:
        """See `Composite.calls`."""
        mends = self.params.max_tries - 1
        mended = times((0.0, min(_LIKELY_MENDS, mends), float(mends)), members["mend"])
        return all_of((members["write"], mended, members["answer"]))

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`.

        Raises `SandboxError` with the last error when the code failed at every try, and
        `InputError` when there is no sandbox.
        """
        read = self.signature.read_inputs(inputs)
        need_sandbox(runtime, "ProgramOfThought")
        steps: list[Step] = []
        code, ran = await self._ask(self.write, "write", read, read, runtime, path, steps)
        for _ in range(self.params.max_tries - 1):
            if not ran.failed:
                break
            _, _, previous, error = _names(self.signature)
            seen = {**read, previous: code, error: ran.text}
            code, ran = await self._ask(self.mend, "mend", seen, read, runtime, path, steps)
        if ran.failed:
            tries = self.params.max_tries
            raise SandboxError(
                f"The model's code failed {f'{tries} times' if tries > 1 else 'at its only try'}; "
                f"the last time: {ran.text}"
            )
        name, output, _, _ = _names(self.signature)
        answered = await self.answer(
            {**read, name: code, output: ran.text}, runtime, join_path(path, "answer")
        )
        return Prediction(answered.values, (*steps, *answered.steps))

    async def _ask(
        self,
        predictor: Predict,
        name: str,
        seen: Mapping[str, Any],
        inputs: Mapping[str, Any],
        runtime: Runtime,
        path: str,
        steps: list[Step],
    ) -> tuple[str, Ran]:
        """Let `predictor` write code, and run it; both are added to `steps`."""
        written = await predictor(seen, runtime, join_path(path, name))
        code = str(written.values[_names(self.signature)[0]])
        params = self.params
        ran = await run_code(
            need_sandbox(runtime, "ProgramOfThought"),
            code,
            inputs,
            join_path(path, "code"),
            limits=Limits(
                seconds=params.seconds, memory_mb=_MEMORY_MB, output_chars=params.output_chars
            ),
        )
        steps.extend((*written.steps, ran.step))
        return code, ran


def _names(signature: Signature) -> tuple[str, ...]:
    """What the fields are called that are added: code, its output, the code before, its error."""
    taken = [one.name for one in signature.fields]
    return tuple(
        free_name(name, taken) for name in ("code", "code_output", "previous_code", "error")
    )


def _code_field(signature: Signature) -> Field:
    return Field(
        name=_names(signature)[0],
        role="output",
        type=PYTHON_CODE,
        description=f"Python. {variables_told(signature)} {GUIDE}",
    )


def _write_signature(signature: Signature) -> Signature:
    task = (
        f"{signature.task}\n\nDo not answer yet: write a program whose output tells "
        f"{outputs_told(signature)}."
    )
    return Signature((*signature.inputs, _code_field(signature)), task)


def _mend_signature(signature: Signature) -> Signature:
    _, _, previous, error = _names(signature)
    task = (
        f"{signature.task}\n\nDo not answer yet: a program whose output was to tell "
        f"{outputs_told(signature)} failed. Write it anew, so that the error is gone."
    )
    return Signature(
        (
            *signature.inputs,
            Field(
                name=previous,
                role="input",
                type=PYTHON_CODE,
                description="The program that failed.",
            ),
            Field(name=error, role="input", description="How it failed."),
            _code_field(signature),
        ),
        task,
    )


def _answer_signature(signature: Signature) -> Signature:
    name, output, _, _ = _names(signature)
    task = f"{signature.task}\n\nA program was run for this. Answer from its output."
    return Signature(
        (
            *signature.inputs,
            Field(name=name, role="input", type=PYTHON_CODE, description="The program."),
            Field(name=output, role="input", description="What it printed and returned."),
            *signature.outputs,
        ),
        task,
    )


PROGRAM_OF_THOUGHT = ModuleKind(
    name="program_of_thought",
    title="Program of thought",
    summary="Let the model write code that works the answer out.",
    group="Ask",
    params=ProgramOfThoughtParams,
    make=lambda signature, params, parts: ProgramOfThought.of(signature, params),
)
