"""Filters for pages that show examples, predictions and times."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django import template

register = template.Library()


@register.filter
def at(values: Any, name: str) -> str:
    """The value under `name` as text; empty when there is none."""
    if not isinstance(values, Mapping) or name not in values:
        return ""
    return as_text(values[name])


@register.filter
def as_text(value: Any) -> str:
    """A value as people read it."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, ensure_ascii=False)


@register.filter
def percent(share: float) -> str:
    """A share: 93 %, 99.6 %."""
    text = (
        f"{100 * share:.0f}"
        if share in (0, 1) or 0.005 <= share <= 0.995
        else f"{100 * share:.1f}"
    )
    return f"{text} %"


@register.filter
def took(elapsed: timedelta | float | None) -> str:
    """A length of time: 0.8 s, 12 s, 3 min 20 s, 1 h 5 min."""
    if elapsed is None:
        return ""
    seconds = elapsed.total_seconds() if isinstance(elapsed, timedelta) else float(elapsed)
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min"


@register.filter
def p_value(value: float) -> str:
    """A p-value: p = 0.0213, p < 0.0001."""
    return f"p = {value:.4f}" if value >= 0.0001 else "p < 0.0001"


@register.filter
def took_short(seconds: float) -> str:
    """A length of time that may be very short: 35 ms, 0.42 s, 12 s."""
    return f"{1000 * seconds:.0f} ms" if seconds < 0.1 else took(seconds)
