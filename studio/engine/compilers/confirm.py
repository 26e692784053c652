"""The last step: the winner and what it is compared with, on examples that nobody has seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from studio.engine.compilers.events import (
    CandidateMade,
    CompileResult,
    Confirmation,
    Confirmed,
    Finished,
)
from studio.engine.compilers.keeping import affordable
from studio.engine.compilers.search import Search, Standing
from studio.engine.errors import BudgetSpent
from studio.engine.example import Candidate, Example
from studio.engine.statistics import (
    Interval,
    Verdict,
    count_signs,
    optimism,
    paired_bootstrap,
    sign_test,
)

UNCOMPILED = "the uncompiled program"
RELEASE = "the current release"


@dataclass
class _Side:
    """A candidate on the test examples."""

    number: int
    candidate: Candidate
    values: dict[str, float] = field(default_factory=dict)
    """Scores by example id."""
    ran: set[str] = field(default_factory=set)
    """Examples on which it was run, scored or not."""


async def confirm(search: Search, best: Standing, calls_per_run: int) -> None:
    """Score all sides on the same test examples, as many as the budget allows, and finish.

    The sides are the uncompiled program, the winner and the current release, if there is one.
    """
    sides = await _sides(search, best)
    candidates = [side.candidate for side in sides]
    usable = _not_their_own(search, candidates)
    examples = usable[: await affordable(search, candidates, calls_per_run)]
    try:
        # One after the other: the model reads each candidate's demos once and keeps them.
        for side in sides:
            await _run(search, side, examples)
    except BudgetSpent:
        both = [side for side in sides if side.number in (0, best.number)]
        examples = [item for item in examples if all(item.id in side.ran for side in both)]
    left_out = len(search.test) - len(usable)
    if left_out:
        search.notes.append(f"{left_out} test examples stand among the demos and are left out.")
    if len(examples) < len(usable):
        search.notes.append(
            f"The budget was enough to confirm on {len(examples)} of {len(usable)} test "
            "examples. Raise it to confirm on all."
        )
    values = {side.candidate.hash: side.values for side in sides}
    confirmation = compare(values[candidates[0].hash], values[best.candidate.hash], UNCOMPILED)
    if best.candidate.hash == candidates[0].hash:
        confirmation = _unchanged(values[candidates[0].hash], UNCOMPILED)
    await search.tell(Confirmed(number=best.number, confirmation=confirmation))
    await search.tell(Finished(result=_result(search, best, confirmation, values)))


def compare(before: Mapping[str, float], after: Mapping[str, float], what: str) -> Confirmation:
    """`after` beside `before` on the examples that both have scores for; `what` names `before`."""
    shared = [key for key in before if key in after]
    if not shared:
        return Confirmation(sentence="Not confirmed: no held-out example was scored.")
    a, b = [before[key] for key in shared], [after[key] for key in shared]
    difference = paired_bootstrap(a, b)
    wins, losses = count_signs(a, b)
    return Confirmation(
        baseline=sum(a) / len(a),
        compiled=sum(b) / len(b),
        difference=difference,
        confirmed_on=len(shared),
        wins=wins,
        losses=losses,
        p_value=sign_test(wins, losses),
        verdict=difference.verdict,
        sentence=_sentence(a, b, difference, what),
    )


async def _sides(search: Search, best: Standing) -> list[_Side]:
    """Each candidate once; a release that has no number yet gets one, and is told of."""
    sides = [_Side(0, search.baseline.candidate)]
    if best.candidate.hash != sides[0].candidate.hash:
        sides.append(_Side(best.number, best.candidate))
    release = search.task.release
    if release is None or release.hash in {side.candidate.hash for side in sides}:
        return sides
    known = {standing.candidate.hash: standing.number for standing in search.standings}
    number = known.get(release.hash, len(search.standings))
    if release.hash not in known:
        await search.tell(CandidateMade(number=number, origin=RELEASE, candidate=release))
    return [*sides, _Side(number, release)]


async def _run(search: Search, side: _Side, examples: Sequence[Example]) -> None:
    runs = [(side.number, side.candidate, example) for example in examples]
    async with aclosing(search.results(runs, "test")) as results:
        async for (_, _, example), scored in results:
            side.ran.add(example.id)
            if scored.score.value is not None:
                side.values[example.id] = scored.score.value


def _not_their_own(search: Search, candidates: Sequence[Candidate]) -> list[Example]:
    """The test examples that are in nobody's demos."""
    examples = list(search.test)
    for candidate in candidates:
        examples = search.not_own(candidate, examples)
    return examples


def _unchanged(values: Mapping[str, float], what: str) -> Confirmation:
    """The result is what it would be compared with."""
    if not values:
        return Confirmation(sentence="Not confirmed: no held-out example was scored.")
    mean = sum(values.values()) / len(values)
    return Confirmation(
        baseline=mean,
        compiled=mean,
        difference=Interval(0.0, 0.0, 0.0),
        confirmed_on=len(values),
        p_value=1.0,
        sentence=f"Unchanged: the result is {what}.",
    )


def _result(
    search: Search,
    best: Standing,
    confirmation: Confirmation,
    values: Mapping[str, Mapping[str, float]],
) -> CompileResult:
    chosen = search.baseline if confirmation.verdict == "worse" else best
    said = [_said(confirmation, best.candidate.hash == search.baseline.candidate.hash)]
    release = search.task.release
    against = None
    if release is not None and release.hash == chosen.candidate.hash:
        against = _unchanged(values[release.hash], RELEASE)
        said.append("The result is the same as the current release.")
    elif release is not None:
        against = compare(values[release.hash], values[chosen.candidate.hash], RELEASE)
        said.append(_said_of_release(against))
    return CompileResult(
        candidate=chosen.candidate,
        number=chosen.number,
        origin=chosen.origin,
        improved=confirmation.verdict == "improved",
        confirmation=confirmation,
        against_release=against,
        dev_gain=_dev_gain(search, best),
        # A winner that was calibrated anew shares its scores with what it was.
        candidates=1 + sum(each.values is not best.values for each in search.standings),
        calls=search.calls,
        note=" ".join([*said, *search.notes]),
    )


def _dev_gain(search: Search, best: Standing) -> Interval | None:
    """The gain over the uncompiled program on the dev examples that both were scored on.

    Less the optimism that comes with picking the best of all candidates.
    """
    before, after = search.baseline.values, best.values
    shared = [key for key in before if key in after]
    if not shared or best.candidate.hash == search.baseline.candidate.hash:
        return None
    found = paired_bootstrap([before[key] for key in shared], [after[key] for key in shared])
    others = [each.values for each in search.standings if each.number != best.number]
    return found.less(optimism(after, others, search.task.seed))


def _said(confirmation: Confirmation, unchanged: bool) -> str:
    count = confirmation.confirmed_on
    if unchanged:
        return "No candidate was better than the uncompiled program: it stays as it is."
    if not count:
        return "The best candidate could not be confirmed on held-out examples."
    sentences: dict[Verdict, str] = {
        "improved": f"Better than the uncompiled program on {count} held-out examples.",
        "worse": f"The best candidate on dev was worse on {count} held-out examples, so the "
        "program stays as it is.",
        "not distinguishable": f"On {count} held-out examples the best candidate cannot be told "
        "from the uncompiled program.",
    }
    return sentences[confirmation.verdict]


def _said_of_release(against: Confirmation) -> str:
    count = against.confirmed_on
    if not count:
        return "It could not be compared with the current release on held-out examples."
    sentences: dict[Verdict, str] = {
        "improved": f"It is better than the current release on {count} held-out examples.",
        "worse": f"It is worse than the current release on {count} held-out examples.",
        "not distinguishable": f"On {count} held-out examples it cannot be told from the current "
        "release.",
    }
    return sentences[against.verdict]


_OPENINGS: dict[Verdict, str] = {
    "improved": "Improved",
    "worse": "Worse",
    "not distinguishable": "Not distinguishable",
}


def _sentence(a: Sequence[float], b: Sequence[float], difference: Interval, what: str) -> str:
    """The comparison in words; of right and wrong answers in numbers of examples."""
    count = len(a)
    examples = f"{count} held-out example{'s' if count > 1 else ''}"
    if all(value in (0, 1) for value in (*a, *b)):
        more = round(sum(b) - sum(a))
        how = f"right on {abs(more)} {'fewer' if more < 0 else 'more'} of {examples} than {what}"
        if not more:
            how = f"right on as many of {examples} as {what}"
    else:
        points = abs(100 * difference.value)
        how = (
            f"the mean score on {examples} is {points:.1f} points "
            f"{'lower' if difference.value < 0 else 'higher'} than that of {what}"
        )
    low, high = _points(difference.low), _points(difference.high)
    return (
        f"{_OPENINGS[difference.verdict]}: {how}; the 95 % interval of the difference goes from "
        f"{low} to {high} points."
    )


def _points(part: float) -> str:
    """With its sign: +3.1, −0.4."""
    points = round(100 * part, 1)
    return f"{'−' if points < 0 else '+' if points > 0 else ''}{abs(points):.1f}"
