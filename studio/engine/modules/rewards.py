"""Rewards: how good one answer is, without knowing the right one.

Said by a function in Python, by code in the sandbox, or by the LM with a rubric.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, cast

from studio.engine.errors import InputError, SandboxError, SignatureError
from studio.engine.fields import STR, Constraints, FieldType
from studio.engine.messages import Usage
from studio.engine.modules.attempts import (
    FAILURES,
    Attempt,
    attempt,
    discard,
    first_error,
    free_name,
)
from studio.engine.modules.base import Module, join_path
from studio.engine.modules.predict import Predict
from studio.engine.runtime import Runtime
from studio.engine.sandbox.calling import call, require_function
from studio.engine.signature import Field, Signature
from studio.engine.trace import Step

RewardFunction = Callable[[Mapping[str, Any], Mapping[str, Any]], float | Awaitable[float]]
"""From inputs and outputs to a number, higher is better; may be asynchronous."""

_JUDGE = (
    "Judge the answer to this task by the rubric, strictly and by nothing else. The score is 0 "
    "when the answer meets nothing of the rubric, and 1 when it meets everything."
)


@dataclass(frozen=True, slots=True)
class Rewarded:
    """What a reward said of one answer."""

    value: float
    reason: str = ""
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class CallableReward:
    """A function of the program that uses the engine as a library."""

    function: RewardFunction

    async def __call__(
        self, inputs: Mapping[str, Any], outputs: Mapping[str, Any], runtime: Runtime, path: str
    ) -> Rewarded:
        """What the function says; what it raises passes through."""
        value = self.function(inputs, outputs)
        if inspect.isawaitable(value):
            value = await value
        return _shown(_number(value), inputs, outputs, path)


@dataclass(frozen=True, slots=True)
class CodeReward:
    """Somebody's `def reward(inputs, outputs)`, run in the sandbox."""

    code: str

    async def __call__(
        self, inputs: Mapping[str, Any], outputs: Mapping[str, Any], runtime: Runtime, path: str
    ) -> Rewarded:
        """What the code says; raises `InputError` when there is no sandbox to run it in."""
        if runtime.sandbox is None:
            raise InputError("The reward is Python code, and there is no sandbox to run it in.")
        outcome = await call(runtime.sandbox, self.code, "reward", [dict(inputs), dict(outputs)])
        return _shown(_number(outcome.value), inputs, outputs, path)


@dataclass(frozen=True)
class RubricReward:
    """The LM is the judge."""

    rubric: str
    judge: Predict

    @classmethod
    def of(cls, rubric: str, signature: Signature) -> RubricReward:
        """For answers to `signature`."""
        return cls(rubric, Predict.of(_judge_signature(signature)))

    async def __call__(
        self, inputs: Mapping[str, Any], outputs: Mapping[str, Any], runtime: Runtime, path: str
    ) -> Rewarded:
        """What the judge says; its step stands at `judge`."""
        rubric, answer = self._names
        given = {rubric: self.rubric, **inputs, answer: dict(outputs)}
        judged = await self.judge(given, runtime, join_path(path, "judge"))
        reason, score = (field.name for field in self.judge.signature.outputs)
        return Rewarded(judged.values[score], judged.values[reason], judged.steps)

    @cached_property
    def _names(self) -> tuple[str, str]:
        fields = self.judge.signature.inputs
        return fields[0].name, fields[-1].name


def _judge_signature(signature: Signature) -> Signature:
    taken = {field.name for field in signature.inputs}
    rubric, answer, reason, score = (
        free_name(name, taken) for name in ("rubric", "answer", "reason", "score")
    )
    return Signature(
        (
            Field(name=rubric, role="input", type=STR, description="What a good answer does."),
            *signature.inputs,
            Field(
                name=answer,
                role="input",
                type=FieldType("object"),
                description="What is to be judged.",
            ),
            Field(
                name=reason,
                role="output",
                description="What the answer meets and what it misses, in two sentences.",
            ),
            Field(
                name=score,
                role="output",
                type=FieldType("float"),
                description="From 0 to 1.",
                constraints=Constraints(min=0.0, max=1.0),
            ),
        ),
        f"{_JUDGE}\n\nThe task: {signature.task}",
    )


Reward = CallableReward | CodeReward | RubricReward
"""Says how good one answer is; called with the path of the module that asks."""


def as_reward(reward: Reward | RewardFunction) -> Reward:
    """A `Reward`, made of the function if it is one."""
    if isinstance(reward, Reward):
        return reward
    return CallableReward(reward)


def reward_members(reward: Reward | RewardFunction) -> Mapping[str, Module]:
    """The predictor inside a reward, if it has one."""
    return {"judge": reward.judge} if isinstance(reward, RubricReward) else {}


def reward_with(
    reward: Reward | RewardFunction, members: Mapping[str, Module]
) -> Reward | RewardFunction:
    """The same reward with the predictor out of `members`, if it has one."""
    if isinstance(reward, RubricReward):
        return replace(reward, judge=cast(Predict, members["judge"]))
    return reward


def read_reward(reward: str, rubric: str, signature: Signature) -> Reward:
    """The reward of a node that has either code or a rubric.

    Raises `SignatureError` when it has both or neither, or the code defines no `reward`.
    """
    if bool(reward.strip()) == bool(rubric.strip()):
        raise SignatureError(
            "Say what a good answer is, in exactly one way: a reward in Python, or a rubric."
        )
    if not reward.strip():
        return RubricReward.of(rubric, signature)
    require_function(reward, "reward")
    return CodeReward(reward)


@dataclass(frozen=True, slots=True)
class Tried:
    """An attempt with its reward; without one when the attempt or the reward failed."""

    attempt: Attempt
    rewarded: Rewarded | None = None

    @property
    def value(self) -> float:
        """The reward; less than any other when there is none."""
        return self.rewarded.value if self.rewarded else -math.inf

    @property
    def steps(self) -> tuple[Step, ...]:
        """Of the attempt and of its reward."""
        return (*self.attempt.steps, *(self.rewarded.steps if self.rewarded else ()))


async def try_once(
    module: Module,
    reward: Reward,
    inputs: Mapping[str, Any],
    runtime: Runtime,
    path: str,
    number: int,
) -> Tried:
    """One attempt at `path`.step, and what the reward says of it.

    The reward is asked in the attempt's own runtime, so that equal answers are judged afresh.
    """
    one = await attempt(module, inputs, runtime, join_path(path, "step"), number)
    if one.prediction is None:
        return Tried(one)
    outputs = {field.name: one.values[field.name] for field in module.signature.outputs}
    known = {
        field.name: inputs[field.name] for field in module.signature.inputs if field.name in inputs
    }
    try:
        return Tried(one, await reward(known, outputs, runtime, path))
    except FAILURES as error:
        return Tried(replace(one, error=error))


def best_of(tries: list[Tried]) -> Tried:
    """The first with the highest reward; raises the first error when none has one."""
    best = max(tries, key=lambda one: one.value)
    if best.rewarded is None:
        raise first_error([one.attempt for one in tries])
    return best


def steps_of(tries: list[Tried], kept: Tried) -> tuple[Step, ...]:
    """Everything that was paid for, in order; what is not of `kept` is marked as discarded."""
    return tuple(
        step for one in tries for step in (one.steps if one is kept else discard(one.steps))
    )


def _number(value: Any) -> float:
    if isinstance(value, (bool, int, float)) and math.isfinite(value):
        return float(value)
    raise SandboxError(f"A reward is a number, and this one answered {value!r:.80}.")


def _shown(
    value: float, inputs: Mapping[str, Any], outputs: Mapping[str, Any], path: str
) -> Rewarded:
    step = Step(
        path=join_path(path, "reward"),
        inputs=outputs,
        outputs={"reward": value},
        prompt="",
        answer="",
        scores={},
        usage=Usage(),
    )
    return Rewarded(value, "", (step,))
