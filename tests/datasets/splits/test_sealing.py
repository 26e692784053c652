"""A sealed test split: who may seal it, what is refused while it is, and what is written down."""

from __future__ import annotations

from uuid import uuid4

import pytest

from studio.accounts.models import AuditEntry, Project, User
from studio.datasets.editing.changes import Changes, change, change_splits, restore
from studio.datasets.models import Dataset, Opening
from studio.datasets.services import numbered_examples
from studio.datasets.splits import sealing
from studio.datasets.table import Row, Table
from studio.engine.signature import Signature
from studio.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.builders import make_client, make_dataset, make_project, make_user, rows_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def alice() -> User:
    return make_user("alice")


@pytest.fixture
def bob() -> User:
    return make_user("bob")


@pytest.fixture
def project(alice: User, bob: User) -> Project:
    return make_project(admin=alice, reviewer=bob, author=make_user("anna"))


@pytest.fixture
def dataset(project: Project) -> Dataset:
    """Rows 1 to 6, split train, dev, test in turn."""
    return make_dataset(project)


def test_what_people_may_see(dataset: Dataset, alice: User) -> None:
    assert sealing.visible_splits(dataset) == ("train", "dev", "test")
    assert sealing.may_see(dataset, "test")
    sealing.seal(actor=alice, dataset=dataset)
    assert sealing.visible_splits(dataset) == ("train", "dev")
    assert not sealing.may_see(dataset, "test")
    assert sealing.may_see(dataset, "dev")
    assert sealing.may_see(None, "test")


def test_reviewers_seal_and_authors_do_not(dataset: Dataset, bob: User) -> None:
    with pytest.raises(NotAllowed):
        sealing.seal(actor=User.objects.get(username="anna"), dataset=dataset)
    with pytest.raises(NotFound):
        sealing.seal(actor=make_user("charlie"), dataset=dataset)
    sealing.seal(actor=bob, dataset=dataset)
    assert Dataset.objects.get().sealed
    entry = AuditEntry.objects.get(action="dataset.seal")
    assert (entry.actor, entry.detail) == (bob, {"version": 1, "rows": 2})
    with pytest.raises(Conflict):
        sealing.seal(actor=bob, dataset=dataset)


def test_there_has_to_be_something_to_seal(project: Project, bob: User) -> None:
    dataset = make_dataset(project, splits=["train"] * 6)
    with pytest.raises(Invalid):
        sealing.seal(actor=bob, dataset=dataset)


def test_an_admin_unseals_with_a_reason_that_stays(
    dataset: Dataset, alice: User, bob: User
) -> None:
    with pytest.raises(Conflict):
        sealing.unseal(actor=alice, dataset=dataset, reason="There is no seal yet.")
    sealing.seal(actor=bob, dataset=dataset)
    with pytest.raises(NotAllowed):
        sealing.unseal(actor=bob, dataset=dataset, reason="I would like to look.")
    for reason in ("", "    \n      ", "why not"):
        with pytest.raises(Invalid):
            sealing.unseal(actor=alice, dataset=dataset, reason=reason)
    opening = sealing.unseal(actor=alice, dataset=dataset, reason="Labels are\nwrong.\0")
    assert opening.purpose == "Unsealed: Labels are wrong."
    assert not Dataset.objects.get().sealed
    assert AuditEntry.objects.get(action="dataset.unseal").detail["reason"] == "Labels are wrong."


def test_openings_are_counted_only_while_it_is_sealed(dataset: Dataset, alice: User) -> None:
    run = uuid4()

    def open_(data: Dataset) -> Opening | None:
        return sealing.open_test(actor=alice, dataset=data, number=1, run=run, purpose="Try")

    assert open_(dataset) is None
    sealing.seal(actor=alice, dataset=dataset)
    stale = Dataset.objects.get()
    stale.sealed = False  # somebody has sealed it since it was read
    assert open_(stale) is not None
    assert sealing.count_openings(dataset) == 1
    assert Opening.objects.get().run == run


@pytest.mark.parametrize(
    "changes",
    [
        Changes(cells={3: {"category": "billing"}}),
        Changes(removed=[6]),
        Changes(splits={3: "train"}),
        Changes(splits={1: "test"}),
        Changes(cells={1: {"category": "billing"}}, removed=[3]),
    ],
)
def test_sealed_rows_cannot_be_changed(dataset: Dataset, alice: User, changes: Changes) -> None:
    sealing.seal(actor=alice, dataset=dataset)
    with pytest.raises(Conflict, match="sealed"):
        change(actor=alice, dataset=dataset, changes=changes)
    assert Dataset.objects.get().number == 1


def test_other_rows_can_and_new_test_rows_may_come(dataset: Dataset, alice: User) -> None:
    sealing.seal(actor=alice, dataset=dataset)
    changes = Changes(cells={1: {"category": "x"}}, removed=[2], splits={4: "dev"})
    change(actor=alice, dataset=dataset, changes=changes)
    added = Changes(added=[({"message": "new", "category": "billing"}, "test")])
    change(actor=alice, dataset=dataset, changes=added)
    assert [row.number for row in rows_of(dataset, "test")] == [3, 6, 7]


def test_the_sealed_split_cannot_be_split(dataset: Dataset, alice: User) -> None:
    sealing.seal(actor=alice, dataset=dataset)
    spot = Table(dataset).spots[0]
    for codes in (bytes([0, 1, 0, 0, 1, 2]), bytes([2, 1, 2, 0, 1, 2])):
        with pytest.raises(Conflict, match="sealed"):
            change_splits(actor=alice, dataset=dataset, codes={spot.start: codes}, message="")
    codes = bytes([1, 1, 2, 1, 1, 2])
    change_splits(actor=alice, dataset=dataset, codes={spot.start: codes}, message="")
    assert [row.split for row in rows_of(dataset)] == ["dev", "dev", "test"] * 2


def test_a_restore_may_not_touch_it(dataset: Dataset, alice: User) -> None:
    edit = Changes(cells={3: {"category": "other"}})
    change(actor=alice, dataset=dataset, changes=edit)
    change(actor=alice, dataset=dataset, changes=Changes(cells={1: {"category": "other"}}))
    sealing.seal(actor=alice, dataset=dataset)
    with pytest.raises(Conflict, match="sealed"):
        restore(actor=alice, dataset=dataset, number=1)
    restore(actor=alice, dataset=dataset, number=2)  # in which only a train row is another
    assert rows_of(dataset)[0].values["category"] == "billing"


def test_rows_that_are_sealed_now_are_hidden_in_older_versions(
    dataset: Dataset, alice: User
) -> None:
    change(actor=alice, dataset=dataset, changes=Changes(splits={1: "test"}))
    assert Row(1, {}, "train") not in sealing.Hidden(dataset)
    sealing.seal(actor=alice, dataset=dataset)
    hidden = sealing.Hidden(dataset)
    old = Table(dataset, 1)
    assert [row.number for row in old.rows() if row not in hidden] == [2, 4, 5]
    assert hidden.number(1)
    assert not hidden.number(2)
    assert not hidden.number(99)
    assert "something else" not in hidden


def test_a_row_that_cannot_be_read_is_named_without_its_values(
    project: Project, alice: User
) -> None:
    rows = [{"message": "m", "category": "a secret"}]
    dataset = make_dataset(project, rows=rows, splits=["test"])
    fields = Signature.parse("message -> category: enum[billing, shipping]").fields
    with pytest.raises(Invalid, match="a secret"):
        numbered_examples(dataset, fields, split="test")
    sealing.seal(actor=alice, dataset=dataset)
    with pytest.raises(Invalid, match="Row 1") as caught:
        numbered_examples(dataset, fields, split="test")
    assert "a secret" not in str(caught.value)
    assert "a secret" not in str(caught.value.problems)


def test_labels_that_only_sealed_rows_have_are_not_named(dataset: Dataset) -> None:
    counts = {
        "billing": {"train": 2, "dev": 0, "test": 1},
        "fraud": {"train": 0, "dev": 0, "test": 3},
        "theft": {"train": 0, "dev": 0, "test": 1},
    }
    assert sealing.visible_counts(dataset, counts) == counts
    dataset.sealed = True
    assert sealing.visible_counts(dataset, counts) == {
        "billing": counts["billing"],
        sealing.ONLY_SEALED: {"train": 0, "dev": 0, "test": 4},
    }


def test_no_page_names_a_label_of_sealed_rows(alice: User, project: Project) -> None:
    rows = [{"message": f"m{n}", "kind": "fraud" if n > 6 else "billing"} for n in range(1, 9)]
    splits = ["train", "dev"] * 3 + ["test"] * 2
    labels = {"billing": {"train": 3, "dev": 3, "test": 0}, "fraud": {"test": 2}}
    report = {"labels": {"column": "kind", "counts": labels}}
    data = make_dataset(
        project, rows=rows, splits=splits, report=report, label_column="kind", slug="kinds"
    )
    browser, urls = (
        make_client(alice),
        (
            "/p/support/datasets/kinds/",
            "/p/support/datasets/kinds/splits/",
            "/api/projects/support/datasets/kinds/splits/",
        ),
    )
    assert all("fraud" in browser.get(url).content.decode() for url in urls)
    sealing.seal(actor=alice, dataset=data)
    assert not any("fraud" in browser.get(url).content.decode() for url in urls)
