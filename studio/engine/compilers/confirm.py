"""The last step: winner and uncompiled program, on examples that nobody has seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import aclosing, contextmanager

from studio.engine.compilers.events import (
    CompileResult,
    Confirmation,
    Confirmed,
    Finished,
)
from studio.engine.compilers.search import Search, Standing
from studio.engine.errors import BudgetSpent
from studio.engine.example import Example
from studio.engine.lm.metered import Budget
from studio.engine.statistics import Interval, count_signs, paired_bootstrap, sign_test


@contextmanager
def hold_back(budget: Budget | None, calls: int) -> Iterator[None]:
    """Lower the cap meanwhile, so that these calls are left afterwards; half at most."""
    if budget is None or budget.max_calls is None or budget.remaining is None:
        yield
        return
    kept = min(calls, budget.remaining // 2)
    budget.max_calls -= kept
    try:
        yield
    finally:
        budget.max_calls += kept


async def calls_to_keep(search: Search, calls_per_run: int) -> int:
    """The calls that confirming takes: two runs an example, less what is known."""
    known = await _known(search, search.baseline)
    return (2 * len(search.test) - known) * calls_per_run


async def confirm(search: Search, best: Standing, calls_per_run: int) -> None:
    """Score both on the same test examples, as many as the budget allows, and finish."""
    unchanged = best.candidate.hash == search.baseline.candidate.hash
    both = [search.baseline] if unchanged else [search.baseline, best]
    total = len(search.test)
    examples = _not_their_own(search, both)
    examples = examples[: await _affordable(search, both, calls_per_run)]
    values: list[dict[str, float]] = [{} for _ in both]
    try:
        # One after the other: the model reads each candidate's demos once and keeps them.
        for standing, found in zip(both, values, strict=True):
            runs = [(standing.number, standing.candidate, example) for example in examples]
            async with aclosing(search.results(runs, "test")) as results:
                async for (_, _, example), scored in results:
                    if scored.score.value is not None:
                        found[example.id] = scored.score.value
    except BudgetSpent:
        examples = [item for item in examples if all(item.id in found for found in values)]
    left_out = total - len(_not_their_own(search, both))
    if left_out:
        search.notes.append(f"{left_out} test examples stand among the demos and are left out.")
    if len(examples) < total - left_out:
        search.notes.append(
            f"The budget was enough to confirm on {len(examples)} of {total - left_out} test "
            "examples. Raise it to confirm on all."
        )
    pairs = [
        (values[0][item.id], values[-1][item.id])
        for item in examples
        if all(item.id in found for found in values)
    ]
    confirmation = _summary(pairs, unchanged, search.task.seed)
    await search.tell(Confirmed(number=best.number, confirmation=confirmation))
    await search.tell(Finished(result=_result(search, best, confirmation, unchanged)))


def _not_their_own(search: Search, both: list[Standing]) -> list[Example]:
    """The test examples that are in nobody's demos."""
    examples = list(search.test)
    for standing in both:
        examples = search.not_own(standing.candidate, examples)
    return examples


async def _known(search: Search, standing: Standing) -> int:
    """Test examples on which the candidate was scored already, before a restart."""
    get, hash_ = search.task.ledger.get_score, standing.candidate.hash
    return sum([await get(hash_, example.id) is not None for example in search.test])


async def _affordable(search: Search, both: list[Standing], calls_per_run: int) -> int:
    """The number of examples on which all of `both` can be run."""
    budget = search.task.budget
    if budget is None or budget.remaining is None:
        return len(search.test)
    known = sum([await _known(search, standing) for standing in both])
    return (budget.remaining // max(1, calls_per_run) + known) // len(both)


def _summary(pairs: list[tuple[float, float]], unchanged: bool, seed: int) -> Confirmation:
    if not pairs:
        return Confirmation()
    before, after = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    same = Interval(0.0, 0.0, 0.0)
    difference = same if unchanged else paired_bootstrap(before, after, seed=seed)
    wins, losses = count_signs(before, after)
    return Confirmation(
        baseline=sum(before) / len(pairs),
        compiled=sum(after) / len(pairs),
        difference=difference,
        confirmed_on=len(pairs),
        wins=wins,
        losses=losses,
        p_value=sign_test(wins, losses),
        verdict=difference.verdict,
    )


def _result(
    search: Search, best: Standing, confirmation: Confirmation, unchanged: bool
) -> CompileResult:
    verdict, count = confirmation.verdict, confirmation.confirmed_on
    chosen = best
    if unchanged:
        said = "No candidate was better than the uncompiled program: it stays as it is."
    elif not count:
        said = "The best candidate could not be confirmed on held-out examples."
    elif verdict == "improved":
        said = f"Better than the uncompiled program on {count} held-out examples."
    elif verdict == "worse":
        chosen = search.baseline
        said = (
            f"The best candidate on dev was worse on {count} held-out examples, so the program "
            "stays as it is."
        )
    else:
        said = (
            f"On {count} held-out examples the best candidate cannot be told from the uncompiled "
            "program."
        )
    return CompileResult(
        candidate=chosen.candidate,
        number=chosen.number,
        origin=chosen.origin,
        improved=verdict == "improved",
        confirmation=confirmation,
        calls=search.calls,
        note=" ".join([said, *search.notes]),
    )
