"""Rows are cut by any column: categories, numbers in parts of equal size, lengths of texts."""

from __future__ import annotations

from typing import Any

import pytest

from studio.datasets.editing.changes import Changes, change
from studio.datasets.models import Version
from studio.runs.evaluations.results import Answered, Results, RowResult, read_results
from studio.runs.evaluations.slices import (
    EMPTY,
    MOST_SLICES,
    OTHERS,
    columns_of_run,
    cut,
    read_slices,
)
from tests import builders
from tests.runs.builders import Kit, make_rows
from tests.runs.evaluating import evaluate


def row(number: int, value: float | None) -> RowResult:
    """A row with one answer."""
    answer = Answered(0, value, False, 1, 0.1, 0.0, "a")
    return RowResult(f"e{number}", number, "dev", (answer,))


@pytest.mark.parametrize(
    ("cells", "how", "names"),
    [
        (["a", "b", "a", "b", "", None], "its values", ["a", "b", EMPTY]),
        ([True, False, True, False], "its values", ["yes", "no"]),
        ([1, 2, 1, 2, 1, 2], "its values", ["1", "2"]),
        ([str(n) for n in range(40)], "numbers", ["0 to 9", "10 to 19", "20 to 29", "30 to 39"]),
        ([0.5] * 30 + list(range(1, 11)), "numbers", ["0.5 to 1", "1 to 10"]),
        (["x" * n for n in range(1, 41)], "length", ["1 to 10 letters", "11 to 20 letters"]),
        ([["a"], ["b"], ["a"], ["b"]], "its values", ['["a"]', '["b"]']),
        ([], "its values", []),
        ([None, ""], "its values", [EMPTY]),
    ],
)
def test_a_column_is_cut_as_its_cells_are(cells: list[Any], how: str, names: list[str]) -> None:
    told, slicer, order = cut(cells)
    assert told.startswith(how)
    found = [name for name in order if name in {slicer(cell) for cell in cells}]
    if names and names[0] != "0.5 to 1":
        assert found[: len(names)] == names
    assert {slicer(cell) for cell in cells} <= set(order)


def test_every_cell_has_a_slice_and_equal_parts_are_about_equal() -> None:
    cells = [n**2 for n in range(100)]
    _how, slicer, order = cut(cells)
    sizes = [sum(slicer(cell) == name for cell in cells) for name in order if name != EMPTY]
    assert sizes == [25, 25, 25, 25]


def test_rare_values_stand_together() -> None:
    cells = [name for n in range(20) for name in [f"v{n:02}"] * (40 - n)]
    _how, slicer, _order = cut(cells)
    there = {slicer(cell) for cell in cells}
    assert len(there) == MOST_SLICES
    assert OTHERS in there
    assert slicer("v19") == OTHERS
    assert slicer("v00") == "v00"


@pytest.mark.parametrize("cell", [float("nan"), float("inf"), "1e999", "²", {"a": 1}])
def test_what_is_no_number_is_text(cell: Any) -> None:
    _how, slicer, order = cut([cell, *["x", "y"] * 4])
    assert slicer(cell) in order


@pytest.mark.django_db
def test_a_slice_is_only_called_worse_when_it_is(kit: Kit) -> None:
    rows = [
        {**one, "kind": "good" if n % 2 else "bad", "rare": "once" if n == 0 else "often"}
        for n, one in enumerate(make_rows(60))
    ]
    dataset = builders.make_dataset(kit.project, "kinds", rows=rows, splits=["dev"] * 60)
    run = evaluate(kit, dataset=dataset)
    kinds = {n + 1: one["kind"] for n, one in enumerate(rows)}
    results = Results(tuple(row(n, 1.0 if kinds[n] == "good" else 0.0) for n in kinds))
    slices = read_slices(run, results, "kind")
    assert slices is not None
    assert {one.name: one.verdict for one in slices.slices} == {
        "good": "better than the rest",
        "bad": "worse than the rest",
    }
    rare = read_slices(run, results, "rare")
    assert rare is not None
    assert {one.name: one.verdict for one in rare.slices}["once"] == "too few rows to tell"
    alike = Results(tuple(row(n, float(n % 3 == 0)) for n in kinds))
    same = read_slices(run, alike, "kind")
    assert same is not None
    assert {one.verdict for one in same.slices} == {"not distinguishable from the rest"}
    mute = read_slices(run, Results(tuple(row(n, None) for n in kinds)), "kind")
    assert mute is not None
    assert [one.mean for one in mute.slices] == [None, None]


@pytest.mark.django_db
def test_the_columns_are_those_of_the_version_that_was_read(kit: Kit) -> None:
    run = evaluate(kit)
    assert columns_of_run(run) == ["message", "category"]
    number = builders.rows_of(kit.dataset)[0].number
    change(
        actor=kit.actor,
        dataset=kit.dataset,
        changes=Changes(removed=[number]),
        kind=Version.Kind.EDIT,
        message="",
        base=1,
    )
    run.refresh_from_db()
    assert read_slices(run, read_results(run), "nothing") is None
    found = read_slices(run, read_results(run), "category")
    assert found is not None
    assert sum(len(one.rows) for one in found.slices) == 16
    run.dataset = None
    assert columns_of_run(run) == []
    assert read_slices(run, read_results(run), "category") is None
