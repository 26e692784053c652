"""Who is in a project, and who may change that."""

from __future__ import annotations

import pytest
from django.test import Client

from studio.accounts import services
from studio.accounts.models import AuditEntry, Membership, Project, Role, User
from studio.errors import Invalid, NotAllowed, NotFound
from tests import builders

URL = "/p/support/members/"


def member(project: Project, user: User) -> Membership:
    return Membership.objects.get(project=project, user=user)


def test_a_member_sees_who_is_in(as_bob: Client, project: Project) -> None:
    page = as_bob.get(URL).content.decode()
    assert "alice" in page
    assert "Add somebody" not in page


def test_a_stranger_cannot_open_it(as_charlie: Client, project: Project) -> None:
    assert as_charlie.get(URL).status_code == 404
    assert as_charlie.post(URL, {"username": "charlie", "role": "admin"}).status_code == 404


def test_an_admin_lets_somebody_in(as_alice: Client, charlie: User, project: Project) -> None:
    assert as_alice.post(URL, {"username": "Charlie", "role": "author"}).status_code == 302
    assert member(project, charlie).role == Role.AUTHOR
    entry = AuditEntry.objects.get(action="member.add")
    assert (entry.subject, entry.detail) == ("charlie", {"role": "author"})


def test_a_reviewer_lets_nobody_in(as_bob: Client, charlie: User, project: Project) -> None:
    answer = as_bob.post(URL, {"username": "charlie", "role": "admin"})
    assert answer.status_code == 403
    assert not Membership.objects.filter(user=charlie).exists()


def test_a_name_that_nobody_has_gets_a_sentence(as_alice: Client, project: Project) -> None:
    page = as_alice.post(URL, {"username": "dora", "role": "author"})
    assert page.status_code == 422
    assert "Nobody on this site is called “dora”" in page.content.decode()


def test_somebody_who_is_in_is_not_added_again(as_alice: Client, project: Project) -> None:
    page = as_alice.post(URL, {"username": "bob", "role": "admin"})
    assert page.status_code == 422
    assert "is a member already, as reviewer" in page.content.decode()


def test_a_role_that_does_not_exist_is_refused(
    as_alice: Client, bob: User, project: Project
) -> None:
    assert as_alice.post(URL, {"username": "bob", "role": "king"}).status_code == 422
    pk = member(project, bob).pk
    assert as_alice.post(f"{URL}{pk}/role/", {"role": "king"}).status_code == 422


def test_an_admin_changes_a_role(as_alice: Client, bob: User, project: Project) -> None:
    as_alice.post(f"{URL}{member(project, bob).pk}/role/", {"role": "viewer"})
    assert member(project, bob).role == Role.VIEWER
    assert AuditEntry.objects.get().detail == {"before": "reviewer", "after": "viewer"}


def test_nobody_promotes_themselves(as_bob: Client, bob: User, project: Project) -> None:
    answer = as_bob.post(f"{URL}{member(project, bob).pk}/role/", {"role": "admin"})
    assert answer.status_code == 403
    assert member(project, bob).role == Role.REVIEWER


def test_the_last_admin_stays(as_alice: Client, alice: User, project: Project) -> None:
    pk = member(project, alice).pk
    for action, data in (("role", {"role": "viewer"}), ("remove", {})):
        page = as_alice.post(f"{URL}{pk}/{action}/", data, follow=True).content.decode()
        assert "is the only admin" in page
    assert member(project, alice).role == Role.ADMIN


def test_an_admin_may_go_when_another_is_there(
    as_alice: Client, alice: User, bob: User, project: Project
) -> None:
    services.change_role(
        actor=alice, project=project, member_id=member(project, bob).pk, role=Role.ADMIN
    )
    answer = as_alice.post(f"{URL}{member(project, alice).pk}/remove/")
    assert answer["Location"] == "/projects/"
    assert as_alice.get(URL).status_code == 404


def test_a_member_may_leave_but_not_remove_others(
    as_bob: Client, alice: User, bob: User, project: Project
) -> None:
    assert as_bob.post(f"{URL}{member(project, alice).pk}/remove/").status_code == 403
    as_bob.post(f"{URL}{member(project, bob).pk}/remove/")
    assert not Membership.objects.filter(user=bob).exists()


def test_a_member_of_another_project_is_out_of_reach(
    as_alice: Client, charlie: User, project: Project
) -> None:
    other = builders.make_project("Other", "other", admin=charlie)
    pk = member(other, charlie).pk
    assert as_alice.post(f"{URL}{pk}/remove/").status_code == 404
    assert member(other, charlie).role == Role.ADMIN


def test_services_ask_for_the_role_themselves(bob: User, charlie: User, project: Project) -> None:
    with pytest.raises(NotAllowed, match="needs the role admin"):
        services.add_member(actor=bob, project=project, username="charlie", role=Role.VIEWER)
    with pytest.raises(NotFound):
        services.add_member(actor=charlie, project=project, username="bob", role=Role.VIEWER)
    with pytest.raises(Invalid):
        services.create_project(actor=bob, name="  ")
