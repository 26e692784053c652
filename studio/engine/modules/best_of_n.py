"""BestOfN: ask again until an answer is good enough, and take the best."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from studio.engine.modules.attempts import attempt_runtime, only_outputs
from studio.engine.modules.base import Composite, Module, ModuleKind, Part
from studio.engine.modules.inner import body_part, inner_step, step_param
from studio.engine.modules.often import Often, all_of, exactly, times, until_good
from studio.engine.modules.rewards import (
    Reward,
    RewardFunction,
    Tried,
    as_reward,
    best_of,
    read_reward,
    reward_members,
    reward_with,
    steps_of,
    try_once,
)
from studio.engine.modules.together import together
from studio.engine.runtime import Runtime
from studio.engine.signature import Signature
from studio.engine.trace import Prediction


def threshold_param() -> Any:
    """The dataclass field `threshold`."""
    return field(
        default=1.0,
        metadata={
            "label": "Good enough",
            "help": "An answer with this reward ends the search.",
        },
    )


def temperature_param() -> Any:
    """The dataclass field `temperature` of attempts after the first one."""
    return field(
        default=0.7,
        metadata={
            "label": "Temperature",
            "help": "Of every attempt but the first: they must be able to differ.",
            "min": 0.0,
            "max": 2.0,
        },
    )


def reward_param() -> Any:
    """The dataclass field `reward`: code."""
    return field(
        default="",
        metadata={
            "label": "Reward in Python",
            "help": "def reward(inputs, outputs): a number, higher is better.",
            "widget": "code",
        },
    )


def rubric_param() -> Any:
    """The dataclass field `rubric`: a text for the judge."""
    return field(
        default="",
        metadata={
            "label": "Rubric",
            "help": "What a good answer does; the model gives a score from 0 to 1 by it.",
            "widget": "text",
        },
    )


@dataclass(frozen=True, kw_only=True)
class BestOfNParams:
    """What people may set on a BestOfN step."""

    step: str = step_param()
    n: int = field(
        default=3,
        metadata={
            "label": "Attempts",
            "help": "How often the question is asked at most; each one is paid for.",
            "min": 1,
            "max": 50,
        },
    )
    reward: str = reward_param()
    rubric: str = rubric_param()
    threshold: float = threshold_param()
    parallel: bool = field(
        default=False,
        metadata={
            "label": "All at once",
            "help": "Faster; pays for every attempt even when the first is good enough.",
        },
    )
    temperature: float = temperature_param()


@dataclass(frozen=True)
class BestOfN(Composite):
    """Attempts at one step, and a reward that says which one is taken.

    `reward` is a function of inputs and outputs, or a `Reward`.
    """

    step: Module
    reward: Reward | RewardFunction
    n: int = 3
    threshold: float = 1.0
    parallel: bool = False
    temperature: float = 0.7
    wired: Signature | None = None
    """Its ports, when they are fewer than the step's."""

    @property
    def signature(self) -> Signature:
        """See `Module.signature`."""
        return self.wired or self.step.signature

    @property
    def members(self) -> Mapping[str, Module]:
        """See `Composite.members`."""
        return {"step": self.step, **reward_members(self.reward)}

    def with_members(self, members: Mapping[str, Module]) -> Self:
        """See `Composite.with_members`."""
        return replace(self, step=members["step"], reward=reward_with(self.reward, members))

    def calls(self, members: Mapping[str, Often], lengths: Mapping[str, float]) -> Often:
        """See `Composite.calls`."""
        tries = exactly(self.n) if self.parallel else until_good(self.n)
        return times(tries, all_of(members.values()))

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`.

        An attempt that fails is passed over; when all fail, the first one's error is raised. Of
        equal rewards the earlier answer wins.
        """
        inputs = self.signature.read_inputs(inputs)
        reward = as_reward(self.reward)

        async def one(number: int) -> Tried:
            fresh = attempt_runtime(runtime, number, self.temperature)
            return await try_once(self.step, reward, inputs, fresh, path, number)

        if self.parallel:
            tries = await together([one(number) for number in range(self.n)])
        else:
            tries = []
            for number in range(self.n):
                tries.append(await one(number))
                if tries[-1].value >= self.threshold:
                    break
        best = best_of(tries)
        values = only_outputs(self.signature, best.attempt.values)
        return Prediction(values, steps_of(tries, best))


def _parts(signature: Signature, params: BestOfNParams) -> tuple[Part, ...]:
    read_reward(params.reward, params.rubric, signature)
    return body_part(signature)


def _make(signature: Signature, params: BestOfNParams, parts: Mapping[str, Module]) -> BestOfN:
    return BestOfN(
        inner_step(signature, params.step, parts),
        read_reward(params.reward, params.rubric, signature),
        n=params.n,
        threshold=params.threshold,
        parallel=params.parallel,
        temperature=params.temperature,
        wired=signature,
    )


BEST_OF_N = ModuleKind(
    name="best_of_n",
    title="Best of n",
    summary="Ask again until an answer is good enough, and take the best.",
    group="Improve",
    params=BestOfNParams,
    make=_make,
    parts=_parts,
)
