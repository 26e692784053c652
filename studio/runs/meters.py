"""The four budget meters of a run: calls, tokens, money, time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from studio.runs.models import Run


@dataclass(frozen=True, slots=True)
class Meter:
    """What was used of one thing, and how much may be."""

    label: str
    used: str
    cap: str
    """Empty: no cap."""
    share: int | None
    """Percent of the cap; None without one."""
    note: str = ""

    @property
    def tone(self) -> str:
        """The colour of the bar: a cap that is nearly used up is told."""
        return "warning" if self.share is not None and self.share >= 90 else "primary"


def read_meters(run: Run, elapsed: timedelta | None, expected: int = 0) -> tuple[Meter, ...]:
    """The meters; `expected` are the calls that the compiler expected at the start."""
    seconds = max(run.seconds, elapsed.total_seconds() if elapsed and not run.seconds else 0.0)
    return (
        Meter(
            "LM calls",
            f"{run.calls:,}",
            f"{run.max_calls:,}",
            _share(run.calls, run.max_calls),
            f"about {expected:,} expected" if expected else "",
        ),
        Meter(
            "Tokens",
            f"{run.tokens:,}",
            f"{run.max_tokens:,}" if run.max_tokens else "",
            _share(run.tokens, run.max_tokens),
        ),
        Meter(
            "Money",
            _money(run.cost),
            _money(run.max_cost) if run.max_cost else "",
            _share(run.cost, run.max_cost),
        ),
        Meter(
            "Time",
            _time(seconds),
            _time(float(run.max_seconds)) if run.max_seconds else "",
            _share(seconds, run.max_seconds),
        ),
    )


def _share(used: float, cap: float | None) -> int | None:
    return min(100, round(100 * used / cap)) if cap else None


def _money(dollars: float) -> str:
    return "$0" if not dollars else f"${dollars:,.2f}" if dollars >= 1 else f"${dollars:.4f}"


def _time(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"
