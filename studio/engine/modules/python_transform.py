"""Python: a function of one's own between two steps, run in the sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from studio.engine.errors import ParseError
from studio.engine.modules.base import ModuleKind, Part, WithoutLM
from studio.engine.modules.code_steps import SECONDS, code_step, need_sandbox, variables
from studio.engine.modules.inner import read_outputs
from studio.engine.runtime import Runtime
from studio.engine.sandbox.base import Limits
from studio.engine.sandbox.calling import call, require_function
from studio.engine.signature import Signature
from studio.engine.trace import Prediction

FUNCTION = "transform"
_MEMORY_MB = 128
_OUTPUT_CHARS = 4_000_000
"""Outputs may be as long as inputs are: whole documents."""


@dataclass(frozen=True, kw_only=True)
class PythonTransformParams:
    """What people may set on a Python step."""

    code: str = field(
        metadata={
            "label": "Code",
            "help": "It defines def transform(…) with the inputs as its arguments, and returns "
            "the output, or a dict with all outputs by name.",
            "required": True,
            "widget": "code",
        }
    )
    seconds: float = field(default=2.0, metadata=SECONDS)


@dataclass(frozen=True)
class PythonTransform(WithoutLM):
    """What `transform(<inputs>)` returns, read as the outputs."""

    signature: Signature
    params: PythonTransformParams

    @classmethod
    def of(cls, signature: Signature | str, params: PythonTransformParams) -> PythonTransform:
        """From a signature or its string form; raises `SignatureError` without a `transform`."""
        if isinstance(signature, str):
            signature = Signature.parse(signature)
        require_function(params.code, FUNCTION)
        return cls(signature, params)

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`.

        Raises `SandboxError` when the code raises, `ParseError` when what it returns does not fit
        an output, `InputError` when there is no sandbox.
        """
        read = self.signature.read_inputs(inputs)
        outcome = await call(
            need_sandbox(runtime, "The Python step"),
            self.params.code,
            FUNCTION,
            variables(read),
            limits=Limits(
                seconds=self.params.seconds, memory_mb=_MEMORY_MB, output_chars=_OUTPUT_CHARS
            ),
        )
        values = read_outputs(self.signature, self._by_name(outcome.value))
        return Prediction(values, (code_step(path, read, values, outcome.printed),))

    def _by_name(self, value: Any) -> Mapping[str, Any]:
        """A dict of exactly the outputs, or else the value of the only one."""
        names = [output.name for output in self.signature.outputs]
        if isinstance(value, dict) and set(value) <= set(names) and (value or len(names) > 1):
            return value
        if len(names) == 1:
            return {names[0]: value}
        came = (
            f"a dict with {', '.join(map(str, list(value)[:10]))}"
            if isinstance(value, dict)
            else f"{str(value)[:80]}"
        )
        raise ParseError(
            f"{FUNCTION}() returned {came}; a dict with {', '.join(names)} was expected."
        )


def _parts(signature: Signature, params: PythonTransformParams) -> tuple[Part, ...]:
    require_function(params.code, FUNCTION)
    return ()


PYTHON_TRANSFORM = ModuleKind(
    name="python",
    title="Python",
    summary="Work on the values with a function of your own.",
    group="Code",
    params=PythonTransformParams,
    make=lambda signature, params, parts: PythonTransform.of(signature, params),
    parts=_parts,
    calls_lm=False,
)
