"""Files put over a dataset by their ids: counted before, done in one version."""

from __future__ import annotations

import random
from typing import Any

import pytest

from studio.accounts.models import Project, User
from studio.datasets import blocks
from studio.datasets.blocks import ABSENT, content_of, cut
from studio.datasets.editing import appending, upserting
from studio.datasets.models import Dataset, Version
from studio.datasets.splits.splitting import OPEN
from studio.datasets.uploading.importing import Stage
from studio.errors import Conflict, Invalid, NotFound
from tests.builders import make_dataset, rows_of

TRAIN, DEV, TEST = 0, 1, 2


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few rows a block and a window, so that few rows have many of them."""
    monkeypatch.setattr(blocks, "ROWS", 4)
    monkeypatch.setattr(appending, "ROWS", 4)
    monkeypatch.setattr(upserting, "WINDOW_ROWS", 3)


@pytest.fixture
def dataset(project: Project) -> Dataset:
    """Ten rows with ids, one of them a number."""
    rows: list[dict[str, Any]] = [{"id": f"r{n}", "text": f"text {n}", "n": n} for n in range(10)]
    rows[3]["id"] = 3
    return make_dataset(project, rows=rows, splits=["dev"] * 9 + ["test"], id_column="id")


def stage(project: Project, rows: list[dict[str, Any]]) -> Dataset:
    """A file's rows as an upload stages them."""
    staged = Dataset(
        project=project, name="file", slug=f"file-{Dataset.everything.count()}", ready=False
    )
    staged.columns = list(dict.fromkeys(name for row in rows for name in row))
    staged.save()
    writing, start = Stage(staged), 1
    for piece in cut(rows):
        writing.add(start, content_of(piece))
        start += len(piece)
    writing.flush()
    return staged


def put(
    alice: User, dataset: Dataset, rows: list[dict[str, Any]], codes: Any = None, **more: Any
) -> tuple[upserting.Counts, Version]:
    """Preview, then do it."""
    what: dict[str, Any] = {
        "dataset": dataset,
        "staged": stage(dataset.project, rows),
        "splits": bytes([TRAIN] * len(rows) if codes is None else codes),
        "id_column": "id",
        **more,
    }
    return upserting.preview(**what), upserting.upsert(actor=alice, **what)


def test_rows_are_found_by_their_ids(alice: User, dataset: Dataset) -> None:
    counts, version = put(
        alice,
        dataset,
        [
            {"id": "r7", "text": "seven"},
            {"id": "new", "text": "fresh"},
            {"id": "3", "text": "three"},
            {"id": "r1", "text": "text 1"},
            {"id": "", "text": "nobody"},
            {"id": "r7", "text": "SEVEN"},
        ],
    )
    assert counts == {
        "added": 1, "changed": 2, "unchanged": 1, "repeated": 1, "without_id": 1,
    }  # fmt: skip
    assert (version.kind, version.changes) == (Version.Kind.UPSERT, {"added": 1, "changed": 2})
    rows = {row.number: row for row in rows_of(dataset)}
    assert rows[8].values == {"id": "r7", "text": "SEVEN", "n": 7}
    assert rows[8].split == "dev"
    assert rows[4].values == {"id": "3", "text": "three", "n": 3}
    assert rows[11].values == {"id": "new", "text": "fresh"}
    assert rows[11].split == "train"
    assert len(rows) == 11


def test_the_same_file_again_changes_nothing(alice: User, dataset: Dataset) -> None:
    rows = [dict(row.values) for row in rows_of(dataset)]
    counts, version = put(alice, dataset, rows)
    assert counts["unchanged"] == 10
    assert version.number == 1


def test_empty_cells_empty_and_new_columns_come(alice: User, dataset: Dataset) -> None:
    put(alice, dataset, [{"id": "r0", "text": None, "source": "web"}])
    assert rows_of(dataset)[0].values == {"id": "r0", "n": 0, "source": "web"}
    assert dataset.columns == ["id", "text", "n", "source"]


def test_a_split_column_moves_rows(alice: User, dataset: Dataset) -> None:
    rows = [{"id": "r0", "text": "text 0"}, {"id": "r1", "text": "text 1"}]
    counts, _version = put(alice, dataset, rows, [TRAIN, DEV], moves=True)
    assert (counts["changed"], counts["unchanged"]) == (1, 1)
    assert [row.split for row in rows_of(dataset)][:2] == ["train", "dev"]


def test_left_out_rows_stay_out_and_open_ones_train(alice: User, dataset: Dataset) -> None:
    rows = [{"id": "r0", "text": "x"}, {"id": "a", "text": "x"}, {"id": "b", "text": "x"}]
    counts, _version = put(alice, dataset, rows, [ABSENT, ABSENT, OPEN])
    assert (counts["added"], counts["changed"]) == (1, 0)
    assert (rows_of(dataset)[-1].values["id"], rows_of(dataset)[-1].split) == ("b", "train")


def test_any_order_gives_what_a_dict_gives(alice: User, project: Project) -> None:
    chance = random.Random(5)
    for turn in range(6):
        rows = [{"id": str(n), "v": chance.randrange(3)} for n in range(chance.randrange(1, 40))]
        data = make_dataset(project, f"d{turn}", rows=rows)
        file = [{"id": str(chance.randrange(60)), "v": chance.randrange(3)} for _ in range(50)]
        expected = {row["id"]: row["v"] for row in (*rows, *file)}
        counts, _version = put(alice, data, file)
        found = rows_of(data)
        assert {row.values["id"]: row.values["v"] for row in found} == expected
        assert len(found) == len(expected)
        assert sum(int(str(count)) for count in counts.values()) == len(file)


def test_a_sealed_test_row_is_not_changed(alice: User, dataset: Dataset) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(sealed=True)
    dataset.refresh_from_db()
    with pytest.raises(Conflict, match="row 10 of the sealed test split"):
        put(alice, dataset, [{"id": "r9", "text": "other"}])
    put(alice, dataset, [{"id": "r8", "text": "other"}, {"id": "new", "text": "x"}])
    assert dataset.row_count == 11


def test_no_row_is_moved_into_a_sealed_test_split(
    alice: User, dataset: Dataset, project: Project
) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(sealed=True)
    dataset.refresh_from_db()
    rows = [{"id": "r0", "text": "text 0", "n": 0}]
    with pytest.raises(Conflict, match="row 1 into the sealed test split"):
        upserting.upsert(
            actor=alice, dataset=dataset, staged=stage(project, rows), splits=bytes([TEST]),
            id_column="id", moves=True,
        )  # fmt: skip
    assert [row.number for row in rows_of(dataset, "test")] == [10]


def test_columns_that_are_missing_are_told(alice: User, dataset: Dataset) -> None:
    with pytest.raises(Invalid, match="has no column “key”"):
        put(alice, dataset, [{"key": "a"}], id_column="key")
    with pytest.raises(Invalid, match="The file has no column “id”"):
        put(alice, dataset, [{"text": "a"}])


def test_strangers_cannot_do_it(charlie: User, dataset: Dataset) -> None:
    staged = stage(dataset.project, [{"id": "r0"}])
    with pytest.raises(NotFound):
        upserting.upsert(
            actor=charlie, dataset=dataset, staged=staged, splits=b"\0", id_column="id"
        )
