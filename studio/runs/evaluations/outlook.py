"""What an evaluation would take, before it starts."""

from __future__ import annotations

from dataclasses import dataclass

from studio.datasets.editing.changes import get_version
from studio.datasets.models import Dataset
from studio.datasets.services import examples, split_counts
from studio.engine.compilers import Sizes
from studio.engine.example import Example
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.lms.models import Connection
from studio.lms.services import open_lm
from studio.metrics.models import Metric
from studio.metrics.services import open_metric
from studio.runs.estimates import Caution, RoleOutlook, Spread, role_outlook, seconds_a_call, times
from studio.runs.evaluations.asked import Asked
from studio.runs.sources import needed_fields

_MOST_READ = 2_000
"""Rows of a dataset that a form reads."""


@dataclass(frozen=True, slots=True)
class EvaluationOutlook:
    """What to expect."""

    rows: int
    """At the most: rows that stand there twice, and those of its own demos, are left out."""
    repeats: int
    calls: tuple[int, int, int]
    """Low, expected, high, with those of a judge."""
    each: float
    """Expected calls of the program for one answer."""
    judged: int
    """Calls of a judge for one answer."""
    roles: tuple[RoleOutlook, ...]
    dollars: Spread | None
    priceless: tuple[str, ...]
    """The language models that have no price."""
    seconds: Spread | None
    sizes: dict[str, int]
    """Rows by split."""


def sizes_of(dataset: Dataset, number: int | None) -> dict[str, int]:
    """Rows by split, of a version or the newest."""
    if number in (None, dataset.number):
        return split_counts(dataset)
    return {name: int(count) for name, count in get_version(dataset, number).splits.items()}


def make_evaluation_outlook(
    *,
    program: Program,
    dataset: Dataset,
    metric: Metric,
    connection: Connection,
    asked: Asked,
    number: int | None,
) -> EvaluationOutlook:
    """The outlook; raises what tells that metric, LM or data are not right."""
    sizes = sizes_of(dataset, number)
    rows = asked.at_most(sizes)
    runtime = Runtime(lm=open_lm(connection))
    needs = Sizes.of(
        program,
        runtime,
        train=sizes.get("train", 0),
        dev=sizes.get("dev", 0),
        test=sizes.get("test", 0),
        metric=open_metric(metric),
        examples=_some(program, dataset, metric, asked, number),
    )
    answers = rows * asked.repeats
    low, expected, high = needs.per_run
    # What cannot be read is asked for again, some of it.
    own = (int(answers * low), round(answers * expected), round(answers * high))
    judged = (answers * needs.judged,) * 3
    told = [role_outlook("program", connection, own, program, dataset)]
    if needs.judged:
        told.append(role_outlook("judge", metric.judge or connection, judged, program, dataset))
    priced = [role.dollars for role in told if role.dollars is not None]
    calls = (own[0] + judged[0], own[1] + judged[1], own[2] + judged[2])
    return EvaluationOutlook(
        rows=rows,
        repeats=asked.repeats,
        calls=calls,
        each=expected,
        judged=needs.judged,
        roles=tuple(told),
        dollars=_sum(priced),
        priceless=tuple(dict.fromkeys(role.lm for role in told if role.dollars is None)),
        seconds=times(calls, seconds_a_call(connection)),
        sizes=sizes,
    )


def evaluation_cautions(
    outlook: EvaluationOutlook, *, max_calls: int, max_cost: float | None
) -> list[Caution]:
    """Where the caps and what is expected do not go together, and what to do."""
    found = []
    _low, expected, _high = outlook.calls
    if max_calls < expected:
        enough = outlook.rows * max_calls // max(1, expected)
        found.append(
            Caution(
                "warning",
                f"The cap of {max_calls:,} calls is enough for about {enough:,} of "
                f"{outlook.rows:,} rows. The run pauses there and goes on when the cap is raised.",
            )
        )
    if max_cost is not None and outlook.priceless:
        found.append(
            Caution(
                "warning",
                f"The cap on money does not count {' and '.join(outlook.priceless)}: there is no "
                "price. Add it on the language model’s page, or cap the calls.",
            )
        )
    elif max_cost is not None and outlook.dollars and max_cost < outlook.dollars[1]:
        found.append(
            Caution(
                "warning",
                f"The cap of ${max_cost:,.4g} is below the ${outlook.dollars[1]:,.4g} that are "
                "expected. The run pauses there, and goes on when the cap is raised.",
            )
        )
    return found


def _some(
    program: Program, dataset: Dataset, metric: Metric, asked: Asked, number: int | None
) -> list[Example]:
    if dataset.row_count > _MOST_READ:
        return []
    fields = needed_fields(program, metric)
    return examples(dataset, fields, split=asked.judged_on[0], number=number)


def _sum(parts: list[Spread]) -> Spread | None:
    if not parts:
        return None
    low, expected, high = (sum(part[place] for part in parts) for place in range(3))
    return low, expected, high
