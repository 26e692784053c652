"""Who may do what, and the log of what was done."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from studio.accounts.models import AuditEntry, Membership, Project, Role, User
from studio.accounts.slugs import free_slug
from studio.errors import Conflict, Invalid, NotAllowed, NotFound


def get_project(*, user: Any, slug: str, role: Role = Role.VIEWER) -> Project:
    """The project, if `user` has at least `role` in it.

    Raises `NotFound` for strangers (who cannot tell it from a project that does not exist) and
    `NotAllowed` for members of a lower role.
    """
    project = Project.objects.visible_to(user).filter(slug=slug).first()
    if project is None:
        raise NotFound(f"There is no project “{slug}” that you are a member of.")
    require(user=user, project=project, role=role)
    return project


def role_of(*, user: Any, project: Project) -> Role | None:
    """The user's role in the project, or None for a stranger."""
    found = Membership.objects.filter(user=user, project=project).values_list("role", flat=True)
    return Role(found[0]) if found else None


def may(*, user: Any, project: Project, role: Role) -> bool:
    """Whether `user` has at least `role`: for showing or hiding a button, not for guarding."""
    has = role_of(user=user, project=project)
    return has is not None and has.rank >= role.rank


def require(*, user: Any, project: Project, role: Role) -> None:
    """Raise `NotFound` or `NotAllowed` unless `user` has at least `role` in `project`."""
    has = role_of(user=user, project=project)
    if has is None:
        raise NotFound(f"There is no project “{project.slug}” that you are a member of.")
    if has.rank < role.rank:
        raise NotAllowed(
            f"This needs the role {role.label.lower()} in {project.name}; "
            f"you are {has.label.lower()}. Ask an admin of the project."
        )


def record(*, project: Project, actor: Any, action: str, subject: str, **detail: Any) -> None:
    """Add a line to the project's log. Keep secrets out of `detail`."""
    AuditEntry.objects.create(
        project=project, actor=actor, action=action, subject=subject[:200], detail=detail
    )


@transaction.atomic
def create_project(*, actor: User, name: str) -> Project:
    """A new project with `actor` as its admin. Raises `Invalid` when the name is empty."""
    name = " ".join(name.split())
    if not name:
        raise Invalid("A project needs a name.")
    slug = free_slug(Project.objects.all(), name, fallback="project")
    project = Project.objects.create(name=name, slug=slug)
    Membership.objects.create(project=project, user=actor, role=Role.ADMIN)
    record(project=project, actor=actor, action="project.create", subject=name)
    return project


@transaction.atomic
def add_member(*, actor: User, project: Project, username: str, role: Role) -> Membership:
    """Let somebody who has an account here into the project.

    Raises `Invalid` when nobody has that name and `Conflict` when the person is in already.
    """
    require(user=actor, project=project, role=Role.ADMIN)
    user = User.objects.filter(username__iexact=username.strip(), is_active=True).first()
    if user is None:
        raise Invalid(
            f"Nobody on this site is called “{username.strip()}”. "
            "Check the spelling, or ask the site's administrator to add an account."
        )
    membership, is_new = Membership.objects.get_or_create(
        project=project, user=user, defaults={"role": role}
    )
    if not is_new:
        raise Conflict(
            f"{user.username} is a member already, as {Role(membership.role).label.lower()}. "
            "Change the role in the list."
        )
    record(
        project=project, actor=actor, action="member.add", subject=user.username, role=str(role)
    )
    return membership


@transaction.atomic
def change_role(*, actor: User, project: Project, member_id: int, role: Role) -> Membership:
    """Give a member another role. The last admin stays one."""
    require(user=actor, project=project, role=Role.ADMIN)
    membership = _locked_member(project, member_id)
    if membership.role == role:
        return membership
    if role != Role.ADMIN:
        _keep_an_admin(project, membership)
    before, membership.role = membership.role, role
    membership.save(update_fields=["role"])
    record(
        project=project,
        actor=actor,
        action="member.role",
        subject=membership.user.username,
        before=before,
        after=str(role),
    )
    return membership


@transaction.atomic
def remove_member(*, actor: User, project: Project, member_id: int) -> User:
    """Take a member out; members may take themselves out. The last admin stays."""
    membership = _locked_member(project, member_id)
    if membership.user_id != actor.pk:
        require(user=actor, project=project, role=Role.ADMIN)
    _keep_an_admin(project, membership)
    user = membership.user
    membership.delete()
    record(project=project, actor=actor, action="member.remove", subject=user.username)
    return user


def _locked_member(project: Project, member_id: int) -> Membership:
    # All members are locked, so that two admins cannot take each other's role at the same moment.
    members = project.memberships.select_for_update().select_related("user")
    for membership in members.order_by("pk"):
        if membership.pk == member_id:
            return membership
    raise NotFound("This person is no member of the project any more.")


def _keep_an_admin(project: Project, leaving: Membership) -> None:
    others = project.memberships.filter(role=Role.ADMIN).exclude(pk=leaving.pk)
    if leaving.role == Role.ADMIN and not others.exists():
        raise Invalid(
            f"{leaving.user.username} is the only admin of {project.name}. "
            "Make somebody else admin first."
        )
