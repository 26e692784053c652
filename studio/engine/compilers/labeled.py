"""Labelled demos: show the model some training examples with their answers."""

from __future__ import annotations

from dataclasses import dataclass

from studio.engine.compilers import params as shared
from studio.engine.compilers.base import CompilerKind, Plan
from studio.engine.compilers.search import Proposal, Search


@dataclass(frozen=True, kw_only=True)
class LabeledParams:
    """What people may set."""

    max_labeled: int = shared.max_labeled()
    calibrate: bool = shared.calibrate()
    calibration_examples: int = shared.calibration_examples()
    dev_limit: int = shared.dev_limit()


async def labeled(search: Search, params: LabeledParams) -> None:
    """One candidate: `max_labeled` demos, balanced over the labels."""
    await search.race([Proposal(search.labelled(params.max_labeled), "labelled demos")])


LABELED = CompilerKind(
    name="labeled",
    title="Labelled demos",
    sentence="Shows the model some training examples with their answers. The cheapest one.",
    paper="https://arxiv.org/abs/2005.14165",
    params=LabeledParams,
    run=labeled,
    plan=lambda params, situation: Plan(races=(1,)),
    presets={
        "light": {"max_labeled": 8, "calibration_examples": 20},
        "medium": {},
        "thorough": {"max_labeled": 32, "calibration_examples": 80},
    },
)
