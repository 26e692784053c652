"""Versions: the list, what differs between two, going back, and the same for programs."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import AuditEntry, Project, User
from studio.datasets.editing.changes import Changes, change, restore
from studio.datasets.editing.version_views import cell_diff
from studio.datasets.editing.versions import undo
from studio.datasets.models import Dataset
from studio.errors import Conflict
from tests.builders import make_dataset, make_run, rows_of

URL = "/p/support/datasets/messages/versions/"
API = "/api/projects/support/datasets/messages/"


@pytest.fixture
def dataset(project: Project, alice: User) -> Dataset:
    """Three versions: as uploaded, one cell, one row less and one moved."""
    data = make_dataset(project)
    change(
        actor=alice, dataset=data, changes=Changes(cells={1: {"message": "I was charged thrice."}})
    )
    change(
        actor=alice, dataset=data, changes=Changes(removed=[2], splits={3: "dev"}),
        message="Tidied",
    )  # fmt: skip
    return data


def test_the_list_says_what_each_version_did(
    as_bob: Client, project: Project, dataset: Dataset
) -> None:
    make_run(project, dataset=dataset, dataset_number=2)
    page = as_bob.get(URL).content.decode()
    assert "3 versions" in page
    assert "Tidied" in page
    assert "−1" in page
    assert "→1" in page
    assert "~1" in page
    assert "read by 1 run" in page
    assert page.count("not read by a run") == 2


def test_differences_are_shown_word_by_word(as_bob: Client, dataset: Dataset) -> None:
    page = as_bob.get(f"{URL}compare/", {"from": "1", "to": "3"}).content.decode()
    assert '<del class="bg-error/15"><span class="sr-only">removed: </span>twice' in page
    assert '<span class="sr-only">added: </span>thrice' in page
    assert "My parcel has not moved for a week." in page
    only = as_bob.get(f"{URL}compare/", {"from": "1", "to": "3", "kind": "moved"}).content.decode()
    assert "thrice" not in only
    assert "<ins" in only


def test_differences_come_page_by_page(
    as_bob: Client, alice: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = make_dataset(project, rows=[{"a": n} for n in range(120)])
    cells = {number: {"a": -number} for number in range(1, 121)}
    change(actor=alice, dataset=data, changes=Changes(cells=cells))
    seen: list[int] = []
    after: int | None = 0
    while after is not None:
        answer = as_bob.get(f"{API}versions/compare/", {"after": str(after)}).json()
        seen += [row["number"] for row in answer["rows"]]
        after = answer["next"]
    assert seen == list(range(1, 121))
    page = as_bob.get(f"{URL}compare/").content.decode()
    assert "Rows after 50" in page


def test_a_version_is_restored_after_a_look(
    as_alice: Client, project: Project, dataset: Dataset
) -> None:
    look = as_alice.get(f"{URL}compare/", {"from": "3", "to": "1"}).content.decode()
    assert "Restore version 1?" in look
    assert "1 added, 1 changed, 0 removed, 1 moved" in look
    done = as_alice.post(f"{URL}restore/", {"number": "1", "message": "As it came"}, follow=True)
    assert "The dataset is as version 1 was; this is version 4" in done.content.decode()
    assert len(rows_of(dataset)) == 6
    made = dataset.versions.get(number=4)
    assert (made.kind, made.message, made.restored_from) == ("restore", "As it came", 1)
    assert made.fingerprint == dataset.versions.get(number=1).fingerprint
    assert made.changes == {"added": 1, "changed": 1, "moved": 1}
    assert AuditEntry.objects.filter(project=project, action="dataset.restore").exists()
    again = as_alice.post(f"{URL}restore/", {"number": "1"}, follow=True)
    assert "nothing was changed" in again.content.decode()


@pytest.mark.parametrize("query", ["from=1&to=9", "from=9", "from=x&to=99"])
def test_versions_that_are_not_there(as_bob: Client, dataset: Dataset, query: str) -> None:
    assert as_bob.get(f"{URL}compare/?{query}").status_code == 404
    assert as_bob.get(f"{API}versions/compare/?{query}").status_code in (404, 422)


def test_new_rows_get_numbers_that_no_row_had(
    alice: User, project: Project, dataset: Dataset
) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(added=[({"message": "a"}, "train")]))
    restore(actor=alice, dataset=dataset, number=1)
    change(actor=alice, dataset=dataset, changes=Changes(added=[({"message": "b"}, "train")]))
    assert [row.number for row in rows_of(dataset)] == [1, 2, 3, 4, 5, 6, 8]


def test_undo_of_an_older_version_takes_its_rows_only(alice: User, dataset: Dataset) -> None:
    assert undo(actor=alice, dataset=dataset, number=2) == {1}
    assert rows_of(dataset)[0].values["message"] == "I was charged twice this month."
    assert len(rows_of(dataset)) == 5
    with pytest.raises(Conflict):
        undo(actor=alice, dataset=dataset, number=2)


def test_undo_brings_rows_back(alice: User, dataset: Dataset) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(cells={6: {"message": "later"}}))
    undo(actor=alice, dataset=dataset, number=3)
    rows = {row.number: row for row in rows_of(dataset)}
    assert rows[2].values["message"] == "My parcel has not moved for a week."
    assert rows[3].split == "test"
    assert rows[6].values["message"] == "later"


def test_long_cells_are_shown_from_where_they_differ() -> None:
    pieces = cell_diff("x" * 5_000 + "old", "x" * 5_000 + "new")
    assert sum(len(piece.text) for piece in pieces) < 1_000
    assert [piece.kind for piece in cell_diff("1", 1)] == ["removed", "added"]
    assert cell_diff("1", 1)[0].text == "1 (text)"


def test_sealed_rows_are_left_out_of_differences(
    as_alice: Client, alice: User, dataset: Dataset
) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(cells={6: {"message": "secret words"}}))
    Dataset.objects.filter(pk=dataset.pk).update(sealed=True)
    page = as_alice.get(f"{URL}compare/").content.decode()
    assert "secret words" not in page
    assert "1 row of the sealed test split is not shown" in page
    answer = as_alice.get(f"{API}versions/compare/").json()
    assert (answer["rows"], answer["hidden"]) == ([], 1)


def test_a_sealed_test_split_is_not_restored_into_another(
    as_alice: Client, alice: User, dataset: Dataset
) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(cells={6: {"message": "other"}}))
    Dataset.objects.filter(pk=dataset.pk).update(sealed=True)
    page = as_alice.post(f"{URL}restore/", {"number": "1"}, follow=True).content.decode()
    assert "The test split is sealed" in page
    assert dataset.versions.count() == 4


def patch(client: Client, number: int = 1, **body: Any) -> Any:
    """Edit a row as a program."""
    return client.patch(f"{API}rows/{number}/", body, content_type="application/json")


def test_programs_edit_rows(as_alice: Client, dataset: Dataset) -> None:
    done = patch(as_alice, base=3, values={"category": "shipping"}, split="test")
    assert done.status_code == 200
    assert done.json()["changes"] == {"changed": 1, "moved": 1}
    late = patch(as_alice, base=3, values={"category": "billing"})
    assert (late.status_code, late.json()["code"], late.json()["row"]) == (409, "conflict", 1)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"values": {"category": "x"}}, 422),
        ({"base": 3}, 422),
        ({"base": 3, "values": {"nope": 1}}, 422),
        ({"base": 3, "values": {"category": "x"}, "split": "holdout"}, 422),
        ({"base": 3, "values": [1]}, 422),
        ({"base": 99, "values": {"category": "x"}}, 404),
        ({"base": 0, "values": {"category": "x"}}, 422),
    ],
)
def test_what_programs_send_wrong_is_told(
    as_alice: Client, dataset: Dataset, body: Any, status: int
) -> None:
    assert patch(as_alice, **body).status_code in (status, 400)
    assert dataset.versions.count() == 3


def test_programs_add_and_delete_rows(as_alice: Client, dataset: Dataset) -> None:
    rows = [{"values": {"message": "a", "score": {"n": [1]}}, "split": "dev"}]
    made = as_alice.post(f"{API}rows/", {"rows": rows}, content_type="application/json")
    assert made.status_code == 201
    assert made.json()["changes"] == {"added": 1}
    row = rows_of(dataset)[-1]
    assert (row.number, row.values, row.split) == (7, rows[0]["values"], "dev")
    gone = as_alice.delete(f"{API}rows/", {"numbers": [7]}, content_type="application/json")
    assert gone.json()["changes"] == {"removed": 1}
    again = as_alice.delete(f"{API}rows/", {"numbers": [7]}, content_type="application/json")
    assert again.status_code == 404


def test_too_many_and_too_large_rows_are_refused(as_alice: Client, dataset: Dataset) -> None:
    many: Any = {"rows": [{"values": {"message": "x"}}] * 1_001}
    large: Any = {"rows": [{"values": {"message": "x" * 2_100_000}}]}
    empty: Any = {"rows": [{"values": {}}]}
    bodies: list[Any] = [many, large, empty, {"rows": []}, {}]
    for body in bodies:
        answer = as_alice.post(f"{API}rows/", body, content_type="application/json")
        assert answer.status_code in (400, 413, 422), answer.content
    assert dataset.versions.count() == 3


def test_programs_list_and_restore(as_alice: Client, dataset: Dataset) -> None:
    listed = as_alice.get(f"{API}versions/").json()
    assert [one["number"] for one in listed] == [3, 2, 1]
    assert listed[0]["created_by"] == "alice"
    assert [one["number"] for one in as_alice.get(f"{API}versions/?before=3").json()] == [2, 1]
    done = as_alice.post(f"{API}versions/restore/", {"number": 1}, content_type="application/json")
    assert done.json()["number"] == 4
    missing = as_alice.post(
        f"{API}versions/restore/", {"number": 99}, content_type="application/json"
    )
    assert missing.status_code == 404


def test_strangers_see_and_change_nothing(as_charlie: Client, dataset: Dataset) -> None:
    for path in (URL, f"{URL}compare/", f"{API}versions/", f"{API}versions/compare/"):
        assert as_charlie.get(path).status_code == 404
    assert patch(as_charlie, base=1, values={"category": "x"}).status_code == 404
