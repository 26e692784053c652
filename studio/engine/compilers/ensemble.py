"""Ensemble: the best candidates of a search answer together, and the majority counts.

DSPy's Ensemble over the candidates of a random search (Khattab et al. 2023,
https://arxiv.org/abs/2310.03714).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, fields

from studio.engine.compilers import params as shared
from studio.engine.compilers.base import CompilerKind, Plan, Situation
from studio.engine.compilers.random_search import (
    RANDOM_SEARCH,
    RandomSearchParams,
    random_search,
)
from studio.engine.compilers.search import Proposal, Search, Standing
from studio.engine.ensembles import Ensemble
from studio.engine.errors import EngineError
from studio.engine.evaluation import Scored, judge_or_reason
from studio.engine.example import Candidate, Example
from studio.engine.metrics.base import Score
from studio.engine.modules.attempts import Attempt
from studio.engine.trace import Prediction

_FEWEST = 3
"""With two there is no majority."""


@dataclass(frozen=True, kw_only=True)
class EnsembleParams(RandomSearchParams):
    """What people may set: the search's, and how many candidates answer together."""

    candidates: int = shared.candidates(4)
    members: int = field(
        default=5,
        metadata={
            "label": "Members",
            "help": "Ensembles of 3, 5 and so on up to so many members are raced. Each member "
            "answers every question, so that each of them is paid for.",
            "min": _FEWEST,
            "max": 15,
        },
    )


async def ensemble(search: Search, params: EnsembleParams) -> None:
    """A random search; then ensembles of its best three, five, … against the best of them."""
    own = {each.name: getattr(params, each.name) for each in fields(RandomSearchParams)}
    await random_search(search, RandomSearchParams(**own))
    ranked = _ranked(search)
    proposals: list[Proposal] = []
    for size in _sizes(params.members, len(ranked)):
        members = ranked[:size]
        numbers = tuple(standing.number for standing in members)
        candidate = Candidate.ensemble([standing.candidate for standing in members])
        await _answer(search, candidate, members)
        origin = f"majority of the candidates {', '.join(map(str, numbers))}"
        proposals.append(Proposal(candidate, origin, numbers))
    await search.race(proposals)
    if search.best and search.best.candidate.members:
        count = len(search.best.candidate.members)
        search.notes.append(f"The result is an ensemble: every question is asked {count} times.")


def _sizes(members: int, there: int) -> range:
    return range(_FEWEST, min(members, there) + 1, 2)


def _ranked(search: Search) -> list[Standing]:
    """The candidates that were raced, best first by what they are ahead on shared examples.

    Those that left the race early are known less well, and stand behind.
    """
    best = search.best or search.baseline
    single = [one for one in search.standings if one.values and not one.candidate.members]
    return sorted(single, key=lambda one: (bool(one.dropped), -one.lead(best), one.number))


async def _answer(search: Search, candidate: Candidate, members: Sequence[Standing]) -> None:
    """Put the ensemble's answers on dev to the ledger, made of those of its members.

    Only what a member was not asked in its own race is asked now.
    """
    examples = search.not_own(candidate, search.dev)
    runs = [
        (member.number, member.candidate, example)
        for member in members
        for example in examples
        if example.id not in member.values
    ]
    async with aclosing(search.results(runs, "dev")) as results:
        async for _ in results:
            pass
    program = search.program(candidate)
    assert isinstance(program, Ensemble)
    for example in examples:
        await _decide(search, program, candidate, members, example)


async def _decide(
    search: Search,
    program: Ensemble,
    candidate: Candidate,
    members: Sequence[Standing],
    example: Example,
) -> None:
    task = search.task
    if await task.ledger.get_score(candidate.hash, example.id) is not None:
        return
    tries: list[Attempt] = []
    seconds = 0.0
    for number, member in enumerate(members):
        known = await task.ledger.get_score(member.candidate.hash, example.id)
        if known is None:
            return  # It is asked in the race.
        answered = bool(known.prediction.values)
        error = None if answered else EngineError(known.score.reason)
        seconds = max(seconds, known.seconds)
        tries.append(Attempt(number, known.prediction if answered else None, error))
    if all(one.prediction is None for one in tries):
        scored = Scored(Score(0.0, str(tries[0].error)), Prediction({}), seconds=seconds)
    else:
        prediction = program.decide(tries)
        score = await judge_or_reason(task.metric, example, prediction)
        scored = Scored(score, prediction, seconds=seconds)
    await task.ledger.put_score(candidate.hash, example.id, scored)


def _plan(params: EnsembleParams, situation: Situation) -> Plan:
    """The ensembles' answers are those of members, some of which left the race early.

    They are asked for the rest, which is about what another candidate or two would take.
    """
    search = RANDOM_SEARCH.plan(params, situation)
    single = sum(search.races)
    sizes = len(_sizes(params.members, single + 1))
    # An ensemble that wins is confirmed by all of its members.
    confirmed = (params.members - 1) * situation.test
    return Plan(
        races=(*search.races, sizes),
        calibrations=single,
        traces=search.traces,
        runs=(0, (_FEWEST - 1) * situation.test, confirmed),
    )


ENSEMBLE = CompilerKind(
    name="ensemble",
    title="Ensemble",
    sentence="Has the best candidates of a random search answer together and takes the majority. "
    "Each question then costs as many calls as there are members.",
    paper="https://arxiv.org/abs/2310.03714",
    params=EnsembleParams,
    run=ensemble,
    plan=_plan,
    presets={
        "light": {"candidates": 2, "members": 3, "dev_limit": 40, "calibration_examples": 20},
        "medium": {"candidates": 6, "dev_limit": 100},
        "thorough": {"candidates": 16, "members": 9, "dev_limit": 300, "max_bootstrapped": 8},
    },
)
