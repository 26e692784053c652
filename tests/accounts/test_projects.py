"""The list of projects, a new one, and the overview of one."""

from __future__ import annotations

from django.test import Client

from studio.accounts.models import AuditEntry, Membership, Project, Role, User
from studio.accounts.overview import steps_of
from tests import builders


def test_home_leads_to_the_only_project(as_alice: Client, project: Project) -> None:
    assert as_alice.get("/")["Location"] == "/p/support/"


def test_home_leads_to_the_list_when_there_are_several(
    as_alice: Client, alice: User, project: Project
) -> None:
    builders.make_project("Other", "other", admin=alice)
    assert as_alice.get("/")["Location"] == "/projects/"


def test_the_list_shows_only_my_projects(as_charlie: Client, project: Project) -> None:
    page = as_charlie.get("/projects/").content.decode()
    assert "You are in no project yet" in page
    assert "/p/support/" not in page


def test_whoever_makes_a_project_is_its_admin(as_charlie: Client, charlie: User) -> None:
    answer = as_charlie.post("/projects/", {"name": "  Contract   review "})
    project = Project.objects.get()
    assert answer["Location"] == "/p/contract-review/"
    assert project.name == "Contract review"
    assert Membership.objects.get(project=project, user=charlie).role == Role.ADMIN
    assert AuditEntry.objects.get().action == "project.create"


def test_two_projects_of_one_name_get_two_addresses(as_alice: Client, alice: User) -> None:
    for _ in range(3):
        as_alice.post("/projects/", {"name": "Same"})
    assert set(Project.objects.values_list("slug", flat=True)) == {"same", "same-2", "same-3"}


def test_a_name_without_letters_still_gets_an_address(as_alice: Client, alice: User) -> None:
    as_alice.post("/projects/", {"name": "問い合わせ"})
    assert Project.objects.get().slug == "project"


def test_a_project_without_a_name_is_not_made(as_alice: Client, alice: User) -> None:
    page = as_alice.post("/projects/", {"name": "   "})
    assert page.status_code == 422
    assert "field-error" in page.content.decode()
    assert not Project.objects.exists()


def test_a_name_that_is_too_long_gets_a_sentence(as_alice: Client, alice: User) -> None:
    page = as_alice.post("/projects/", {"name": "x" * 200})
    assert page.status_code == 422
    assert "at most 80 characters" in page.content.decode()


def test_a_stranger_cannot_open_it(as_charlie: Client, project: Project) -> None:
    page = as_charlie.get("/p/support/")
    assert page.status_code == 404
    assert "Support" not in page.content.decode()


def test_an_empty_project_begins_with_a_signature(project: Project) -> None:
    steps = steps_of(project)
    assert [step.title for step in steps if step.is_next] == ["Signature"]
    assert not any(step.done for step in steps)


def test_the_next_step_is_the_first_that_is_missing(project: Project) -> None:
    builders.make_pipeline(project)
    builders.make_dataset(project)
    builders.make_connection(project)
    steps = {step.title: step for step in steps_of(project)}
    assert steps["Signature"].done
    assert steps["Metric"].is_next
    assert steps["Dataset"].has == "1 dataset"


def test_the_overview_shows_what_is_next_and_what_ran(
    as_alice: Client, alice: User, project: Project
) -> None:
    builders.make_run(project, state="succeeded", calls=1234)
    page = as_alice.get("/p/support/").content.decode()
    assert "1,234" in page
    assert "Succeeded" in page
    assert "Upload examples" in page


def test_the_overview_offers_a_viewer_nothing_to_do(project: Project) -> None:
    viewer = builders.make_user("viewer")
    Membership.objects.create(project=project, user=viewer, role=Role.VIEWER)
    page = builders.make_client(viewer).get("/p/support/").content.decode()
    assert "Write a signature" not in page


def test_an_open_review_is_counted_in_the_menu(as_bob: Client, project: Project) -> None:
    project.reviews.create(artifact=builders.make_artifact(project))
    page = as_bob.get("/p/support/").content.decode()
    assert "1 open" in page


def test_the_menu_says_where_one_is(as_alice: Client, project: Project) -> None:
    page = as_alice.get("/p/support/members/").content.decode()
    assert 'href="/p/support/members/" aria-current="page"' in page
    assert page.count('aria-current="page"') == 1


def test_names_are_shown_and_never_run(as_alice: Client, alice: User) -> None:
    as_alice.post("/projects/", {"name": "<script>alert(1)</script>"})
    page = as_alice.get("/projects/").content.decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;" in page


def test_a_page_that_does_not_exist_says_so_in_the_frame(as_alice: Client, alice: User) -> None:
    page = as_alice.get("/nowhere/")
    assert page.status_code == 404
    assert "There is no such page" in page.content.decode()


def test_an_author_is_not_sent_where_only_an_admin_may_go(project: Project) -> None:
    author = builders.make_user("author")
    Membership.objects.create(project=project, user=author, role=Role.AUTHOR)
    builders.make_pipeline(project)
    builders.make_dataset(project)
    builders.make_metric(project)
    page = builders.make_client(author).get("/p/support/").content.decode()
    assert "Connect the model" in page
    assert "lms/new/" not in page
