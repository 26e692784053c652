"""Keys for callers, and what they called."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models

from studio.accounts.models import Project
from studio.reviews.models import Release


class ApiKey(models.Model):
    """A key for calling a project's releases; only its hash is kept."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=60)
    prefix = models.CharField(max_length=12, unique=True)
    """The part that people recognise it by."""
    hash = models.CharField(max_length=64, unique=True)
    """SHA-256 of the key, which has 256 random bits."""
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"


class Call(models.Model):
    """One served call."""

    release = models.ForeignKey(Release, on_delete=models.CASCADE, related_name="calls")
    key = models.ForeignKey(ApiKey, null=True, on_delete=models.SET_NULL, related_name="calls")
    inputs = models.JSONField()
    outputs = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    seconds = models.FloatField()
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering: ClassVar[list[str]] = ["-at"]

    def __str__(self) -> str:
        return f"{self.release} at {self.at}"
