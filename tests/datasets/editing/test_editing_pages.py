"""The pages that change rows: a cell, a row, new rows, many rows; and what they refuse."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project, User
from studio.datasets.editing.changes import Changes, change
from studio.datasets.models import Dataset, Version
from tests.builders import make_dataset, make_signature, rows_of

URL = "/p/support/datasets/messages/"
HTMX: dict[str, Any] = {"headers": {"hx-request": "true"}}


@pytest.fixture
def dataset(project: Project) -> Dataset:
    """Six messages, mapped to a signature whose category is an enum."""
    make_signature(project, "triage")
    return make_dataset(project, report={"choices": {"signature": "triage"}})


def cell(client: Client, number: int = 1, column: str = "message", **said: Any) -> Any:
    """Save a cell as the page does."""
    form = {"column": column, "kind": "text", "base": "1", **said}
    return client.post(f"{URL}rows/{number}/cell/", form, **HTMX)


def first(dataset: Dataset) -> dict[str, Any]:
    """The values of row 1."""
    return dict(rows_of(dataset)[0].values)


def test_a_cell_is_edited_in_place(as_alice: Client, dataset: Dataset) -> None:
    editor = as_alice.get(f"{URL}rows/1/cell/", {"column": "message", "base": "1"}, **HTMX)
    assert "I was charged twice this month.</textarea>" in editor.content.decode()
    saved = cell(as_alice, value="Twice <b>!")
    assert saved.status_code == 200
    page = saved.content.decode()
    assert "Twice &lt;b&gt;!" in page
    assert "Saved as version 2" in page
    assert json.loads(saved.headers["HX-Trigger"]) == {"rowSaved": {"row": 1, "version": 2}}
    assert first(dataset)["message"] == "Twice <b>!"


def test_a_cell_that_stays_as_it_was_makes_no_version(as_alice: Client, dataset: Dataset) -> None:
    saved = cell(as_alice, value="I was charged twice this month.")
    assert "Saved" not in saved.content.decode()
    assert Version.objects.filter(dataset=dataset).count() == 1


def test_a_label_is_chosen_and_a_wrong_one_kept_on_request(
    as_alice: Client, dataset: Dataset
) -> None:
    editor = as_alice.get(f"{URL}rows/1/cell/", {"column": "category"}, **HTMX).content.decode()
    assert '<option value="shipping"' in editor
    refused = cell(as_alice, column="category", value="refund")
    assert refused.status_code == 422
    assert "“refund” is none of billing, shipping" in refused.content.decode()
    assert "Keep it anyway" in refused.content.decode()
    assert first(dataset)["category"] == "billing"
    assert cell(as_alice, column="category", value="refund", sure="yes").status_code == 200
    assert first(dataset)["category"] == "refund"


def test_a_number_stays_a_number(as_alice: Client, project: Project) -> None:
    data = make_dataset(project, rows=[{"n": 1, "o": {"a": [1]}}])
    editor = as_alice.get(f"{URL}rows/1/cell/", {"column": "n"}, **HTMX).content.decode()
    assert '<option value="json" selected>' in editor
    assert cell(as_alice, column="n", kind="json", value="2.5").status_code == 200
    assert cell(as_alice, column="o", kind="json", value='{"a": [2]}', base="2").status_code == 200
    assert first(data) == {"n": 2.5, "o": {"a": [2]}}
    refused = cell(as_alice, column="n", kind="json", value="two", base="3")
    assert refused.status_code == 422
    assert "“two” for “n” is no JSON" in refused.content.decode()
    assert cell(as_alice, column="n", kind="text", value="2", base="3").status_code == 200
    assert first(data)["n"] == "2"


@pytest.mark.parametrize("value", ["NaN", "Infinity", "1e999", "[1", "[" * 100_000])
def test_what_json_does_not_have_is_refused(
    as_alice: Client, dataset: Dataset, value: str
) -> None:
    assert cell(as_alice, kind="json", value=value).status_code == 422
    assert dataset.versions.count() == 1


def test_a_conflict_shows_both_values(as_alice: Client, bob: User, dataset: Dataset) -> None:
    change(actor=bob, dataset=dataset, changes=Changes(cells={1: {"message": "theirs"}}))
    asked = cell(as_alice, value="mine")
    assert asked.status_code == 409
    page = asked.content.decode()
    assert "theirs" in page
    assert "mine</textarea>" in page
    assert 'name="base" value="2"' in page
    assert first(dataset)["message"] == "theirs"
    assert cell(as_alice, value="mine", base="2").status_code == 200
    assert first(dataset)["message"] == "mine"


def test_others_rows_are_no_conflict(as_alice: Client, bob: User, dataset: Dataset) -> None:
    change(actor=bob, dataset=dataset, changes=Changes(cells={2: {"message": "theirs"}}))
    assert cell(as_alice, value="mine").status_code == 200


def test_a_row_is_moved_to_a_split(as_alice: Client, dataset: Dataset) -> None:
    assert cell(as_alice, column="@split", value="test").status_code == 200
    assert rows_of(dataset)[0].split == "test"
    assert cell(as_alice, column="@split", value="holdout", base="2").status_code == 422


def test_cells_that_are_not_there_are_told(as_alice: Client, dataset: Dataset) -> None:
    assert cell(as_alice, column="nope", value="x").status_code == 404
    assert cell(as_alice, number=99, value="x").status_code == 404
    assert as_alice.get(f"{URL}rows/1/cell/").status_code == 302


def test_a_saved_cell_is_taken_back(as_alice: Client, bob: User, dataset: Dataset) -> None:
    cell(as_alice, value="wrong")
    others = Changes(cells={2: {"message": "theirs"}})
    dataset.refresh_from_db()
    change(actor=bob, dataset=dataset, changes=others)
    done = as_alice.post(f"{URL}versions/2/undo/", **HTMX)
    assert done.status_code == 200
    told = json.loads(done.headers["HX-Trigger"])["rowsUndone"]
    assert told["rows"]["1"]["message"] == "I was charged twice this month."
    rows = rows_of(dataset)
    assert rows[0].values["message"] == "I was charged twice this month."
    assert rows[1].values["message"] == "theirs"
    again = as_alice.post(f"{URL}versions/2/undo/", **HTMX)
    assert "Somebody else has changed row 1" in again.content.decode()


def test_undo_works_without_javascript(as_alice: Client, dataset: Dataset) -> None:
    done = as_alice.post(f"{URL}rows/delete/", {"row": ["1", "2"]}, follow=True)
    assert "2 rows deleted" in done.content.decode()
    assert "versions/2/undo/" in done.content.decode()
    back = as_alice.post(f"{URL}versions/2/undo/", follow=True)
    assert "Version 2 is taken back" in back.content.decode()
    assert len(rows_of(dataset)) == 6


def test_the_first_version_cannot_be_taken_back(as_alice: Client, dataset: Dataset) -> None:
    page = as_alice.post(f"{URL}versions/1/undo/", follow=True).content.decode()
    assert "The first version cannot be taken back" in page


def test_a_row_is_edited_on_its_page(as_alice: Client, dataset: Dataset) -> None:
    url = f"{URL}rows/1/edit/"
    page = as_alice.get(url).content.decode()
    assert "I was charged twice this month.</textarea>" in page
    form = {
        "base": "1", "split": "dev", "value:message": "New", "kind:message": "text",
        "value:category": "billing", "kind:category": "text",
    }  # fmt: skip
    done = as_alice.post(url, form, follow=True)
    assert "Row 1 is saved as version 2" in done.content.decode()
    [row] = [row for row in rows_of(dataset) if row.number == 1]
    assert (row.values["message"], row.split) == ("New", "dev")
    assert dataset.versions.get(number=2).changes == {"changed": 1, "moved": 1}


def test_a_rows_page_keeps_what_was_typed_on_a_conflict(
    as_alice: Client, bob: User, dataset: Dataset
) -> None:
    change(actor=bob, dataset=dataset, changes=Changes(cells={1: {"message": "theirs"}}))
    form = {"base": "1", "split": "train", "value:message": "mine", "kind:message": "text"}
    asked = as_alice.post(f"{URL}rows/1/edit/", form)
    page = asked.content.decode()
    assert asked.status_code == 409
    assert "mine</textarea>" in page
    assert "theirs" in page
    assert "Save mine" in page


def test_rows_are_pasted_after_a_look(as_alice: Client, dataset: Dataset) -> None:
    text = 'message,category,split,note\nHello,billing,dev,x\n"a\nb",shipping,,\n'
    look = as_alice.post(f"{URL}rows/add/", {"text": text, "split": "train", "action": "preview"})
    page = look.content.decode()
    assert "2 rows found" in page
    assert "New columns" in page
    assert dataset.versions.count() == 1
    done = as_alice.post(
        f"{URL}rows/add/", {"text": text, "split": "train", "action": "add"}, follow=True
    )
    assert "2 rows are added: version 2" in done.content.decode()
    rows = rows_of(dataset)[-2:]
    assert [row.split for row in rows] == ["dev", "train"]
    assert rows[0].values == {"message": "Hello", "category": "billing", "note": "x"}
    assert rows[1].values == {"message": "a\nb", "category": "shipping"}


def test_one_row_is_filled_in(as_alice: Client, dataset: Dataset) -> None:
    form = {"value:message": "Hi", "value:category": "billing", "split": "dev", "action": "add"}
    as_alice.post(f"{URL}rows/add/", form)
    assert rows_of(dataset)[-1].values == {"message": "Hi", "category": "billing"}
    empty = as_alice.post(f"{URL}rows/add/", {"split": "dev", "action": "add"})
    assert empty.status_code == 422
    assert "Fill in at least one value" in empty.content.decode()


def test_labels_that_are_none_ask_first(as_alice: Client, dataset: Dataset) -> None:
    form = {"text": "message,category\nHi,refund", "split": "train", "action": "add"}
    asked = as_alice.post(f"{URL}rows/add/", form)
    assert asked.status_code == 422
    assert "none of billing, shipping" in asked.content.decode()
    assert as_alice.post(f"{URL}rows/add/", {**form, "sure": "yes"}).status_code == 302
    assert rows_of(dataset)[-1].values["category"] == "refund"


def test_a_pasted_row_that_is_there_is_told(as_alice: Client, dataset: Dataset) -> None:
    form = {"text": "message\nWhen will my order arrive?", "split": "dev", "action": "preview"}
    page = as_alice.post(f"{URL}rows/add/", form).content.decode()
    assert "The dataset has this already: row 6" in page


def test_many_rows_are_changed_after_a_look(as_alice: Client, dataset: Dataset) -> None:
    assert as_alice.get(f"{URL}bulk/").status_code == 200
    form = {
        "kind": "replace", "column": "message", "find": "parcel", "replacement": "box",
        "base": "1", "action": "preview",
    }  # fmt: skip
    page = as_alice.post(f"{URL}bulk/", form).content.decode()
    assert "1 row will be different" in page
    assert "My box has not moved" in page
    assert dataset.versions.count() == 1
    done = as_alice.post(f"{URL}bulk/", {**form, "action": "apply"}, follow=True)
    assert "versions/2/undo/" in done.content.decode()
    assert "box" in rows_of(dataset)[1].values["message"]


def test_a_search_says_which_rows(as_alice: Client, dataset: Dataset) -> None:
    form = {
        "kind": "delete", "q": "PARCEL", "where": "category", "how": "is", "what": "shipping",
        "base": "1", "action": "apply",
    }  # fmt: skip
    as_alice.post(f"{URL}bulk/", form)
    assert [row.number for row in rows_of(dataset)] == [1, 3, 4, 5, 6]
    form = {"kind": "split", "split": "test", "to": "dev", "base": "2", "action": "apply"}
    as_alice.post(f"{URL}bulk/", form)
    assert dataset.versions.get(number=3).splits == {"train": 2, "dev": 3, "test": 0}


def test_ticked_rows_are_carried_along(as_alice: Client, dataset: Dataset) -> None:
    page = as_alice.post(f"{URL}bulk/", {"row": ["2", "3"], "action": "choose", "base": "1"})
    assert "2 ticked rows: 2, 3" in page.content.decode()
    form = {"kind": "set", "column": "category", "value": "", "row": ["2", "3"]}
    as_alice.post(f"{URL}bulk/", {**form, "action": "apply", "base": "1"})
    assert [row.values.get("category") for row in rows_of(dataset)][:4] == [
        "billing", None, None, "shipping",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "form",
    [
        {"action": "apply"},
        {"kind": "set", "column": "nope"},
        {"kind": "replace", "column": "message", "find": "(", "is_regex": "yes"},
        {"kind": "set", "column": "message", "value": "x", "where": "nope", "how": "is"},
        {"kind": "set", "column": "message", "value": "[", "as": "json"},
        {"kind": "delete", "row": [str(n) for n in range(1, 600)]},
    ],
)
def test_wrong_bulk_edits_are_told(
    as_alice: Client, dataset: Dataset, form: dict[str, Any]
) -> None:
    refused = as_alice.post(f"{URL}bulk/", {"action": "apply", "base": "1", **form})
    assert refused.status_code == 422
    assert dataset.versions.count() == 1


def test_viewers_and_strangers_change_nothing(
    as_charlie: Client, project: Project, dataset: Dataset
) -> None:
    from tests.builders import make_client, make_user

    vera = make_user("vera")
    project.memberships.create(user=vera, role="viewer")
    posts = ["rows/1/cell/", "rows/1/edit/", "rows/add/", "rows/delete/", "bulk/",
             "versions/restore/", "versions/1/undo/"]  # fmt: skip
    for client, status in ((make_client(vera), 403), (as_charlie, 404)):
        for path in posts:
            assert client.post(URL + path, {"row": "1"}).status_code == status, path
    assert dataset.versions.count() == 1


def test_sealed_test_rows_are_not_shown(as_alice: Client, dataset: Dataset) -> None:
    Dataset.objects.filter(pk=dataset.pk).update(sealed=True)
    assert rows_of(dataset)[2].split == "test"
    assert as_alice.get(f"{URL}rows/3/edit/").status_code == 409
    assert as_alice.get(f"{URL}rows/3/cell/", {"column": "message"}, **HTMX).status_code == 409
    assert cell(as_alice, number=3, value="x").status_code == 409
    as_alice.post(f"{URL}rows/delete/", {"row": "3"})
    as_alice.post(f"{URL}rows/add/", {"text": "message\nx", "split": "test", "action": "add"})
    cell(as_alice, column="@split", value="test")
    assert dataset.versions.count() == 1


def test_a_split_column_says_the_split_of_pasted_rows(as_alice: Client, project: Project) -> None:
    data = make_dataset(
        project,
        rows=[{"message": "a", "split": "train"}],
        report={"choices": {"split_by": "column", "split_column": "split"}},
    )
    assert 'name="value:split"' not in as_alice.get(f"{URL}rows/add/").content.decode()
    form = {"text": "message,split\nb,dev", "split": "train", "action": "add"}
    assert as_alice.post(f"{URL}rows/add/", form).status_code == 302
    row = rows_of(data)[-1]
    assert (row.values, row.split) == ({"message": "b", "split": "dev"}, "dev")


def test_long_rows_that_are_taken_back_are_no_header(as_alice: Client, project: Project) -> None:
    data = make_dataset(project, "wide", rows=[{f"c{n}": "x" * 300 for n in range(20)}])
    url = "/p/support/datasets/wide/"
    as_alice.post(f"{url}rows/1/cell/", {"column": "c1", "value": "y", "base": 1}, **HTMX)
    answer = as_alice.post(f"{url}versions/2/undo/", **HTMX)
    assert rows_of(data)[0].values["c1"] == "x" * 300
    assert "HX-Trigger" not in answer.headers
    assert answer.headers["HX-Refresh"] == "true"
