"""A metric held against people's verdicts: asked for, judged by a worker, told; and labelling."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.utils import timezone

from studio.accounts.models import AuditEntry, Membership, Project, Role, User
from studio.engine.metrics import Score
from studio.errors import Invalid, NotAllowed
from studio.metrics.models import Agreement, HumanScore, Metric
from studio.metrics.scales import SCALES, STARS, YES_NO
from studio.metrics.services import update_metric
from studio.runs import agreements as services
from studio.runs.metric_rows import Sources, choose, known_fields, read_rows
from tests import builders

URL = "/p/support/metrics/exact/agreement/"
LABEL = "/p/support/metrics/exact/label/"
FIELD = {"field": "category"}
VERDICT = "column:human"


@pytest.fixture
def metric(project: Project) -> Metric:
    """Says that three drafts are right; people say so of two of them, and of another one."""
    rows = [
        {"message": "a", "category": "billing", "draft": "billing", "human": "yes"},
        {"message": "b", "category": "billing", "draft": "billing", "human": "Yes "},
        {"message": "c", "category": "billing", "draft": "billing", "human": "no"},
        {"message": "d", "category": "billing", "draft": "shipping", "human": "no"},
        {"message": "e", "category": "billing", "draft": "shipping", "human": "yes"},
        {"message": "f", "category": "billing", "draft": "shipping", "human": "perhaps"},
    ]
    mapping = {"message": "message", "category": "category"}
    builders.make_dataset(project, rows=rows, mapping=mapping, splits=["dev"] * 6)
    return builders.make_metric(project, params=FIELD)


@pytest.fixture
def chosen(project: Project, metric: Metric) -> Sources:
    found = choose(project, source="column:draft")
    assert found is not None
    return found


@pytest.fixture
def viewer(project: Project) -> User:
    viewer = builders.make_user("viewer")
    Membership.objects.create(project=project, user=viewer, role=Role.VIEWER)
    return viewer


def test_the_verdicts_are_found_before_anything_is_asked(metric: Metric, chosen: Sources) -> None:
    found = services.find(metric, chosen, VERDICT)
    assert [value for _row, value in found.rows] == [1.0, 1.0, 0.0, 0.0, 1.0]
    assert (found.without, found.calls) == (1, 0)
    assert all("human" not in row.values for row, _value in found.rows)


def test_a_worker_judges_them(alice: User, metric: Metric, chosen: Sources) -> None:
    made = services.ask(actor=alice, metric=metric, chosen=chosen, verdicts=VERDICT)
    assert (made.state, made.version.number) == ("waiting", 1)
    services.work(made.pk)
    made.refresh_from_db()
    assert (made.state, made.progress, made.owner) == ("done", 100, "")
    assert made.result["matrix"] == [[1, 1], [1, 2]]
    assert made.result["accuracy"] == pytest.approx(0.6)
    assert made.result["kappa"] == pytest.approx(1 - 0.4 / 0.48)
    differing = services.disagreements(made)
    assert [row.values["message"] for row in differing] == ["c", "e"]
    assert AuditEntry.objects.filter(action="metric.compare-with-people").count() == 1


def test_a_reason_that_no_database_takes_is_kept_with_signs(
    alice: User, metric: Metric, chosen: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def odd(*_: Any) -> Score:
        return Score(1.0, "zero \0 and half \ud800")

    monkeypatch.setattr(services, "judge_one", odd)
    made = services.ask(actor=alice, metric=metric, chosen=chosen, verdicts=VERDICT)
    services.work(made.pk)
    assert {row.reason for row in made.rows.all()} == {"zero \ufffd and half \ufffd"}


def test_a_second_message_does_nothing_twice(
    alice: User, metric: Metric, chosen: Sources, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = services.ask(actor=alice, metric=metric, chosen=chosen, verdicts=VERDICT)
    services.work(made.pk)

    def never(*_: Any) -> None:
        raise AssertionError("It was judged again.")

    monkeypatch.setattr(services, "_judge", never)
    services.work(made.pk)
    Agreement.objects.filter(pk=made.pk).update(
        state="waiting", owner="somebody", heartbeat_at=timezone.now()
    )
    services.work(made.pk)


def test_what_a_dead_worker_left_is_taken_up_and_nothing_is_asked_again(
    alice: User, metric: Metric, chosen: Sources
) -> None:
    made = services.ask(actor=alice, metric=metric, chosen=chosen, verdicts=VERDICT)
    made.rows.filter(number=1).update(judged=0.0, reason="judged by the one that died")
    Agreement.objects.filter(pk=made.pk).update(
        owner="dead", heartbeat_at=timezone.now() - timedelta(hours=1)
    )
    services.work(made.pk)
    made.refresh_from_db()
    assert made.state == "done"
    assert made.rows.get(number=1).reason == "judged by the one that died"
    assert made.result["matrix"] == [[1, 1], [2, 1]]


def test_it_reads_what_was_there_when_it_was_asked(
    alice: User, metric: Metric, chosen: Sources
) -> None:
    made = services.ask(actor=alice, metric=metric, chosen=chosen, verdicts=VERDICT)
    update_metric(actor=alice, metric=metric, name="Exact", params={"field": "message"})
    chosen.dataset.delete()
    services.work(made.pk)
    made.refresh_from_db()
    assert made.result["accuracy"] == pytest.approx(0.6)
    assert made.version.number == 1


def judge_metric(project: Project, model: str = "echo", scale: str = "yes/no") -> Metric:
    judge = builders.make_connection(project, model=model)
    # Answers are kept from one test to the next: another rubric is another question.
    params = {"rubric": f"The answer is right. ({uuid4()})", "scale": scale, **FIELD}
    return builders.make_metric(project, "judge", kind="lm_judge", params=params, judge=judge)


def test_a_judge_s_calls_are_told_before_and_capped(
    alice: User, project: Project, chosen: Sources
) -> None:
    metric = judge_metric(project)
    found = services.find(metric, chosen, VERDICT)
    assert (found.calls, found.cap) == (5, 10)
    made = services.ask(actor=alice, metric=metric, chosen=chosen, verdicts=VERDICT)
    services.work(made.pk)
    made.refresh_from_db()
    assert made.state == "done", made.error
    assert made.max_calls == 10
    assert 0 < made.calls <= 5
    # The script says yes to everything.
    assert made.result["matrix"] == [[0, 2], [0, 3]]
    assert made.result["kappa"] == pytest.approx(0.0)


def test_a_cap_that_is_reached_stops_it_and_it_can_go_on(
    alice: User, project: Project, chosen: Sources
) -> None:
    metric = judge_metric(project)
    made = services.ask(actor=alice, metric=metric, chosen=chosen, verdicts=VERDICT)
    Agreement.objects.filter(pk=made.pk).update(max_calls=1)
    services.work(made.pk)
    made.refresh_from_db()
    assert made.state == "failed"
    assert "call" in made.error
    services.retry(actor=alice, agreement=made)
    Agreement.objects.filter(pk=made.pk).update(max_calls=20)
    services.work(made.pk)
    made.refresh_from_db()
    assert made.state == "done"


def test_a_judge_that_cannot_be_used_is_told(
    alice: User, project: Project, chosen: Sources
) -> None:
    metric = judge_metric(project)
    made = services.ask(actor=alice, metric=metric, chosen=chosen, verdicts=VERDICT)
    project.connections.update(model="nobody")
    services.work(made.pk)
    made.refresh_from_db()
    assert made.state == "failed"
    assert "nobody" in made.error


def test_rows_that_cannot_be_judged_are_counted(
    alice: User, project: Project, chosen: Sources
) -> None:
    builders.make_pipeline(project)
    code = "def score(e, p):\n    return 1 if e['message'] != 'a' else e['nothing']"
    metric = builders.make_metric(project, "code", kind="python", params={"code": code})
    chosen = replace(chosen, fields=known_fields(project))
    made = services.ask(actor=alice, metric=metric, chosen=chosen, verdicts=VERDICT)
    services.work(made.pk)
    made.refresh_from_db()
    assert (made.result["count"], made.result["unscored"]) == (4, 1)
    assert "KeyError" in made.rows.get(number=1).reason


def test_it_takes_two_verdicts(alice: User, metric: Metric, chosen: Sources) -> None:
    with pytest.raises(Invalid, match="it takes two"):
        services.ask(actor=alice, metric=metric, chosen=chosen, verdicts=services.HERE)
    with pytest.raises(Invalid, match="no column"):
        services.ask(actor=alice, metric=metric, chosen=chosen, verdicts="column:nothing")
    assert not Agreement.objects.exists()


def test_only_authors_ask_and_label(viewer: User, metric: Metric, chosen: Sources) -> None:
    with pytest.raises(NotAllowed):
        services.ask(actor=viewer, metric=metric, chosen=chosen, verdicts=VERDICT)
    row = read_rows(chosen, metric_field="category")[0]
    with pytest.raises(NotAllowed):
        services.label(actor=viewer, metric=metric, row=row, value=1.0)
    client = builders.make_client(viewer)
    assert client.post(URL, {"verdicts": VERDICT}).status_code == 403
    assert client.post(LABEL, {"value": "1"}).status_code == 403
    assert client.get(URL).status_code == client.get(LABEL).status_code == 200


def test_a_stranger_sees_nothing(as_charlie: Client, metric: Metric) -> None:
    for url in (URL, LABEL, f"{URL}1/"):
        assert as_charlie.get(url).status_code == 404
        assert as_charlie.post(url).status_code in (404, 405)


# ── scales ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("scale", "cell", "value"),
    [
        ("yes/no", "YES", 1.0),
        ("yes/no", " n ", 0.0),
        ("yes/no", True, 1.0),
        ("yes/no", 0, 0.0),
        ("yes/no", "0.7", 0.7),
        ("yes/no", "5", None),
        ("yes/no", "nan", None),
        ("yes/no", None, None),
        ("1-5", "1", 0.0),
        ("1-5", 4.0, 0.75),
        ("1-5", "yes", None),
        ("1-5", "6", None),
        ("1-5", "2.5", None),
    ],
)
def test_a_cell_is_read_as_a_verdict(scale: str, cell: Any, value: float | None) -> None:
    assert SCALES[scale].read(cell) == value


def test_a_score_has_the_nearest_label_and_the_better_one_half_way() -> None:
    assert [YES_NO.index(value) for value in (0, 0.49, 0.5, 1)] == [0, 0, 1, 1]
    assert [STARS.index(value) for value in (0, 0.125, 0.3, 0.9, 1)] == [0, 1, 1, 4, 4]


# ── pages ──────────────────────────────────────────────────────────────────────────────────────


ASKED = {"rows_source": "column:draft", "verdicts": VERDICT}


def test_the_page_shows_what_it_would_ask_then_asks(as_alice: Client, metric: Metric) -> None:
    page = as_alice.get(URL, ASKED).content.decode()
    assert "<strong>5</strong> rows with a verdict, 1 without" in page
    answer = as_alice.post(URL, ASKED)
    made = Agreement.objects.get()
    assert answer["Location"] == f"{URL}{made.pk}/"
    assert "0 of 5 answers judged" in as_alice.get(f"{URL}{made.pk}/").content.decode()
    services.work(made.pk)
    page = as_alice.get(f"{URL}{made.pk}/").content.decode()
    assert "0.600" in page
    assert "Where they differ" in page
    assert 'hx-trigger="every 1s"' not in page
    assert "Version 1" in as_alice.get(URL).content.decode()


def test_what_is_wrong_is_told_on_the_page(as_alice: Client, metric: Metric) -> None:
    answer = as_alice.post(URL, {**ASKED, "verdicts": "column:nothing"})
    assert answer.status_code == 422
    assert "no column “nothing”" in answer.content.decode()
    assert as_alice.get(f"{URL}999/").status_code == 404


def test_a_failed_one_is_taken_up_from_the_page(as_alice: Client, metric: Metric) -> None:
    as_alice.post(URL, ASKED)
    made = Agreement.objects.get()
    Agreement.objects.filter(pk=made.pk).update(state="failed", error="The judge is away.")
    page = as_alice.get(f"{URL}{made.pk}/").content.decode()
    assert "The judge is away." in page
    as_alice.post(f"{URL}{made.pk}/retry/")
    made.refresh_from_db()
    assert made.state == "waiting"


def key_in(page: str) -> str:
    return page.split('name="key" value="')[1].split('"')[0]


def test_answers_are_labelled_one_after_the_other(
    as_alice: Client, alice: User, metric: Metric, chosen: Sources
) -> None:
    query = {"rows_source": "column:draft"}
    for number in range(1, 7):
        page = as_alice.get(LABEL, query).content.decode()
        assert f"Answer {number} of 6" in page
        assert "billing, gold" not in page
        answer = as_alice.post(LABEL, {**query, "key": key_in(page), "value": str(number % 2)})
        assert answer.status_code == 302
    assert "verdicts=here" in answer["Location"]
    assert HumanScore.objects.filter(created_by=alice).count() == 6
    found = services.find(metric, chosen, services.HERE)
    assert [value for _row, value in found.rows] == [1, 0, 1, 0, 1, 0]


def test_a_verdict_is_changed_and_taken_back(as_alice: Client, metric: Metric) -> None:
    query = {"rows_source": "column:draft"}
    page = as_alice.get(LABEL, query).content.decode()
    for value in ("1", "0"):
        as_alice.post(LABEL, {**query, "key": key_in(page), "value": value})
    assert HumanScore.objects.get().value == 0.0
    again = as_alice.get(LABEL, {**query, "at": "0"}).content.decode()
    assert 'aria-pressed="true"' in again
    as_alice.post(LABEL, {**query, "key": key_in(page), "value": ""})
    assert not HumanScore.objects.exists()


@pytest.mark.parametrize("value", ["0.3", "yes", "nan", "1e999"])
def test_other_verdicts_are_refused(as_alice: Client, metric: Metric, value: str) -> None:
    page = as_alice.get(LABEL).content.decode()
    assert as_alice.post(LABEL, {"key": key_in(page), "value": value}).status_code == 422
    assert not HumanScore.objects.exists()


def test_a_verdict_lands_on_the_answer_that_was_shown(as_alice: Client, metric: Metric) -> None:
    page = as_alice.post(LABEL, {"key": "of something else", "value": "1"}, follow=True)
    assert "has changed since it was shown" in page.content.decode()
    assert not HumanScore.objects.exists()


def test_without_a_dataset_the_pages_say_what_to_do(as_alice: Client, project: Project) -> None:
    builders.make_metric(project, params=FIELD)
    assert "No dataset yet" in as_alice.get(URL).content.decode()
    assert "No dataset yet" in as_alice.get(LABEL).content.decode()
