"""What data looks like to the engine: examples, demos, candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

from studio.engine.codec import content_hash


@dataclass(frozen=True)
class Example:
    """One item of a dataset: every column under the field name that it is mapped to."""

    values: Mapping[str, Any]

    @cached_property
    def id(self) -> str:
        """The content hash: two equal examples are the same example."""
        return content_hash(dict(self.values))


@dataclass(frozen=True, slots=True, kw_only=True)
class Demo:
    """One worked example inside a prompt."""

    values: Mapping[str, Any]
    """Inputs and outputs of the predictor that shows it."""
    source: str = ""
    """`Example.id` of the example that it was made from; empty when written by hand."""
    bootstrapped: bool = False
    """Made from a trace that the metric liked, not from labels."""
    reason: str = ""
    """What the metric said of the trace."""

    def to_dict(self) -> dict[str, Any]:
        """JSON; `Demo.from_dict` reads it back."""
        return {
            "values": dict(self.values),
            "source": self.source,
            "bootstrapped": self.bootstrapped,
            "reason": self.reason,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Demo:
        """Read what `to_dict` wrote."""
        return cls(
            values=dict(data["values"]),
            source=str(data.get("source", "")),
            bootstrapped=bool(data.get("bootstrapped", False)),
            reason=str(data.get("reason", "")),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictorState:
    """What a compiler may set on one predictor."""

    instruction: str
    demos: tuple[Demo, ...] = ()
    calibration: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """For each enum output: what is added to the log-probability of each label."""
    nearest: int = 0
    """How many demos each question is shown: those most like its inputs; 0: all."""

    @property
    def chooses(self) -> bool:
        """Whether not every question is shown the same demos."""
        return 0 < self.nearest < len(self.demos)

    def to_dict(self) -> dict[str, Any]:
        """JSON; `PredictorState.from_dict` reads it back."""
        data: dict[str, Any] = {
            "instruction": self.instruction,
            "demos": [demo.to_dict() for demo in self.demos],
            "calibration": {name: dict(bias) for name, bias in self.calibration.items()},
        }
        # Absent when it says nothing, so that a state has one content hash.
        return {**data, "nearest": self.nearest} if self.nearest else data

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> PredictorState:
        """Read what `to_dict` wrote."""
        return cls(
            instruction=str(data["instruction"]),
            demos=tuple(Demo.from_dict(demo) for demo in data.get("demos", ())),
            calibration={
                name: {label: float(value) for label, value in bias.items()}
                for name, bias in data.get("calibration", {}).items()
            },
            nearest=max(0, int(data.get("nearest", 0))),
        )


def member_path(member: str, path: str) -> str:
    """The path of a predictor in an ensemble: `2/classify` in the member `2`."""
    return f"{member}/{path}"


@dataclass(frozen=True)
class Candidate:
    """One setting of all predictors of a program: `{predictor path: state}`.

    Of an ensemble, a setting of them for each member: the paths begin with the member's name.
    """

    states: Mapping[str, PredictorState]

    @classmethod
    def ensemble(cls, candidates: Sequence[Candidate]) -> Self:
        """The candidates as the members `1`, `2`, … of one; members of an ensemble one by one."""
        members = [
            member for one in candidates for member in (list(one.members.values()) or [one])
        ]
        return cls(
            {
                member_path(str(number), path): state
                for number, member in enumerate(members, 1)
                for path, state in member.states.items()
            }
        )

    @cached_property
    def members(self) -> Mapping[str, Candidate]:
        """Of an ensemble each member's candidate, by name; of any other candidate nothing."""
        found: dict[str, dict[str, PredictorState]] = {}
        for path, state in self.states.items():
            member, mark, below = path.partition("/")
            if mark:
                found.setdefault(member, {})[below] = state
        return {member: Candidate(states) for member, states in found.items()}

    @cached_property
    def hash(self) -> str:
        """The content hash that names this candidate everywhere."""
        return content_hash(self.to_dict())

    @property
    def demo_sources(self) -> frozenset[str]:
        """Ids of the examples that stand among the demos: it is never scored on them."""
        return frozenset(
            demo.source for state in self.states.values() for demo in state.demos if demo.source
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON; `Candidate.from_dict` reads it back."""
        return {path: state.to_dict() for path, state in self.states.items()}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Candidate:
        """Read what `to_dict` wrote."""
        return cls({path: PredictorState.from_dict(state) for path, state in data.items()})
