"""What is checked before a run is queued: its caps, its compiler, its data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from studio.datasets.models import Dataset, Split
from studio.engine.compilers import COMPILERS, PRESETS
from studio.engine.errors import EngineError
from studio.engine.params import read_params
from studio.engine.program import Program
from studio.errors import Invalid
from studio.metrics.models import Metric
from studio.runs.sources import Sources, check_gold, needed_fields, read_sources

MOST_CALLS = 1_000_000
MOST_TOKENS = 1_000_000_000_000
MOST_COST = 1_000_000.0
"""US dollars."""
MOST_SECONDS = 30 * 24 * 3600
MOST_SEED = 2**31 - 1

_FOR = {
    Split.TRAIN: "learn from",
    Split.DEV: "choose between candidates on",
    Split.TEST: "be judged on",
}


def check_limits(
    *,
    seed: int,
    max_calls: int,
    max_tokens: int | None = None,
    max_cost: float | None = None,
    max_seconds: int | None = None,
) -> None:
    """Raise `Invalid` unless the seed and the caps make sense."""
    if max_calls < 1:
        raise Invalid(
            f"The cap on calls is {max_calls}, so the run could never ask the LM. Allow at least "
            "1 call; the estimate says how many it will want.",
            problems=[{"field": "max_calls", "message": "At least 1."}],
        )
    caps: tuple[tuple[str, str, float | None, float], ...] = (
        ("max_calls", "calls", max_calls, MOST_CALLS),
        ("max_tokens", "tokens", max_tokens, MOST_TOKENS),
        ("max_cost", "money, in US dollars,", max_cost, MOST_COST),
        ("max_seconds", "seconds", max_seconds, MOST_SECONDS),
    )
    for name, what, cap, most in caps:
        if cap is None:
            continue
        if not math.isfinite(cap) or cap <= 0:
            raise invalid(
                name,
                f"The cap on {what} is {cap:,}; it has to be more than 0. Leave it out for none.",
            )
        if cap > most:
            raise invalid(name, f"The cap on {what} is {cap:,}; the most is {most:,.0f}.")
    if not 0 <= seed <= MOST_SEED:
        raise Invalid(
            f"The seed is {seed}; it has to be between 0 and {MOST_SEED:,}.",
            problems=[{"field": "seed", "message": f"Between 0 and {MOST_SEED:,}."}],
        )


def check_compiler(compiler: str, params: Mapping[str, Any], preset: str = "") -> dict[str, Any]:
    """All parameters of the compiler, checked, defaults filled in; raises `Invalid`.

    What `params` do not say is as in the preset, if one is named: `light`, `medium`, `thorough`.
    """
    if compiler not in COMPILERS:
        raise Invalid(
            f"There is no compiler “{compiler}”. Known compilers are {', '.join(COMPILERS)}.",
            problems=[{"field": "compiler", "message": "Not known."}],
        )
    kind = COMPILERS[compiler]
    presets: Mapping[str, Mapping[str, Any]] = {
        name: kind.presets.get(name, {}) for name in PRESETS
    }
    if preset and preset not in presets:
        raise invalid("preset", f"There is no preset “{preset}”: choose {', '.join(presets)}.")
    given = {**presets.get(preset, {}), **params}
    try:
        return dict(vars(read_params(kind.params, given)))
    except EngineError as error:
        raise Invalid(str(error), problems=[{"field": "params", "message": str(error)}]) from None


def check_data(
    program: Program,
    dataset: Dataset,
    metric: Metric,
    *,
    splits: tuple[str, ...] = (Split.TRAIN, Split.DEV, Split.TEST),
) -> Sources:
    """The examples, if they are what program and metric need; raises `Invalid`."""
    fields = needed_fields(program, metric)
    sources = read_sources(dataset, fields, splits)
    check_gold(sources, dataset, metric)
    for split in splits:
        if not sources[split]:
            raise Invalid(
                f"The dataset {dataset.name} has no {split} examples to {_FOR[Split(split)]}. "
                "Split it on its page (train, dev and test each need some).",
                problems=[{"field": "dataset", "message": f"No {split} examples."}],
            )
    return sources


def invalid(field: str, message: str) -> Invalid:
    """The refusal of one field."""
    return Invalid(message, problems=[{"field": field, "message": message}])
