"""Then: one compiler after another, each on top of what the one before it found.

BetterTogether (Soylu et al. 2024, https://arxiv.org/abs/2407.10930). All stages are one search:
they share the scores, the traces and the best so far, so that nothing is run twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from studio.engine.compilers import params as shared
from studio.engine.compilers.base import (
    PRESETS,
    CompilerKind,
    Plan,
    Preset,
    Range,
    Situation,
)
from studio.engine.compilers.search import Search
from studio.engine.errors import CompileError
from studio.engine.params import read_params

_NAME = "then"
_LAST = "ensemble"
"""A compiler whose result no other can improve."""


class _Others:
    """The names of all other compilers; looked up when they are asked for, not on import."""

    def __init__(self, *also: str) -> None:
        self._also = also

    def __iter__(self) -> Iterator[str]:
        from studio.engine.compilers import COMPILERS

        return iter((*self._also, *(name for name in COMPILERS if name != _NAME)))

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _compiler(default: str, label: str, help_: str, *also: str) -> Any:
    metadata = {"label": label, "help": help_, "choices": _Others(*also)}
    return field(default=default, metadata=metadata)


def _preset(label: str) -> Any:
    return field(
        default="medium",
        metadata={
            "label": label,
            "help": "How long this stage searches. The settings of dev examples and calibration "
            "are those below.",
            "choices": PRESETS,
        },
    )


@dataclass(frozen=True, kw_only=True)
class ThenParams:
    """What people may set."""

    first: str = _compiler("instructions", "First compiler", "It improves the program as it is.")
    first_preset: str = _preset("First compiler's preset")
    second: str = _compiler(
        "random-search", "Second compiler", "It improves what the first one found."
    )
    second_preset: str = _preset("Second compiler's preset")
    third: str = _compiler(
        "", "Third compiler", "It improves what the second one found. Empty: there is none.", ""
    )
    third_preset: str = _preset("Third compiler's preset")
    calibrate: bool = shared.calibrate()
    calibration_examples: int = shared.calibration_examples()
    dev_limit: int = shared.dev_limit(60)


async def then(search: Search, params: ThenParams) -> None:
    """Each compiler starts from the best candidate so far."""
    for stage, (kind, own) in enumerate(_stages(params)):
        search.stage = stage
        await kind.run(search, own)
        if search.best:
            search.start = search.best.candidate
            search.notes.append(
                f"After “{kind.name}” the best candidate was number {search.best.number} "
                f"({search.best.origin})."
            )


def _stages(params: ThenParams) -> list[tuple[CompilerKind, Any]]:
    """The compilers with their parameters.

    Raises `CompileError` for an ensemble that is not the last one.
    """
    from studio.engine.compilers import find_compiler

    chosen = [
        (name, preset)
        for name, preset in (
            (params.first, params.first_preset),
            (params.second, params.second_preset),
            (params.third, params.third_preset),
        )
        if name
    ]
    if any(name == _LAST for name, _ in chosen[:-1]):
        raise CompileError(
            f"“{_LAST}” makes several programs out of one, which no other compiler can improve. "
            "Choose it as the last one."
        )
    common = {
        "calibrate": params.calibrate,
        "calibration_examples": params.calibration_examples,
        "dev_limit": params.dev_limit,
    }
    stages = []
    for name, preset in chosen:
        kind = find_compiler(name)
        values = next((kind.presets[one] for one in PRESETS if one == preset), {})
        stages.append((kind, read_params(kind.params, {**values, **common})))
    return stages


def _plan(params: ThenParams, situation: Situation) -> Plan:
    plans = [kind.plan(own, situation) for kind, own in _stages(params)]
    return Plan(
        races=tuple(candidates for plan in plans for candidates in plan.races),
        calibrations=sum(
            sum(plan.races) if plan.calibrations is None else plan.calibrations for plan in plans
        ),
        traces=_sum([plan.traces for plan in plans]),
        runs=_sum([plan.runs for plan in plans]),
        asks=_sum([plan.asks for plan in plans]),
    )


def _sum(ranges: list[Range]) -> Range:
    low, expected, high = (sum(amounts) for amounts in zip(*ranges, strict=True))
    return low, expected, high


def _presets(preset: Preset, **values: Any) -> dict[str, Any]:
    stages = dict.fromkeys(("first_preset", "second_preset", "third_preset"), preset)
    return {**stages, **values}


THEN = CompilerKind(
    name=_NAME,
    title="One after another",
    sentence="Runs two or three compilers, each on top of what the one before it found, such as "
    "instructions and then demos.",
    paper="https://arxiv.org/abs/2407.10930",
    params=ThenParams,
    run=then,
    plan=_plan,
    presets={
        "light": _presets("light", dev_limit=40, calibration_examples=20),
        "medium": _presets("medium", dev_limit=100),
        "thorough": _presets("thorough", dev_limit=300),
    },
    asks=True,
)
