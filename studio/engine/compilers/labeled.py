"""Labelled demos: show the model some training examples with their answers."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from studio.engine.compilers import params as shared
from studio.engine.compilers.base import CompilerKind, Plan
from studio.engine.compilers.events import Event
from studio.engine.compilers.search import Search


@dataclass(frozen=True, kw_only=True)
class LabeledParams:
    """What people may set."""

    max_labeled: int = shared.max_labeled()
    calibrate: bool = shared.calibrate()
    calibration_examples: int = shared.calibration_examples()
    dev_limit: int = shared.dev_limit()


async def labeled(search: Search, params: LabeledParams) -> AsyncGenerator[Event, None]:
    """One candidate: `max_labeled` demos, balanced over the labels."""
    candidate = search.labelled(params.max_labeled)
    async with aclosing(search.consider(candidate, "labelled demos")) as events:
        async for event in events:
            yield event


LABELED = CompilerKind(
    name="labeled",
    title="Labelled demos",
    sentence="Shows the model some training examples with their answers. The cheapest one.",
    paper="https://arxiv.org/abs/2005.14165",
    params=LabeledParams,
    run=labeled,
    plan=lambda params, train: Plan(candidates=1, calibrations=1),
)
