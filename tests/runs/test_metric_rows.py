"""A metric tried on rows while it is written: which rows, whose answers, and what is said."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from studio.accounts.models import Membership, Project, Role, User
from studio.errors import Invalid
from studio.runs.metric_rows import Sources, choose, read_rows
from studio.runs.metric_tries import judge_rows
from studio.runs.models import Run, ScoreRow
from tests import builders

URL = "/p/support/metrics/rows/exact_match/"
PYTHON = "/p/support/metrics/rows/python/"
JUDGE = "/p/support/metrics/rows/lm_judge/"
HTMX = {"HX-Request": "true"}
FIELD = {"field": "category"}
RUBRIC = {"rubric": "The answer is polite.", "scale": "yes/no"}


def chosen(project: Project, **asked: str) -> Sources:
    found = choose(project, **asked)
    assert found is not None
    return found


def dataset_of(project: Project, count: int = 24, **fields: Any) -> Any:
    rows = [
        {"message": f"Message {n}", "category": "billing", "draft": "billing" if n % 2 else "no"}
        for n in range(count)
    ]
    mapping = {"message": "message", "category": "category"}
    return builders.make_dataset(project, "many", rows=rows, mapping=mapping, **fields)


@pytest.fixture
def viewer(project: Project) -> User:
    viewer = builders.make_user("viewer")
    Membership.objects.create(project=project, user=viewer, role=Role.VIEWER)
    return viewer


# ── which rows ─────────────────────────────────────────────────────────────────────────────────


def test_ten_rows_of_train_and_dev_with_the_gold_values(project: Project) -> None:
    builders.make_pipeline(project)
    dataset_of(project)
    rows = read_rows(chosen(project))
    assert [row.number for row in rows] == [1, 2, 4, 5, 7, 8, 10, 11, 13, 14]
    assert {row.split for row in rows} == {"train", "dev"}
    assert rows[0].inputs == {"message": "Message 0"}
    assert rows[0].gold == {"category": "billing"}
    assert rows[0].prediction == {"category": "billing"}


def test_the_next_ten(project: Project) -> None:
    dataset_of(project)
    rows = read_rows(chosen(project), metric_field="category", skip=10)
    assert [row.number for row in rows] == [16, 17, 19, 20, 22, 23]


def test_the_test_split_only_when_asked_for_and_never_when_sealed(project: Project) -> None:
    dataset = dataset_of(project)
    assert {row.split for row in read_rows(chosen(project, split="test"))} == {"test"}
    dataset.sealed = True
    dataset.save()
    sealed = chosen(project, split="test")
    assert "test" not in [option.value for option in sealed.splits]
    assert "test" not in {row.split for row in read_rows(sealed, limit=100)}


def test_a_column_stands_for_the_answer(project: Project) -> None:
    builders.make_pipeline(project)
    dataset_of(project)
    rows = read_rows(chosen(project, source="column:draft"))
    assert rows[0].prediction == {"category": "no"}
    assert rows[0].gold == {"category": "billing"}
    assert "draft" not in rows[0].values


def test_a_column_that_stands_for_nothing_is_told(project: Project) -> None:
    builders.make_dataset(project, rows=[{"a": "1", "b": "2"}], mapping={})
    with pytest.raises(Invalid, match="stands for no output"):
        read_rows(chosen(project, source="column:b"))
    rows = read_rows(chosen(project, source="column:b"), metric_field="a")
    assert rows[0].prediction == {"a": "2"}


def test_the_answers_of_the_last_run_that_were_kept(project: Project) -> None:
    dataset = dataset_of(project)
    run = builders.make_run(project, dataset=dataset, kind=Run.Kind.EVALUATE)
    other = builders.make_run(project, version=run.version, dataset=dataset)
    for number, split in ((1, "train"), (3, "test")):
        ScoreRow.objects.create(
            run=other,
            candidate="c",
            example=str(number),
            number=number,
            split=split,
            gold={"message": f"m{number}", "category": "billing"},
            prediction={"values": {"category": "shipping"}, "steps": []},
        )
    found = chosen(project)
    assert found.source == f"run:{other.pk}"
    (row,) = read_rows(found)
    assert (row.number, row.split) == (1, "train")
    assert row.prediction == {"category": "shipping"}
    assert row.inputs == {"message": "m1"}


def test_a_row_that_is_for_a_sealed_test_now_is_shown_of_no_run(project: Project) -> None:
    dataset = dataset_of(project)
    run = builders.make_run(project, dataset=dataset, kind=Run.Kind.EVALUATE)
    for number in (1, 3):  # row 3 was for train when the run read it
        ScoreRow.objects.create(
            run=run, candidate="c", example=str(number), number=number, split="train",
            gold={"message": f"m{number}"},
        )  # fmt: skip
    dataset.sealed = True
    dataset.save()
    assert [row.number for row in read_rows(chosen(project))] == [1]


def test_a_skip_of_very_many_digits_is_none(as_alice: Client, project: Project) -> None:
    dataset_of(project)
    answer = as_alice.post(URL, {**FIELD, "rows_skip": "9" * 5000})
    assert answer.status_code == 200


def test_cells_are_read_as_the_fields_types_where_that_is_possible(project: Project) -> None:
    spec = builders.make_spec()
    spec["nodes"][2]["fields"] = [builders.make_field("count", "int")]
    builders.make_pipeline(project, spec=spec)
    builders.make_dataset(project, rows=[{"count": "7"}, {"count": "many"}], splits=["dev"] * 2)
    rows = read_rows(chosen(project))
    assert [row.prediction["count"] for row in rows] == [7, "many"]


def test_without_a_dataset_there_is_nothing_to_choose(as_alice: Client, project: Project) -> None:
    assert choose(project) is None
    page = as_alice.post(URL, FIELD, headers=HTMX).content.decode()
    assert "No dataset yet" in page


# ── what is said of them ───────────────────────────────────────────────────────────────────────


def test_each_row_has_its_score_its_reason_and_its_time(
    as_alice: Client, project: Project
) -> None:
    dataset_of(project)
    data = {**FIELD, "rows_source": "column:draft"}
    page = as_alice.post(URL, data, headers=HTMX).content.decode()
    assert "mean of 10 rows" in page
    assert "“billing”, as expected" in page
    assert "row 14, dev" in page
    assert "<html" not in page
    assert 'name="rows_dataset"' in page


def test_while_writing_only_the_results_come(as_alice: Client, project: Project) -> None:
    dataset_of(project)
    headers = {**HTMX, "HX-Target": "rows-result"}
    page = as_alice.post(URL, FIELD, headers=headers).content.decode()
    assert 'id="rows-result"' in page
    assert 'name="rows_dataset"' not in page


def test_it_works_without_javascript(as_alice: Client, project: Project) -> None:
    dataset_of(project)
    page = as_alice.post(URL, {**FIELD, "name": "</textarea><b>x"}).content.decode()
    assert "<html" in page
    assert "mean of 10 rows" in page
    assert "&lt;/textarea&gt;&lt;b&gt;x" in page


def editor_data(page: str, name: str) -> Any:
    import html

    return json.loads(html.unescape(page.split(f'data-{name}="')[1].split('"')[0]))


def test_the_editor_learns_the_fields_and_the_line_that_failed(
    as_alice: Client, project: Project
) -> None:
    builders.make_pipeline(project)
    dataset_of(project)
    code = "def score(example, prediction):\n    return example['nothing']"
    page = as_alice.post(PYTHON, {"code": code}, headers=HTMX).content.decode()
    assert editor_data(page, "names") == {
        "example": ["category", "message"],
        "prediction": ["category"],
    }
    (line,) = editor_data(page, "lines")
    assert line["line"] == 2
    assert "KeyError: nothing" in line["message"]
    assert "10 of 10 rows" in line["message"]
    assert "10 without a score" in page


def test_code_that_cannot_be_read_has_its_line(as_alice: Client, project: Project) -> None:
    dataset_of(project)
    page = as_alice.post(PYTHON, {"code": "def score(e, p):\n  return ("}, headers=HTMX)
    assert editor_data(page.content.decode(), "lines")[0]["line"] == 2
    empty = as_alice.post(PYTHON, {"code": ""}, headers=HTMX).content.decode()
    assert "This field is required" in empty


def test_all_rows_share_one_limit(project: Project, alice: User) -> None:
    dataset_of(project)
    code = "def score(e, p):\n    while True:\n        pass"
    verdict = judge_rows(
        actor=alice,
        project=project,
        kind="python",
        params={"code": code},
        judge=None,
        rows=read_rows(chosen(project), metric_field="category"),
        ask=False,
    )
    assert verdict.trial is not None
    problems = [one.problem for one in verdict.trial.tried]
    assert "took longer than 2 s" in problems[0]
    assert "did not end within the 5 s" in problems[2]
    assert problems[9] == "Not run: the rows before it took the 5 s that all rows have together."


def test_values_are_shown_inert(as_alice: Client, project: Project) -> None:
    builders.make_dataset(
        project, rows=[{"category": "<script>alert(1)</script>"}], splits=["dev"]
    )
    page = as_alice.post(URL, FIELD, headers=HTMX).content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_each_part_of_a_composite_speaks(as_alice: Client, project: Project) -> None:
    dataset_of(project)
    parts = [
        {"kind": "exact_match", "params": FIELD, "weight": 3},
        {"kind": "regex", "params": {**FIELD, "pattern": "^x"}, "weight": 1, "gate": 1},
        {"kind": "python", "params": {"code": "def score(e, p):\n    return e['no']"}},
    ]
    url = "/p/support/metrics/rows/composite/"
    page = as_alice.post(url, {"parts": json.dumps(parts[:2])}, headers=HTMX).content.decode()
    assert "Exact match of category" in page
    assert "below its gate of" in page
    page = as_alice.post(url, {"parts": json.dumps(parts)}, headers=HTMX).content.decode()
    assert "Exact match of category" in page
    assert "Line 2: KeyError" in page


def test_a_judge_is_never_asked_by_typing(as_alice: Client, project: Project) -> None:
    dataset_of(project)
    judge = builders.make_connection(project, model="echo")
    data = {**RUBRIC, **FIELD, "judge": judge.pk}
    page = as_alice.post(JUDGE, data, headers=HTMX).content.decode()
    assert "Ask the judge: 10 calls" in page
    assert "At most 20" in page
    assert "mean of" not in page
    asked = as_alice.post(JUDGE, {**data, "ask": "1"}, headers=HTMX).content.decode()
    assert "mean of 10 rows" in asked
    known = {**data, "rows_asked": asked.split('name="rows_asked" value="')[1].split('"')[0]}
    assert as_alice.post(JUDGE, known, headers=HTMX).status_code == 204
    changed = as_alice.post(JUDGE, {**known, "rubric": "Another."}, headers=HTMX)
    assert "Ask the judge: 10 calls" in changed.content.decode()


def test_whoever_may_not_spend_money_asks_no_judge(project: Project, viewer: User) -> None:
    dataset_of(project)
    judge = builders.make_connection(project, model="echo")
    data = {**RUBRIC, **FIELD, "judge": judge.pk}
    client = builders.make_client(viewer)
    page = client.post(JUDGE, data, headers=HTMX).content.decode()
    assert "Authors of the project can ask it" in page
    assert 'name="ask"' not in page
    asked = client.post(JUDGE, {**data, "ask": "1"}, headers=HTMX).content.decode()
    assert "mean of" not in asked
    assert "note-error" in asked
    assert "mean of 10 rows" in client.post(URL, FIELD, headers=HTMX).content.decode()


@pytest.mark.parametrize(
    "data",
    [
        {"rows_dataset": "nothing"},
        {"rows_split": "everything"},
        {"rows_source": "run:nothing"},
        {"rows_source": "column:nothing"},
        {"rows_skip": "-1"},
        {"rows_skip": "9" * 40},
        {"rows_dataset": "a\0b"},
    ],
)
def test_what_is_not_there_is_as_if_it_were_not_asked_for(
    as_alice: Client, project: Project, data: dict[str, str]
) -> None:
    dataset_of(project)
    assert as_alice.post(URL, {**FIELD, **data}, headers=HTMX).status_code == 200


def test_strangers_and_unknown_kinds(
    as_charlie: Client, as_alice: Client, project: Project
) -> None:
    assert as_charlie.post(URL, FIELD).status_code == 404
    assert as_alice.post("/p/support/metrics/rows/vibes/", FIELD).status_code == 404
    assert as_alice.get(URL).status_code == 405


def test_a_run_of_another_project_is_no_source(as_alice: Client, project: Project) -> None:
    dataset_of(project)
    other = builders.make_project("Other", "other")
    foreign = builders.make_run(other, dataset=builders.make_dataset(other))
    data = {**FIELD, "rows_source": f"run:{foreign.pk}"}
    page = as_alice.post(URL, data, headers=HTMX).content.decode()
    assert str(foreign.pk) not in page
