"""Majority: ask several times and take the answer that comes most often.

Self-consistency: Wang et al. 2022, https://arxiv.org/abs/2203.11171.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from studio.engine.codec import canonical_json
from studio.engine.errors import SignatureError
from studio.engine.messages import Usage
from studio.engine.modules.attempts import Attempt, all_steps, attempts, only_outputs
from studio.engine.modules.base import Composite, Module, ModuleKind, Part, join_path
from studio.engine.modules.inner import body_part, inner_step, step_param
from studio.engine.modules.often import Often, exactly, times
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.trace import Prediction, Step


@dataclass(frozen=True, kw_only=True)
class MajorityParams:
    """What people may set on a Majority step."""

    step: str = step_param()
    samples: int = field(
        default=5,
        metadata={
            "label": "Samples",
            "help": "How often the question is asked; each one is paid for.",
            "min": 1,
            "max": 100,
        },
    )
    temperature: float = field(
        default=0.7,
        metadata={
            "label": "Temperature",
            "help": "Of every sample but the first: they must be able to differ.",
            "min": 0.0,
            "max": 2.0,
        },
    )
    field: str = field(
        default="",
        metadata={
            "label": "Vote on",
            "help": "The output that is counted. Empty: the last one.",
        },
    )


DEFAULTS = MajorityParams()


@dataclass(frozen=True)
class Majority(Composite):
    """Samples of one step, at the same time, and a vote on one of its outputs."""

    step: Module
    params: MajorityParams = DEFAULTS
    wired: Signature | None = None
    """Its ports, when they are fewer than the step's."""

    def __post_init__(self) -> None:
        check_field(self.signature, self.params)

    @property
    def signature(self) -> Signature:
        """See `Module.signature`."""
        return self.wired or self.step.signature

    @property
    def members(self) -> Mapping[str, Module]:
        """See `Composite.members`."""
        return {"step": self.step}

    def with_members(self, members: Mapping[str, Module]) -> Self:
        """See `Composite.with_members`."""
        return replace(self, step=members["step"])

    def calls(self, members: Mapping[str, Often], lengths: Mapping[str, float]) -> Often:
        """See `Composite.calls`."""
        return times(exactly(self.params.samples), members["step"])

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`.

        A sample that fails has no vote; when all fail, the first one's error is raised. Of equal
        numbers of votes the earlier answer wins.
        """
        tries = await attempts(
            self.step,
            self.signature.read_inputs(inputs),
            runtime,
            join_path(path, "step"),
            count=self.params.samples,
            temperature=self.params.temperature,
        )
        name = self.params.field or self.signature.outputs[-1].name
        ballots: dict[str, list[Attempt]] = {}
        for one in tries:
            if one.prediction is not None:
                ballots.setdefault(normal(one.values[name]), []).append(one)
        winner = max(ballots.values(), key=len)[0]
        counted = Step(
            path=join_path(path, "vote"),
            inputs={"field": name, "samples": len(tries)},
            outputs={
                "votes": [
                    {"value": found[0].values[name], "count": len(found)}
                    for found in sorted(ballots.values(), key=len, reverse=True)
                ],
                "failed": [str(one.error) for one in tries if one.error is not None],
            },
            prompt="",
            answer="",
            scores={},
            usage=Usage(),
        )
        values = only_outputs(self.signature, winner.values)
        return Prediction(values, (*all_steps(tries, winner), counted))


def normal(value: Any) -> str:
    """The text by which two answers are the same: without case, and any white space as one."""
    if isinstance(value, str):
        return " ".join(unicodedata.normalize("NFC", value).casefold().split())
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return canonical_json(value)


def check_field(signature: Signature, params: MajorityParams) -> None:
    """Raise `SignatureError` when the vote is on a field that is no output."""
    names = [output.name for output in signature.outputs]
    if params.field and params.field not in names:
        raise SignatureError(
            f"The vote is on “{params.field}”, which is no output. Outputs are {', '.join(names)}."
        )


def _parts(signature: Signature, params: MajorityParams) -> tuple[Part, ...]:
    check_field(signature, params)
    return body_part(signature)


def _make(signature: Signature, params: MajorityParams, parts: Mapping[str, Module]) -> Majority:
    return Majority(inner_step(signature, params.step, parts), params, signature)


MAJORITY = ModuleKind(
    name="majority",
    title="Majority",
    summary="Ask several times and take the answer that comes most often.",
    group="Improve",
    params=MajorityParams,
    make=_make,
    parts=_parts,
)
