"""Random search beside DSPy's, on a simulated LM whose true accuracies are known.

`python -m tests.benchmarks.search [--json] [--seeds 100] [--compiles 2000] [--keep FILE]`. With
`--json` the last line of the output is one JSON object. DSPy takes about ten seconds a seed: with
`--keep` its outcomes are stored, and a run that was cut off goes on; several processes may share
the file, each with its own `--first`.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmarks.search import ours, simulated
from tests.benchmarks.search.kept import Kept
from tests.benchmarks.search.world import Outcome, World

LATENCY_S = 0.03
SPREADS = (0.02, 0.05, 0.10)
PARTS = ("search", "wall", "races", "coverage")


def search(seeds: range, spread: float, kept: Kept) -> dict[str, Any]:
    """Both sides on the same worlds."""
    from tests.benchmarks.search import theirs

    mine, other = [], []
    for seed in seeds:
        world = World(seed, spread)
        known = kept.get(world)
        if known is None:
            known = theirs.search(world)
            kept.put(world, known)
        other.append(known)
        mine.append(ours.search(world))
    return {
        "seeds": len(seeds),
        "spread_points": 100 * spread,
        "ours": _side(mine),
        "dspy": _side(other),
        "runs_vs_dspy": statistics.fmean(
            a.runs / b.runs for a, b in zip(mine, other, strict=True)
        ),
        "regret_minus_dspy_points": _mean([a.regret - b.regret for a, b in _pairs(mine, other)]),
        "regret_minus_dspy_standard_error": _error(
            [a.regret - b.regret for a, b in _pairs(mine, other)]
        ),
        "accuracy_minus_dspy_points": _mean(
            [a.accuracy - b.accuracy for a, b in _pairs(mine, other)]
        ),
        "accuracy_minus_dspy_standard_error": _error(
            [a.accuracy - b.accuracy for a, b in _pairs(mine, other)]
        ),
        "winner_within_a_point_of_dspys": statistics.fmean(
            a.accuracy >= b.accuracy - 0.01 for a, b in _pairs(mine, other)
        ),
    }


def wall(rounds: int) -> dict[str, float]:
    """Seconds with an LM of fixed latency, side after side, so that both meet the same machine."""
    from tests.benchmarks.search import theirs

    mine, other, whole = [], [], []
    for seed in range(rounds):
        outcome = ours.search(World(seed), LATENCY_S)
        mine.append(outcome.seconds)
        whole.append(outcome.whole_seconds)
        other.append(theirs.search(World(seed), LATENCY_S).seconds)
    found = {
        "seconds": statistics.median(mine),
        "seconds_with_confirmation": statistics.median(whole),
        "dspy_seconds": statistics.median(other),
    }
    return {**found, "wall_vs_dspy": found["seconds"] / found["dspy_seconds"]}


def races(count: int) -> list[dict[str, Any]]:
    """The race beside the full evaluation of the same candidates."""
    return [asdict(simulated.races(count, spread)) for spread in SPREADS]


def coverage(compiles: int) -> dict[str, Any]:
    """How often the interval of the reported gain holds the true gain, in each setting."""
    found = [simulated.coverage(compiles, setting) for setting in simulated.SETTINGS]
    return {
        "compiles_each": compiles,
        "interval_coverage": statistics.fmean(each.held_out for each in found),
        "settings": [asdict(each) for each in found],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="end in one line of JSON")
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--spread", type=float, default=0.05, help="of the true accuracies")
    parser.add_argument("--compiles", type=int, default=2000)
    parser.add_argument("--races", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=3, help="of the wall time")
    parser.add_argument("--keep", type=Path, help="file for DSPy's outcomes")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS)
    options = parser.parse_args()
    os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    seeds = range(options.first, options.first + options.seeds)
    parts: dict[str, Any] = {
        "search": lambda: search(seeds, options.spread, Kept(options.keep)),
        "wall": lambda: wall(options.rounds),
        "races": lambda: races(options.races),
        "coverage": lambda: coverage(options.compiles),
    }
    report: dict[str, Any] = {}
    for name in PARTS:
        if name in options.only:
            report[name] = parts[name]()
            _show(name, report[name])
    if options.json:
        head = {
            "runs_vs_dspy": report.get("search", {}).get("runs_vs_dspy"),
            "regret_minus_dspy_points": report.get("search", {}).get("regret_minus_dspy_points"),
            "wall_vs_dspy": report.get("wall", {}).get("wall_vs_dspy"),
            "interval_coverage": report.get("coverage", {}).get("interval_coverage"),
        }
        _say(json.dumps(_rounded({**head, **report})))


def _side(outcomes: list[Outcome]) -> dict[str, float]:
    return {
        "candidates": statistics.median(len(each.accuracies) for each in outcomes),
        "runs_mean": statistics.fmean(each.runs for each in outcomes),
        "runs_median": statistics.median(each.runs for each in outcomes),
        "runs_most": max(each.runs for each in outcomes),
        "confirming_mean": statistics.fmean(each.confirming for each in outcomes),
        "regret_points": _mean([each.regret for each in outcomes]),
        "within_a_point_of_its_best": statistics.fmean(each.regret <= 0.01 for each in outcomes),
        "winner_true_accuracy": 100 * statistics.fmean(each.accuracy for each in outcomes),
    }


def _pairs(mine: list[Outcome], other: list[Outcome]) -> list[tuple[Outcome, Outcome]]:
    return list(zip(mine, other, strict=True))


def _mean(parts: list[float]) -> float:
    """In points."""
    return 100 * statistics.fmean(parts)


def _error(parts: list[float]) -> float:
    """Standard error of the mean, in points."""
    return 100 * statistics.stdev(parts) / len(parts) ** 0.5 if len(parts) > 1 else 0.0


def _show(name: str, found: Any) -> None:
    """A small table."""
    _say(f"\n{name}")
    rows = found if isinstance(found, list) else [found]
    for row in rows:
        for key, value in row.items():
            if isinstance(value, dict):
                _say(f"  {key:34} {_line(value)}")
            elif isinstance(value, list):
                for each in value:
                    _say(f"  {_line(each)}")
            else:
                _say(f"  {key:34} {_number(value)}")


def _line(values: dict[str, Any]) -> str:
    return ", ".join(
        _line(value) if isinstance(value, dict) else f"{key} {_number(value)}"
        for key, value in values.items()
    )


def _number(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_rounded(each) for each in value]
    return round(value, 4) if isinstance(value, float) else value


def _say(text: str) -> None:
    """A line for whoever watches."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
