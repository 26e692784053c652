"""The table and the line of JSON."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

from studio.engine.statistics import paired_bootstrap
from tests.benchmarks.quality.outcome import Key, Outcome

OURS = "ours"
AS_IT_COMES = ("dspy random search", "dspy mipro")
SAME_FORMAT = tuple(f"{side}, our format" for side in AS_IT_COMES)


def summary(outcomes: Mapping[Key, Outcome]) -> dict[str, Any]:
    """Everything, by task."""
    tasks = {name: _task(name, outcomes) for name in sorted({key[0] for key in outcomes})}
    return {
        "dspy": version("dspy"),
        "mean_points_vs_dspy": _mean(tasks, "points_vs_dspy"),
        "mean_points_vs_dspy_same_format": _mean(tasks, "points_vs_dspy_same_format"),
        "tasks": tasks,
    }


def table(outcomes: Mapping[Key, Outcome]) -> str:
    """The same for people."""
    lines = [f"{'task':<10} {'seed':>4}  {'side':<32} {'held out':>8}  calls  seconds"]
    for (task, seed, side, budget), outcome in sorted(outcomes.items()):
        lines.append(
            f"{task:<10} {seed:>4}  {side:<32} {outcome.accuracy:>8.3f}  "
            f"{outcome.calls:>5}  {outcome.seconds:>7.0f}  of {budget}"
        )
    found = summary(outcomes)
    for name, task in found["tasks"].items():
        for kind in ("points_vs_dspy", "points_vs_dspy_same_format"):
            gain = task[kind]
            if gain:
                lines.append(
                    f"{name}, {kind.replace('_', ' ')}: {gain['value']:+.1f} "
                    f"({gain['low']:+.1f} to {gain['high']:+.1f})"
                )
    for kind in ("mean_points_vs_dspy", "mean_points_vs_dspy_same_format"):
        if found[kind] is not None:
            lines.append(f"{kind.replace('_', ' ')}: {found[kind]:+.1f}")
    return "\n".join(lines) + "\n"


def _task(name: str, outcomes: Mapping[Key, Outcome]) -> dict[str, Any]:
    """One task: every outcome, and the paired differences over all seeds together."""
    mine = {key: outcome for key, outcome in outcomes.items() if key[0] == name}
    runs = [
        {
            "seed": seed,
            "side": side,
            "accuracy": round(outcome.accuracy, 4),
            "calls": outcome.calls,
            "budget": budget,
            "seconds": round(outcome.seconds, 1),
            "answered": outcome.answered,
        }
        for (_, seed, side, budget), outcome in sorted(mine.items())
    ]
    return {
        "points_vs_dspy": _points(mine, AS_IT_COMES),
        "points_vs_dspy_same_format": _points(mine, SAME_FORMAT),
        "runs": runs,
    }


def _points(mine: Mapping[Key, Outcome], theirs: tuple[str, ...]) -> dict[str, Any] | None:
    """Ours minus the better of DSPy's, seed by seed; None where a side is missing."""
    before: list[float] = []
    after: list[float] = []
    seeds: dict[int, Any] = {}
    for (task, seed, side, budget), outcome in sorted(mine.items()):
        if side != OURS:
            continue
        others = [mine.get((task, seed, other, budget)) for other in theirs]
        known = [other for other in others if other is not None]
        if len(known) < len(theirs):
            continue
        best = max(known, key=lambda other: other.accuracy)
        before += best.right
        after += outcome.right
        seeds[seed] = _interval(best.right, outcome.right)
    if not seeds:
        return None
    return {**_interval(before, after), "seeds": seeds}


def _interval(before: Any, after: Any) -> dict[str, float]:
    found = paired_bootstrap(before, after)
    return {
        "value": round(100 * found.value, 2),
        "low": round(100 * found.low, 2),
        "high": round(100 * found.high, 2),
    }


def _mean(tasks: Mapping[str, Any], name: str) -> float | None:
    values = [task[name]["value"] for task in tasks.values() if task[name]]
    return round(statistics.fmean(values), 2) if values else None
