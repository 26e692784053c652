"""The arithmetic of a shared rate limit: a token bucket with a queue. Pure.

Each bucket holds what may still go out, fills up evenly, and never above its size. Whoever wants
more than there is waits in a queue that all workers share, so that none is passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

TICKET_S = 2.0
"""How long a place in the queue is kept for one who does not ask again."""

_BURST_S = 10.0
_LONGEST_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """What a server allows; None: as much as one likes.

    In any stretch of time, what goes out is at most what ten seconds allow, plus what the stretch
    itself allows, plus one call.
    """

    requests_per_minute: float | None = None
    tokens_per_minute: float | None = None
    """Of prompts and answers together."""

    def __post_init__(self) -> None:
        for value in (self.requests_per_minute, self.tokens_per_minute):
            if value is not None and not value > 0:
                raise ValueError("A rate limit is a number above 0, or None for no limit.")

    @property
    def requests_size(self) -> float:
        """Calls that may go out at once; at least one."""
        return max(1.0, (self.requests_per_minute or 0.0) * _BURST_S / 60)

    @property
    def tokens_size(self) -> float:
        """Tokens that may go out at once."""
        return max(1.0, (self.tokens_per_minute or 0.0) * _BURST_S / 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bucket:
    """What may still go out, as of the time `at`, in seconds of the store's clock."""

    requests: float
    tokens: float
    """Below 0 after a call that used more than there was."""
    at: float
    not_before: float = 0.0
    """The server asked everybody to wait until then."""
    queue: tuple[tuple[str, float], ...] = ()
    """Who waits, in order, each with the time until which the place is kept."""

    @classmethod
    def full(cls, limits: RateLimits, now: float) -> Self:
        """A bucket that nobody has taken from."""
        return cls(requests=limits.requests_size, tokens=limits.tokens_size, at=now)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read what `to_dict` wrote. Raises KeyError, TypeError, ValueError."""
        return cls(
            requests=float(data["requests"]),
            tokens=float(data["tokens"]),
            at=float(data["at"]),
            not_before=float(data["not_before"]),
            queue=tuple((str(ticket), float(until)) for ticket, until in data["queue"]),
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON."""
        return {
            "requests": self.requests,
            "tokens": self.tokens,
            "at": self.at,
            "not_before": self.not_before,
            "queue": [list(place) for place in self.queue],
        }


def refilled(bucket: Bucket, limits: RateLimits, now: float) -> Bucket:
    """The bucket as it is now. A clock that goes back fills nothing."""
    passed = max(0.0, now - bucket.at)
    requests = bucket.requests + passed * (limits.requests_per_minute or 0.0) / 60
    tokens = bucket.tokens + passed * (limits.tokens_per_minute or 0.0) / 60
    return replace(
        bucket,
        requests=min(limits.requests_size, requests),
        tokens=min(limits.tokens_size, tokens),
        at=now,
        # A clock that was set back must not leave everybody waiting.
        not_before=min(bucket.not_before, now + _LONGEST_S),
        queue=tuple(place for place in bucket.queue if now < place[1] <= now + 2 * TICKET_S),
    )


def take(
    bucket: Bucket, limits: RateLimits, now: float, *, ticket: str, tokens: float
) -> tuple[Bucket, float]:
    """Let a call of about `tokens` go, or keep its place.

    Gives the bucket after it, and 0.0 if the call may go; else the seconds until it is worth
    asking again with the same ticket, if nothing is given back before.
    """
    bucket = refilled(bucket, limits, now)
    others = tuple(place for place in bucket.queue if place[0] != ticket)
    ahead = 0
    for place in bucket.queue:
        if place[0] == ticket:
            break
        ahead += 1
    wait = max(0.0, bucket.not_before - now)
    if limits.requests_per_minute is not None:
        lacking = 1.0 - bucket.requests
        wait = max(wait, lacking * 60 / limits.requests_per_minute)
    if limits.tokens_per_minute is not None:
        # A call larger than the bucket goes when the bucket is full.
        lacking = min(tokens, limits.tokens_size) - bucket.tokens
        wait = max(wait, lacking * 60 / limits.tokens_per_minute)
    if wait <= 1e-6 and not ahead:
        taken = replace(
            bucket,
            requests=bucket.requests - 1,
            tokens=bucket.tokens - tokens,
            queue=others,
        )
        return taken, 0.0
    mine = (ticket, now + TICKET_S)
    queue = (*others[:ahead], mine, *others[ahead:])
    return replace(bucket, queue=queue), max(wait, 0.001)


def give_back(bucket: Bucket, limits: RateLimits, now: float, *, tokens: float) -> Bucket:
    """Put back what a call did not use; a negative number takes what it used beyond."""
    bucket = refilled(bucket, limits, now)
    return replace(bucket, tokens=min(limits.tokens_size, bucket.tokens + tokens))


def leave(bucket: Bucket, limits: RateLimits, now: float, *, ticket: str) -> Bucket:
    """Give up a place in the queue."""
    bucket = refilled(bucket, limits, now)
    return replace(bucket, queue=tuple(place for place in bucket.queue if place[0] != ticket))


def wait_for_all(bucket: Bucket, limits: RateLimits, now: float, *, seconds: float) -> Bucket:
    """Nobody goes for so long, because the server said so."""
    bucket = refilled(bucket, limits, now)
    until = now + min(max(0.0, seconds), _LONGEST_S)
    return replace(bucket, not_before=max(bucket.not_before, until))
