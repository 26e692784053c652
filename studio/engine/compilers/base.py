"""What goes into a compile, and what a compiler is."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from studio.engine.evaluation import Ledger
from studio.engine.example import Candidate, Example
from studio.engine.lm.metered import Budget
from studio.engine.metrics.base import Metric
from studio.engine.program import Program
from studio.engine.runtime import Runtime

if TYPE_CHECKING:
    from studio.engine.compilers.search import Search

Preset = Literal["light", "medium", "thorough"]
PRESETS: tuple[Preset, ...] = ("light", "medium", "thorough")


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """Whose answers become demos: another LM, a compiled program, or both."""

    runtime: Runtime
    program: Program | None = None
    """None: the program that is compiled."""
    candidate: Candidate | None = None
    """How the program is set; None: the compiler decides, which is labelled demos."""


@dataclass(frozen=True, kw_only=True)
class CompileTask:
    """Everything that a compile needs."""

    program: Program
    train: Sequence[Example]
    """Demos and calibration come from here."""
    dev: Sequence[Example]
    """Candidates are compared on these."""
    test: Sequence[Example]
    """Held out: only the winner and what it is compared with are scored on these."""
    metric: Metric
    runtime: Runtime
    """The student's."""
    ledger: Ledger
    seed: int = 0
    compiler: str = "random-search"
    params: Mapping[str, Any] = field(default_factory=dict)
    """JSON, as the compiler's `Params` read it."""
    budget: Budget | None = None
    """The one that the runtimes' LMs take from: a part of it is kept for the confirmation."""
    concurrency: int = 16
    teacher: Teacher | None = None
    """None: the student teaches itself."""
    proposer: Runtime | None = None
    """Who is asked for instructions; None: the student."""
    start: Candidate | None = None
    """What to improve, such as an earlier result; None: the program as it is."""
    release: Candidate | None = None
    """What answers calls now: the winner is compared with it as well."""


class SearchParams(Protocol):
    """What every compiler's `Params` have."""

    @property
    def calibrate(self) -> bool:
        """Whether label scores are calibrated."""

    @property
    def calibration_examples(self) -> int:
        """Training examples that each candidate's calibration may use."""

    @property
    def dev_limit(self) -> int:
        """Dev examples that each candidate is scored on; 0: all."""


Range = tuple[int, int, int]
"""Lowest, expected, highest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much a compiler is going to do, before it is known how things go."""

    races: tuple[int, ...]
    """For each race, how many new candidates are in it, the uncompiled program not counted."""
    calibrations: int | None = None
    """Candidates that are calibrated; None: all of those in the races."""
    traces: Range = (0, 0, 0)
    """Program runs with a teacher."""
    runs: Range = (0, 0, 0)
    """Program runs with the student besides those: mini-batches."""
    asks: Range = (0, 0, 0)
    """Questions to the proposer."""


@dataclass(frozen=True, slots=True)
class Situation:
    """What a compiler's plan depends on besides its parameters."""

    train: int
    dev: int
    """After `dev_limit`."""
    predictors: int = 1
    test: int = 0
    calibrates: bool = False
    """Whether the student's LM scores the labels of some output."""
    writes: bool = True
    """Whether it writes some output: only then may another try give something else."""


@dataclass(frozen=True, slots=True)
class CompilerKind:
    """A compiler that people can choose."""

    name: str
    title: str
    sentence: str
    paper: str
    """Where it comes from: an address, or empty."""
    params: type[Any]
    """A frozen dataclass; its metadata make the form. It fits `SearchParams`."""
    run: Callable[[Search, Any], Coroutine[Any, Any, None]]
    """Makes candidates and has the search race them."""
    plan: Callable[[Any, Situation], Plan]
    """From the parameters, read."""
    presets: Mapping[Preset, Mapping[str, Any]] = field(default_factory=dict)
    """Parameters (JSON) by preset; `light` is quick and cheap, `thorough` takes its time."""
    asks: bool = False
    """Whether it asks a proposer."""
