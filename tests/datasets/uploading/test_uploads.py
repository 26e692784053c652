"""Uploads: choices, what they lead to, and imports that fail, die or come twice."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError
from django.utils import timezone

from studio.accounts.models import AuditEntry, Membership, Project, Role, User
from studio.datasets import services
from studio.datasets.models import Block, Dataset, Place, Upload
from studio.datasets.uploading import importing, storage, uploads, working
from studio.datasets.uploading.choices import Choices
from studio.datasets.uploading.looking import signatures_of
from studio.errors import Conflict, Invalid, NotAllowed, NotFound
from tests import builders
from tests.datasets.builders import (
    keep_upload,
    make_csv,
    make_jsonl,
    make_labelled_csv,
    stored_files,
    upload_file,
)


def keep(actor: User, upload: Upload) -> None:
    """Keep it as it was checked, now or by a worker."""
    upload.refresh_from_db()
    checked = uploads.choices_hash(upload)
    uploads.keep(actor=actor, upload=upload, checked=checked, leave_out=False)


def test_columns_and_splits_are_found_by_name(alice: User, project: Project) -> None:
    builders.make_signature(project)
    rows = [("Hi", "billing", "validation"), ("Ho", "Shipping", "TRAIN")]
    content = make_csv(rows, header=(" Message", "CATEGORY", "Split"))
    dataset = keep_upload(alice, upload_file(alice, project, content))
    assert dataset.mapping == {"message": "Message", "category": "CATEGORY"}
    assert [row.split for row in builders.rows_of(dataset)] == ["dev", "train"]
    assert dataset.report["labels"]["column"] == "CATEGORY"


def test_without_a_signature_the_columns_are_the_fields(alice: User, project: Project) -> None:
    dataset = keep_upload(alice, upload_file(alice, project, "Order ID,2nd,Größe\na,b,c\n"))
    assert dataset.mapping == {"order_id": "Order ID", "field_2nd": "2nd", "grosse": "Größe"}


def test_random_splits_are_stratified_and_as_announced(alice: User, project: Project) -> None:
    upload = upload_file(alice, project, make_labelled_csv(100))
    assert upload.report["splits"] == {"train": 60, "dev": 20, "test": 20}
    dataset = keep_upload(alice, upload)
    assert services.split_counts(dataset) == upload.report["splits"]
    rows = builders.rows_of(dataset)
    shipping = Counter(row.split for row in rows if row.values["category"] == "shipping")
    assert shipping == {"train": 15, "dev": 5, "test": 5}


def test_labels_and_types_that_do_not_fit_are_listed_row_by_row(
    alice: User, project: Project
) -> None:
    spec = builders.make_signature_spec()
    spec["fields"].append(builders.make_field("stars", "int", role="output"))
    builders.make_signature(project, spec=spec)
    rows = [
        ("a", "billing", 1),
        ("b", "refund", 2),
        ("c", "shipping", "many"),
        ("d", "billing", ""),
        ("e", "billing", 5),
        ("f", "shipping", 3),
    ]
    upload = upload_file(alice, project, make_csv(rows, header=("message", "category", "stars")))
    listed = upload.report["problems"]["listed"]
    assert [(item["row"], item["column"], item["kind"]) for item in listed] == [
        (2, "category", "label"), (3, "stars", "type"), (4, "stars", "type"),
    ]  # fmt: skip
    assert upload.report["unknown_labels"] == {"refund": 1}
    with pytest.raises(Invalid, match="Rows with problems: 3"):
        keep_upload(alice, upload)
    dataset = keep_upload(alice, upload, leave_out=True)
    assert [row.number for row in builders.rows_of(dataset)] == [1, 5, 6]
    assert dataset.report["left_out"] == 3


def test_a_signature_that_few_rows_fit_is_not_suggested(alice: User, project: Project) -> None:
    for slug, labels in (("other", ["rain", "snow"]), ("triage", ["billing", "shipping"])):
        builders.make_signature(project, slug, spec=builders.make_signature_spec(labels))
    header = ("message", "category")
    fits = make_csv([("a", "billing"), ("b", "snow"), ("c", "shipping")], header=header)
    assert upload_file(alice, project, fits).choices["signature"] == "triage"
    none = make_csv([("a", "billing"), ("b", "sun"), ("c", "hail")], header=header)
    assert upload_file(alice, project, none).choices["signature"] == ""


def test_an_input_without_a_column_stands_in_the_way(alice: User, project: Project) -> None:
    builders.make_signature(project)
    upload = upload_file(alice, project, "text,category\nhello,billing\nyou,shipping\n")
    assert upload.choices["signature"] == ""
    old = Choices.from_dict(upload.choices)
    signature = signatures_of(project)["triage"]
    changed = old.with_signature("triage", signature, ["text", "category"])
    upload = uploads.choose(actor=alice, upload=upload, choices=changed)
    assert upload.report["blockers"] == ["Choose a column for “message”."]


def test_a_split_column_with_other_words_leaves_rows_out(alice: User, project: Project) -> None:
    rows = [("a", "x", "train"), ("b", "x", "holdout"), ("c", "y", "test")]
    upload = upload_file(alice, project, make_csv(rows))
    assert upload.report["problems"]["listed"][0]["what"] == (
        "“holdout” is not train, dev, validation or test."
    )
    assert "No row is in dev: compilers choose on it." in upload.report["notes"]


def test_repeated_inputs_across_splits_are_told(alice: User, project: Project) -> None:
    rows = [("same", "x", "train"), ("same", "x", "test"), ("other", "y", "dev")]
    upload = upload_file(alice, project, make_csv(rows))
    assert any("across splits: 1 row." in note for note in upload.report["notes"])
    dataset = keep_upload(alice, upload)
    assert dataset.report["duplicates"]["shown"][0]["row"] == 2


def test_names_may_repeat_and_addresses_do_not(alice: User, project: Project) -> None:
    slugs = [
        keep_upload(alice, upload_file(alice, project, make_csv(), name)).slug
        for name in ("messages.csv", "messages.csv", "upload.csv", "日本.csv")
    ]
    assert slugs == ["messages", "messages-2", "upload-2", "dataset"]


def test_keeping_is_logged_and_the_file_is_removed(alice: User, project: Project) -> None:
    dataset = keep_upload(alice, upload_file(alice, project, make_csv()))
    entries = AuditEntry.objects.filter(project=project).order_by("pk")
    assert [entry.action for entry in entries] == ["dataset.upload", "dataset.import"]
    assert entries[1].detail["fingerprint"] == dataset.fingerprint
    assert dataset.created_by == alice
    assert stored_files() == []


def test_choices_that_were_not_checked_cannot_be_kept(alice: User, project: Project) -> None:
    upload = upload_file(alice, project, make_csv())
    with pytest.raises(Conflict, match="choices have changed"):
        uploads.keep(actor=alice, upload=upload, checked="others", leave_out=False)


def test_viewers_and_strangers_can_do_nothing(
    alice: User, charlie: User, project: Project
) -> None:
    upload = upload_file(alice, project, make_csv())
    dana = builders.make_user("dana")
    Membership.objects.create(project=project, user=dana, role=Role.VIEWER)
    checked, choices = uploads.choices_hash(upload), Choices.from_dict(upload.choices)
    for user, error in ((dana, NotAllowed), (charlie, NotFound)):
        with pytest.raises(error):
            upload_file(user, project, make_csv())
        with pytest.raises(error):
            uploads.keep(actor=user, upload=upload, checked=checked, leave_out=True)
        with pytest.raises(error):
            uploads.choose(actor=user, upload=upload, choices=choices)
        with pytest.raises(error):
            uploads.discard(actor=user, upload=upload)
    upload.refresh_from_db()
    assert upload.state == Upload.State.READY


def test_a_failing_import_leaves_nothing_and_can_be_tried_again(
    alice: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = upload_file(alice, project, make_labelled_csv(30))

    def fail(*_args: Any, **_values: Any) -> None:
        raise DatabaseError("gone away")

    with monkeypatch.context() as patch:
        patch.setattr("studio.datasets.uploading.importing.write_version", fail)
        with pytest.raises(DatabaseError):
            keep_upload(alice, upload)
    assert not Dataset.objects.exists()
    upload.refresh_from_db()
    assert upload.state == Upload.State.READY
    assert "nothing of it was kept" in upload.error
    assert stored_files() == [upload.token, f"{upload.token}.problems"]
    assert keep_upload(alice, upload).row_count == 30


def test_a_half_staged_file_is_invisible(
    alice: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "AT_ONCE", 1)
    seen: list[tuple[int, int]] = []
    real = importing.Stage._write

    def look(self: importing.Stage, count: int) -> None:
        real(self, count)
        seen.append((project.datasets.count(), Place.objects.count()))

    monkeypatch.setattr(importing.Stage, "_write", look)
    upload = upload_file(alice, project, make_labelled_csv(2_000))
    assert len(seen) > 1
    assert [datasets for datasets, _places in seen] == [0] * len(seen)
    assert seen[0][1] < seen[-1][1]
    keep_upload(alice, upload)
    assert project.datasets.count() == 1


def test_nothing_is_written_a_second_time_when_it_is_kept(
    alice: User, project: Project, django_assert_max_num_queries: Any
) -> None:
    upload = upload_file(alice, project, make_labelled_csv(5_000))
    blocks = set(Block.objects.values_list("pk", flat=True))
    with django_assert_max_num_queries(40):
        dataset = keep_upload(alice, upload)
    assert set(Block.objects.values_list("pk", flat=True)) == blocks
    assert dataset.row_count == 5_000


@pytest.fixture
def kicks(settings: Any, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Every file is large, and messages to workers are collected."""
    settings.STUDIO_INLINE_IMPORT_MB = 0
    sent: list[int] = []
    monkeypatch.setattr("studio.celery.app.send_task", lambda name, args: sent.append(args[0]))
    return sent


def test_a_large_file_is_left_to_a_worker(alice: User, project: Project, kicks: list[int]) -> None:
    upload = upload_file(alice, project, make_csv())
    assert (upload.state, kicks) == (Upload.State.RECEIVED, [upload.pk])
    working.work(upload.pk)
    upload.refresh_from_db()
    assert upload.state == Upload.State.READY
    checked = uploads.choices_hash(upload)
    uploads.keep(actor=alice, upload=upload, checked=checked, leave_out=False)
    assert kicks == [upload.pk, upload.pk]
    for _message in range(2):  # one of them doubled
        working.work(upload.pk)
    upload.refresh_from_db()
    assert (upload.state, Dataset.objects.count()) == (Upload.State.IMPORTED, 1)
    assert Dataset.everything.count() == 1


def test_a_lost_message_is_sent_again_but_not_at_once(
    alice: User, project: Project, kicks: list[int]
) -> None:
    upload = upload_file(alice, project, make_csv())
    working.start(upload)
    assert len(kicks) == 1
    Upload.objects.update(kicked_at=timezone.now() - timedelta(minutes=1))
    working.start(upload)
    assert len(kicks) == 2


def test_a_worker_that_starts_takes_up_what_waits(
    alice: User, project: Project, kicks: list[int]
) -> None:
    waiting = upload_file(alice, project, make_csv())
    busy = upload_file(alice, project, make_csv())
    Upload.objects.update(kicked_at=None)
    Upload.objects.filter(pk=busy.pk).update(owner="other", heartbeat_at=timezone.now())
    kicks.clear()
    working.kick_all()
    assert kicks == [waiting.pk]


def test_an_upload_that_a_worker_has_is_left_alone(
    alice: User, project: Project, kicks: list[int]
) -> None:
    upload = upload_file(alice, project, make_csv())
    Upload.objects.update(owner="other", heartbeat_at=timezone.now(), kicked_at=None)
    working.work(upload.pk)
    working.start(upload)
    upload.refresh_from_db()
    assert (upload.state, upload.owner, len(kicks)) == (Upload.State.RECEIVED, "other", 1)
    with pytest.raises(Conflict):
        uploads.discard(actor=alice, upload=upload)


def test_what_a_killed_worker_staged_is_removed_and_staged_anew(
    alice: User, project: Project, kicks: list[int]
) -> None:
    upload = upload_file(alice, project, make_csv())
    half = Dataset.everything.create(project=project, name="M", slug=upload.token, ready=False)
    block = Block.objects.create(dataset=half, hash="half", data=b"")
    Place.objects.create(dataset=half, block=block, start=1, splits=b"\xff", first=1)
    long_ago = timezone.now() - timedelta(minutes=5)
    Upload.objects.update(owner="dead", heartbeat_at=long_ago, dataset=half)
    working.work(upload.pk)
    upload.refresh_from_db()
    assert upload.state == Upload.State.READY
    assert not Dataset.everything.filter(pk=half.pk).exists()
    keep(alice, upload)
    working.work(upload.pk)
    dataset = Dataset.everything.get()
    assert (dataset.slug, dataset.ready) == ("messages", True)
    assert len(builders.rows_of(dataset)) == 4


def test_rows_whose_stage_is_gone_are_staged_again(alice: User, project: Project) -> None:
    upload = upload_file(alice, project, make_csv())
    Dataset.everything.all().delete()
    upload.refresh_from_db()
    assert len(builders.rows_of(keep_upload(alice, upload))) == 4


def test_a_worker_that_lost_its_claim_keeps_nothing(
    alice: User, project: Project, kicks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = upload_file(alice, project, make_csv())
    working.work(upload.pk)
    keep(alice, upload)
    real = importing.publish

    def lose_the_claim(*args: Any, **values: Any) -> None:
        real(*args, **values)
        Upload.objects.update(owner="another", heartbeat_at=timezone.now())

    monkeypatch.setattr(working, "publish", lose_the_claim)
    with pytest.raises(Conflict, match="taken this over"):
        working.work(upload.pk)
    upload.refresh_from_db()
    assert not Dataset.objects.exists()


def test_a_file_that_has_gone_is_told(alice: User, project: Project, kicks: list[int]) -> None:
    upload = upload_file(alice, project, make_csv())
    storage.remove(upload.token)
    working.work(upload.pk)
    upload.refresh_from_db()
    assert upload.state == Upload.State.REFUSED
    assert "no longer here" in upload.error


def test_a_name_that_is_taken_at_the_same_moment_gets_a_number(
    alice: User, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_upload(alice, upload_file(alice, project, make_csv()))
    upload = upload_file(alice, project, make_csv())
    slugs = iter(["messages", "messages-2"])
    monkeypatch.setattr(importing, "free_slug", lambda project, name: next(slugs))
    assert keep_upload(alice, upload).slug == "messages-2"
    assert {one.slug for one in Dataset.everything.all()} == {"messages", "messages-2"}


def test_a_wrong_delimiter_is_told_and_the_file_stays(alice: User, project: Project) -> None:
    upload = upload_file(alice, project, "a;b\n" + '"x";1\n' * 2_000)
    upload = uploads.cut_anew(actor=alice, upload=upload, cut={"delimiter": ","})
    assert upload.state == Upload.State.READY
    assert upload.error.startswith("It cannot be cut like this. More than 1,000 rows")
    assert upload.choices["delimiter"] == ";"
    assert keep_upload(alice, upload).row_count == 2_000


def test_uploads_that_nobody_kept_are_forgotten(alice: User, project: Project) -> None:
    old = upload_file(alice, project, make_csv())
    Upload.objects.update(created_at=timezone.now() - timedelta(days=8))
    new = upload_file(alice, project, make_csv())
    assert list(Upload.objects.all()) == [new]
    assert stored_files() == [new.token, f"{new.token}.problems"]
    assert old.token != new.token


def test_names_that_come_late_in_a_jsonl_file_become_fields(alice: User, project: Project) -> None:
    items: list[dict[str, object]] = [{"a": n} for n in range(1100)]
    content = make_jsonl(*items, {"a": 1, "Late one": 2})
    dataset = keep_upload(alice, upload_file(alice, project, content, "a.jsonl"))
    assert dataset.mapping == {"a": "a", "late_one": "Late one"}


def test_a_jsonl_file_becomes_a_dataset(alice: User, project: Project) -> None:
    items = [{"message": f"m{n}", "tags": ["a", n], "split": "train"} for n in range(3)]
    dataset = keep_upload(alice, upload_file(alice, project, make_jsonl(*items), "a.ndjson"))
    assert [row.values for row in builders.rows_of(dataset)] == items
