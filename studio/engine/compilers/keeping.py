"""What a compile keeps of its budget, so that the best so far is always confirmed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from studio.engine.compilers.search import Search
from studio.engine.example import Candidate
from studio.engine.lm.metered import Budget


@contextmanager
def hold_back(budget: Budget | None, calls: int) -> Iterator[None]:
    """Have what runs meanwhile leave so many calls, and what they need; half at most."""
    if budget is None:
        yield
        return
    with budget.keep(calls):
        yield


async def calls_to_keep(search: Search, calls_per_run: int) -> int:
    """The calls that confirming takes: the winner and what it is compared with, once each on test.

    Without the runs that the ledger knows already.
    """
    compared = _compared_with(search)
    known = sum([await known_runs(search, candidate) for candidate in compared])
    return ((len(compared) + 1) * len(search.test) - known) * calls_per_run


async def affordable(search: Search, candidates: Sequence[Candidate], calls_per_run: int) -> int:
    """The number of test examples on which all of `candidates` can still be run."""
    budget = search.task.budget
    calls = None if budget is None else budget.affordable
    if calls is None:
        return len(search.test)
    # Each member of an ensemble is asked.
    asked = [max(1, len(candidate.members)) for candidate in candidates]
    known = [await known_runs(search, candidate) for candidate in candidates]
    saved = sum(times * runs for times, runs in zip(asked, known, strict=True))
    return (calls // max(1, calls_per_run) + saved) // max(1, sum(asked))


async def known_runs(search: Search, candidate: Candidate) -> int:
    """Test examples on which the candidate was scored already, before a restart."""
    get = search.task.ledger.get_score
    return sum([await get(candidate.hash, example.id) is not None for example in search.test])


def _compared_with(search: Search) -> list[Candidate]:
    """The uncompiled program, and the release, unless it is the same."""
    baseline, release = search.baseline.candidate, search.task.release
    return [baseline] if release is None or release.hash == baseline.hash else [baseline, release]
