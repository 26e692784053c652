"""The arithmetic of rate limits, against a clock that the tests turn."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.engine.lm.rate_bucket import (
    TICKET_S,
    Bucket,
    RateLimits,
    give_back,
    leave,
    refilled,
    take,
    wait_for_all,
)

rates = st.floats(0.5, 1e6)
limits_ = st.builds(
    lambda requests, tokens: RateLimits(requests_per_minute=requests, tokens_per_minute=tokens),
    st.none() | rates,
    st.none() | rates,
)
costs = st.floats(0, 1e6)


def window(limits: RateLimits, sent: list[tuple[float, float]]) -> None:
    """In no stretch of time does more go out than the limits say."""
    biggest = max((tokens for _, tokens in sent), default=0.0)
    for first in range(len(sent)):
        spent = 0.0
        for last in range(first, len(sent)):
            spent += sent[last][1]
            passed = sent[last][0] - sent[first][0]
            if limits.requests_per_minute is not None:
                most = limits.requests_size + passed * limits.requests_per_minute / 60
                assert last - first + 1 <= most + 1 + 1e-6
            if limits.tokens_per_minute is not None:
                most = limits.tokens_size + passed * limits.tokens_per_minute / 60
                assert spent <= (most + biggest) * (1 + 1e-9) + 1e-3


@settings(deadline=None)
@given(limits_, st.lists(st.tuples(st.floats(0, 30), costs), max_size=25))
def test_no_stretch_of_time_sees_more_than_the_limits(
    limits: RateLimits, calls: list[tuple[float, float]]
) -> None:
    now, bucket = 1_000.0, Bucket.full(limits, 1_000.0)
    sent = []
    for pause, tokens in calls:
        now += pause
        bucket, wait = take(bucket, limits, now, ticket="a", tokens=tokens)
        if not wait:
            sent.append((now, tokens))
    window(limits, sent)


@settings(deadline=None)
@given(limits_, st.lists(costs, min_size=1, max_size=20))
def test_who_waits_as_told_gets_through_at_the_first_or_second_try(
    limits: RateLimits, calls: list[float]
) -> None:
    now, bucket, sent = 0.0, Bucket.full(limits, 0.0), []
    for tokens in calls:
        for _ in range(3):
            bucket, wait = take(bucket, limits, now, ticket="a", tokens=tokens)
            if not wait:
                break
            # What a float cannot say of so late a time is added.
            now = math.nextafter(now + wait, math.inf) + 1e-6
        assert not wait
        sent.append((now, tokens))
    window(limits, sent)


@given(limits_, costs, costs)
def test_what_was_not_used_comes_back(limits: RateLimits, guess: float, used: float) -> None:
    bucket, wait = take(Bucket.full(limits, 0.0), limits, 0.0, ticket="a", tokens=guess)
    assert not wait
    after = give_back(bucket, limits, 0.0, tokens=guess - used)
    if limits.tokens_per_minute is not None:
        exact = min(limits.tokens_size, limits.tokens_size - used)
        assert after.tokens == pytest.approx(exact, rel=1e-6, abs=1e-6)
    assert after.tokens <= limits.tokens_size


@given(limits_, st.floats(-100, 1e4), st.floats(-100, 1e4))
def test_a_clock_that_goes_back_fills_nothing_and_holds_nobody_for_ever(
    limits: RateLimits, first: float, second: float
) -> None:
    bucket = Bucket(requests=-5.0, tokens=-5.0, at=first, not_before=first + 50)
    after = refilled(bucket, limits, second)
    if second <= first:
        assert (after.requests, after.tokens) == (
            min(-5.0, limits.requests_size),
            min(-5.0, limits.tokens_size),
        )
    assert after.requests <= limits.requests_size
    assert after.not_before <= second + 3600


TEN = RateLimits(requests_per_minute=60)  # One a second, ten at once.


def emptied() -> Bucket:
    bucket = Bucket.full(TEN, 0.0)
    for _ in range(10):
        bucket, wait = take(bucket, TEN, 0.0, ticket="first", tokens=0)
        assert not wait
    return bucket


def test_ten_seconds_worth_goes_at_once_and_then_one_a_second() -> None:
    bucket, wait = take(emptied(), TEN, 0.0, ticket="a", tokens=0)
    assert wait == pytest.approx(1.0)
    bucket, wait = take(bucket, TEN, 1.0, ticket="a", tokens=0)
    assert wait == 0.0
    assert bucket.queue == ()


def test_who_waits_first_goes_first() -> None:
    bucket, _ = take(emptied(), TEN, 0.0, ticket="a", tokens=0)
    bucket, _ = take(bucket, TEN, 0.1, ticket="b", tokens=0)
    bucket, wait = take(bucket, TEN, 1.0, ticket="b", tokens=0)
    assert wait > 0
    bucket, wait = take(bucket, TEN, 1.0, ticket="a", tokens=0)
    assert wait == 0.0
    bucket, wait = take(bucket, TEN, 2.0, ticket="b", tokens=0)
    assert wait == 0.0


def test_a_place_is_given_up_or_runs_out() -> None:
    waiting, _ = take(emptied(), TEN, 0.0, ticket="a", tokens=0)
    left = leave(waiting, TEN, 1.0, ticket="a")
    assert take(left, TEN, 1.0, ticket="b", tokens=0)[1] == 0.0
    assert take(waiting, TEN, 1.0, ticket="b", tokens=0)[1] > 0
    assert take(waiting, TEN, TICKET_S + 0.1, ticket="b", tokens=0)[1] == 0.0


def test_a_call_larger_than_the_bucket_goes_when_it_is_full_and_is_paid_for_after() -> None:
    limits = RateLimits(tokens_per_minute=600)  # Ten a second, a hundred at once.
    bucket, wait = take(Bucket.full(limits, 0.0), limits, 0.0, ticket="a", tokens=1_000)
    assert wait == 0.0
    _, wait = take(bucket, limits, 0.0, ticket="a", tokens=10)
    assert wait == pytest.approx(91.0)


def test_when_the_server_says_wait_all_wait() -> None:
    bucket = wait_for_all(Bucket.full(TEN, 0.0), TEN, 5.0, seconds=7.0)
    assert take(bucket, TEN, 6.0, ticket="a", tokens=0)[1] == pytest.approx(6.0)
    shorter = wait_for_all(bucket, TEN, 6.0, seconds=1.0)
    assert take(shorter, TEN, 8.0, ticket="a", tokens=0)[1] == pytest.approx(4.0)
    assert take(bucket, TEN, 12.0, ticket="a", tokens=0)[1] == 0.0


def test_without_limits_all_go() -> None:
    free = RateLimits()
    bucket = Bucket.full(free, 0.0)
    for _ in range(1_000):
        bucket, wait = take(bucket, free, 0.0, ticket="a", tokens=1e9)
        assert wait == 0.0


@pytest.mark.parametrize("value", [0, -1, math.nan])
def test_a_limit_is_above_zero(value: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        RateLimits(requests_per_minute=value)


def test_a_bucket_is_json() -> None:
    bucket, _ = take(emptied(), TEN, 0.0, ticket="a", tokens=0)
    assert Bucket.from_dict(json.loads(json.dumps(bucket.to_dict()))) == bucket
