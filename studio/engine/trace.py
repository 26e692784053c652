"""What happened inside a program, step by step, and what came out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from studio.engine.messages import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call of a predictor, a tool, a retriever or a piece of code."""

    path: str
    """Where it happened, such as `plan.answer`; for a predictor its path."""
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    prompt: str
    """What the LM read, as text."""
    answer: str
    """What the LM wrote, as text, answers that could not be read with it; for scored labels the
    label that won."""
    scores: Mapping[str, Mapping[str, float]]
    """For each scored enum output: the log-probability of each label, before calibration."""
    usage: Usage
    retries: int = 0
    """How often the LM was asked again because its answer could not be read."""
    discarded: bool = False
    """An attempt that was not taken: paid for, but nothing to learn from."""
    problems: tuple[str, ...] = ()
    """Why the LM was asked again, one sentence for each answer that could not be read."""

    def to_dict(self) -> dict[str, Any]:
        """JSON; `Step.from_dict` reads it back."""
        return {
            "path": self.path,
            "inputs": dict(self.inputs),
            "outputs": dict(self.outputs),
            "prompt": self.prompt,
            "answer": self.answer,
            "scores": {name: dict(scores) for name, scores in self.scores.items()},
            "usage": self.usage.to_dict(),
            "retries": self.retries,
            "discarded": self.discarded,
            **({"problems": list(self.problems)} if self.problems else {}),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Step:
        """Read what `to_dict` wrote."""
        return cls(
            **{
                **data,
                "usage": Usage(**data["usage"]),
                "problems": tuple(data.get("problems", ())),
            }
        )


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a program answered to one set of inputs."""

    values: Mapping[str, Any]
    steps: tuple[Step, ...] = ()

    @property
    def usage(self) -> Usage:
        """Everything that was used on the way."""
        return reduce(Usage.__add__, (step.usage for step in self.steps), Usage())
