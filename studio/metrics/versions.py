"""The versions of a metric: which there are, what differs between two, and going back to one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from difflib import SequenceMatcher
from typing import Any

from django.db import transaction

from studio.accounts.models import Role, User
from studio.accounts.services import record, require
from studio.engine.metrics import METRICS
from studio.errors import NotFound
from studio.metrics.models import Metric, MetricVersion
from studio.metrics.services import fill, keep_version, lock


@dataclass(frozen=True, slots=True)
class Line:
    """A line of two texts side by side: `same`, `added` or `removed`."""

    kind: str
    text: str
    before: int | None
    """Its number in the older text."""
    after: int | None
    """Its number in the newer one."""


@dataclass(frozen=True, slots=True)
class Change:
    """A parameter that two versions have differently."""

    label: str
    before: str
    after: str
    lines: tuple[Line, ...] = ()
    """Of a text of several lines, how one becomes the other."""


def get_version(metric: Metric, number: int) -> MetricVersion:
    """The version of that number, or `NotFound`."""
    found = metric.versions.select_related("judge").filter(number=number).first()
    if found is None:
        raise NotFound(f"“{metric.name}” has no version {number}; {metric.number} is the newest.")
    return found


@transaction.atomic
def restore_version(*, actor: User, metric: Metric, number: int) -> Metric:
    """Make the metric what it was, as a new version; nothing that came between is lost.

    Raises `Invalid` when the metric cannot be made like that any more, such as without the
    language model that judged.
    """
    require(user=actor, project=metric.project, role=Role.AUTHOR)
    metric = lock(metric)
    old = get_version(metric, number)
    if is_same(old, metric):
        return metric
    before = metric.number
    fill(metric, metric.name, old.params, old.judge)
    metric.number += 1
    metric.save()
    keep_version(metric, actor, f"Version {number} again")
    record(
        project=metric.project,
        actor=actor,
        action="metric.restore",
        subject=metric.name,
        version=number,
        before=before,
    )
    return metric


def is_same(one: Metric | MetricVersion, other: Metric | MetricVersion) -> bool:
    """Whether both judge in the same way."""
    return (one.kind, one.params, one.judge_id) == (other.kind, other.params, other.judge_id)


def changes(before: MetricVersion, after: MetricVersion) -> tuple[Change, ...]:
    """What differs between two versions, parameter by parameter in the order of the form."""
    labels = _labels(after.kind)
    names = [name for name in labels if name in before.params or name in after.params]
    names += sorted((set(before.params) | set(after.params)) - set(names))
    found = []
    for name in names:
        old, new = (_text(name, version.params.get(name)) for version in (before, after))
        if old != new:
            lines = line_diff(old, new) if "\n" in old + new else ()
            found.append(Change(labels.get(name, name), old, new, lines))
    if before.judge_id != after.judge_id:
        found.append(Change("Judge", str(before.judge or "none"), str(after.judge or "none")))
    return tuple(found)


def line_diff(before: str, after: str) -> tuple[Line, ...]:
    """How one text becomes the other, line by line."""
    old, new = before.splitlines(), after.splitlines()
    found: list[Line] = []
    for code, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if code == "equal":
            found += [
                Line("same", text, i1 + at + 1, j1 + at + 1) for at, text in enumerate(old[i1:i2])
            ]
            continue
        found += [Line("removed", old[at], at + 1, None) for at in range(i1, i2)]
        found += [Line("added", new[at], None, at + 1) for at in range(j1, j2)]
    return tuple(found)


def _labels(kind: str) -> dict[str, str]:
    """The parameters of a kind by name, as its form calls them."""
    found = METRICS.get(kind)
    return {
        field.name: str(field.metadata.get("label", field.name))
        for field in (fields(found.params) if found else ())
    }


def _text(name: str, value: Any) -> str:
    """A parameter as text; the parts of a composite as one reads JSON."""
    if value is None:
        return ""
    if name == "parts" and isinstance(value, str):
        try:
            return _pretty(json.loads(value))
        except (ValueError, RecursionError):
            return value
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return _pretty(value) if isinstance(value, Mapping) else json.dumps(value)


def _pretty(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
