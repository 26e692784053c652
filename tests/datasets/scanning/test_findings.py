"""Findings are resolved and waived, by those who may."""

from __future__ import annotations

from typing import Any

import pytest

from studio.accounts.models import AuditEntry, Membership, Project, Role, User
from studio.datasets.models import Dataset
from studio.datasets.scanning import findings, waiving
from studio.errors import Conflict, Invalid, NotAllowed, NotFound
from tests.builders import make_user, rows_of
from tests.datasets.scanning.builders import make_messages

ASKED = "Where is my parcel today, please?"
REASON = "The same person asked twice."


@pytest.fixture
def dataset(project: Project) -> Dataset:
    """Row 2 (test) repeats row 1 (train), row 4 (dev) row 3 (train) with another label."""
    return make_messages(
        project,
        (ASKED, "shipping", "train"),
        (ASKED + "!", "shipping", "test"),
        ("Who pays for the lamp in the end?", "billing", "train"),
        ("who pays for the lamp in the end", "shipping", "dev"),
        ("my mail is bob@firm.de", "billing", "train"),
    )


def keys(dataset: Dataset, kind: str) -> list[str]:
    """Of the open findings."""
    report = findings.ask_scan(dataset)
    return [one.key for one in report.findings(findings.get_kind(kind))]


def splits(dataset: Dataset) -> dict[int, str]:
    """By row."""
    return {row.number: row.split for row in rows_of(dataset)}


def test_a_leak_says_which_rows_and_what_can_be_done(dataset: Dataset) -> None:
    [leak] = findings.ask_scan(dataset).findings(findings.get_kind("leak"))
    assert leak.what == "Row 2 (test) equals row 1 (train)."
    names = [action.name for action in leak.actions]
    assert names == ["delete-learned", "delete-test", "move-train", "move-test"]


@pytest.mark.parametrize(
    ("action", "left"),
    [
        ("delete-learned", {2: "test", 3: "train", 4: "dev", 5: "train"}),
        ("delete-test", {1: "train", 3: "train", 4: "dev", 5: "train"}),
        ("move-train", {1: "train", 2: "train", 3: "train", 4: "dev", 5: "train"}),
        ("move-test", {1: "test", 2: "test", 3: "train", 4: "dev", 5: "train"}),
    ],
)
def test_a_leak_is_resolved_as_one_version(
    dataset: Dataset, alice: User, action: str, left: dict[int, str]
) -> None:
    version = findings.resolve(
        actor=alice, dataset=dataset, kind="leak", action=action, keys=keys(dataset, "leak")
    )
    assert version.number == 2
    assert splits(dataset) == left
    report = findings.report_of(dataset)
    assert report.is_ready
    assert report.stops == 0


def test_a_label_for_all_of_a_group(dataset: Dataset, alice: User) -> None:
    findings.ask_scan(dataset)
    findings.resolve(
        actor=alice, dataset=dataset, kind="conflict", action="label", keys=None, label="billing"
    )
    assert {row.values["category"] for row in rows_of(dataset) if row.number in (3, 4)} == {
        "billing"
    }
    assert keys(dataset, "conflict") == []


def test_one_row_of_a_finding_is_deleted(dataset: Dataset, alice: User) -> None:
    [key] = keys(dataset, "conflict")
    with pytest.raises(Invalid, match="which row"):
        findings.resolve(
            actor=alice, dataset=dataset, kind="conflict", action="delete-row", keys=[key], row=1
        )
    findings.resolve(
        actor=alice, dataset=dataset, kind="conflict", action="delete-row", keys=[key], row=4
    )
    assert 4 not in splits(dataset)


def test_damaged_letters_are_repaired(project: Project, alice: User) -> None:
    dataset = make_messages(project, ("a cafÃ© here", "a", "train"))
    findings.ask_scan(dataset)
    findings.resolve(actor=alice, dataset=dataset, kind="encoding", action="repair", keys=None)
    assert rows_of(dataset)[0].values["message"] == "a café here"


def test_only_authors_resolve_and_waive(dataset: Dataset) -> None:
    [key] = keys(dataset, "leak")
    vera = make_user("vera")
    Membership.objects.create(project=dataset.project, user=vera, role=Role.VIEWER)
    with pytest.raises(NotAllowed):
        findings.resolve(
            actor=vera, dataset=dataset, kind="leak", action="delete-test", keys=[key]
        )
    with pytest.raises(NotAllowed):
        waiving.waive(actor=vera, dataset=dataset, kind="leak", keys=[key], reason=REASON)
    with pytest.raises(NotAllowed):
        waiving.take_back(actor=vera, dataset=dataset, kind="leak", keys=[key])
    with pytest.raises(NotAllowed):
        findings.scan_again(actor=vera, dataset=dataset)


def test_what_cannot_be_done_is_refused(dataset: Dataset, alice: User) -> None:
    [key] = keys(dataset, "leak")
    about: dict[str, Any] = {"actor": alice, "dataset": dataset, "kind": "leak"}
    with pytest.raises(Invalid, match="not what can be done"):
        findings.resolve(**about, action="repair", keys=[key])
    with pytest.raises(Invalid, match="Tick findings"):
        findings.resolve(**about, action="delete-test", keys=[])
    with pytest.raises(NotFound, match="not open any more"):
        findings.resolve(**about, action="delete-test", keys=["0" * 32])
    with pytest.raises(Conflict, match="in the meantime"):
        findings.resolve(**about, action="delete-test", keys=[key], base=7)
    with pytest.raises(NotFound, match="no kind of finding"):
        findings.resolve(**{**about, "kind": "x"}, action="delete-test", keys=[key])
    with pytest.raises(Invalid, match="Choose the label"):
        findings.resolve(**{**about, "kind": "conflict"}, action="label", keys=None)
    assert dataset.number == 1


def test_before_the_scan_nothing_is_resolved(dataset: Dataset, alice: User) -> None:
    with pytest.raises(Conflict, match="not ready"):
        findings.resolve(
            actor=alice, dataset=dataset, kind="leak", action="delete-test", keys=None
        )


def test_waiving_needs_a_reason_and_is_logged(dataset: Dataset, alice: User) -> None:
    [key] = keys(dataset, "leak")
    with pytest.raises(Invalid, match="Say why"):
        waiving.waive(actor=alice, dataset=dataset, kind="leak", keys=[key], reason="  ok ")
    waiving.waive(actor=alice, dataset=dataset, kind="leak", keys=[key], reason=REASON)
    report = findings.report_of(dataset)
    summary = report.summary(findings.get_kind("leak"))
    assert (summary.open, summary.waived, report.stops) == (0, 1, 0)
    [waived] = report.findings(findings.get_kind("leak"), waived=True)
    assert waived.waiver
    assert waived.waiver.reason == REASON
    entry = AuditEntry.objects.get(action="dataset.waive")
    assert entry.detail["reason"] == REASON
    assert "parcel" not in str(entry.detail)


def test_a_waiver_holds_in_later_versions_and_can_be_taken_back(
    dataset: Dataset, alice: User
) -> None:
    [key] = keys(dataset, "leak")
    waiving.waive(actor=alice, dataset=dataset, kind="leak", keys=None, reason=REASON)
    findings.resolve(actor=alice, dataset=dataset, kind="personal", action="delete", keys=None)
    assert dataset.number == 2
    assert findings.report_of(dataset).stops == 0
    waiving.take_back(actor=alice, dataset=dataset, kind="leak", keys=[key])
    assert findings.report_of(dataset).stops == 1
    with pytest.raises(NotFound, match="not waived"):
        waiving.take_back(actor=alice, dataset=dataset, kind="leak", keys=[key])


def test_a_sealed_test_row_stays_as_it_is(dataset: Dataset, alice: User) -> None:
    Dataset.objects.update(sealed=True)
    dataset.refresh_from_db()
    [key] = keys(dataset, "leak")
    with pytest.raises(Conflict, match="sealed"):
        findings.resolve(
            actor=alice, dataset=dataset, kind="leak", action="delete-test", keys=[key]
        )
    findings.resolve(
        actor=alice, dataset=dataset, kind="leak", action="delete-learned", keys=[key]
    )
    assert splits(dataset)[2] == "test"
