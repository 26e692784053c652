"""A file that brings rows of a dataset again: by page, API and command."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from studio.accounts.models import Project, User
from studio.datasets.claims import Claim
from studio.datasets.editing import upserting
from studio.datasets.models import Dataset, Upload
from studio.datasets.uploading import receiving, uploads
from studio.errors import Conflict, Invalid, NotFound
from tests import builders
from tests.datasets.builders import keep_upload, make_file, mapping_form, upload_file

FIRST = "id,message,category\n1,Where is it?,shipping\n2,Paid twice,billing\n3,Broken,shipping\n"
AGAIN = "id,message,category\n2,Paid three times,billing\n3,Broken,shipping\n4,New one,billing\n"


@pytest.fixture
def dataset(alice: User, project: Project) -> Dataset:
    """Three messages with ids."""
    return keep_upload(alice, upload_file(alice, project, FIRST))


def bring(actor: User, dataset: Dataset, content: str = AGAIN) -> Upload:
    """A file that is to go into the dataset, checked."""
    return receiving.receive_upload(
        actor=actor, project=dataset.project, file=make_file(content), target=dataset
    )


def messages(dataset: Dataset) -> list[str]:
    """What stands in the rows."""
    return [row.values["message"] for row in builders.rows_of(dataset)]


def test_rows_are_changed_and_added_and_the_others_stay(alice: User, dataset: Dataset) -> None:
    upload = bring(alice, dataset)
    counts = {name: upload.report["update"][name] for name in ("added", "changed", "unchanged")}
    assert counts == {"added": 1, "changed": 1, "unchanged": 1}
    before = {row.number: row.split for row in builders.rows_of(dataset)}
    kept = keep_upload(alice, upload)
    assert kept == dataset
    assert messages(dataset) == ["Where is it?", "Paid three times", "Broken", "New one"]
    after = {row.number: row.split for row in builders.rows_of(dataset)}
    assert before.items() <= after.items()
    assert (dataset.number, dataset.name, dataset.id_column) == (2, "messages", "id")
    assert list(Dataset.everything.all()) == [dataset], "what was staged is gone"


def test_the_page_shows_what_will_change(as_alice: Client, dataset: Dataset) -> None:
    page = as_alice.get(dataset.get_absolute_url()).content.decode()
    assert "/upload/?into=messages" in page
    url = "/p/support/datasets/upload/?into=messages"
    assert "Update from a file" in as_alice.get(url).content.decode()
    answer = as_alice.post(url, {"file": make_file(AGAIN)})
    upload = Upload.objects.get(target=dataset)
    assert answer["Location"] == upload.get_absolute_url()
    page = as_alice.get(upload.get_absolute_url()).content.decode()
    assert "What will change" in page
    assert "Rows that are not in the file stay as they are" in page
    form = mapping_form(upload)
    answer = as_alice.post(upload.get_absolute_url(), form)
    assert as_alice.get(upload.get_absolute_url())["Location"] == dataset.get_absolute_url()
    assert len(messages(dataset)) == 4


def test_without_an_id_column_nothing_can_be_kept(
    as_alice: Client, alice: User, dataset: Dataset
) -> None:
    upload = bring(alice, dataset, AGAIN.replace("id,", "nummer,"))
    assert upload.report["blockers"] == [
        "Choose the column that names a row: the dataset’s rows are found by it."
    ]
    answer = as_alice.post(upload.get_absolute_url(), mapping_form(upload, id_column=""))
    assert answer.status_code == 422
    answer = as_alice.post(upload.get_absolute_url(), mapping_form(upload, id_column="nummer"))
    upload.refresh_from_db()
    assert "no column “nummer”" in upload.report["blockers"][0]
    with pytest.raises(Invalid):
        keep_upload(alice, upload)
    assert len(messages(dataset)) == 3


def test_ids_that_come_twice_are_told(alice: User, dataset: Dataset) -> None:
    upload = bring(alice, dataset, AGAIN + "4,Newer one,billing\n,Without,billing\n")
    notes = " ".join(upload.report["notes"])
    assert "again further down: 1 row. The last row of each wins." in notes
    assert "No id in “id”: 1 row." in notes
    keep_upload(alice, upload)
    assert messages(dataset)[-1] == "Newer one"


def test_a_file_that_says_splits_moves_rows(alice: User, dataset: Dataset) -> None:
    content = "id,message,category,split\n1,Where is it?,shipping,test\n2,Paid twice,billing,dev\n"
    keep_upload(alice, bring(alice, dataset, content))
    assert [row.split for row in builders.rows_of(dataset)][:2] == ["test", "dev"]


def test_the_api_updates(as_alice: Client, dataset: Dataset) -> None:
    url = "/api/projects/support/datasets/"
    answer = as_alice.post(url, {"file": make_file(AGAIN), "into": "messages"})
    assert answer.status_code == 201, answer.json()
    assert answer.json()["slug"] == "messages"
    assert len(messages(dataset)) == 4
    size = len(AGAIN.encode())
    announced = as_alice.post(
        f"{url}uploads/",
        {"filename": "m.csv", "size": size, "into": "messages"},
        "application/json",
    ).json()
    assert announced["target"] == "messages"
    data = f"{url}uploads/{announced['token']}/"
    done: Any = as_alice.put(f"{data}data/?offset=0", AGAIN, "application/octet-stream").json()
    assert done["report"]["update"]["unchanged"] == 3
    nothing = as_alice.post(url, {"file": make_file(AGAIN), "into": "nothing"})
    assert nothing.status_code == 404


def test_the_command_updates(dataset: Dataset, tmp_path: Path) -> None:
    path = tmp_path / "again.csv"
    path.write_text(AGAIN)
    out = io.StringIO()
    call_command("import_dataset", "support", str(path), "--into", "messages", stdout=out)
    assert "1 added, 1 changed, 1 unchanged" in out.getvalue()
    assert len(messages(dataset)) == 4
    path.write_text(AGAIN.replace("id,", "nummer,"))
    with pytest.raises(CommandError, match="Choose the column that names a row"):
        call_command("import_dataset", "support", str(path), "--into", "messages")
    assert not Upload.objects.filter(state=Upload.State.READY).exists()


def test_a_dataset_of_another_project_is_no_target(
    alice: User, dataset: Dataset, as_alice: Client
) -> None:
    other = builders.make_project("Other", "other", admin=alice)
    with pytest.raises(NotFound):
        receiving.receive_upload(actor=alice, project=other, file=make_file(AGAIN), target=dataset)
    assert as_alice.get("/p/other/datasets/upload/?into=messages").status_code == 404


def test_a_target_that_is_deleted_meanwhile(alice: User, dataset: Dataset) -> None:
    upload = bring(alice, dataset)
    dataset.delete()
    upload.refresh_from_db()
    assert upload.target is None
    checked = uploads.choices_hash(upload)
    uploads.keep(actor=alice, upload=upload, checked=checked, leave_out=False)
    upload.refresh_from_db()
    assert Dataset.objects.count() == 1, "a dataset of its own"


def test_others_can_write_while_rows_are_compared(
    alice: User, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite has one lock for all writers: only the exchange at the end is in a transaction."""
    upload = bring(alice, dataset)
    depths, beats = [], []
    plan = upserting._plan

    def watch(*args: Any) -> Any:
        depths.append(len(connection.atomic_blocks))
        beats.append(args[-1])
        return plan(*args)

    monkeypatch.setattr(upserting, "_plan", watch)
    outside = len(connection.atomic_blocks)
    assert keep_upload(alice, upload).number == 2
    assert depths == [outside]
    assert beats[0].__func__ is Claim.beat, "nobody takes it over meanwhile"


def test_an_import_that_was_taken_over_changes_nothing(
    alice: User, dataset: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = bring(alice, dataset)

    def lost(*_args: Any, **_values: Any) -> None:
        raise Conflict("Another worker has taken this over.")

    monkeypatch.setattr(Claim, "end", lost)
    checked = uploads.choices_hash(upload)
    uploads.keep(actor=alice, upload=upload, checked=checked, leave_out=False)
    assert len(messages(dataset)) == 3
    assert dataset.number == 1


def test_what_was_quoted_of_rows_goes_with_the_file(
    as_alice: Client, alice: User, dataset: Dataset
) -> None:
    """A test split that is sealed later was in the preview."""
    for upload in (bring(alice, dataset), upload_file(alice, dataset.project, AGAIN, "b.csv")):
        url = f"/api/projects/support/datasets/uploads/{upload.token}/"
        assert "Paid three times" in as_alice.get(url).content.decode()
        keep_upload(alice, upload)
        told = as_alice.get(url)
        assert told.json()["state"] == "imported"
        assert "Paid three times" not in told.content.decode()


def test_an_upload_is_thrown_away_twice(alice: User, dataset: Dataset) -> None:
    upload = bring(alice, dataset)
    uploads.discard(actor=alice, upload=Upload.objects.get(pk=upload.pk))
    with pytest.raises(NotFound, match="thrown away"):
        uploads.discard(actor=alice, upload=upload)
    with pytest.raises(NotFound, match="thrown away"):
        uploads.keep(actor=alice, upload=upload, checked="", leave_out=False)
