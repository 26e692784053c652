"""The one right order of the wrappers."""

from __future__ import annotations

from studio.engine.lm.base import LM
from studio.engine.lm.cached import Cached
from studio.engine.lm.metered import Budget, Metered
from studio.engine.lm.rate_bucket import RateLimits
from studio.engine.lm.rate_limited import RateLimited
from studio.engine.lm.rate_stores import MemoryRates, RateStore
from studio.engine.lm.retrying import Retrying
from studio.engine.lm.stores import AnswerStore


def compose(
    lm: LM,
    *,
    budget: Budget | None = None,
    store: AnswerStore | None = None,
    concurrency: int | None = None,
    attempts: int = 4,
    limits: RateLimits | None = None,
    rates: RateStore | None = None,
) -> LM:
    """`lm` with a cap on its calls, its rate limits, retries around both, a cache around all.

    In this order an answer from the cache costs nothing, and a retry that goes to the server
    counts as a call and waits its turn. Without a `budget` there is no cap, without a `store` no
    cache, without `limits` no waiting; `rates` is where workers share the limits. At most
    `concurrency` calls are in flight at the same time, and nobody holds such a place while
    waiting for the next attempt or for the limits.
    """
    asked: LM = Metered(lm, budget or Budget(), limit=concurrency)
    if limits is not None:
        asked = RateLimited(asked, limits, rates or MemoryRates())
    retrying = Retrying(asked, attempts=attempts)
    return retrying if store is None else Cached(retrying, store)
