"""What a compile would take, before it starts: calls, and money and time where they are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Count

from studio.datasets.models import Dataset
from studio.engine.compilers import Estimate, Sizes, estimate
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.lms.models import Connection
from studio.lms.services import open_lm
from studio.runs.models import Run
from studio.runs.states import State

_LETTERS_A_TOKEN = 4
_ANSWER_TOKENS = 20


@dataclass(frozen=True, slots=True)
class Outlook:
    """What to expect of a run."""

    calls: Estimate
    dollars: tuple[float, float, float] | None
    """Low, expected, high; None when the connection has no price."""
    seconds: tuple[float, float, float] | None
    """Low, expected, high; None until a run on this connection has been timed."""
    sizes: dict[str, int]
    """Examples by split."""


def make_outlook(
    *,
    program: Program,
    dataset: Dataset,
    connection: Connection,
    compiler: str,
    params: dict[str, Any],
) -> Outlook:
    """The outlook; raises what tells that compiler, parameters or LM are not right."""
    counts = dataset.rows.order_by().values_list("split").annotate(rows=Count("pk"))
    sizes = {"train": 0, "dev": 0, "test": 0, **dict(counts)}
    runtime = Runtime(lm=open_lm(connection))
    calls = estimate(compiler, params, Sizes.of(program, runtime, **sizes))
    numbers = (calls.low, calls.expected, calls.high)
    return Outlook(
        calls=calls,
        dollars=_times(numbers, _dollars_a_call(program, dataset, connection)),
        seconds=_times(numbers, _seconds_a_call(connection)),
        sizes=sizes,
    )


def _times(calls: tuple[int, int, int], each: float | None) -> tuple[float, float, float] | None:
    if each is None:
        return None
    low, expected, high = calls
    return low * each, expected * each, high * each


def _seconds_a_call(connection: Connection) -> float | None:
    """From the last run that made calls; several are in flight at once, so it is short."""
    last = (
        Run.objects.filter(connection=connection, state=State.SUCCEEDED, calls__gte=10)
        .exclude(started_at=None)
        .order_by("-finished_at")
        .first()
    )
    if last is None or last.started_at is None or last.finished_at is None:
        return None
    return (last.finished_at - last.started_at).total_seconds() / last.calls


def _dollars_a_call(program: Program, dataset: Dataset, connection: Connection) -> float | None:
    """From runs that cost something, else from the length of rows and instructions."""
    if connection.prompt_price is None and connection.completion_price is None:
        return None
    last = Run.objects.filter(connection=connection, cost__gt=0, calls__gte=10).first()
    if last is not None:
        return last.cost / last.calls
    rows = list(dataset.rows.values_list("values", flat=True)[:20])
    letters = sum(len(str(value)) for row in rows for value in row.values()) / max(1, len(rows))
    instruction = sum(len(one.task) for one in program.predictors.values())
    prompt = (instruction + 5 * letters) / _LETTERS_A_TOKEN
    price_in = float(connection.prompt_price or 0)
    price_out = float(connection.completion_price or 0)
    return (prompt * price_in + _ANSWER_TOKENS * price_out) / 1_000_000
