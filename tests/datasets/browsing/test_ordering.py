"""Orders: numbers as numbers, texts without case, empties last; mended after changes."""

from __future__ import annotations

import random
from typing import Any

import pytest

from studio.accounts.models import Project, User
from studio.datasets import chores
from studio.datasets.browsing import ordering
from studio.datasets.browsing.ordering import Sorted, key_of, sort
from studio.datasets.editing.changes import Changes, change, restore
from studio.datasets.models import Chore, Dataset, Order
from studio.datasets.table import Table
from tests.builders import make_dataset

pytestmark = pytest.mark.django_db


def by_hand(dataset: Dataset, column: str) -> list[int]:
    """Row numbers in order, with Python's own sorting."""
    keys = [(key_of(row.values.get(column)), row.number) for row in Table(dataset).rows()]
    filled = sorted((key, number) for key, number in keys if key is not None)
    return [number for _key, number in filled] + [n for key, n in keys if key is None]


def order_of(dataset: Dataset, column: str = "v") -> list[int]:
    found = sort(Table(dataset), column)
    assert isinstance(found, Sorted)
    return [int(number) for number in found.numbers]


def make_values(project: Project, values: list[Any]) -> Dataset:
    """A dataset of one column beside the numbers."""
    rows = [{"n": at} | ({} if one is None else {"v": one}) for at, one in enumerate(values)]
    return make_dataset(project, rows=[{"n": -1, "v": "0"}, *rows])


def test_numbers_then_texts_then_empties(project: Project) -> None:
    values = ["10", "9", "", "banana", "Apple", None, "-1", 9.5, "éclair", " ", True, ["x"]]
    dataset = make_values(project, values)
    found = [Table(dataset).get(number) for number in order_of(dataset)]
    shown = [row.values.get("v") for row in found if row]
    assert shown == [
        "-1", "0", "9", 9.5, "10", ["x"], "Apple", "banana", True, "éclair", "", None, " ",
    ]  # fmt: skip
    order = sort(Table(dataset), "v")
    assert isinstance(order, Sorted)
    down = [Table(dataset).get(int(number)) for number in order.down()]
    assert [row.values.get("v") for row in down if row] == [
        "éclair", True, "banana", "Apple", ["x"], "10", 9.5, "9", "0", "-1", "", None, " ",
    ]  # fmt: skip


def test_equal_values_stay_in_the_order_of_the_rows(project: Project) -> None:
    dataset = make_values(project, ["b", "a", "B", "A", "b"])
    assert order_of(dataset)[1:] == [3, 5, 2, 4, 6]


@pytest.mark.parametrize("seed", range(4))
def test_an_order_is_mended_as_if_it_were_made_anew(
    project: Project, alice: User, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordering, "MENDED_AT_ONCE", 50)
    chance = random.Random(seed)

    def value() -> Any:
        return chance.choice([None, "", "x", "X", "y", chance.randint(0, 9), f"{chance.random()}"])

    dataset = make_values(project, [value() for _row in range(1_200)])
    order_of(dataset)
    made: list[str] = []
    monkeypatch.setattr(ordering, "_make", lambda *_all: made.append("anew"))
    for _change in range(4):
        there = [row.number for row in Table(dataset).rows()]
        picked = chance.sample(there, 9)
        change(
            actor=alice,
            dataset=dataset,
            changes=Changes(
                cells={number: {"v": value()} for number in picked[:6]},
                removed=picked[6:8],
                splits={picked[8]: "test"},
                added=[({"n": 1, "v": value()}, "train")],
            ),
        )
        assert order_of(dataset) == by_hand(dataset, "v")
    restore(actor=alice, dataset=dataset, number=1)
    assert order_of(dataset) == by_hand(dataset, "v")
    assert made == []


def test_after_a_large_change_it_is_made_anew(project: Project, alice: User) -> None:
    dataset = make_values(project, ["b"] * 600)
    order_of(dataset)
    cells = {number: {"v": str(-number)} for number in range(2, 500)}
    change(actor=alice, dataset=dataset, changes=Changes(cells=cells))
    assert order_of(dataset) == by_hand(dataset, "v")


def test_few_orders_are_kept(project: Project, alice: User) -> None:
    dataset = make_values(project, ["b", "a"])
    for n in range(5):
        order_of(dataset)
        change(actor=alice, dataset=dataset, changes=Changes(cells={2: {"v": f"c{n}"}}))
    assert [order.number for order in Order.objects.order_by("number")] == [4, 5]


def test_a_large_dataset_is_sorted_by_a_worker(
    project: Project, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    monkeypatch.setattr(ordering, "AT_ONCE_ROWS", 2)
    monkeypatch.setattr(chores, "AT_ONCE_ROWS", 2)
    told: list[Any] = []
    monkeypatch.setattr(
        "studio.datasets.claims.app.send_task", lambda name, args: told.append(args)
    )
    dataset = make_values(project, ["b", "a", "c"])
    with django_capture_on_commit_callbacks(execute=True):
        chore = sort(Table(dataset), "v")
    assert isinstance(chore, Chore)
    assert (chore.state, told) == (Chore.State.WAITING, [[chore.pk]])
    chores.work(chore.pk)
    assert order_of(dataset) == by_hand(dataset, "v")
