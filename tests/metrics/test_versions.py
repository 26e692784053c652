"""Versions of a metric: made by changes, compared, restored, and used by runs."""

from __future__ import annotations

import pytest
from django.test import Client

from studio.accounts.models import AuditEntry, Membership, Project, Role, User
from studio.engine.example import Example
from studio.engine.trace import Prediction
from studio.errors import Conflict, Invalid, NotAllowed, NotFound
from studio.metrics import services
from studio.metrics.models import Metric
from studio.metrics.versions import changes, get_version, line_diff, restore_version
from tests import builders

URL = "/p/support/metrics/exact/"
FIELD = {"field": "category"}
OTHER = {"field": "answer"}


@pytest.fixture
def metric(project: Project) -> Metric:
    return builders.make_metric(project, params=FIELD)


@pytest.fixture
def viewer(project: Project) -> User:
    viewer = builders.make_user("viewer")
    Membership.objects.create(project=project, user=viewer, role=Role.VIEWER)
    return viewer


def change(alice: User, metric: Metric, params: dict[str, str], **more: object) -> Metric:
    return services.update_metric(
        actor=alice,
        metric=metric,
        name=metric.name,
        params=params,
        **more,  # type: ignore[arg-type]
    )


def test_each_change_is_a_version_with_its_message(alice: User, metric: Metric) -> None:
    changed = change(alice, metric, OTHER, message="  the other\nfield ")
    assert changed.number == 2
    newest = services.newest_version(changed)
    assert (newest.params, newest.message, newest.created_by) == (OTHER, "the other field", alice)
    assert get_version(changed, 1).params == FIELD


def test_what_changes_nothing_is_no_version(alice: User, metric: Metric) -> None:
    renamed = services.update_metric(actor=alice, metric=metric, name="Mine", params=FIELD)
    assert (renamed.name, renamed.number) == ("Mine", 1)
    assert renamed.versions.count() == 1


def test_a_change_of_the_judge_is_one(alice: User, project: Project) -> None:
    one, two = (
        builders.make_connection(project, model="echo"),
        builders.make_connection(project, "two", model="echo"),
    )
    metric = builders.make_metric(project, kind="lm_judge", params={"rubric": "x"}, judge=one)
    changed = services.update_metric(
        actor=alice, metric=metric, name="Exact", params={"rubric": "x"}, judge=two
    )
    assert changed.number == 2
    found = changes(get_version(changed, 1), get_version(changed, 2))
    assert [(change.label, change.before, change.after) for change in found] == [
        ("Judge", "Scripted", "Two")
    ]


def test_two_people_do_not_overwrite_one_another(alice: User, metric: Metric) -> None:
    change(alice, metric, OTHER, base=1)
    with pytest.raises(Conflict, match="version 2 of Exact since this page"):
        change(alice, metric, {"field": "third"}, base=1)
    metric.refresh_from_db()
    assert metric.params == OTHER


def test_the_page_keeps_what_was_written_when_somebody_was_faster(
    as_alice: Client, alice: User, metric: Metric
) -> None:
    change(alice, metric, OTHER)
    answer = as_alice.post(URL, {"name": "Exact", "field": "mine", "base": "1"})
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Somebody has saved version 2" in page
    assert 'value="mine"' in page


def test_a_run_s_version_is_opened_whatever_became_of_the_metric(
    alice: User, metric: Metric
) -> None:
    old = services.newest_version(metric)
    change(alice, metric, OTHER)
    metric.refresh_from_db()
    example, prediction = Example({"category": "a"}), Prediction({"category": "a"})
    opened = services.open_metric(metric, version=old)
    score = opened(example, prediction)
    assert getattr(score, "value", None) == 1.0


def test_restoring_makes_a_new_version(alice: User, metric: Metric) -> None:
    changed = change(alice, metric, OTHER)
    restored = restore_version(actor=alice, metric=changed, number=1)
    assert (restored.number, restored.params) == (3, FIELD)
    assert services.newest_version(restored).message == "Version 1 again"
    assert AuditEntry.objects.filter(action="metric.restore").count() == 1
    again = restore_version(actor=alice, metric=restored, number=1)
    assert again.number == 3


def test_a_version_that_cannot_be_used_is_not_restored(alice: User, project: Project) -> None:
    judge = builders.make_connection(project, model="echo")
    metric = builders.make_metric(project, kind="lm_judge", params={"rubric": "x"}, judge=judge)
    metric.versions.update(judge=None)
    services.update_metric(
        actor=alice, metric=metric, name="Exact", params={"rubric": "y"}, judge=judge
    )
    with pytest.raises(Invalid, match="language model that judges"):
        restore_version(actor=alice, metric=metric, number=1)


def test_only_authors_restore(viewer: User, alice: User, metric: Metric) -> None:
    change(alice, metric, OTHER)
    with pytest.raises(NotAllowed):
        restore_version(actor=viewer, metric=metric, number=1)
    client = builders.make_client(viewer)
    assert client.post(f"{URL}versions/restore/", {"number": "1"}).status_code == 403


def test_a_stranger_sees_no_versions(as_charlie: Client, metric: Metric) -> None:
    assert as_charlie.get(f"{URL}versions/").status_code == 404
    assert as_charlie.post(f"{URL}versions/restore/", {"number": "1"}).status_code == 404


def test_the_page_tells_what_changed_line_by_line(
    as_alice: Client, alice: User, project: Project
) -> None:
    code = "def score(example, prediction):\n    return {}\n"
    metric = builders.make_metric(project, kind="python", params={"code": code.format("0.5")})
    change(alice, metric, {"code": code.format("'<b>'")}, message="half")
    page = as_alice.get(f"{URL}versions/").content.decode()
    assert "From version 1 to version 2" in page
    assert "return 0.5" in page
    assert "return &#x27;&lt;b&gt;&#x27;" in page
    swapped = as_alice.get(f"{URL}versions/?from=2&to=1").content.decode()
    assert "From version 2 to version 1" in swapped
    assert "This is how" not in page


@pytest.mark.parametrize("query", ["from=9", "to=99999", "from=0"])
def test_versions_that_are_not_there_are_not_found(
    as_alice: Client, metric: Metric, query: str
) -> None:
    assert as_alice.get(f"{URL}versions/?{query}").status_code == 404


@pytest.mark.parametrize("query", ["from=x&to=-1", "from=²", "to=%00", "page=x"])
def test_nonsense_in_the_address_is_as_if_it_were_not_there(
    as_alice: Client, metric: Metric, query: str
) -> None:
    assert as_alice.get(f"{URL}versions/?{query}").status_code == 200


def test_the_page_restores(as_alice: Client, alice: User, metric: Metric) -> None:
    change(alice, metric, OTHER)
    page = as_alice.post(f"{URL}versions/restore/", {"number": "1"}, follow=True)
    assert "Version 1 is restored as version 3" in page.content.decode()
    page = as_alice.post(f"{URL}versions/restore/", {"number": "1"}, follow=True)
    assert "already" in page.content.decode()
    with pytest.raises(NotFound, match="no version 8"):
        restore_version(actor=alice, metric=metric, number=8)


def test_parts_of_composites_are_compared_as_text(alice: User, project: Project) -> None:
    parts = '[{"kind":"exact_match","params":{"field":"a"},"weight":1}]'
    metric = builders.make_metric(project, kind="composite", params={"parts": parts})
    change(alice, metric, {"parts": parts.replace('"weight":1', '"weight":3')})
    (found,) = changes(get_version(metric, 1), get_version(metric, 2))
    assert [(line.kind, line.text.strip()) for line in found.lines if line.kind != "same"] == [
        ("removed", '"weight": 1'),
        ("added", '"weight": 3'),
    ]


def test_lines_have_their_numbers_on_both_sides() -> None:
    found = line_diff("a\nb\nc", "a\nx\ny\nc")
    assert [(line.kind, line.text, line.before, line.after) for line in found] == [
        ("same", "a", 1, 1),
        ("removed", "b", 2, None),
        ("added", "x", None, 2),
        ("added", "y", None, 3),
        ("same", "c", 3, 4),
    ]


def test_a_viewer_reads_versions(viewer: User, metric: Metric) -> None:
    page = builders.make_client(viewer).get(f"{URL}versions/").content.decode()
    assert "Version 1" in page
    assert ">Restore" not in page
