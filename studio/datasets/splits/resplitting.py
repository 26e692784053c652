"""Splitting a dataset anew: first a plan that people look at, then one version with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy

from studio.datasets.editing.changes import change_splits
from studio.datasets.models import Dataset, Split, Version
from studio.datasets.splits.choices import (
    MOST_VALUES,
    Choice,
    check,
    complete,
    input_columns,
    invalid,
    label_column,
    targets_of,
)
from studio.datasets.splits.columns import (
    MOST_NAMES,
    Keys,
    Named,
    Names,
    Standing,
    codes_of,
    read,
    standing,
)
from studio.datasets.splits.drawing import draw, join, number
from studio.datasets.splits.plans import Group, Groups, Plan, warnings_of
from studio.datasets.splits.sealing import may_see, visible_counts
from studio.datasets.splits.splitting import (
    OTHERS,
    Numbers,
    count_duplicates,
    count_labels,
    first_of,
)
from studio.datasets.table import SPLITS, Table
from studio.datasets.uploading.choices import MAX_LABELS
from studio.errors import Invalid

_SHOWN = 5


def make_plan(dataset: Dataset, choice: Choice) -> Plan:
    """What would come of the choice; nothing is changed. Raises `Invalid` for what cannot be."""
    choice = complete(dataset, choice)
    check(dataset, choice)
    table = Table(dataset)
    rows = standing(table)
    if not len(rows.numbers):
        raise Invalid("The dataset has no rows to split.")
    label = choice.column if choice.way == "stratified" else label_column(dataset)
    told_label = label_column(dataset)
    wanted: list[Keys | Names] = [Keys(choice.inputs)]
    wanted += [Keys((choice.group,))] if choice.group else []
    named = dict.fromkeys(n for n in (choice.column, label, told_label) if n)
    wanted += [Names(name) for name in named]
    found = read(table, wanted)
    names: dict[str, Named] = {name: found[Names(name)] for name in named}
    keys = found[Keys(choice.inputs)]
    groups = found[Keys((choice.group,))] if choice.group else None
    free = ~numpy.isin(rows.splits, [_code(split) for split in choice.keep])
    if not free.any():
        raise invalid("keep", "Every row is in a split that is left untouched.")
    after, targets = rows.splits.copy(), None
    if choice.way == "column":
        after[free] = _as_named(choice, names[choice.column], rows.splits, keys, free)
    else:
        targets = targets_of(choice, int(free.sum()))
        strata = None
        if choice.way == "stratified":
            strata = _strata(choice.column, names[choice.column])[free]
        units = number(keys[free])
        if choice.way == "group":
            assert groups is not None
            units = join(_alone_without(groups, keys)[free], keys[free])
        after[free] = _drawn(units, targets, choice.seed, strata)
    first = first_of(keys)
    labels = _counted(names.get(label), after)
    counted = _counted(names.get(told_label), after)
    duplicates = count_duplicates(first, after, rows.numbers)
    plan = Plan(
        choice=choice,
        number=dataset.number,
        before=_sizes(rows.splits),
        after=_sizes(after),
        moved=int((after != rows.splits).sum()),
        label=label if labels else "",
        labels_before=visible_counts(dataset, _counted(names.get(label), rows.splits)),
        labels=visible_counts(dataset, labels),
        duplicates_before=count_duplicates(first, rows.splits, rows.numbers),
        duplicates=duplicates,
        groups=_groups(table, choice.group, groups, rows, after) if groups is not None else None,
        off=_off(after[free], targets),
        warnings=(),
        codes=codes_of(table, after),
        told=_told(dataset, choice, duplicates, told_label, counted),
    )
    return replace(plan, warnings=tuple(warnings_of(plan)))


def look(dataset: Dataset) -> dict[str, Any]:
    """The inputs that are repeated as the dataset is now; see `count_duplicates`."""
    table = Table(dataset)
    rows, wanted = standing(table), Keys(input_columns(dataset))
    return count_duplicates(first_of(read(table, [wanted])[wanted]), rows.splits, rows.numbers)


def split_anew(
    *, actor: Any, dataset: Dataset, choice: Choice, base: int | None = None
) -> Version:
    """A new version, split as the choice says; the newest one when no row moves.

    Needs the role author. Raises `Conflict` when `base`, the version that was looked at, is not
    the newest any more, and `Invalid` for what cannot be.
    """
    plan = make_plan(dataset, choice)
    return change_splits(
        actor=actor,
        dataset=dataset,
        codes=plan.codes,
        message=plan.message,
        told=plan.told,
        base=plan.number if base is None else base,
    )


def _drawn(units: Numbers, targets: Sequence[float], seed: int, strata: Numbers | None) -> Numbers:
    sizes = numpy.bincount(units)
    if strata is None:
        return draw(sizes, targets, seed)[units]
    first = numpy.full(len(sizes), len(units))
    numpy.minimum.at(first, units, numpy.arange(len(units)))
    found: Numbers = draw(sizes, targets, seed, strata[first])[units]
    return found


def _strata(column: str, named: Named) -> Numbers:
    if not named.names:
        raise invalid(
            "column",
            f"“{column}” has more than {MOST_NAMES:,} different values, too many to spread each "
            "evenly. Take another column, or split at random.",
        )
    return named.ids


def _alone_without(groups: Numbers, keys: Numbers) -> Numbers:
    """The groups; a row whose cell is empty is a group of its own."""
    found = number(groups)
    empty = groups == hash("")
    found[empty] = len(found) + numpy.arange(int(empty.sum()))
    return found


def _as_named(
    choice: Choice, named: Named, splits: Numbers, keys: Numbers, free: Numbers
) -> Numbers:
    """The splits of the free rows as their values say."""
    if not named.names or len(named.names) > MOST_VALUES:
        raise invalid(
            "column",
            f"“{choice.column}” has more than {MOST_VALUES} different values, too many to choose "
            "a split for each. Take another column, or split by group.",
        )
    stay = len(SPLITS)
    by_name = [choice.values.get(name, "") for name in named.names]
    codes = numpy.array([_code(split) if split else stay for split in by_name], numpy.uint8)
    found = codes[named.ids[free]]
    found = numpy.where(found == stay, splits[free], found)
    if choice.together:
        units = number(keys[free])
        votes = numpy.zeros((int(units.max()) + 1, len(SPLITS)))
        numpy.add.at(votes, (units, found), 1)
        new = first_of(units) == numpy.arange(len(units))
        votes[units[new], found[new]] += 0.5  # the first one decides when as many say otherwise
        found = votes.argmax(axis=1)[units]
    return found


def _groups(table: Table, column: str, keys: Numbers, rows: Standing, after: Numbers) -> Groups:
    there = keys != hash("")
    ids = number(keys[there])
    count = int(ids.max()) + 1 if len(ids) else 0
    sizes = numpy.bincount(ids, minlength=count)
    before, now = _parts(ids, rows.splits[there], count), _parts(ids, after[there], count)
    order = numpy.argsort(-sizes, kind="stable")[:_SHOWN]
    first = numpy.full(count, len(ids))
    numpy.minimum.at(first, ids, numpy.arange(len(ids)))
    numbers = rows.numbers[there][first[order]] if count else []
    seen = {row.number: row for row in table.at(map(int, numbers))}
    largest = []
    for id_, at in zip(order, numbers, strict=True):
        row = seen[int(at)]
        shown = may_see(table.dataset, row.split)
        name = str(row.values.get(column, ""))[:60] if shown else "a group of the sealed test"
        parts = tuple(s.value for code, s in enumerate(SPLITS) if now[id_, code])
        largest.append(Group(name, int(sizes[id_]), parts))
    return Groups(
        column=column,
        count=count,
        across_before=int((before.sum(axis=1) > 1).sum()),
        across=int((now.sum(axis=1) > 1).sum()),
        without=int((~there).sum()),
        largest=tuple(largest),
    )


def _parts(ids: Numbers, splits: Numbers, count: int) -> Numbers:
    """For each group whether it has rows in each split."""
    found = numpy.zeros((count, len(SPLITS)), bool)
    found[ids, splits] = True
    return found


def _counted(named: Named | None, splits: Numbers) -> dict[str, dict[str, int]]:
    if named is None or not named.names:
        return {}
    return count_labels(named.names, named.ids, splits)


def _sizes(splits: Numbers) -> dict[str, int]:
    counts = numpy.bincount(splits, minlength=len(SPLITS))
    return {split.value: int(counts[code]) for code, split in enumerate(SPLITS)}


def _off(splits: Numbers, targets: Sequence[float] | None) -> float:
    if targets is None:
        return 0.0
    counts = numpy.bincount(splits, minlength=len(SPLITS))
    return round(float(numpy.abs(counts - targets).max()) / len(splits) * 100, 1)


def _told(
    dataset: Dataset,
    choice: Choice,
    duplicates: dict[str, Any],
    label: str,
    labels: dict[str, dict[str, int]],
) -> dict[str, Any]:
    """What the dataset's report says afterwards."""
    by = "values" if choice.way == "column" else "random"
    chosen = {**(dataset.report.get("choices") or {}), "split_by": by, "seed": choice.seed}
    if choice.group:
        chosen["group"] = choice.group
    told: dict[str, Any] = {"duplicates": duplicates, "choices": chosen}
    if labels and label == (dataset.report.get("labels") or {}).get("column"):
        told["labels"] = {"column": label, "counts": _few(labels)}
    return told


def _few(labels: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    """The most frequent labels, and the others together."""
    if len(labels) <= MAX_LABELS:
        return labels
    names = [name for name in labels if name != OTHERS]
    kept = {name: labels[name] for name in names[: MAX_LABELS - 1]}
    rest = [labels[name] for name in labels if name not in kept]
    kept[OTHERS] = {split: sum(one[split] for one in rest) for split in Split.values}
    return kept


def _code(split: str) -> int:
    return SPLITS.index(Split(split))
