"""Refine: ask, judge, advise, and ask again with the advice.

Self-Refine: Madaan et al. 2023, https://arxiv.org/abs/2303.17651.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self, cast

from studio.engine.codec import canonical_json
from studio.engine.fields import FieldType
from studio.engine.modules.attempts import (
    FAILURES,
    attempt_runtime,
    discard,
    free_name,
    only_outputs,
)
from studio.engine.modules.base import (
    Composite,
    Module,
    ModuleKind,
    Part,
    WithoutLM,
    join_path,
)
from studio.engine.modules.best_of_n import (
    reward_param,
    rubric_param,
    temperature_param,
    threshold_param,
)
from studio.engine.modules.inner import body_part, inner_step, step_param
from studio.engine.modules.often import Often, all_of, times, until_good
from studio.engine.modules.predict import Predict
from studio.engine.modules.rewards import (
    Reward,
    RewardFunction,
    Tried,
    as_reward,
    best_of,
    read_reward,
    reward_members,
    reward_with,
    try_once,
)
from studio.engine.runtime import Runtime
from studio.engine.signature import Field, Signature
from studio.engine.trace import Prediction, Step

_ADVISE = (
    "An answer to this task was judged, and it is not good enough yet. Say what is to be done "
    "otherwise in the next attempt: concrete, short, and without solving the task yourself."
)
_USE_ADVICE = (
    "A former attempt at this answered:\n{answer}\n\nIt was not good enough. Advice for this "
    "attempt:\n{advice}"
)


@dataclass(frozen=True, kw_only=True)
class RefineParams:
    """What people may set on a Refine step."""

    step: str = step_param()
    n: int = field(
        default=3,
        metadata={
            "label": "Attempts",
            "help": "How often the question is asked at most; advice is asked for in between.",
            "min": 1,
            "max": 50,
        },
    )
    reward: str = reward_param()
    rubric: str = rubric_param()
    threshold: float = threshold_param()
    temperature: float = temperature_param()


@dataclass(frozen=True)
class Refine(Composite):
    """Attempts at one step, each with advice on the best one so far.

    `reward` is a function of inputs and outputs, or a `Reward`. Advice reaches a Predict (or a
    ChainOfThought) through two more inputs, and any other step through the instructions of its
    predictors; both share the step's instruction and demos.
    """

    step: Module
    reward: Reward | RewardFunction
    n: int = 3
    threshold: float = 1.0
    temperature: float = 0.7
    wired: Signature | None = None
    """Its ports, when they are fewer than the step's."""
    feedback: Predict | None = None
    """None: made from the step's signature."""

    def __post_init__(self) -> None:
        if self.feedback is None:
            feedback = Predict.of(_feedback_signature(self.signature))
            object.__setattr__(self, "feedback", feedback)

    @property
    def signature(self) -> Signature:
        """See `Module.signature`."""
        return self.wired or self.step.signature

    @property
    def members(self) -> Mapping[str, Module]:
        """See `Composite.members`."""
        return {
            "step": self.step,
            **reward_members(self.reward),
            "feedback": cast(Predict, self.feedback),
        }

    def with_members(self, members: Mapping[str, Module]) -> Self:
        """See `Composite.with_members`."""
        return replace(
            self,
            step=members["step"],
            reward=reward_with(self.reward, members),
            feedback=cast(Predict, members["feedback"]),
        )

    def calls(self, members: Mapping[str, Often], lengths: Mapping[str, float]) -> Often:
        """See `Composite.calls`."""
        tries = until_good(self.n)
        advice = times((0.0, tries[1] - 1, tries[2] - 1), members["feedback"])
        tried = [calls for name, calls in members.items() if name != "feedback"]
        return all_of((times(tries, all_of(tried)), advice))

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`.

        An attempt that fails is passed over, and so is advice that cannot be read; when all
        attempts fail, the first one's error is raised. Of equal rewards the earlier answer wins.
        """
        inputs = self.signature.read_inputs(inputs)
        reward = as_reward(self.reward)
        tries: list[Tried] = []
        advised: list[tuple[Step, ...]] = []
        for number in range(self.n):
            fresh = attempt_runtime(runtime, number, self.temperature)
            module: Module = self.step
            steps: tuple[Step, ...] = ()
            best = max(tries, key=lambda one: one.value, default=None)
            if best is not None and best.rewarded is not None:
                advice, steps = await self._advice(inputs, best, fresh, path)
                if advice:
                    module = _Advised(
                        self._second, self._answer(best), advice, self.step.signature
                    )
            advised.append(steps)
            tries.append(await try_once(module, reward, inputs, fresh, path, number))
            if tries[-1].value >= self.threshold:
                break
        taken = best_of(tries)
        values = only_outputs(self.signature, taken.attempt.values)
        return Prediction(values, _steps(tries, advised, taken))

    async def _advice(
        self, inputs: Mapping[str, Any], best: Tried, runtime: Runtime, path: str
    ) -> tuple[str, tuple[Step, ...]]:
        """What to do otherwise; nothing when that could not be read."""
        assert self.feedback is not None
        assert best.rewarded is not None
        fields = self.feedback.signature
        answer, reward, reason = (field.name for field in fields.inputs[-3:])
        given = {
            **inputs,
            answer: only_outputs(self.step.signature, best.attempt.values),
            reward: best.rewarded.value,
            reason: best.rewarded.reason or "No reason was given.",
        }
        try:
            told = await self.feedback(given, runtime, join_path(path, "feedback"))
        except FAILURES:
            return "", ()
        return str(told.values[fields.outputs[0].name]).strip(), told.steps

    def _answer(self, best: Tried) -> str:
        return canonical_json(only_outputs(self.step.signature, best.attempt.values))

    @cached_property
    def _second(self) -> Callable[[str, str], tuple[Module, Mapping[str, Any]]]:
        """From a former answer and advice to what is asked, and its additional inputs."""
        step = self.step
        if isinstance(step, Predict):
            signature = _advised_signature(step.signature)
            again = replace(step, signature=signature, _renderers={})
            answer, advice = (field.name for field in signature.inputs[-2:])
            return lambda was, said: (again, {answer: was, advice: said})
        return lambda was, said: (_instructed(step, was, said), {})


@dataclass(frozen=True)
class _Advised(WithoutLM):
    """A step that is told a former answer and advice, and has the same ports as without."""

    second: Callable[[str, str], tuple[Module, Mapping[str, Any]]]
    answer: str
    advice: str
    signature: Signature

    async def __call__(self, inputs: Mapping[str, Any], runtime: Runtime, path: str) -> Prediction:
        """See `Module.__call__`; the inputs of the steps are those of the step itself."""
        module, more = self.second(self.answer, self.advice)
        prediction = await module({**inputs, **more}, runtime, path)
        steps = tuple(
            replace(
                step,
                inputs={name: step.inputs[name] for name in step.inputs if name not in more},
            )
            for step in prediction.steps
        )
        return Prediction(prediction.values, steps)


def _instructed(step: Module, answer: str, advice: str) -> Module:
    """The step with the advice below the instruction of each of its predictors."""
    more = _USE_ADVICE.format(answer=answer, advice=advice)
    states = {
        path: replace(
            state, instruction=f"{state.instruction.strip() or signature.task}\n\n{more}"
        )
        for path, (signature, state) in step.predictors().items()
    }
    return step.with_states(states)


def _steps(tries: list[Tried], advised: list[tuple[Step, ...]], kept: Tried) -> tuple[Step, ...]:
    """Everything that was paid for, in order; what did not lead to `kept` is discarded."""
    steps: list[Step] = []
    for one, before in zip(tries, advised, strict=True):
        found = (*before, *one.steps)
        steps.extend(found if one is kept else discard(found))
    return tuple(steps)


def _advised_signature(signature: Signature) -> Signature:
    taken = [field.name for field in signature.fields]
    more = (
        Field(
            name=free_name("previous_answer", taken),
            role="input",
            description="What a former attempt answered; it was not good enough.",
        ),
        Field(
            name=free_name("advice", taken),
            role="input",
            description="What to do otherwise this time.",
        ),
    )
    return replace(signature, fields=(*signature.inputs, *more, *signature.outputs))


def _feedback_signature(signature: Signature) -> Signature:
    taken = [field.name for field in signature.inputs]
    answer, score, reason, advice = (
        free_name(name, taken) for name in ("previous_answer", "score", "reason", "advice")
    )
    return Signature(
        (
            *signature.inputs,
            Field(
                name=answer,
                role="input",
                type=FieldType("object"),
                description="What was answered.",
            ),
            Field(
                name=score,
                role="input",
                type=FieldType("float"),
                description="How good it is; higher is better.",
            ),
            Field(name=reason, role="input", description="Why it has this score."),
            Field(name=advice, role="output", description="For the next attempt."),
        ),
        f"{_ADVISE}\n\nThe task: {signature.task}",
    )


def _parts(signature: Signature, params: RefineParams) -> tuple[Part, ...]:
    read_reward(params.reward, params.rubric, signature)
    return body_part(signature)


def _make(signature: Signature, params: RefineParams, parts: Mapping[str, Module]) -> Refine:
    return Refine(
        inner_step(signature, params.step, parts),
        read_reward(params.reward, params.rubric, signature),
        n=params.n,
        threshold=params.threshold,
        temperature=params.temperature,
        wired=signature,
    )


REFINE = ModuleKind(
    name="refine",
    title="Refine",
    summary="Ask, judge the answer, and ask again with advice until it is good enough.",
    group="Improve",
    params=RefineParams,
    make=_make,
    parts=_parts,
)
