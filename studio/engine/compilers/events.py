"""What a compile tells while it runs, in the order in which it happens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from studio.engine.example import Candidate
from studio.engine.statistics import Interval, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The first event: what is going to happen."""

    kind: ClassVar[str] = "planned"
    compiler: str
    seed: int
    candidates: int
    """At most so many, with the uncompiled program."""
    train: int
    dev: int
    test: int
    calls: int
    """LM calls that are expected."""
    notes: tuple[str, ...] = ()
    """What was left out of the data, and why."""

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return _told(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceTried:
    """A teacher tried one training example."""

    kind: ClassVar[str] = "trace-tried"
    teacher: str
    """Hash of the candidate that taught."""
    example: str
    round: int
    passed: bool
    reason: str
    tried: int
    """Tried so far, with this one."""
    found: int
    """Passed so far."""
    wanted: int
    """Bootstrapping ends when so many have passed."""

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return _told(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """An LM was asked how to go on, such as for a new instruction."""

    kind: ClassVar[str] = "asked"
    role: str
    """Which LM: `proposer`, `teacher`, `judge`."""
    purpose: str
    """What for, in words."""
    path: str
    """The predictor that it is about; empty: the whole program."""
    answer: Mapping[str, Any]
    """What it said; empty when that could not be read."""
    problem: str = ""
    """Why it could not."""

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {**_told(self), "answer": dict(self.answer)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateMade:
    """There is a new candidate; it is going to be scored."""

    kind: ClassVar[str] = "candidate-made"
    number: int
    """0 is the uncompiled program."""
    origin: str
    """How it was made, in words."""
    candidate: Candidate
    parents: tuple[int, ...] = ()
    """The numbers of the candidates that it was made from."""

    def to_dict(self) -> dict[str, Any]:
        """JSON; the candidate's states are left to who keeps candidates."""
        states = self.candidate.states.values()
        return {
            "kind": self.kind,
            "number": self.number,
            "origin": self.origin,
            "candidate": self.candidate.hash,
            "demos": sum(len(state.demos) for state in states),
            "bootstrapped": sum(demo.bootstrapped for state in states for demo in state.demos),
            "calibrated": any(state.calibration for state in states),
            "parents": list(self.parents),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleScored:
    """A candidate was run on one example."""

    kind: ClassVar[str] = "example-scored"
    number: int
    candidate: str
    part: str
    """`train` (to learn, to calibrate, and to decide between the last ones that dev leaves),
    `dev` (to select) or `test` (to confirm)."""
    example: str
    value: float | None
    reason: str

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return _told(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandidateScored:
    """A candidate is through with the dev examples."""

    kind: ClassVar[str] = "candidate-scored"
    number: int
    origin: str
    candidate: str
    value: float | None
    """The mean over the examples that were scored."""
    scored_on: int
    own: int
    """Examples left out because they stand among its demos."""
    unscored: int
    dropped: bool
    """It could not have become the best any more, so the rest was not run."""
    best: bool
    """It is the best so far."""
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return _told(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """The result, and what it is compared with, on the same held-out examples."""

    baseline: float | None = None
    """The mean score of what it is compared with: the uncompiled program or the release."""
    compiled: float | None = None
    """The mean score of the winner."""
    difference: Interval | None = None
    confirmed_on: int = 0
    """Examples on which both were scored."""
    wins: int = 0
    """Examples on which the winner is better …"""
    losses: int = 0
    """… and on which it is worse."""
    p_value: float | None = None
    """Of the exact sign test: McNemar's where answers are right or wrong."""
    verdict: Verdict = "not distinguishable"
    sentence: str = ""
    """All of this in words."""

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {
            "baseline": self.baseline,
            "compiled": self.compiled,
            "difference": self.difference.to_dict() if self.difference else None,
            "confirmed_on": self.confirmed_on,
            "wins": self.wins,
            "losses": self.losses,
            "p_value": self.p_value,
            "verdict": self.verdict,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmed:
    """The held-out examples have spoken."""

    kind: ClassVar[str] = "confirmed"
    number: int
    """The winner's."""
    confirmation: Confirmation

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {"kind": self.kind, "number": self.number, **self.confirmation.to_dict()}


@dataclass(frozen=True, slots=True, kw_only=True)
class CompileResult:
    """What a compile ends in."""

    candidate: Candidate
    number: int
    origin: str
    improved: bool
    """The whole interval of the difference lies above 0."""
    confirmation: Confirmation = field(default_factory=Confirmation)
    """Compared with the uncompiled program."""
    against_release: Confirmation | None = None
    """Compared with what answers calls now, on the same examples; None without a release."""
    dev_gain: Interval | None = None
    """What the winner gained on dev, less what it owes to having been picked as the best."""
    candidates: int = 1
    """It was picked out of so many, with the uncompiled program."""
    calls: int = 0
    """LM calls that the results behind it took."""
    note: str = ""
    """What people should know, in sentences."""

    @property
    def baseline(self) -> float | None:
        """The mean held-out score of the uncompiled program."""
        return self.confirmation.baseline

    @property
    def compiled(self) -> float | None:
        """The mean held-out score of the best candidate."""
        return self.confirmation.compiled

    @property
    def difference(self) -> Interval | None:
        """Compiled minus baseline; None when nothing could be confirmed."""
        return self.confirmation.difference

    @property
    def confirmed_on(self) -> int:
        """Held-out examples on which both were scored."""
        return self.confirmation.confirmed_on

    def to_dict(self) -> dict[str, Any]:
        """JSON, without the candidate's states."""
        return {
            "candidate": self.candidate.hash,
            "number": self.number,
            "origin": self.origin,
            "improved": self.improved,
            **self.confirmation.to_dict(),
            "against_release": self.against_release.to_dict() if self.against_release else None,
            "dev_gain": self.dev_gain.to_dict() if self.dev_gain else None,
            "candidates": self.candidates,
            "calls": self.calls,
            "note": self.note,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The last event."""

    kind: ClassVar[str] = "finished"
    result: CompileResult

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {"kind": self.kind, **self.result.to_dict()}


Event = (
    Planned
    | TraceTried
    | Asked
    | CandidateMade
    | ExampleScored
    | CandidateScored
    | Confirmed
    | Finished
)


def _told(event: Planned | TraceTried | Asked | ExampleScored | CandidateScored) -> dict[str, Any]:
    """The kind and every field; for events that hold nothing but numbers, texts and lists."""
    plain = {each.name: getattr(event, each.name) for each in fields(event)}
    return {
        "kind": event.kind,
        **{name: list(value) if type(value) is tuple else value for name, value in plain.items()},
    }
