"""What a person sees before anything is kept: typed first rows, and all problems one by one."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Project, User
from studio.datasets.models import Upload
from studio.datasets.reading.problems import Problem
from studio.datasets.uploading import problem_files, working
from tests import builders
from tests.datasets.builders import make_csv, make_jsonl, mapping_form, upload_file
from tests.datasets.reading.zoo.workbooks import make_workbook, table

HTMX: dict[str, Any] = {"headers": {"HX-Request": "true"}}


@pytest.fixture
def typed(project: Project) -> None:
    """A signature `message -> category, stars: int, paid: bool`."""
    spec = builders.make_signature_spec()
    for name, type_ in (("stars", "int"), ("paid", "bool")):
        spec["fields"].append(builders.make_field(name, type_, role="output"))
    builders.make_signature(project, spec=spec)


def rows_with_many_problems(alice: User, project: Project, count: int = 120) -> Upload:
    """Each second row has a label that is none, each third no number; then come good ones."""
    rows = [
        (f"m{n}", "refund" if n % 2 else "billing", "many" if n % 3 == 0 else n, "yes")
        for n in range(1, count + 1)
    ]
    rows += [(f"good {n}", "billing", n, "no") for n in range(count)]
    header = ("message", "category", "stars", "paid")
    return upload_file(alice, project, make_csv(rows, header=header))


def test_cells_show_what_they_are_read_as(alice: User, project: Project, typed: None) -> None:
    rows = [("hi", "Billing", "12", "yes", "x"), ("ho", "shipping", "1.5", "no", "y")]
    header = ("message", "category", "stars", "paid", "more")
    upload = upload_file(alice, project, make_csv(rows, header=header))
    first, second = upload.report["preview"]
    assert (first["row"], first["left_out"]) == (1, False)
    assert first["cells"] == {
        "message": {"text": "hi"},
        "category": {"text": "Billing", "read": "billing"},
        "stars": {"text": "12", "type": "int"},
        "paid": {"text": "yes", "type": "bool", "read": "true"},
        "more": {"text": "x"},
    }
    assert (second["row"], second["left_out"]) == (2, True)
    assert second["cells"]["stars"]["text"] == "1.5"
    assert "int" in second["cells"]["stars"]["wrong"]


def test_values_of_json_show_their_types(alice: User, project: Project) -> None:
    content = make_jsonl({"a": 1, "b": 1.5, "c": True, "d": [1, {"e": 2}], "f": "text", "g": {}})
    cells = upload_file(alice, project, content, "a.jsonl").report["preview"][0]["cells"]
    assert {name: cell.get("type", "") for name, cell in cells.items()} == {
        "a": "int", "b": "float", "c": "bool", "d": "list", "f": "", "g": "object",
    }  # fmt: skip
    assert cells["d"]["text"] == '[1,{"e":2}]'


def test_every_problem_is_listed_page_by_page(
    as_alice: Client, alice: User, project: Project, typed: None
) -> None:
    upload = rows_with_many_problems(alice, project)
    url = upload.get_absolute_url()
    page = as_alice.get(url).content.decode()
    assert "All 100" in page
    assert "60 × not one of the labels" in page
    assert "1 to 50 of 100" in page
    part = as_alice.get(f"{url}?kind=type&page=1", **HTMX).content.decode()
    assert "<html" not in part
    assert "Leave the" not in part
    assert part.count("expected int") == 40
    assert "refund" not in part
    last = as_alice.get(f"{url}?kind=&page=2").content.decode()
    assert "51 to 100 of 100" in last
    assert as_alice.get(f"{url}?kind=nonsense&page=99").status_code == 200


def test_problems_are_downloaded_as_csv(
    as_alice: Client, as_charlie: Client, alice: User, project: Project, typed: None
) -> None:
    upload = rows_with_many_problems(alice, project)
    url = f"{upload.get_absolute_url()}problems.csv"
    answer = as_alice.get(url)
    assert answer["Content-Type"].startswith("text/csv")
    assert "attachment" in answer["Content-Disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.getvalue().decode())))
    assert len(rows) == 100
    assert (rows[0]["row"], rows[0]["column"], rows[0]["left_out"]) == ("1", "category", "yes")
    only = as_alice.get(f"{url}?kind=type").getvalue().decode()
    assert len(only.splitlines()) == 41
    assert as_charlie.get(url).status_code == 404


def test_the_api_tells_all_problems(
    as_alice: Client, alice: User, project: Project, typed: None
) -> None:
    upload = rows_with_many_problems(alice, project)
    url = f"/api/projects/support/datasets/uploads/{upload.token}/problems/"
    answer = as_alice.get(url).json()
    assert (answer["total"], len(answer["problems"])) == (100, 100)
    answer = as_alice.get(f"{url}?kind=type&skip=30").json()
    assert (answer["total"], len(answer["problems"])) == (40, 10)
    assert as_alice.get(f"{url}?kind=nonsense").status_code == 422
    assert as_alice.get(f"{url}?skip=-1").status_code == 422


def test_more_problems_than_a_report_lists_are_all_there(
    as_alice: Client, alice: User, project: Project
) -> None:
    content = "a,b\n" + "1,2\n3,4,5\n" * 700
    upload = upload_file(alice, project, content)
    assert len(upload.report["problems"]["listed"]) < 700
    assert len(list(problem_files.read(upload.token))) == 700
    page = as_alice.get(upload.get_absolute_url() + "?kind=long&page=14").content.decode()
    assert "651 to 700 of 700" in page


def test_cells_that_a_spreadsheet_would_run_are_inert(data_dir: Any) -> None:
    with problem_files.writing("a" * 32) as note:
        for column in ("=1+1", "+1", "-1", "@x", "\tx", "plain"):
            note(Problem(kind="type", column=column, what='"=HYPERLINK(1)"', done="…", row=1))
    lines = list(csv.reader(io.StringIO("".join(problem_files.as_csv("a" * 32)))))
    assert [line[2] for line in lines[1:]] == ["'=1+1", "'+1", "'-1", "'@x", "'\tx", "plain"]


def test_a_check_that_breaks_leaves_the_problems_of_the_one_before(data_dir: Any) -> None:
    token = "b" * 32
    one = Problem(kind="type", what="what", done="done", row=1)
    with problem_files.writing(token) as note:
        note(one)
    with pytest.raises(AttributeError), problem_files.writing(token) as note:
        note(None)  # type: ignore[arg-type]
    assert list(problem_files.read(token)) == [one.to_dict()]
    assert list(problem_files.read(token, "label")) == []
    assert list(problem_files.read("c" * 32)) == []


def test_no_more_are_written_than_anybody_reads(
    data_dir: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(problem_files, "MOST", 3)
    with problem_files.writing("d" * 32) as note:
        for row in range(5):
            note(Problem(kind="type", what="what", done="done", row=row))
    assert len(list(problem_files.read("d" * 32))) == 3
    report = {"problems": {"counts": [{"kind": "type", "count": 5}]}}
    assert len(problem_files.listing("d" * 32, report)) == 3


def test_columns_that_fill_no_field_are_named(
    as_alice: Client, alice: User, project: Project
) -> None:
    builders.make_signature(project)
    content = "message,category,agent,channel\nhi,billing,a,mail\nho,shipping,b,chat\n"
    upload = upload_file(alice, project, content)
    page = as_alice.get(upload.get_absolute_url()).content.decode()
    assert "Kept beside them" in page
    assert '<span class="mono">agent</span>, <span class="mono">channel</span>' in page


def test_ids_that_repeat_or_lack_are_told(alice: User, project: Project) -> None:
    content = "id,text\n1,a\n2,b\n2,c\n,d\n"
    upload = upload_file(alice, project, content)
    assert upload.choices["id_column"] == "", "it does not name rows"
    assert upload.report["ids"] == {}


def test_an_id_column_that_is_chosen_is_checked(
    as_alice: Client, alice: User, project: Project
) -> None:
    upload = upload_file(alice, project, "nr,text\n1,a\n2,b\n2,c\n,d\n")
    form = mapping_form(upload, action="check", id_column="nr")
    page = as_alice.post(upload.get_absolute_url(), form, follow=True).content.decode()
    assert "Ids in “nr” that stand there before: 1 row." in page
    assert "No id in “nr”: 1 row." in page


def test_a_sheet_is_chosen(as_alice: Client, alice: User, project: Project) -> None:
    book = make_workbook(
        {"Notes": table(("a",), ("nothing",)), "Data": table(("message", "more"), ("hi", "ho"))}
    )
    upload = upload_file(alice, project, book, "book.xlsx")
    assert upload.format["sheets"] == ["Data", "Notes"]
    url = upload.get_absolute_url()
    first = upload.choices["sheet"]
    other = "Data" if first == "Notes" else "Notes"
    page = as_alice.get(url).content.decode()
    assert "an Excel workbook" in page
    assert f'<option value="{other}"' in page
    answer = as_alice.post(url, mapping_form(upload, action="check", sheet=other), follow=True)
    assert answer.status_code == 200
    upload.refresh_from_db()
    assert (upload.choices["sheet"], upload.state) == (other, Upload.State.READY)
    columns = {"Data": ["message", "more"], "Notes": ["a"]}
    assert upload.report["columns"] == columns[other]
    answer = as_alice.post(url, mapping_form(upload, action="check", sheet="nothing"))
    assert answer.status_code == 422
    kept = as_alice.post(
        f"/api/projects/support/datasets/uploads/{upload.token}/",
        {"sheet": "Data"},
        "application/json",
    )
    assert (kept.status_code, kept.json()["columns"]) == (201, columns["Data"])


def test_a_large_file_is_cut_anew_by_a_worker(
    as_alice: Client, alice: User, project: Project, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.STUDIO_INLINE_IMPORT_MB = 0
    monkeypatch.setattr("studio.celery.app.send_task", lambda name, args: None)
    upload = upload_file(alice, project, "a;b\n1;2\n3;4\n")
    assert upload.format == {}, "the web process has not looked into it"
    page = as_alice.get(upload.get_absolute_url()).content.decode()
    assert "Reading the whole file" in page
    working.work(upload.pk)
    upload.refresh_from_db()
    form = mapping_form(upload, action="check", delimiter=",")
    answer = as_alice.post(upload.get_absolute_url(), form, follow=True)
    assert "Reading the whole file" in answer.content.decode()
    working.work(upload.pk)
    upload.refresh_from_db()
    assert upload.report["columns"] == ["a;b"]
