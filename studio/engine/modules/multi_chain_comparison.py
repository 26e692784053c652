"""MultiChainComparison: several chains of thought, then one answer that weighs them.

After Yoran et al. 2023, https://arxiv.org/abs/2304.13007.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self, cast

from studio.engine.fields import FieldType, parse_type, write_value
from studio.engine.modules.attempts import Attempt, attempts, discard, free_name
from studio.engine.modules.base import Composite, Module, ModuleKind, join_path
from studio.engine.modules.chain_of_thought import chain_of_thought, with_reasoning
from studio.engine.modules.often import Often, all_of, exactly, times
from studio.engine.modules.predict import Predict, PredictParams
from studio.engine.runtime import Runtime
from studio.engine.signature import Field, Signature
from studio.engine.trace import Prediction, Step

_TEXTS: FieldType = parse_type("list[str]")


@dataclass(frozen=True, kw_only=True)
class MultiChainComparisonParams(PredictParams):
    """What people may set on a MultiChainComparison step."""

    attempts: int = field(
        default=3,
        metadata={
            "label": "Attempts",
            "help": "How many chains of thought are compared; each one is paid for.",
            "min": 2,
            "max": 20,
        },
    )
    attempt_temperature: float = field(
        default=0.7,
        metadata={
            "label": "Temperature of the attempts",
            "help": "Of every attempt but the first: they must be able to differ.",
            "min": 0.0,
            "max": 2.0,
        },
    )


DEFAULTS = MultiChainComparisonParams()


@dataclass(frozen=True)
class MultiChainComparison(Composite):
    """`attempt` several times at the same time, then `compare`."""

    attempt: Predict
    compare: Predict
    params: MultiChainComparisonParams = DEFAULTS

    @classmethod
    def of(
        cls, signature: Signature | str, params: MultiChainComparisonParams = DEFAULTS
    ) -> MultiChainComparison:
        """An uncompiled one, from a signature or its string form."""
        if isinstance(signature, str):
            signature = Signature.parse(signature)
        compared = params.asking()
        asked = replace(compared, temperature=None)
        return cls(
            chain_of_thought(signature, asked),
            chain_of_thought(_compare_signature(signature), compared),
            params,
        )

    @property
    def signature(self) -> Signature:
        """See `Module.signature`."""
        return self.attempt.signature

    @property
    def members(self) -> Mapping[str, Module]:
        """See `Composite.members`."""
        return {"attempt": self.attempt, "compare": self.compare}

    def with_members(self, members: Mapping[str, Module]) -> Self:
        """See `Composite.with_members`."""
        return replace(
            self,
            attempt=cast(Predict, members["attempt"]),
            compare=cast(Predict, members["compare"]),
        )

    def calls(self, members: Mapping[str, Often], lengths: Mapping[str, float]) -> Often:
        """See `Composite.calls`."""
        attempts = times(exactly(self.params.attempts), members["attempt"])
        return all_of((attempts, members["compare"]))

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`.

        An attempt that fails is left out; when all fail, the first one's error is raised. The
        steps of attempts that answered otherwise than the comparison are marked as discarded.
        """
        inputs = self.signature.read_inputs(inputs)
        tries = await attempts(
            self.attempt,
            inputs,
            runtime,
            join_path(path, "attempt"),
            count=self.params.attempts,
            temperature=self.params.attempt_temperature,
        )
        answered = [one for one in tries if one.prediction is not None]
        seen = self.compare.signature.inputs[-1].name
        compared = await self.compare(
            {**inputs, seen: [self._text(one.values) for one in answered]},
            runtime,
            join_path(path, "compare"),
        )
        return Prediction(
            compared.values, (*self._steps(answered, compared.values), *compared.steps)
        )

    def _text(self, values: Mapping[str, Any]) -> str:
        return "\n".join(
            f"{field.label}: {write_value(field.type, values[field.name])}"
            for field in self.signature.outputs
        )

    def _steps(self, tries: list[Attempt], final: Mapping[str, Any]) -> tuple[Step, ...]:
        names = [field.name for field in self.signature.outputs[1:]]
        return tuple(
            step
            for one in tries
            for step in (
                one.steps
                if all(one.values[name] == final[name] for name in names)
                else discard(one.steps)
            )
        )


def _compare_signature(signature: Signature) -> Signature:
    name = free_name("attempts", [field.name for field in signature.fields])
    attempts_ = Field(
        name=name,
        role="input",
        type=_TEXTS,
        description="Answers of others, with their reasoning; some may be wrong.",
    )
    task = (
        f"{signature.task}\n\nYou are shown several attempts at this. Compare their reasoning, "
        "keep what is right in each, and give the best answer."
    )
    return Signature((*signature.inputs, attempts_, *signature.outputs), task)


MULTI_CHAIN_COMPARISON = ModuleKind(
    name="multi_chain_comparison",
    title="Multi-chain comparison",
    summary="Let the model reason several times, then compare the attempts and answer.",
    group="Ask",
    params=MultiChainComparisonParams,
    make=lambda signature, params, parts: MultiChainComparison.of(signature, params),
    ports=with_reasoning,
)
