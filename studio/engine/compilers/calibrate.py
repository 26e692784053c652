"""Calibration: even out that a model favours some labels whatever it reads.

Zhao et al. 2021 (https://arxiv.org/abs/2102.09690) subtract a label's score on empty inputs. With
a few dozen labelled examples a bias per label, fitted as in Platt scaling, does better, and needs
no empty inputs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

from studio.engine.compilers.demos import gold_value
from studio.engine.evaluation import Scored
from studio.engine.example import Candidate, Example
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.engine.trace import Step

Row = tuple[Mapping[str, float], str]
"""The log-probability of each label, and the right label."""

_PENALTY = 0.3
"""How strongly biases are drawn towards 0: a third of what one example says for its label."""
_STEPS = 50
_ENOUGH = 1e-6


def scored_fields(program: Program, runtime: Runtime) -> dict[str, tuple[str, ...]]:
    """By predictor: the enum outputs whose labels the LM is going to score."""
    found: dict[str, tuple[str, ...]] = {}
    for path, signature in program.predictors.items():
        lm = runtime.lm_for(path)
        if lm.scores_labels and runtime.format_for(lm).continues:
            names = tuple(field.name for field in signature.outputs if field.type.kind == "enum")
            if names:
                found[path] = names
    return found


def calibrated(
    program: Program,
    candidate: Candidate,
    results: Sequence[tuple[Example, Scored]],
) -> Candidate:
    """`candidate` with biases fitted on its own results on training examples.

    The right label is the example's; where the example has none, the label of a step counts when
    the whole trace passed. An output for which nothing is known stays as it is.
    """
    states = dict(candidate.states)
    for path, state in candidate.states.items():
        rows: dict[str, list[Row]] = {}
        for example, scored in results:
            passed = scored.score.passes()
            for step in scored.prediction.steps:
                if step.path == path:
                    _collect(rows, program, step, example, passed)
        bias = {name: fit_bias(found) for name, found in rows.items()}
        if bias:
            states[path] = replace(state, calibration={**state.calibration, **bias})
    return Candidate(states)


def fit_bias(rows: Sequence[Row]) -> dict[str, float]:
    """What to add to each label's log-probability so that the right labels become likeliest.

    The biases that maximise the log-likelihood less a penalty on their squares: the likelihood is
    never below that without biases. They sum to 0, and have 4 digits.
    """
    if not rows:
        return {}
    labels = list(rows[0][0])
    index = {label: place for place, label in enumerate(labels)}
    scores = [[row[label] for label in labels] for row, _ in rows]
    gold = [index[label] for _, label in rows]
    bias = [0.0] * len(labels)
    value, slope, curve = _likelihood(scores, gold, bias)
    for _ in range(_STEPS):
        size = 1.0
        while size > 1e-3:
            moved = [b + size * g / c for b, g, c in zip(bias, slope, curve, strict=True)]
            found = _likelihood(scores, gold, moved)
            if found[0] > value:
                break
            size /= 2
        else:
            break
        gain, bias = found[0] - value, moved
        value, slope, curve = found
        if gain < _ENOUGH:
            break
    # A constant on top of all changes nothing.
    middle = math.fsum(bias) / len(bias)
    return {label: round(b - middle, 4) for label, b in zip(labels, bias, strict=True)}


def _likelihood(
    scores: Sequence[Sequence[float]], gold: Sequence[int], bias: Sequence[float]
) -> tuple[float, list[float], list[float]]:
    """The penalised log-likelihood, its slope, and its curvature along each bias."""
    value = -_PENALTY / 2 * math.fsum(b * b for b in bias)
    slope = [-_PENALTY * b for b in bias]
    curve = [_PENALTY] * len(bias)
    for row, right in zip(scores, gold, strict=True):
        logits = [score + b for score, b in zip(row, bias, strict=True)]
        top = max(logits)
        weights = [math.exp(logit - top) for logit in logits]
        total = math.fsum(weights)
        value += logits[right] - top - math.log(total)
        for place, weight in enumerate(weights):
            share = weight / total
            slope[place] += (place == right) - share
            curve[place] += share * (1 - share)
    return value, slope, curve


def _collect(
    rows: dict[str, list[Row]], program: Program, step: Step, example: Example, passed: bool
) -> None:
    signature = program.predictors[step.path]
    for name, scores in step.scores.items():
        gold = gold_value(program, step.path, signature[name], example)
        if gold is None and passed:
            gold = step.outputs[name]
        if gold in scores:
            rows.setdefault(name, []).append((scores, gold))
