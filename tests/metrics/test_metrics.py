"""Pages and services of metrics."""

from __future__ import annotations

import pytest
from django.test import Client

from studio.accounts.models import AuditEntry, Membership, Project, Role, User
from studio.engine.example import Example
from studio.engine.metrics import METRICS, Score
from studio.engine.trace import Prediction
from studio.errors import Invalid, NotFound
from studio.metrics import services
from studio.metrics.models import Metric
from tests import builders

URL = "/p/support/metrics/"
FIELD = {"field": "category"}
HTMX = {"HX-Request": "true"}


@pytest.fixture
def as_viewer(project: Project) -> Client:
    viewer = builders.make_user("viewer")
    Membership.objects.create(project=project, user=viewer, role=Role.VIEWER)
    return builders.make_client(viewer)


@pytest.mark.parametrize("path", ["", "new/", "exact/"])
def test_a_stranger_cannot_open_it(as_charlie: Client, project: Project, path: str) -> None:
    builders.make_metric(project, params=FIELD)
    assert as_charlie.get(f"{URL}{path}").status_code == 404


@pytest.mark.parametrize("path", ["new/?kind=exact_match", "exact/", "exact/delete/"])
def test_a_viewer_cannot_write(as_viewer: Client, project: Project, path: str) -> None:
    builders.make_metric(project, params=FIELD)
    assert as_viewer.post(f"{URL}{path}", {"name": "Mine", **FIELD}).status_code == 403
    assert Metric.objects.get().name == "Exact"


def test_a_viewer_reads_and_tries(as_viewer: Client, project: Project) -> None:
    builders.make_metric(project, params=FIELD)
    page = as_viewer.get(f"{URL}exact/").content.decode()
    assert "Score it" in page
    assert ">Save<" not in page


def test_every_kind_has_a_form(as_alice: Client, project: Project) -> None:
    page = as_alice.get(f"{URL}new/").content.decode()
    for kind in METRICS:
        assert f"?kind={kind}" in page
        assert as_alice.get(f"{URL}new/?kind={kind}").status_code == 200


def test_a_metric_is_made_and_opened(as_alice: Client, project: Project) -> None:
    answer = as_alice.post(f"{URL}new/?kind=exact_match", {"name": "Right category", **FIELD})
    metric = Metric.objects.get()
    assert answer["Location"] == f"{URL}right-category/"
    assert metric.params == {"field": "category"}
    assert AuditEntry.objects.get().action == "metric.create"
    opened = services.open_metric(metric)
    example, prediction = Example({"category": "billing"}), Prediction({"category": "billing"})
    assert opened(example, prediction) == Score(1.0, "“billing”, as expected")


def test_a_metric_is_changed(as_alice: Client, project: Project) -> None:
    metric = builders.make_metric(project, params=FIELD)
    as_alice.post(f"{URL}exact/", {"name": "Exact", "field": "answer", "normalisation": "none"})
    metric.refresh_from_db()
    assert metric.params == {"field": "answer", "normalisation": "none"}
    assert metric.slug == "exact"


@pytest.mark.parametrize("data", [{"name": "", **FIELD}, {"name": "Mine", "field": " "}])
def test_bad_input_gets_a_sentence(
    as_alice: Client, project: Project, data: dict[str, str]
) -> None:
    page = as_alice.post(f"{URL}new/?kind=exact_match", data)
    assert page.status_code == 422
    assert "field-error" in page.content.decode()
    assert not Metric.objects.exists()


def test_an_unknown_kind_leads_to_the_choice(as_alice: Client, project: Project) -> None:
    page = as_alice.post(f"{URL}new/?kind=vibes", {"name": "Mine"}).content.decode()
    assert "How is an answer compared" in page
    assert not Metric.objects.exists()


def test_a_metric_that_this_version_does_not_know_says_so(
    as_alice: Client, project: Project
) -> None:
    metric = builders.make_metric(project, kind="vibes")
    assert "unknown to this version" in as_alice.get(URL).content.decode()
    assert "does not know" in as_alice.get(f"{URL}exact/").content.decode()
    with pytest.raises(Invalid, match="cannot be used"):
        services.open_metric(metric)


def test_trying_shows_score_and_reason(as_viewer: Client, project: Project) -> None:
    data = {"field": "category", "expected": "billing", "answered": "<b>shipping</b>"}
    page = as_viewer.post(f"{URL}try/exact_match/", data, headers=HTMX).content.decode()
    assert "0.000" in page
    assert "&lt;b&gt;shipping" in page
    assert "<html" not in page


def test_trying_works_without_javascript(as_alice: Client, project: Project) -> None:
    data = {"field": "answer", "expected": "a red bus", "answered": "the red car"}
    page = as_alice.post(f"{URL}try/token_f1/", data).content.decode()
    assert "<html" in page
    assert "0.500" in page


def test_trying_with_bad_settings_names_the_box(as_alice: Client, project: Project) -> None:
    answer = as_alice.post(f"{URL}try/exact_match/", {"expected": "x"}, headers=HTMX)
    assert answer.status_code == 422
    assert "Field: This field is required." in answer.content.decode()
    assert as_alice.post(f"{URL}try/vibes/", {}).status_code == 404


def test_a_stranger_cannot_try(as_charlie: Client, project: Project) -> None:
    assert as_charlie.post(f"{URL}try/exact_match/", FIELD).status_code == 404


def test_deleting_is_refused_while_a_run_needs_it(as_alice: Client, project: Project) -> None:
    metric = builders.make_metric(project, params=FIELD)
    run = builders.make_run(project, metric=metric, state="queued")
    page = as_alice.post(f"{URL}exact/delete/", follow=True).content.decode()
    assert "a run that has not ended" in page
    run.state = "failed"
    run.save()
    as_alice.post(f"{URL}exact/delete/")
    assert not Metric.objects.exists()


def test_the_box_for_a_field_suggests_the_outputs(
    as_alice: Client, alice: User, project: Project
) -> None:
    builders.make_signature(project)
    page = as_alice.get(f"{URL}new/?kind=exact_match").content.decode()
    assert '<option value="category">' in page
    assert '<option value="message">' not in page


def test_json_is_read_for_metrics_of_several_fields() -> None:
    assert services._values('{"a": 1}', "") == {"a": 1}
    for text in ("[1]", "{", "[" * 100_000):
        with pytest.raises(Invalid, match="as JSON"):
            services._values(text, "")


# ── metrics that ask a language model, or run code ─────────────────────────────────────────────


RUBRIC = {"rubric": "The answer is polite.", "scale": "yes/no"}


def test_a_judge_is_chosen_and_asked(as_alice: Client, project: Project) -> None:
    connection = builders.make_connection(project, model="echo")
    page = as_alice.get(f"{URL}new/?kind=lm_judge").content.decode()
    assert 'name="judge"' in page
    answer = as_alice.post(
        f"{URL}new/?kind=lm_judge", {"name": "Polite", "judge": connection.pk, **RUBRIC}
    )
    metric = Metric.objects.get()
    assert answer["Location"] == metric.get_absolute_url()
    assert metric.judge == connection
    assert services.open_metric(metric).name


def test_without_a_judge_there_is_a_sentence(as_alice: Client, project: Project) -> None:
    builders.make_connection(project)
    answer = as_alice.post(f"{URL}new/?kind=lm_judge", {"name": "Polite", **RUBRIC})
    assert answer.status_code == 422
    assert not Metric.objects.exists()
    metric = builders.make_metric(project, kind="lm_judge", params=RUBRIC)
    with pytest.raises(Invalid, match="Choose the language model that judges"):
        services.open_metric(metric)


def test_another_projects_model_cannot_judge(
    as_alice: Client, alice: User, project: Project
) -> None:
    foreign = builders.make_connection(builders.make_project("Other", "other"))
    data = {"name": "Polite", "judge": foreign.pk, **RUBRIC}
    assert as_alice.post(f"{URL}new/?kind=lm_judge", data).status_code == 422
    with pytest.raises(NotFound):
        services.create_metric(
            actor=alice,
            project=project,
            name="Polite",
            kind="lm_judge",
            params=RUBRIC,
            judge=foreign,
        )
    assert not Metric.objects.exists()


def test_other_kinds_have_no_judge(as_alice: Client, project: Project) -> None:
    builders.make_connection(project)
    assert 'name="judge"' not in as_alice.get(f"{URL}new/?kind=exact_match").content.decode()


CODE = """def score(example, prediction):
    if example["category"] == prediction["category"]:
        return 1.0, "the same"
    return 0.25, "another"
"""


def test_code_is_tried_in_the_sandbox(as_alice: Client, project: Project) -> None:
    data = {
        "code": CODE,
        "expected": '{"category": "billing"}',
        "answered": '{"category": "shipping"}',
    }
    page = as_alice.post(f"{URL}try/python/", data, headers=HTMX).content.decode()
    assert "another" in page
    data["code"] = "def score(example, prediction):\n    return open('/etc/passwd').read()\n"
    answer = as_alice.post(f"{URL}try/python/", data, headers=HTMX)
    assert answer.status_code == 422
    assert "root:" not in answer.content.decode()
