"""Who may see and do what: users, projects, members, and the log of what they did."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.urls import reverse


class User(AbstractUser):
    """A person who signs in."""


class Role(models.TextChoices):
    """What a member may do, each role including the ones before it."""

    VIEWER = "viewer", "Viewer"
    AUTHOR = "author", "Author"
    REVIEWER = "reviewer", "Reviewer"
    ADMIN = "admin", "Admin"

    @property
    def rank(self) -> int:
        """Higher may do more."""
        return list(Role).index(self)


class ProjectQuerySet(models.QuerySet["Project"]):
    """Projects, many at a time."""

    def visible_to(self, user: Any) -> ProjectQuerySet:
        """The projects that `user` is a member of."""
        return self.filter(memberships__user=user)


class Project(models.Model):
    """What people share: everything else belongs to exactly one project."""

    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=60, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("accounts:project", args=[self.slug])


class Membership(models.Model):
    """A user's role in a project."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships"
    )
    role = models.CharField(max_length=10, choices=Role.choices, default=Role.VIEWER)

    class Meta:
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["project", "user"], name="one_role_a_member"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {self.role} of {self.project}"


class AuditEntry(models.Model):
    """Who did what, when and why. Rows are added, never changed."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="audit")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    action = models.CharField(max_length=60)
    """Such as `dataset.upload` or `review.approve`."""
    subject = models.CharField(max_length=200)
    """What it was done to, as people read it."""
    detail = models.JSONField(default=dict)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-at", "-pk"]

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


class FailedSignIn(models.Model):
    """A wrong password. Rows older than the window that is counted are deleted."""

    name = models.CharField(max_length=64)
    """Keyed hash of the name that was typed: people type passwords into the wrong box."""
    address = models.CharField(max_length=64)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["name", "at"], name="failed_sign_in_by_name"),
            models.Index(fields=["address", "at"], name="failed_sign_in_by_address"),
        ]

    def __str__(self) -> str:
        return f"{self.name[:8]} from {self.address} at {self.at}"
