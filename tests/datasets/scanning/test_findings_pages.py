"""The page of findings and its API, for those who may and those who may not."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project
from studio.datasets import chores
from studio.datasets.models import Chore, Dataset
from studio.datasets.scanning import findings
from tests.builders import rows_of
from tests.datasets.scanning.builders import make_messages

ASKED = "Where is my parcel today, please?"
URL = "/p/support/datasets/messages/findings/"
API = "/api/projects/support/datasets/messages/findings/"
REASON = "The same person asked twice."


@pytest.fixture
def dataset(project: Project) -> Dataset:
    """Row 2 (test) repeats row 1 (train); row 3 has a mail address; row 4 damaged letters."""
    return make_messages(
        project,
        (ASKED, "shipping", "train"),
        (ASKED + "!", "shipping", "test"),
        ("write to bob@firm.de <script>alert(1)</script>", "billing", "train"),
        ("a cafÃ© here", "billing", "dev"),
    )


def key_of(dataset: Dataset, kind: str) -> str:
    """The key of the only open finding of a kind."""
    [one] = findings.ask_scan(dataset).findings(findings.get_kind(kind))
    return one.key


def post(client: Client, do: str, **said: Any) -> Any:
    """A button of the page."""
    return client.post(URL, {"kind": "leak", "do": do, **said}, follow=True)


def test_the_page_scans_and_shows_the_worst_first(dataset: Dataset, as_alice: Client) -> None:
    text = as_alice.get(URL).content.decode()
    assert "Row 2 (test) equals row 1 (train)." in text
    assert "stops a compile" in text
    assert "Hints of personal data" in text
    assert 'aria-current="page" href="?kind=leak"' in text


def test_what_is_personal_is_covered_until_somebody_asks(
    dataset: Dataset, as_alice: Client
) -> None:
    text = as_alice.get(URL, {"kind": "personal"}).content.decode()
    assert "write to [e-mail address] &lt;script&gt;" in text
    before, _summary, shown = text.partition(">Show</summary>")
    assert "bob@firm.de" not in before
    assert "bob@firm.de" in shown
    assert "<script>alert" not in text


def test_one_click_resolves_one(dataset: Dataset, as_alice: Client) -> None:
    key = key_of(dataset, "leak")
    answer = post(as_alice, f"delete-learned|{key}")
    assert "Saved as version 2: rows 1 removed." in answer.content.decode()
    assert [row.number for row in rows_of(dataset)] == [2, 3, 4]


def test_ticked_ones_and_all_of_a_kind(dataset: Dataset, as_alice: Client) -> None:
    key = key_of(dataset, "leak")
    assert post(as_alice, "move-train").status_code == 422  # nothing is ticked
    post(as_alice, "move-train", key=[key])
    assert rows_of(dataset)[1].split == "train"
    post(as_alice, "repair|*", kind="encoding")
    assert rows_of(dataset)[3].values["message"] == "a café here"


def test_waiving_and_taking_back(dataset: Dataset, as_alice: Client) -> None:
    key = key_of(dataset, "leak")
    assert "Say why" in post(as_alice, f"waive|{key}").content.decode()
    post(as_alice, f"waive|{key}", **{f"reason-{key}": REASON})
    assert findings.report_of(dataset).stops == 0
    assert REASON in as_alice.get(URL, {"kind": "leak", "shown": "waived"}).content.decode()
    post(as_alice, f"unwaive|{key}")
    assert findings.report_of(dataset).stops == 1


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"do": "explode|*"}, 422),
        ({"do": ""}, 422),
        ({"do": "delete-test|nokey"}, 404),
        ({"do": "delete-row|*|x"}, 422),
        ({"do": "delete-test|*", "base": "77"}, 409),
        ({"do": "delete-test|*", "kind": "nothing"}, 404),
    ],
)
def test_odd_buttons_are_refused(
    dataset: Dataset, as_alice: Client, said: dict[str, str], status: int
) -> None:
    findings.ask_scan(dataset)
    answer = as_alice.post(URL, {"kind": "leak", **said})
    assert answer.status_code == status
    assert rows_of(dataset)[0].number == 1
    assert dataset.number == 1


def test_the_same_columns_are_scanned_once_however_they_are_told(
    dataset: Dataset, as_alice: Client
) -> None:
    one, other = dataset.columns[:2]
    for named in ([one, other], [other, one], [one, one, other]):
        assert as_alice.get(URL, {"inputs": named}).status_code == 200
    assert Chore.objects.filter(kind="scan").exclude(about="").count() == 1


@pytest.mark.parametrize("query", ["kind=nothing", "inputs=nothing"])
def test_odd_addresses_are_refused(dataset: Dataset, as_alice: Client, query: str) -> None:
    assert as_alice.get(f"{URL}?{query}").status_code in (404, 422)


def test_strangers_see_nothing(dataset: Dataset, as_charlie: Client) -> None:
    assert as_charlie.get(URL).status_code == 404
    assert as_charlie.post(URL, {"do": "scan"}).status_code == 404
    assert as_charlie.get(API).status_code == 404
    for door in ("scan", "waive", "unwaive", "resolve"):
        assert as_charlie.post(f"{API}{door}/", {}).status_code == 404


def test_a_scan_that_is_going_on_is_told_of(
    dataset: Dataset, as_alice: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chores, "AT_ONCE_ROWS", 0)
    monkeypatch.setattr(chores, "_kick", lambda _pk: None)
    page = as_alice.get(URL).content.decode()
    assert "Scanning version 1" in page
    assert 'hx-trigger="every 1s"' in page
    part = as_alice.get(URL, headers={"HX-Request": "true"}).content.decode()
    assert part.strip().startswith("<div")
    chores.work(Chore.objects.get(kind="scan").pk)
    assert "every 1s" not in as_alice.get(URL).content.decode()


def test_a_scan_that_failed_can_be_made_again(dataset: Dataset, as_alice: Client) -> None:
    Chore.objects.create(
        dataset=dataset, number=1, kind="scan", state="failed", error="The disk was full."
    )
    assert "The disk was full." in as_alice.get(URL).content.decode()
    as_alice.post(URL, {"do": "scan"})
    assert findings.report_of(dataset).is_ready


def test_sealed_rows_are_named_and_not_shown(dataset: Dataset, as_alice: Client) -> None:
    Dataset.objects.update(sealed=True)
    text = as_alice.get(URL).content.decode()
    assert "Row 2" in text
    assert "The test split is sealed, so its rows are not shown." in text
    assert "parcel today, please?!" not in text
    assert "Delete the test rows" not in text


def test_the_api_lists_and_resolves(dataset: Dataset, as_alice: Client) -> None:
    assert as_alice.get(API).json()["state"] == "none"
    told = as_alice.post(f"{API}scan/").json()
    assert told["state"] == "done"
    assert told["kinds"][0]["kind"] == "leak"
    found = as_alice.get(API, {"kind": "leak"}).json()
    [leak] = found["findings"]
    assert leak["rows"] == [{"row": 2, "split": "test"}, {"row": 1, "split": "train"}]
    body = {"kind": "leak", "keys": [leak["key"]], "action": "move-test", "version": 1}
    answer = as_alice.post(f"{API}resolve/", body, content_type="application/json")
    assert answer.status_code == 201
    assert answer.json()["version"] == 2
    again = as_alice.post(f"{API}resolve/", body, content_type="application/json")
    assert again.status_code == 409


def test_the_api_waives_and_takes_back(dataset: Dataset, as_alice: Client) -> None:
    findings.ask_scan(dataset)
    said = {"kind": "leak", "all": True, "reason": REASON}
    answer = as_alice.post(f"{API}waive/", said, content_type="application/json")
    assert answer.json()["waived"] == 1
    [one] = as_alice.get(API, {"kind": "leak", "waived": "true"}).json()["findings"]
    assert one["reason"] == REASON
    answer = as_alice.post(
        f"{API}unwaive/", {"kind": "leak", "all": True}, content_type="application/json"
    )
    assert answer.json()["opened"] == 1


@pytest.mark.parametrize(
    ("door", "said"),
    [
        ("waive", {"kind": "leak", "all": True}),
        ("waive", {"kind": "leak", "reason": REASON}),
        ("waive", {"kind": "leak", "keys": [], "all": True, "reason": REASON}),
        ("unwaive", {"kind": "nothing", "all": True}),
        ("resolve", {"kind": "leak", "all": True, "action": "explode"}),
        ("resolve", {"kind": "leak", "keys": "leak", "action": "delete"}),
        ("resolve", {"kind": "leak", "all": True, "action": "move-dev"}),
    ],
)
def test_the_api_refuses_what_it_cannot_read(
    dataset: Dataset, as_alice: Client, door: str, said: dict[str, Any]
) -> None:
    findings.ask_scan(dataset)
    answer = as_alice.post(f"{API}{door}/", said, content_type="application/json")
    assert answer.status_code == 422 or answer.status_code == 400
    assert answer.json()["message"]
