"""What goes into a compile, and what a compiler is."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from studio.engine.compilers.events import Event
from studio.engine.evaluation import Ledger
from studio.engine.example import Example
from studio.engine.lm.metered import Budget
from studio.engine.metrics.base import Metric
from studio.engine.program import Program
from studio.engine.runtime import Runtime

if TYPE_CHECKING:
    from studio.engine.compilers.search import Search


@dataclass(frozen=True, kw_only=True)
class CompileTask:
    """Everything that a compile needs."""

    program: Program
    train: Sequence[Example]
    """Demos and calibration come from here."""
    dev: Sequence[Example]
    """Candidates are compared on these."""
    test: Sequence[Example]
    """Held out: only the winner and the uncompiled program are scored on these."""
    metric: Metric
    runtime: Runtime
    ledger: Ledger
    seed: int = 0
    compiler: str = "random-search"
    params: Mapping[str, Any] = field(default_factory=dict)
    """JSON, as the compiler's `Params` read it."""
    budget: Budget | None = None
    """The one that the runtime's LMs take from: a part of it is kept for the confirmation."""
    concurrency: int = 16


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


@dataclass(frozen=True, slots=True)
class Plan:
    """How much a compiler is going to do, before it is known how things go."""

    candidates: int
    """Besides the uncompiled program."""
    calibrations: int
    traces: tuple[int, int, int] = (0, 0, 0)
    """Program runs with a teacher: lowest, expected, highest."""


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
    run: Callable[[Search, Any], AsyncGenerator[Event, None]]
    """Makes candidates and has the search consider them."""
    plan: Callable[[Any, int], Plan]
    """From the parameters and the number of training examples."""
