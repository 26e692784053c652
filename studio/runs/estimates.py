"""What a compile would take, before it starts: calls by role, and money and time where known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Sum

from studio.datasets.models import Dataset, Split
from studio.datasets.services import examples, split_counts
from studio.datasets.table import Table
from studio.engine.compilers import Estimate, Sizes, estimate
from studio.engine.compilers.base import Range
from studio.engine.example import Example
from studio.engine.program import Program
from studio.engine.runtime import Runtime
from studio.lms.models import Connection
from studio.lms.services import open_lm
from studio.metrics.models import Metric
from studio.metrics.services import open_metric
from studio.runs.models import Artifact, Run
from studio.runs.sources import needed_fields
from studio.runs.states import State

Spread = tuple[float, float, float]
"""Low, expected, high."""

_LETTERS_A_TOKEN = 4
_ROWS_IN_A_PROMPT = 15
"""The question and its demos, on average over candidates with few and with many."""
_ANSWER_TOKENS = 20
_MOST_READ = 2_000
"""Rows of a dataset that a form reads."""
_FEWEST_CALLS = 10
"""A run with fewer says little about what a call costs."""


@dataclass(frozen=True, slots=True)
class RoleOutlook:
    """What one role is going to take."""

    role: str
    lm: str
    calls: Range
    tokens: Spread
    dollars: Spread | None
    """None when the language model has no price."""


@dataclass(frozen=True, slots=True)
class Outlook:
    """What to expect of a run."""

    connection: Connection
    calls: Estimate
    roles: tuple[RoleOutlook, ...]
    dollars: Spread | None
    """None when no role's language model has a price."""
    priceless: tuple[str, ...]
    """The language models of roles that have no price: their share is not in `dollars`."""
    tokens: Spread
    seconds: Spread | None
    """None until a run on this connection has been timed."""
    sizes: dict[str, int]
    """Examples by split."""

    @property
    def confirmation(self) -> int:
        """Calls that comparing on held-out examples takes."""
        return sum(n for name, n in self.calls.parts.items() if name.startswith("confirmation"))


@dataclass(frozen=True, slots=True)
class Caps:
    """The caps of a run; None: none."""

    calls: int | None = None
    tokens: int | None = None
    dollars: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Bar:
    """The range of calls beside the cap, in percent of the picture's width."""

    low: float
    width: float
    expected: float
    cap: float

    @classmethod
    def of(cls, calls: Estimate, cap: int) -> Bar:
        """The picture."""
        whole = 1.05 * max(calls.high, cap, 1)
        low, high = 100 * calls.low / whole, 100 * calls.high / whole
        return cls(
            round(low, 1),
            round(max(0.5, high - low), 1),
            round(100 * calls.expected / whole, 1),
            round(100 * cap / whole, 1),
        )


@dataclass(frozen=True, slots=True)
class Caution:
    """What people should know before they start: `info` or `warning`."""

    kind: str
    sentence: str


def make_outlook(
    *,
    program: Program,
    dataset: Dataset,
    metric: Metric,
    connection: Connection,
    compiler: str,
    params: Mapping[str, Any],
    teacher: Connection | None = None,
    teacher_artifact: Artifact | None = None,
    proposer: Connection | None = None,
    release: Artifact | None = None,
) -> Outlook:
    """The outlook; raises what tells that compiler, parameters, metric or LM are not right."""
    sizes = split_counts(dataset)
    runtime = Runtime(lm=open_lm(connection))
    needs = Sizes.of(
        program,
        runtime,
        train=sizes["train"],
        dev=sizes["dev"],
        test=sizes["test"],
        metric=open_metric(metric),
        examples=_some_examples(program, dataset, metric),
        taught=teacher is not None or teacher_artifact is not None,
        released=release is not None,
    )
    calls = estimate(compiler, params, needs)
    taught_by = teacher or (teacher_artifact.connection if teacher_artifact else None)
    players = {"teacher": taught_by, "proposer": proposer, "judge": metric.judge}
    roles = tuple(
        role_outlook(role, players.get(role) or connection, range_, program, dataset)
        for role, range_ in calls.roles.items()
        if range_[2]
    )
    priced = [role.dollars for role in roles if role.dollars is not None]
    return Outlook(
        connection=connection,
        calls=calls,
        roles=roles,
        dollars=_sum(priced) if priced else None,
        priceless=tuple(dict.fromkeys(role.lm for role in roles if role.dollars is None)),
        tokens=_sum([role.tokens for role in roles]),
        seconds=times((calls.low, calls.expected, calls.high), seconds_a_call(connection)),
        sizes=sizes,
    )


def _some_examples(program: Program, dataset: Dataset, metric: Metric) -> list[Example]:
    """The dev examples, unless reading them would take too long for a form."""
    fields = needed_fields(program, metric)
    if dataset.row_count > _MOST_READ:
        return []
    return examples(dataset, fields, split=Split.DEV)


def cautions(outlook: Outlook, caps: Caps) -> tuple[Caution, ...]:
    """Where the caps and what is expected do not go together, and what to do."""
    return tuple(_cautions(outlook, caps))


def _cautions(outlook: Outlook, caps: Caps) -> Iterator[Caution]:
    calls = outlook.calls
    kinds: list[tuple[str, float | None, Spread | None]] = [
        ("calls", caps.calls, (calls.low, calls.expected, calls.high)),
        ("tokens", caps.tokens, outlook.tokens),
        ("dollars", caps.dollars, outlook.dollars),
        ("minutes", caps.seconds and caps.seconds / 60, _minutes(outlook.seconds)),
    ]
    for what, cap, spread in kinds:
        if cap is not None and spread is not None:
            yield from _against(what, cap, spread)
    if caps.dollars is not None and outlook.priceless:
        yield Caution(
            "warning",
            f"The cap on money does not count {' and '.join(outlook.priceless)}, which "
            f"{'has' if len(outlook.priceless) == 1 else 'have'} no price. Add the price on the "
            "language model’s page, or cap calls or tokens.",
        )
    yield from _confirmation(outlook, caps)


def _against(what: str, cap: float, spread: Spread) -> Iterator[Caution]:
    low, expected, high = spread
    if cap < low:
        yield Caution(
            "warning",
            f"The cap of {_in_words(what, cap)} is below what this takes at the least, "
            f"{_in_words(what, low)}: the search will be cut short. Raise it to "
            f"{_in_words(what, high)} or so, or take a lighter preset or fewer dev examples.",
        )
    elif cap < expected:
        yield Caution(
            "info",
            f"The cap of {_in_words(what, cap)} may end the search early: about "
            f"{_in_words(what, expected)} are expected. The result is then the best found so far.",
        )


def _confirmation(outlook: Outlook, caps: Caps) -> Iterator[Caution]:
    needed, test = outlook.confirmation, outlook.sizes["test"]
    if not needed or not test:
        return
    if caps.calls is None or caps.calls >= 2 * needed:
        yield Caution(
            "info",
            f"{needed:,} calls are kept for the confirmation: winner and uncompiled program on "
            f"all {test:,} held-out examples.",
        )
        return
    kept = caps.calls // 2
    yield Caution(
        "warning",
        f"The confirmation on held-out examples does not fit: it takes {needed:,} calls, and half "
        f"of the cap, {kept:,}, can be kept for it. That is enough for about "
        f"{test * kept // needed:,} of {test:,} examples. Allow at least {2 * needed:,} calls to "
        "confirm on all.",
    )


def _in_words(what: str, amount: float) -> str:
    if what == "dollars":
        return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}"
    if what == "minutes":
        return f"{amount:.1f} minutes"
    return f"{amount:,.0f} {what}"


def _minutes(seconds: Spread | None) -> Spread | None:
    return None if seconds is None else (seconds[0] / 60, seconds[1] / 60, seconds[2] / 60)


def role_outlook(
    role: str, lm: Connection, calls: Range, program: Program, dataset: Dataset
) -> RoleOutlook:
    tokens_in, tokens_out = _tokens_a_call(lm, program, dataset)
    price = _dollars_a_call(lm, tokens_in, tokens_out)
    tokens = times(calls, tokens_in + tokens_out) or (0.0, 0.0, 0.0)
    return RoleOutlook(role, lm.name, calls, tokens, times(calls, price))


def times(calls: Spread | Range, each: float | None) -> Spread | None:
    if each is None:
        return None
    low, expected, high = calls
    return low * each, expected * each, high * each


def _sum(parts: list[Spread]) -> Spread:
    return (
        sum(part[0] for part in parts),
        sum(part[1] for part in parts),
        sum(part[2] for part in parts),
    )


def seconds_a_call(connection: Connection) -> float | None:
    """From the last run that made calls; several are in flight at once, so it is short."""
    last = (
        Run.objects.filter(
            connection=connection, state=State.SUCCEEDED, calls__gte=_FEWEST_CALLS, seconds__gt=0
        )
        .order_by("-finished_at")
        .values_list("seconds", "calls")
        .first()
    )
    return last[0] / last[1] if last else None


def _tokens_a_call(lm: Connection, program: Program, dataset: Dataset) -> tuple[float, float]:
    """Tokens read and written: from earlier runs, else from the length of some rows."""
    spent = Run.objects.filter(connection=lm, calls__gte=_FEWEST_CALLS, tokens__gt=0).aggregate(
        calls=Sum("calls"), tokens=Sum("tokens")
    )
    if spent["calls"]:
        each = spent["tokens"] / spent["calls"]
        return max(0.0, each - _ANSWER_TOKENS), min(each, float(_ANSWER_TOKENS))
    rows = [row.values for row in Table(dataset).page(0, 20)]
    letters = sum(len(str(value)) for row in rows for value in row.values()) / max(1, len(rows))
    instruction = sum(len(one.task) for one in program.predictors.values())
    prompt = (instruction + _ROWS_IN_A_PROMPT * letters) / _LETTERS_A_TOKEN
    return prompt, float(_ANSWER_TOKENS)


def _dollars_a_call(lm: Connection, tokens_in: float, tokens_out: float) -> float | None:
    if lm.prompt_price is None and lm.completion_price is None:
        return None
    price_in, price_out = float(lm.prompt_price or 0), float(lm.completion_price or 0)
    return (tokens_in * price_in + tokens_out * price_out) / 1_000_000
