"""What a try or a row of an evaluation offers a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from studio.datasets.editing.offers import Offer
from studio.datasets.splits.sealing import Hidden, may_see
from studio.errors import Conflict, Invalid, NotFound
from studio.runs.models import Run
from studio.runs.states import State


def offer_of_try(run: Run) -> Offer:
    """The inputs of a try that has ended, and what it answered; raises `Invalid` for others."""
    if run.kind != Run.Kind.TRY or not State(run.state).is_final:
        raise Invalid("Only a try that has ended can be added to a dataset.")
    answered = run.report.get("outputs") or {}
    return Offer(
        inputs=run.params.get("inputs") or {},
        outputs={name: answered.get(name) for name in outputs_of(run)},
        answered=answered,
        message=f"From a try of {run.version.pipeline}",
    )


def offer_of_result(run: Run, example: str) -> Offer:
    """A row of an evaluation: its values, and what was answered.

    Raises `NotFound` for rows that are not there, `Conflict` for those of a sealed test split.
    """
    score = run.scores.filter(example=example).order_by("pk").first()
    if score is None or run.kind != Run.Kind.EVALUATE:
        raise NotFound("This evaluation has no such row.")
    is_hidden = not may_see(run.dataset, score.split)
    if run.dataset is not None and score.number is not None:
        is_hidden = is_hidden or Hidden(run.dataset).number(score.number)
    if is_hidden:
        raise Conflict("The row is one of a sealed test split: it is shown to nobody.")
    answered = score.prediction.get("values") or {}
    outputs = outputs_of(run)
    return Offer(
        inputs={name: value for name, value in score.gold.items() if name not in outputs},
        outputs={name: score.gold.get(name, answered.get(name)) for name in outputs},
        answered=answered,
        message=f"From an evaluation of {run.version.pipeline}",
    )


def outputs_of(run: Run) -> list[str]:
    """The names of the fields that the run's pipeline answers."""
    return [str(field["name"]) for field in _ends(run.version.spec)]


def _ends(spec: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    nodes = [node for node in spec["nodes"] if node["kind"] == "output"]
    return [field for node in nodes for field in node.get("fields") or ()]
