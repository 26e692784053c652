"""Whatever is changed and restored, in whatever order: a dataset is what a plain dict says."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.accounts.models import Project, User
from studio.datasets import blocks
from studio.datasets.blocks import ABSENT
from studio.datasets.browsing.filtering import Query
from studio.datasets.editing import appending
from studio.datasets.editing.bulk import Selection, apply
from studio.datasets.editing.changes import (
    Changes,
    change,
    change_splits,
    fingerprint_of,
    get_version,
    restore,
)
from studio.datasets.editing.diffing import between
from studio.datasets.editing.operations import Operation
from studio.datasets.editing.versions import undo
from studio.datasets.models import Dataset, Place, Split, Version
from studio.datasets.table import SPLITS, Table, places_of
from studio.errors import Conflict, Invalid
from tests.builders import make_dataset

pytestmark = pytest.mark.django_db

Rows = dict[int, tuple[dict[str, Any], str]]
VALUES = st.none() | st.booleans() | st.integers(-2, 2) | st.sampled_from(["", "a", "é\n", "1"])
CELLS = st.dictionaries(st.sampled_from(["a", "b", "c"]), VALUES, max_size=3)
NEW = CELLS.filter(lambda values: any(value is not None for value in values.values()))
SPLIT = st.sampled_from(Split.values)
PICK = st.integers(0, 10_000)
"""Some row of those that are there."""
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("cells"), st.lists(st.tuples(PICK, CELLS), min_size=1, max_size=4)),
        st.tuples(st.just("remove"), st.lists(PICK, min_size=1, max_size=6)),
        st.tuples(st.just("move"), st.lists(st.tuples(PICK, SPLIT), min_size=1, max_size=4)),
        st.tuples(st.just("add"), st.lists(st.tuples(NEW, SPLIT), min_size=1, max_size=9)),
        st.tuples(st.just("resplit"), st.integers(0, 2)),
        st.tuples(st.just("restore"), PICK),
    ),
    max_size=8,
)


@dataclass
class Model:
    """What should be there, in every version."""

    rows: Rows
    next: int
    versions: list[Rows] = dataclass_field(default_factory=list)

    def pick(self, number: int) -> int | None:
        """A row that is there."""
        there = sorted(self.rows)
        return there[number % len(there)] if there else None


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four rows a block, so that few rows have many blocks."""
    monkeypatch.setattr(blocks, "ROWS", 4)
    monkeypatch.setattr(appending, "ROWS", 4)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(start=st.lists(st.tuples(NEW, SPLIT), min_size=1, max_size=10), steps=STEPS)
def test_a_dataset_is_what_a_dict_says(
    project: Project, alice: User, start: list[Any], steps: list[Any]
) -> None:
    dataset = make_dataset(
        project,
        f"model-{Dataset.everything.count()}",
        rows=[{**dict.fromkeys("abc"), **values} for values, _split in start],
        splits=[split for _values, split in start],
        report={"labels": {"column": "a", "counts": _labels_of(start)}},
    )
    rows = {n: (_plain(v), s) for n, (v, s) in enumerate(start, 1)}
    model = Model(dict(rows), len(start) + 1, [dict(rows)])
    for what, argument in steps:
        before = dataset.number
        STEP[what](alice, dataset, model, argument)
        if dataset.number != before:
            model.versions.append(dict(model.rows))
        _check(dataset, model)
    for number, was in enumerate(model.versions, 1):
        assert _read(dataset, number) == was
    _check_differences(dataset, model)


def _cells(alice: User, dataset: Dataset, model: Model, argument: Any) -> None:
    cells: dict[int, dict[str, Any]] = {}
    for pick, values in argument:
        number = model.pick(pick)
        if number is not None:
            cells[number] = {**cells.get(number, {}), **values}
    change(actor=alice, dataset=dataset, changes=Changes(cells=cells))
    for number, values in cells.items():
        old, split = model.rows[number]
        model.rows[number] = (_plain({**old, **values}), split)


def _remove(alice: User, dataset: Dataset, model: Model, argument: Any) -> None:
    numbers = {number for pick in argument if (number := model.pick(pick)) is not None}
    change(actor=alice, dataset=dataset, changes=Changes(removed=numbers))
    for number in numbers:
        del model.rows[number]


def _move(alice: User, dataset: Dataset, model: Model, argument: Any) -> None:
    splits = {n: split for pick, split in argument if (n := model.pick(pick)) is not None}
    change(actor=alice, dataset=dataset, changes=Changes(splits=splits))
    for number, split in splits.items():
        model.rows[number] = (model.rows[number][0], split)


def _add(alice: User, dataset: Dataset, model: Model, argument: Any) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(added=argument))
    for values, split in argument:
        model.rows[model.next] = (_plain(values), split)
        model.next += 1


def _resplit(alice: User, dataset: Dataset, model: Model, argument: int) -> None:
    codes = {
        spot.start: bytes(ABSENT if one == ABSENT else argument for one in spot.splits)
        for spot in Table(dataset).spots
    }
    change_splits(actor=alice, dataset=dataset, codes=codes, message="anew")
    model.rows = {n: (values, SPLITS[argument].value) for n, (values, _) in model.rows.items()}


def _restore(alice: User, dataset: Dataset, model: Model, argument: int) -> None:
    number = 1 + argument % len(model.versions)
    restore(actor=alice, dataset=dataset, number=number)
    model.rows = dict(model.versions[number - 1])
    assert dataset.fingerprint == get_version(dataset, number).fingerprint


STEP = {
    "cells": _cells, "remove": _remove, "move": _move, "add": _add,
    "resplit": _resplit, "restore": _restore,
}  # fmt: skip


def _check(dataset: Dataset, model: Model) -> None:
    stored = Dataset.objects.get(pk=dataset.pk)
    assert _read(stored, stored.number) == model.rows
    counts = Counter(split for _values, split in model.rows.values())
    assert stored.report["splits"] == {split: counts[split] for split in Split.values}
    assert stored.row_count == len(model.rows)
    places = places_of(stored, stored.number)
    assert stored.fingerprint == fingerprint_of(stored.columns, stored.mapping, places)
    version = get_version(stored, stored.number)
    assert (version.fingerprint, version.row_count) == (stored.fingerprint, stored.row_count)
    assert version.splits == stored.report["splits"]
    assert stored.report["labels"]["counts"] == _labels_of(model.rows.values())
    assert stored.number == len(model.versions) == Version.objects.filter(dataset=stored).count()
    assert not Place.objects.filter(dataset=stored, start__gte=model.next).exists()


def _check_differences(dataset: Dataset, model: Model) -> None:
    """Every two versions differ by what their rows say."""
    for first, was in enumerate(model.versions, 1):
        for second, now in enumerate(model.versions, 1):
            found = {row.number: row for row in between(dataset, first, second)}
            expected = {
                number for number in {*was, *now} if not _equal(was.get(number), now.get(number))
            }
            assert set(found) == expected
            for number, row in found.items():
                assert (row.was and dict(row.was.values)) == (was.get(number) or (None,))[0]
                assert (row.now and dict(row.now.values)) == (now.get(number) or (None,))[0]
            counts = get_version(dataset, second).changes
            if second == first + 1:
                kinds = Counter(kind for row in found.values() for kind in row.kinds)
                assert dict(kinds) == counts


def _read(dataset: Dataset, number: int) -> Rows:
    return {row.number: (dict(row.values), row.split) for row in Table(dataset, number).rows()}


def _equal(one: Any, other: Any) -> bool:
    """Also by types: 1 is not True."""
    return repr(one and _sorted(one)) == repr(other and _sorted(other))


def _sorted(row: Any) -> Any:
    return sorted(row[0].items()), row[1]


def _plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _labels_of(rows: Any) -> dict[str, dict[str, int]]:
    counts: dict[str, Counter[str]] = {}
    for values, split in rows:
        label = values.get("a")
        text = "" if label is None else label if isinstance(label, str) else _json(label)
        counts.setdefault(text, Counter())[split] += 1
    return {
        label: {split: found[split] for split in Split.values} for label, found in counts.items()
    }


def _json(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    theirs=st.dictionaries(st.integers(1, 12), CELLS, max_size=4),
    mine=st.dictionaries(st.integers(1, 12), CELLS, min_size=1, max_size=4),
)
def test_changes_of_other_rows_are_no_conflict(
    project: Project, alice: User, bob: User, theirs: Any, mine: Any
) -> None:
    rows = [{"a": "x", "b": number} for number in range(1, 13)]
    dataset = make_dataset(project, f"both-{Dataset.everything.count()}", rows=rows)
    seen = Dataset.objects.get(pk=dataset.pk)
    change(actor=bob, dataset=dataset, changes=Changes(cells=theirs))
    changed = {
        number
        for number, values in theirs.items()
        if not _equal(
            (_plain({"a": "x", "b": number, **values}), ""), ({"a": "x", "b": number}, "")
        )
    }
    if changed & set(mine):
        with pytest.raises(Conflict, match="Somebody else has changed row"):
            change(actor=alice, dataset=seen, changes=Changes(cells=mine), base=1)
        assert Dataset.objects.get(pk=dataset.pk).number == dataset.number
    else:
        change(actor=alice, dataset=seen, changes=Changes(cells=mine), base=1)
        found = _read(seen, seen.number)
        for number, values in {**theirs, **mine}.items():
            before = {"a": "x", "b": number, **theirs.get(number, {}), **mine.get(number, {})}
            assert found[number][0] == _plain(before), values


BULK = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.sampled_from("abcd"), VALUES),
        st.tuples(st.just("rename"), st.sampled_from("abcd"), st.sampled_from("abcd")),
        st.tuples(st.just("drop"), st.sampled_from("abcd"), st.none()),
        st.tuples(st.just("add"), st.sampled_from("abcd"), VALUES),
        st.tuples(st.just("split"), st.sampled_from(["", "a", "1"]), SPLIT),
        st.tuples(st.just("delete"), st.sampled_from(["é", "1", "2"]), st.none()),
        st.tuples(st.just("grow"), st.just(""), NEW),
        st.tuples(st.just("undo"), st.just(""), PICK),
        st.tuples(st.just("restore"), st.just(""), PICK),
    ),
    max_size=10,
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(start=st.lists(st.tuples(NEW, SPLIT), min_size=1, max_size=10), steps=BULK)
def test_what_is_counted_on_the_way_is_what_is_there(
    project: Project, alice: User, start: list[Any], steps: list[Any]
) -> None:
    """Whole columns that change, go and come back: nothing drifts from what one counts anew."""
    dataset = make_dataset(
        project,
        f"bulk-{Dataset.everything.count()}",
        rows=[{**dict.fromkeys("abc"), **values} for values, _split in start],
        splits=[split for _values, split in start],
        label_column="a",
        report={"labels": {"column": "a", "counts": _labels_of(start)}},
    )
    for kind, name, value in steps:
        with suppress(Invalid, Conflict):
            _take_step(alice, dataset, kind, name, value)
        stored = Dataset.objects.get(pk=dataset.pk)
        rows = list(Table(stored).rows())
        counts = Counter(row.split for row in rows)
        assert stored.report["splits"] == {split: counts[split] for split in Split.values}
        assert stored.row_count == len(rows)
        places = places_of(stored, stored.number)
        assert stored.fingerprint == fingerprint_of(stored.columns, stored.mapping, places)
        assert stored.fingerprint == get_version(stored, stored.number).fingerprint
        assert {name for row in rows for name in row.values} <= set(stored.columns)
        labels = stored.report["labels"]
        if labels:
            column = labels["column"]
            found = [({"a": row.values.get(column)}, row.split) for row in rows]
            assert labels["counts"] == _labels_of(found)
            assert stored.label_column == column


def _take_step(alice: User, dataset: Dataset, kind: str, name: str, value: Any) -> None:
    if kind == "grow":
        change(actor=alice, dataset=dataset, changes=Changes(added=[(value, "dev")]))
    elif kind == "undo":
        undo(actor=alice, dataset=dataset, number=1 + value % dataset.number)
    elif kind == "restore":
        restore(actor=alice, dataset=dataset, number=1 + value % dataset.number)
    else:
        what = {
            "rename": {"column": name, "name": value}, "drop": {"column": name},
            "add": {"name": name, "value": value}, "set": {"column": name, "value": value},
            "split": {"split": value}, "delete": {},
        }[kind]  # fmt: skip
        found = Query(text=name) if kind in ("split", "delete") else Query()
        operation = Operation(kind=kind, **what)
        apply(actor=alice, dataset=dataset, operation=operation, selection=Selection(query=found))
